//! Rows of a source → canonical records with their keys, or refusals that name row, column, rule and shape.

mod given;

use dagr_formats::{Row, Sink, Unreadable};
use dagr_model::{
    fault::Fault,
    record::Canonical,
    schema::{NodeId, Schema},
};
pub use given::{Cell, Given, Wrong};
use serde::Serialize;

use crate::{
    error::{Error, Result},
    feed::MapSpec,
    map::{Mapping, shape},
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
}

/// Where records and refusals go.
pub trait Take {
    fn record(&mut self, row: u64, key: Vec<u8>, record: &Canonical) -> Result<()>;
    /// `key`: the record that the row is of, where that can be read; it is left as it is.
    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()>;
}

/// Takes rows from a source and gives records.
pub struct Collect<'c> {
    schema: &'c Schema,
    spec: &'c MapSpec,
    mapping: Option<Mapping>,
    /// Rows of a database: 1 and 0 are truth values.
    database: bool,
    /// A source that was understood may get columns that nobody wants.
    tolerant: bool,
    /// Those columns.
    unwanted: Vec<String>,
    /// Names of a JSON record's members met so far.
    columns: Vec<String>,
    take: &'c mut dyn Take,
    /// What stopped a package in the middle of the formats' reading.
    stopped: Option<Error>,
}

impl<'c> Collect<'c> {
    pub fn new(schema: &'c Schema, spec: &'c MapSpec, take: &'c mut dyn Take) -> Self {
        Self {
            schema,
            spec,
            mapping: None,
            database: false,
            tolerant: false,
            unwanted: Vec::new(),
            columns: Vec::new(),
            take,
            stopped: None,
        }
    }

    /// New columns that nobody wants are passed over, and said.
    pub fn tolerant(mut self, tolerant: bool) -> Self {
        self.tolerant = tolerant;
        self
    }

    /// Columns that were passed over.
    pub fn unwanted(&self) -> String {
        self.unwanted.join(", ")
    }

    /// The columns of every row that follows, from a database.
    pub fn table(&mut self, columns: &[String]) -> Result<()> {
        self.database = true;
        self.header(columns)
    }

    /// The columns of every row that follows.
    pub fn header(&mut self, columns: &[String]) -> Result<()> {
        let csv = &self.schema.definition.csv;
        let faults = |faults: Vec<Fault>| Error::Faults {
            what: "the source and the feed do not fit together".to_owned(),
            faults,
        };
        let (mapping, unwanted) =
            Mapping::compile(self.spec, csv, self.schema, columns, self.database).map_err(faults)?;
        if !unwanted.is_empty() && !self.tolerant {
            return Err(faults(unwanted));
        }
        for fault in unwanted {
            tracing::warn!(
                place = fault.place,
                "the source has a new column; no field takes it"
            );
        }
        self.columns = columns.to_vec();
        self.mapping = Some(mapping);
        Ok(())
    }

    /// Columns of the source's rows that hold the key's fields as they are, in key order.
    pub fn key_columns(&self) -> Option<Vec<usize>> {
        let mapping = self.mapping.as_ref()?;
        self.schema
            .key
            .iter()
            .map(|node| mapping.column_of(*node))
            .collect()
    }

    pub fn cells(&mut self, row: u64, cells: &[Option<&str>]) -> Result<()> {
        let Some(mapping) = &self.mapping else {
            return Err(Error::Source("rows came before their columns".to_owned()));
        };
        let schema = self.schema;
        let mapped = match mapping.apply(cells) {
            Ok(mapped) => mapped,
            Err(refusals) => {
                let refused = refusals
                    .into_iter()
                    .map(|refusal| {
                        let path = &schema.nodes[refusal.node].path;
                        let (column, value) = mapping.origin(schema, path, cells);
                        refused(row, column, refusal.rule, refusal.message, value)
                    })
                    .collect();
                let key = key_of_row(schema, mapping, cells);
                return self.take.refused(refused, key);
            }
        };
        let given: Vec<(NodeId, &str)> = mapped.iter().map(|(node, text)| (*node, &**text)).collect();
        match schema.read_cells(&given, &schema.definition.csv) {
            Ok(record) => self.record(row, &record),
            Err(faults) => {
                let refused = faults
                    .into_iter()
                    .map(|fault| {
                        let (column, value) = mapping.origin(schema, &fault.place, cells);
                        let column = if column.is_empty() { &fault.place } else { column };
                        refused(row, column, &fault.rule, fault.message, value)
                    })
                    .collect();
                let key = key_of_row(schema, mapping, cells);
                self.take.refused(refused, key)
            }
        }
    }

    /// A record that is a JSON object already.
    pub fn json(&mut self, row: u64, raw: &[u8]) -> Result<()> {
        if self.spec.fields.is_empty() && self.spec.drop.is_empty() {
            return match self.schema.read_json(raw) {
                Ok(record) => self.record(row, &record),
                Err(faults) => {
                    let refused = faults
                        .into_iter()
                        .map(|Fault { place, rule, message }| refused(row, &place, &rule, message, ""))
                        .collect();
                    let key = key_of_json(self.schema, raw);
                    self.take.refused(refused, key)
                }
            };
        }
        self.json_by_map(row, raw)
    }

    /// Members are columns: scalars as text, lists and objects as JSON.
    fn json_by_map(&mut self, row: u64, raw: &[u8]) -> Result<()> {
        let members: serde_json::Map<String, serde_json::Value> = match serde_json::from_slice(raw) {
            Ok(members) => members,
            Err(_) => {
                let message = "expected one JSON object".to_owned();
                return self
                    .take
                    .refused(vec![refused(row, "", "json", message, "")], None);
            }
        };
        let new = members.keys().any(|name| !self.columns.contains(name));
        if new || self.mapping.is_none() {
            let mut columns = std::mem::take(&mut self.columns);
            columns.extend(
                members
                    .keys()
                    .filter(|name| !columns.contains(name))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            // Members a rule names may come with a later record.
            let named = self
                .spec
                .fields
                .values()
                .flat_map(|rule| &rule.columns)
                .chain(&self.spec.drop);
            columns.extend(
                named
                    .filter(|name| !columns.contains(name))
                    .cloned()
                    .collect::<std::collections::BTreeSet<_>>(),
            );
            self.header(&columns)?;
        }
        let texts: Vec<Option<String>> = self
            .columns
            .iter()
            .map(|name| match members.get(name) {
                None | Some(serde_json::Value::Null) => None,
                Some(serde_json::Value::String(text)) => Some(text.clone()),
                Some(other) => Some(other.to_string()),
            })
            .collect();
        let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        self.cells(row, &cells)
    }

    fn record(&mut self, row: u64, record: &Canonical) -> Result<()> {
        match self.schema.key_of(record.as_ref()) {
            Ok(key) => self.take.record(row, key, record),
            Err(fault) => {
                let refused = refused(row, &fault.place, &fault.rule, fault.message, "");
                self.take.refused(vec![refused], None)
            }
        }
    }

    /// What stopped the reading, where it was not the file.
    pub fn stopped(&mut self, error: Unreadable) -> Error {
        self.stopped.take().unwrap_or_else(|| Error::Faults {
            what: "the source cannot be read".to_owned(),
            faults: error.faults,
        })
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
        let done = self.header(headers);
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
                self.take
                    .refused(vec![refused(line, "op", "operation", message, "")], None)
            }
            Row::Bad { line, fault } => {
                let refused = refused(line, &fault.place, &fault.rule, fault.message, "");
                self.take.refused(vec![refused], None)
            }
        };
        self.or_stop(done)
    }
}

fn refused(row: u64, column: &str, rule: &str, message: String, value: &str) -> Refused {
    Refused {
        row,
        column: column.to_owned(),
        rule: rule.to_owned(),
        message,
        shape: shape(value),
    }
}

fn key_of_row(schema: &Schema, mapping: &Mapping, cells: &[Option<&str>]) -> Option<Vec<u8>> {
    let column = |node: &NodeId| cells.get(mapping.column_of(*node)?).copied().flatten();
    let parts: Option<Vec<&str>> = schema.key.iter().map(column).collect();
    schema.key_from_parts(&parts?).ok()
}

fn key_of_json(schema: &Schema, raw: &[u8]) -> Option<Vec<u8>> {
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(raw).ok()?;
    members.retain(|name, _| schema.key.iter().any(|node| schema.nodes[*node].name == *name));
    schema.key_from_object(&members, true).ok()
}
