//! Batches of rows → canonical records with their keys and digests, or refusals.

use std::{ops::Range, sync::Arc};

use dagr_model::{
    definition::CsvOptions,
    digest::record_digest,
    fault::Fault,
    record::Canonical,
    retention::Cutoff,
    schema::{NodeId, Schema},
};
use jiff::Timestamp;

use super::{
    Refused,
    key::{KeyReader, RowKey},
};
use crate::{
    error::Result,
    map::{Mapped, Mapping, shape},
    source::sql::{CopyOwn, copied_text, copy_row, not_utf8},
};

/// How the rows of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Texts, one for each column.
    Cells,
    /// Lines of PostgreSQL's `COPY`.
    Copy,
    /// JSON objects.
    Json,
}

/// Bytes of memory that are kept for more rows; a long row may have needed more.
const KEPT: usize = 1 << 20;

/// Rows that wait to be read.
pub struct Batch {
    pub form: Form,
    bytes: Vec<u8>,
    /// Number, and where it ends: of cells in `cells`, else in `bytes`.
    rows: Vec<(u64, usize)>,
    /// `None` = null.
    cells: Vec<Option<Range<usize>>>,
}

impl Batch {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            bytes: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Empty again, for other rows.
    pub fn reused(mut self, form: Form) -> Self {
        if self.bytes.capacity() > KEPT {
            return Self::new(form);
        }
        self.form = form;
        self.bytes.clear();
        self.rows.clear();
        self.cells.clear();
        self
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    pub fn size(&self) -> usize {
        self.bytes.len() + 16 * self.cells.len()
    }

    pub fn cells<T: AsRef<[u8]>>(&mut self, row: u64, cells: &[Option<T>]) {
        for cell in cells {
            self.cells.push(cell.as_ref().map(|text| {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(text.as_ref());
                start..self.bytes.len()
            }));
        }
        self.rows.push((row, self.cells.len()));
    }

    /// A line of `COPY`, or a JSON object.
    pub fn text(&mut self, row: u64, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.rows.push((row, self.bytes.len()));
    }
}

/// What a batch of rows became, in their order.
#[derive(Default)]
pub struct Read {
    texts: Vec<u8>,
    outcomes: Vec<Outcome>,
}

/// What one row after the other is read into.
#[derive(Default)]
struct Buffers {
    record: Canonical,
    key: Vec<u8>,
}

enum Outcome {
    Record {
        row: u64,
        digest: [u8; 32],
        key: Range<usize>,
        json: Range<usize>,
        expired: bool,
    },
    Refused {
        refused: Vec<Refused>,
        key: Option<Vec<u8>>,
    },
    Unread(Vec<Refused>),
}

impl Read {
    /// Gives what it holds; it is empty then.
    pub fn give(&mut self, take: &mut dyn super::Take) -> Result<()> {
        for outcome in self.outcomes.drain(..) {
            match outcome {
                Outcome::Record {
                    row,
                    digest,
                    key,
                    json,
                    expired,
                } => {
                    let (key, json) = (&self.texts[key], &self.texts[json]);
                    if expired {
                        take.expired(row, key, &digest, json)?;
                    } else {
                        take.record(row, key, &digest, json)?;
                    }
                }
                Outcome::Refused { refused, key } => take.refused(refused, key)?,
                Outcome::Unread(refused) => take.unread(refused)?,
            }
        }
        self.texts.clear();
        Ok(())
    }

    /// Does it hold so little memory that it is worth keeping?
    pub fn is_small(&self) -> bool {
        self.texts.capacity() <= KEPT
    }

    fn push(&mut self, reader: &Reader, row: u64, Buffers { record, key }: &mut Buffers) {
        let schema = &*reader.schema;
        if let Err(fault) = schema.write_key(record.as_ref(), key) {
            let refused = Refused::new(row, &fault.place, &fault.rule, fault.message, "");
            // No record can have it.
            return self.refuse(schema, vec![refused], RowKey::Nothing);
        }
        let start = self.texts.len();
        self.texts.extend_from_slice(key);
        let middle = self.texts.len();
        self.texts.extend_from_slice(&record.json);
        self.outcomes.push(Outcome::Record {
            row,
            digest: record_digest(&record.json),
            key: start..middle,
            json: middle..self.texts.len(),
            expired: reader
                .cutoff
                .as_ref()
                .is_some_and(|cutoff| cutoff.is_past(schema, record.as_ref())),
        });
    }

    fn refuse(&mut self, schema: &Schema, refused: Vec<Refused>, key: RowKey) {
        self.outcomes.push(match key {
            RowKey::Known(key) => Outcome::Refused {
                refused: refused
                    .into_iter()
                    .map(|refused| refused.of(schema, &key))
                    .collect(),
                key: Some(key),
            },
            RowKey::Nothing => Outcome::Refused { refused, key: None },
            RowKey::Unreadable => Outcome::Unread(refused),
        });
    }
}

/// Reads rows of one header.
pub struct Reader {
    schema: Arc<Schema>,
    /// `None`: records that are JSON already and are not mapped.
    mapping: Option<Mapping>,
    width: usize,
    /// Columns that `COPY` writes in its own way.
    own: CopyOwn,
    /// For rows that are refused.
    key: KeyReader,
    /// What the server does not keep. Its clock decides; with one that is minutes off nobody signs in.
    cutoff: Option<Cutoff>,
}

impl Reader {
    /// `passes`: rows whose keys cannot be read are of no record.
    pub fn new(schema: Arc<Schema>, mapping: Option<Mapping>, width: usize, passes: bool) -> Self {
        Self {
            key: KeyReader::new(&schema, passes),
            cutoff: Cutoff::of(&schema, Timestamp::now()),
            schema,
            mapping,
            width,
            own: CopyOwn::default(),
        }
    }

    pub fn copied(self, own: &CopyOwn) -> Self {
        Self {
            own: own.clone(),
            ..self
        }
    }

    /// Columns of the source's rows that hold the key's fields as they are, in key order.
    pub fn key_columns(&self) -> Option<Vec<usize>> {
        let mapping = self.mapping.as_ref()?;
        let column = |node: &NodeId| mapping.column_of(*node);
        self.schema.key.iter().map(column).collect()
    }

    pub fn moment_columns(&self) -> Vec<usize> {
        let mapping = self.mapping.as_ref();
        mapping.map_or_else(Vec::new, |mapping| mapping.moments(&self.schema))
    }

    pub fn reads(&self, column: usize) -> bool {
        let mapping = self.mapping.as_ref();
        mapping.is_some_and(|mapping| mapping.readers(column).next().is_some())
    }

    pub fn key_of_texts(&self, at: &[usize], texts: &[String]) -> RowKey {
        let mut cells = vec![None; self.width];
        for (at, text) in at.iter().zip(texts) {
            if let Some(cell) = cells.get_mut(*at) {
                *cell = Some(text.as_str());
            }
        }
        self.key_of_row(&cells)
    }

    /// The record that a row is of, where that can be read.
    pub fn key_of_row(&self, cells: &[Option<&str>]) -> RowKey {
        match &self.mapping {
            Some(mapping) => self.key.of_cells(mapping, cells),
            None => RowKey::Unreadable,
        }
    }

    /// `read` is empty.
    pub fn read(&self, batch: &Batch, read: &mut Read) -> Result<()> {
        let mut moments = String::new();
        let mut buffers = Buffers::default();
        let mut start = 0;
        let mut texts: Vec<Option<&str>> = Vec::with_capacity(self.width);
        let copied = match batch.form {
            Form::Copy => copied_text(&batch.bytes)?,
            _ => "",
        };
        for (row, end) in &batch.rows {
            match batch.form {
                Form::Cells => {
                    let cells = &batch.cells[start..*end];
                    texts.clear();
                    texts.extend(cells.iter().map(|cell| {
                        let range = cell.clone()?;
                        simdutf8::basic::from_utf8(&batch.bytes[range]).ok()
                    }));
                    let no_text = |at: &usize| cells[*at].is_some() && texts[*at].is_none();
                    if !self.refused_as_no_text(*row, (0..cells.len()).filter(no_text), &texts, read) {
                        self.cells(*row, &texts, &mut buffers, read);
                    }
                }
                Form::Copy => {
                    let line = copied.get(start..*end).ok_or_else(not_utf8)?;
                    copy_row(*row, line, self.width, &self.own, &mut moments, |cells| {
                        self.cells(*row, cells, &mut buffers, read);
                    })?;
                }
                Form::Json => self.json(*row, &batch.bytes[start..*end], &mut buffers, read),
            }
            start = *end;
        }
        Ok(())
    }

    /// `columns`: those whose bytes are no text, and are null in `cells`.
    fn refused_as_no_text(
        &self,
        row: u64,
        columns: impl Iterator<Item = usize>,
        cells: &[Option<&str>],
        read: &mut Read,
    ) -> bool {
        let Some(mapping) = &self.mapping else {
            return false;
        };
        let (mut refused, mut of_key) = (Vec::new(), false);
        for at in columns {
            for (node, column) in mapping.readers(at) {
                of_key |= self.schema.key.contains(&node);
                let message = "expected text in UTF-8, which the source's bytes are not".to_owned();
                refused.push(Refused::new(row, column, "charset", message, ""));
            }
        }
        if refused.is_empty() {
            return false;
        }
        let key = if of_key {
            self.key.unreadable()
        } else {
            self.key.of_cells(mapping, cells)
        };
        read.refuse(&self.schema, refused, key);
        true
    }

    fn cells(&self, row: u64, cells: &[Option<&str>], buffers: &mut Buffers, read: &mut Read) {
        let Some(mapping) = &self.mapping else { return };
        let schema = &*self.schema;
        let mut mapped = Mapped::new();
        if let Err(refusals) = mapping.apply(cells, &mut mapped) {
            let refused = refusals
                .into_iter()
                .map(|refusal| {
                    let path = &schema.nodes[refusal.node].path;
                    let (column, value) = mapping.origin(schema, path, cells);
                    Refused::new(row, column, refusal.rule, refusal.message, value)
                })
                .collect();
            return read.refuse(schema, refused, self.key.of_cells(mapping, cells));
        }
        // The mapping has read what a CSV writes in its own way.
        match schema.read_cells_into(&mapped, &CsvOptions::default(), &mut buffers.record) {
            Ok(()) => read.push(self, row, buffers),
            Err(faults) => {
                let refused = faults
                    .into_iter()
                    .map(|fault| {
                        let (column, value) = mapping.origin(schema, &fault.place, cells);
                        let column = if column.is_empty() { &fault.place } else { column };
                        Refused::new(row, column, &fault.rule, fault.message, value)
                    })
                    .collect();
                read.refuse(schema, refused, self.key.of_cells(mapping, cells));
            }
        }
    }

    fn json(&self, row: u64, raw: &[u8], buffers: &mut Buffers, read: &mut Read) {
        match self.schema.read_json(raw) {
            Ok(record) => {
                buffers.record = record;
                read.push(self, row, buffers);
            }
            Err(faults) => {
                let refused = faults
                    .into_iter()
                    .map(|Fault { place, rule, message }| Refused::new(row, &place, &rule, message, ""))
                    .collect();
                read.refuse(&self.schema, refused, self.key.of_json(raw));
            }
        }
    }
}

impl Refused {
    /// `value` is told by its shape only.
    pub fn new(row: u64, column: &str, rule: &str, message: String, value: &str) -> Self {
        Self {
            row,
            column: column.to_owned(),
            rule: rule.to_owned(),
            message,
            shape: shape(value),
            record: String::new(),
        }
    }
}
