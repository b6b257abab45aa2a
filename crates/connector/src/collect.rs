//! Rows of a source → canonical records with their keys, or refusals that name row, column, rule and shape.

mod crew;
mod given;
#[cfg(test)]
pub mod kept;
mod key;
mod members;
mod read;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use dagr_formats::{Row, Sink, Unreadable};
use dagr_model::{definition::Type, fault::Fault, schema::Schema};
pub use given::{Cell, Given, Wrong};
pub use members::Members;
use serde::Serialize;

use self::{
    crew::Crew,
    given::Met,
    key::RowKey,
    read::{Batch, Form, Read, Reader},
};
use crate::{
    error::{Error, Result},
    feed::MapSpec,
    map::{Filled, Mapping, Origin, shape},
    progress::Progress,
    source::{Notes, sql::CopyOwn},
    survey::Survey,
};

/// A row that is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// From 1; of a file the line.
    pub row: u64,
    pub column: String,
    pub rule: String,
    pub message: String,
    /// Letters as a and A, digits as 9: never the value.
    pub shape: String,
    /// The key of its record as JSON, where that can be read and no part of it is personal; else empty.
    pub record: String,
}

impl Refused {
    /// The first and the last of some rows that have one key and differ.
    pub fn same_key(schema: &Schema, (first, last): (u64, u64)) -> Self {
        Self {
            row: last,
            column: schema.definition.key.fields().collect::<Vec<_>>().join(", "),
            rule: "duplicate_key".to_owned(),
            message: format!("differs from row {first}, which has the same key; none of them is sent"),
            shape: String::new(),
            record: String::new(),
        }
    }

    /// The same of a record whose key was read.
    pub fn of(mut self, schema: &Schema, key: &[u8]) -> Self {
        self.record = key::shown(schema, key);
        self
    }
}

/// Where records and refusals go, in the order of the source's rows.
pub trait Take {
    /// `digest` of `json`, which is canonical.
    fn record(&mut self, row: u64, key: &[u8], digest: &[u8; 32], json: &[u8]) -> Result<()>;
    /// One that the server does not keep: it is past the definition's retention.
    fn expired(&mut self, row: u64, key: &[u8], digest: &[u8; 32], json: &[u8]) -> Result<()> {
        self.record(row, key, digest, json)
    }
    /// `key`: the record that the row is of, where that can be read; it is left as it is.
    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()>;
    /// A row that could not be taken apart, or whose key cannot be read: it may be of any record.
    fn unread(&mut self, refused: Vec<Refused>) -> Result<()> {
        self.refused(refused, None)
    }
}

/// What a feed notes of a reading: fields and the columns that filled them.
pub const FILLED: &str = "filled";

/// What a reading came to besides its records.
#[derive(Debug)]
pub struct Ended {
    /// Columns that no field takes.
    pub unwanted: String,
    /// To be kept with what was read.
    pub notes: Notes,
}

/// Bytes of rows read at once.
const BATCH: usize = 128 << 10;
/// Columns a source may have.
const COLUMNS: usize = 10_000;
/// Columns told by name.
const TOLD: usize = 50;

/// Takes rows from a source and gives records. What it gives may come later than the rows; [`Collect::finish`] gives all.
#[must_use = "rows are lost without finish"]
pub struct Collect<'c> {
    schema: Arc<Schema>,
    spec: &'c MapSpec,
    reader: Option<Arc<Reader>>,
    batch: Batch,
    /// Once there is more than one batch.
    crew: Option<Crew>,
    /// Columns that `COPY` writes in its own way.
    own: CopyOwn,
    /// A source that was understood may get columns that nobody wants.
    tolerant: bool,
    /// Those columns.
    unwanted: BTreeSet<String>,
    /// Columns that filled fields when the source was read before.
    before: Filled,
    /// Those that do now; records without a header say nothing of it.
    filled: Option<Filled>,
    met: Met,
    take: &'c mut dyn Take,
    progress: Option<&'c Progress>,
    /// Who looks at the rows as they stand; nothing is read of them.
    survey: Option<&'c mut Survey>,
    /// What stopped a package in the middle of the formats' reading.
    stopped: Option<Error>,
}

impl<'c> Collect<'c> {
    pub fn new(schema: &Arc<Schema>, spec: &'c MapSpec, take: &'c mut dyn Take) -> Self {
        Self {
            schema: Arc::clone(schema),
            spec,
            reader: None,
            batch: Batch::new(Form::Cells),
            crew: None,
            own: CopyOwn::default(),
            tolerant: false,
            unwanted: BTreeSet::new(),
            before: Filled::new(),
            filled: None,
            met: Met::default(),
            take,
            progress: None,
            survey: None,
            stopped: None,
        }
    }

    /// Who wants to know how many rows were read.
    pub fn told_to(mut self, progress: &'c Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Rows are only looked at.
    pub fn surveyed_by(mut self, survey: &'c mut Survey) -> Self {
        self.survey = Some(survey);
        self
    }

    /// Who looks at them, where they are.
    pub fn survey(&mut self) -> Option<&mut Survey> {
        self.survey.as_deref_mut()
    }

    /// New columns that nobody wants are passed over, and said.
    pub fn tolerant(mut self, tolerant: bool) -> Self {
        self.tolerant = tolerant;
        self
    }

    /// No field may lose the column it had: `noted` as [`FILLED`] by a reading before.
    pub fn after(mut self, noted: Option<String>) -> Self {
        self.before = noted
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        self
    }

    /// Gives what has not been given yet.
    pub fn finish(mut self) -> Result<Ended> {
        match self.crew {
            // Too little for more than one thread.
            None => {
                self.count();
                if let Some(reader) = &self.reader {
                    let mut read = Read::default();
                    reader.read(&self.batch, &mut read)?;
                    read.give(self.take)?;
                }
            }
            Some(_) => self.drain()?,
        }
        let told: Vec<&str> = self.unwanted.iter().take(TOLD).map(String::as_str).collect();
        let mut unwanted = told.join(", ");
        if self.unwanted.len() > TOLD {
            unwanted.push_str(&format!(" and {} more", self.unwanted.len() - TOLD));
        }
        let note = |filled: Filled| Some((FILLED.to_owned(), serde_json::to_string(&filled).ok()?));
        Ok(Ended {
            unwanted,
            notes: self.filled.and_then(note).into_iter().collect(),
        })
    }

    fn count(&self) {
        if let Some(progress) = self.progress {
            progress.rows.fetch_add(self.batch.rows(), Ordering::Relaxed);
        }
    }

    /// One more row that is not read.
    fn looked_at(&self) {
        if let Some(progress) = self.progress {
            progress.rows.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends the batch on its way.
    fn flush(&mut self) -> Result<()> {
        let Some(reader) = &self.reader else {
            return Ok(());
        };
        if self.batch.is_empty() {
            return Ok(());
        }
        self.count();
        let crew = self.crew.get_or_insert_with(Crew::start);
        let next = crew.batch(self.batch.form);
        let batch = std::mem::replace(&mut self.batch, next);
        crew.give(reader, batch)?;
        while crew.is_full() {
            crew.take(self.take)?;
        }
        Ok(())
    }

    /// Room for a row of this form.
    fn room(&mut self, form: Form) -> Result<&mut Batch> {
        if self.reader.is_none() {
            return Err(Error::Source("rows came before their columns".to_owned()));
        }
        if self.batch.form != form || self.batch.size() > BATCH {
            self.flush()?;
            self.batch.form = form;
        }
        Ok(&mut self.batch)
    }

    /// The columns of every row that follows, from a database.
    pub fn table(&mut self, columns: &[String]) -> Result<()> {
        self.header(columns, Origin::Database)
    }

    /// The same for rows of `COPY`.
    pub fn copied_table(&mut self, columns: &[String], own: CopyOwn) -> Result<()> {
        self.flush()?;
        self.own = own;
        self.table(columns)
    }

    /// The columns of every row that follows.
    pub fn header(&mut self, columns: &[String], origin: Origin) -> Result<()> {
        if let Some(survey) = &mut self.survey {
            return survey.columns(columns, origin);
        }
        let schema = Arc::clone(&self.schema);
        let faults = |faults: Vec<Fault>| Error::Faults {
            what: "the source and the feed do not fit together".to_owned(),
            faults,
        };
        let (mapping, unwanted) =
            Mapping::compile(self.spec, &schema, columns, origin, &self.before).map_err(faults)?;
        if !unwanted.is_empty() && !self.tolerant {
            return Err(faults(unwanted));
        }
        let named = unwanted
            .iter()
            .map(|fault| fault.place.trim_start_matches("column "));
        self.unwanted.extend(named.map(str::to_owned));
        if origin.has_header() {
            self.filled = Some(mapping.filled(&schema));
        }
        // Rows before it are read by what was known before.
        self.flush()?;
        self.reader = Some(Arc::new(
            Reader::new(schema, Some(mapping), columns.len(), self.spec.passes_unreadable).copied(&self.own),
        ));
        Ok(())
    }

    /// Has a row of column names come, or a record?
    pub fn knows_columns(&self) -> bool {
        self.reader.is_some() || self.survey.as_ref().is_some_and(|survey| survey.knows_columns())
    }

    /// Columns of the source's rows that hold the key's fields as they are, in key order.
    pub fn key_columns(&self) -> Option<Vec<usize>> {
        self.reader.as_ref()?.key_columns()
    }

    /// Columns that fields of type timestamp take as they stand.
    pub fn moment_columns(&self) -> Vec<usize> {
        self.reader
            .as_ref()
            .map_or_else(Vec::new, |reader| reader.moment_columns())
    }

    /// Does a field read this column?
    pub fn reads(&self, column: usize) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.reads(column))
    }

    /// The key of a row of which only the key's columns are known, as it is read in a row. `None`: no record can have it.
    pub fn key_of(&self, at: &[usize], texts: &[String]) -> Option<Vec<u8>> {
        match self.reader.as_ref()?.key_of_texts(at, texts) {
            RowKey::Known(key) => Some(key),
            RowKey::Nothing | RowKey::Unreadable => None,
        }
    }

    pub fn cells(&mut self, row: u64, cells: &[Option<&str>]) -> Result<()> {
        if let Some(survey) = &mut self.survey {
            survey.cells(cells);
            self.looked_at();
            return Ok(());
        }
        self.room(Form::Cells)?.cells(row, cells);
        Ok(())
    }

    /// A row whose cells may be no text; one that a field reads is refused.
    pub fn bytes(&mut self, row: u64, cells: &[Option<&[u8]>]) -> Result<()> {
        self.room(Form::Cells)?.cells(row, cells);
        Ok(())
    }

    /// A line of PostgreSQL's `COPY`.
    pub fn copy_line(&mut self, row: u64, line: &[u8]) -> Result<()> {
        self.room(Form::Copy)?.text(row, line);
        Ok(())
    }

    /// A record that is a JSON object already.
    pub fn json(&mut self, row: u64, raw: &[u8]) -> Result<()> {
        if let Some(survey) = &mut self.survey {
            survey.json(raw);
            self.looked_at();
            return Ok(());
        }
        if !self.spec.fields.is_empty() || !self.spec.drop.is_empty() {
            return self.json_by_map(row, raw);
        }
        if self.reader.is_none() {
            self.reader = Some(Arc::new(Reader::new(
                Arc::clone(&self.schema),
                None,
                0,
                self.spec.passes_unreadable,
            )));
        }
        self.room(Form::Json)?.text(row, raw);
        Ok(())
    }

    /// A row that is refused before it is read.
    fn refuse(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()> {
        self.drain()?;
        self.take.refused(refused, key)
    }

    /// A row that may be of any record.
    fn unread(&mut self, refused: Vec<Refused>) -> Result<()> {
        self.drain()?;
        self.take.unread(refused)
    }

    fn drain(&mut self) -> Result<()> {
        // What came before it is told before it.
        self.flush()?;
        if let Some(crew) = &mut self.crew {
            while crew.take(self.take)? {}
        }
        Ok(())
    }

    /// Members are columns: scalars as text, lists and objects as JSON.
    fn json_by_map(&mut self, row: u64, raw: &[u8]) -> Result<()> {
        let Ok(Members(members)) = serde_json::from_slice(raw) else {
            let message = "expected one JSON object".to_owned();
            return self.unread(vec![Refused::new(row, "", "json", message, "")]);
        };
        let mut wrong = Vec::new();
        let mut cells = Vec::with_capacity(members.len());
        for (column, value) in members {
            let node = self.field_of(&column);
            let text = match node.map(|node| &self.schema.nodes[node].ty) {
                // As it stands: a text is another value than what it says.
                Some(Type::Json) if value.get() != "null" => Some(value.get().to_owned()),
                _ => members::text(&value),
            };
            if text.is_none() && self.is_read(&column) {
                wrong.push(Wrong {
                    column: column.clone(),
                    rule: "json",
                    message: "half of a surrogate pair in a string".to_owned(),
                });
            }
            cells.push((column, text.unwrap_or_default()));
        }
        self.given(Origin::Json, row, cells, wrong)
    }

    /// What stopped the reading, where it was not the file.
    pub fn stopped(&mut self, error: Unreadable) -> Error {
        if let Some(error) = self.stopped.take() {
            return error;
        }
        let mut faults = error.faults;
        for fault in &mut faults {
            // A column that nobody knows may be a value, where the header is missing.
            if let Some(column) = fault.place.strip_prefix("column ")
                && self.field_of(column).is_none()
                && !self.spec.drop.iter().any(|drop| drop == column)
            {
                fault.place = format!("column {}", shape(column));
            }
        }
        Error::Faults {
            what: "the source cannot be read".to_owned(),
            faults,
        }
    }

    fn or_stop(&mut self, done: Result<()>) -> std::result::Result<(), Unreadable> {
        done.map_err(|error| {
            self.stopped = Some(error);
            Unreadable {
                faults: Vec::new(),
                code: "package_unreadable",
            }
        })
    }
}

impl Sink for Collect<'_> {
    fn columns(&mut self, headers: &[String]) -> std::result::Result<(), Unreadable> {
        let done = self.header(headers, Origin::Csv);
        self.or_stop(done)
    }

    fn row(&mut self, row: Row<'_>) -> std::result::Result<(), Unreadable> {
        let done = match row {
            Row::Cells { line, cells } => {
                let cells: Vec<Option<&str>> = cells.iter().map(|cell| Some(&**cell)).collect();
                self.cells(line, &cells)
            }
            Row::Upsert { line, json } => self.json(line, json),
            Row::Delete { line, .. } | Row::Erase { line, .. } => {
                let message = "a feed's source holds records, not operations".to_owned();
                self.refuse(vec![Refused::new(line, "op", "operation", message, "")], None)
            }
            Row::Bad { line, fault } => {
                let refused = Refused::new(line, &fault.place, &fault.rule, fault.message, "");
                self.unread(vec![refused])
            }
        };
        self.or_stop(done)
    }
}

#[cfg(test)]
mod tests;
