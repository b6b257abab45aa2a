//! From a decoded row to its canonical record, key and digest, or to its faults. Pure: any thread may do it.

use std::sync::Arc;

use dagr_model::{
    classifier::Codes,
    definition::Definition,
    digest::record_digest,
    fault::Fault,
    record::{Canonical, RecordRef},
    schema::{NodeId, Schema},
};
use dagr_store::{
    set::apply::Mode,
    stage::{NO_DIGEST, Verb},
};
use serde_json::{Map, Value};

use super::batch::{Batch, Good, Raw, ReadBatch, Refused};

const NOTHING: RecordRef<'static> = RecordRef {
    json: &[],
    spans: &[],
};

pub(super) struct Parser<'s> {
    pub schema: &'s Schema,
    codes: Codes,
    /// The key fields alone: reads the key of a row that is faulty elsewhere.
    key_schema: Schema,
    mode: Mode,
}

impl<'s> Parser<'s> {
    /// `codes` stay as they are to the end of the package.
    pub fn new(schema: &'s Schema, codes: Codes, mode: Mode) -> Self {
        Self {
            schema,
            codes,
            key_schema: key_schema(schema),
            mode,
        }
    }

    pub fn read(&self, batch: &Batch) -> ReadBatch {
        let mut out = ReadBatch::for_batch(batch);
        for (line, raw) in batch.each() {
            let read = match raw {
                Raw::Json(Verb::Upsert, json) => self
                    .schema
                    .read_json_by(&self.codes, json)
                    .map_err(|faults| (self.key_in_json(json), faults))
                    .and_then(|record| self.upsert(line, &record, &mut out)),
                Raw::Json(verb, key_json) => self.remove(line, key_json, verb, &mut out),
                Raw::Cells(cells) => self
                    .schema
                    .read_cells_by(&self.codes, &cells, &self.schema.definition.csv)
                    .map_err(|faults| (self.key_in_cells(&cells), faults))
                    .and_then(|record| self.upsert(line, &record, &mut out)),
                Raw::Bad(fault) => Err((None, vec![fault.clone()])),
            };
            if let Err((key, faults)) = read {
                out.refuse(Refused { line, key, faults });
            }
        }
        out
    }

    fn upsert(&self, line: u64, record: &Canonical, out: &mut ReadBatch) -> Result<(), Faulty> {
        let key = self
            .schema
            .key_of(record.as_ref())
            .map_err(|fault| (None, vec![fault]))?;
        out.good(&Good {
            line,
            verb: Verb::Upsert,
            key: &key,
            record: record.as_ref(),
            digest: &record_digest(&record.json),
        });
        Ok(())
    }

    fn remove(&self, line: u64, key_json: &[u8], verb: Verb, out: &mut ReadBatch) -> Result<(), Faulty> {
        let object = object(key_json).map_err(|fault| (None, vec![fault]))?;
        let key = self
            .schema
            .key_from_object(&object, true)
            .map_err(|faults| (None, faults))?;
        if self.mode == Mode::Snapshot {
            let message =
                "a snapshot holds records only: what it leaves out is removed; send deletes as a delta";
            return Err((Some(key), vec![Fault::new("", "operation", message)]));
        }
        out.good(&Good {
            line,
            verb,
            key: &key,
            record: NOTHING,
            digest: &NO_DIGEST,
        });
        Ok(())
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
}

/// A refused row's key, if it can be read, and its faults.
type Faulty = (Option<Vec<u8>>, Vec<Fault>);

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
