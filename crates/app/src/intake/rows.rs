//! Decoded rows become staged rows, or are set aside.

use std::{borrow::Cow, path::Path, sync::Arc};

use dagr_formats::{Row, Sink, Unreadable, map_columns};
use dagr_model::{
    definition::Definition,
    fault::Fault,
    record::{Canonical, RecordRef},
    schema::{NodeId, Schema},
};
use dagr_store::{
    kv::KvError,
    set::apply::Mode,
    stage::{Stage, Staged, Verb},
};
use serde_json::{Map, Value};

use super::aside::{AsideRow, AsideWriter};
use crate::problem::MAX_FAULTS;

/// File of rows set aside while the package was read.
pub(super) const UNREAD: &str = "unread";

const NOTHING: RecordRef<'static> = RecordRef {
    json: &[],
    spans: &[],
};

/// Takes the rows of one package.
pub(super) struct Rows<'s> {
    schema: &'s Schema,
    /// The key fields alone: reads the key of a row that is faulty elsewhere.
    key_schema: Schema,
    mode: Mode,
    stage: Stage,
    aside: AsideWriter,
    /// Field of each CSV column.
    columns: Vec<Option<NodeId>>,
    pub count: u64,
    quarantined: u64,
    /// The first faults, for an answer.
    faults: Vec<Fault>,
    total_faults: usize,
    /// Why `row` stopped, if it was not the package's fault.
    pub failed: Option<KvError>,
}

/// What reading gave.
pub(super) struct ReadRows {
    pub staged: Staged,
    /// Rows, not faults.
    pub quarantined: u64,
    pub faults: Vec<Fault>,
    pub total_faults: usize,
}

impl<'s> Rows<'s> {
    pub fn new(schema: &'s Schema, mode: Mode, dir: &Path) -> Self {
        Self {
            schema,
            key_schema: key_schema(schema),
            mode,
            stage: Stage::new(dir),
            aside: AsideWriter::new(dir.join(UNREAD)),
            columns: Vec::new(),
            count: 0,
            quarantined: 0,
            faults: Vec::new(),
            total_faults: 0,
            failed: None,
        }
    }

    /// Bytes written or to be written beside the data set.
    pub fn bytes(&self) -> u64 {
        self.stage.bytes() + self.aside.bytes
    }

    pub fn finish(mut self) -> Result<ReadRows, KvError> {
        self.aside.sync()?;
        let mut staged = self.stage.finish()?;
        staged.bytes += self.aside.bytes;
        Ok(ReadRows {
            staged,
            quarantined: self.quarantined,
            faults: self.faults,
            total_faults: self.total_faults,
        })
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), KvError> {
        match row {
            Row::Upsert { line, json } => match self.schema.read_json(json) {
                Ok(record) => self.upsert(*line, &record),
                Err(faults) => self.refuse(*line, self.key_in_json(json), &faults),
            },
            Row::Cells { line, cells } => {
                let given: Vec<(NodeId, &str)> = self.cells(cells).collect();
                match self.schema.read_cells(&given, &self.schema.definition.csv) {
                    Ok(record) => self.upsert(*line, &record),
                    Err(faults) => self.refuse(*line, self.key_in_cells(&given), &faults),
                }
            }
            Row::Delete { line, key_json } => self.remove(*line, key_json, Verb::Delete),
            Row::Erase { line, key_json } => self.remove(*line, key_json, Verb::Erase),
            Row::Bad { line, fault } => self.refuse(*line, None, std::slice::from_ref(fault)),
        }
    }

    fn upsert(&mut self, line: u64, record: &Canonical) -> Result<(), KvError> {
        match self.schema.key_of(record.as_ref()) {
            Ok(key) => self.stage.push(&key, line, Verb::Upsert, record.as_ref()),
            Err(fault) => self.refuse(line, None, &[fault]),
        }
    }

    fn remove(&mut self, line: u64, key_json: &[u8], verb: Verb) -> Result<(), KvError> {
        let key = match object(key_json) {
            Ok(object) => self.schema.key_from_object(&object, true),
            Err(fault) => Err(vec![fault]),
        };
        match (key, self.mode) {
            (Err(faults), _) => self.refuse(line, None, &faults),
            (Ok(key), Mode::Delta) => self.stage.push(&key, line, verb, NOTHING),
            (Ok(key), Mode::Snapshot) => {
                let message =
                    "a snapshot holds records only: what it leaves out is removed; send deletes as a delta";
                self.refuse(line, Some(key), &[Fault::new("", "operation", message)])
            }
        }
    }

    /// Sets a row aside: one entry a fault; with a readable key its record is protected.
    fn refuse(&mut self, line: u64, key: Option<Vec<u8>>, faults: &[Fault]) -> Result<(), KvError> {
        self.quarantined += 1;
        self.total_faults += faults.len();
        for fault in faults {
            let row = AsideRow::new(line, fault);
            self.aside.push(key.as_deref().unwrap_or_default(), &row)?;
            if self.faults.len() < MAX_FAULTS {
                self.faults.push(row.fault());
            }
        }
        key.map_or(Ok(()), |key| self.stage.push(&key, line, Verb::Protect, NOTHING))
    }

    fn key_in_json(&self, json: &[u8]) -> Option<Vec<u8>> {
        let mut object = object(json).ok()?;
        object.retain(|name, _| self.key_schema.node(name).is_some());
        self.schema.key_from_object(&object, true).ok()
    }

    fn key_in_cells(&self, cells: &[(NodeId, &str)]) -> Option<Vec<u8>> {
        let own = cells.iter().filter_map(|(node, text)| {
            let path = &self.schema.nodes[*node].path;
            Some((self.key_schema.node(path)?, *text))
        });
        let own: Vec<(NodeId, &str)> = own.collect();
        let record = self
            .key_schema
            .read_cells(&own, &self.schema.definition.csv)
            .ok()?;
        self.key_schema.key_of(record.as_ref()).ok()
    }

    fn cells<'c>(&self, cells: &'c [Cow<'_, str>]) -> impl Iterator<Item = (NodeId, &'c str)> {
        self.columns
            .iter()
            .zip(cells)
            .filter_map(|(node, cell)| Some(((*node)?, cell.as_ref())))
    }
}

impl Sink for Rows<'_> {
    fn columns(&mut self, headers: &[String]) -> Result<(), Unreadable> {
        let nodes: Vec<NodeId> = column_nodes(self.schema).collect();
        let known: Vec<&str> = nodes
            .iter()
            .map(|node| self.schema.nodes[*node].path.as_str())
            .collect();
        let places = map_columns(headers, &self.schema.definition.csv, &known)?;
        self.columns = places.into_iter().map(|place| Some(nodes[place?])).collect();
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), Unreadable> {
        self.count += 1;
        self.take(&row).map_err(|error| {
            self.failed = Some(error);
            Unreadable::package("package", "stage", "the package could not be staged")
        })
    }
}

/// Fields a column may give: those not inside a list (a list itself is JSON text).
fn column_nodes(schema: &Schema) -> impl Iterator<Item = NodeId> {
    (0..schema.nodes.len()).filter(|node| {
        let mut above = schema.nodes[*node].parent;
        while let Some(id) = above {
            if schema.nodes[id].list {
                return false;
            }
            above = schema.nodes[id].parent;
        }
        true
    })
}

fn key_schema(schema: &Schema) -> Schema {
    let whole = &schema.definition;
    let fields = whole
        .fields
        .iter()
        .filter(|field| whole.key.fields().any(|name| name == field.name));
    let definition = Definition {
        fields: fields.cloned().collect(),
        subject: Vec::new(),
        indexes: Vec::new(),
        changes: Vec::new(),
        public: None,
        ..Definition::clone(whole)
    };
    Schema::compile(Arc::new(definition), None)
}

fn object(json: &[u8]) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::new("", "json", "expected a JSON object")),
    }
}
