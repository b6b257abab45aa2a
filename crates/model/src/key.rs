//! Keys: the key columns of a record as bytes whose order is the order of the values.
//!
//! A key is its columns' encodings one after another (see `column`). Each ends itself, so a leading part is a
//! byte prefix of every key below it and of no other.

mod column;
mod index;

use serde_json::{Map, Value};

use crate::{
    definition::Type,
    fault::{Fault, nearest},
    record::RecordRef,
    schema::{NodeId, Schema},
    value::{self, Refusal},
};

/// Longest encoded key in bytes.
pub const MAX_KEY: usize = 255;

/// Index values are cut here, in bytes; the record is asked again.
pub const MAX_INDEX_VALUE: usize = 128;

impl Schema {
    /// The full key of a record. `required` if a column has no value, `key_length` beyond `MAX_KEY`.
    pub fn key_of(&self, record: RecordRef<'_>) -> Result<Vec<u8>, Fault> {
        let mut key = Vec::with_capacity(48);
        self.write_key(record, &mut key)?;
        Ok(key)
    }

    /// The same in the place of what `key` holds.
    pub fn write_key(&self, record: RecordRef<'_>, key: &mut Vec<u8>) -> Result<(), Fault> {
        key.clear();
        for node in &self.key {
            let json = self
                .members(record)
                .find(|(id, _)| id == node)
                .ok_or_else(|| self.key_fault(*node, "required", "a key field needs a value"))?
                .1;
            self.push_column(*node, json, key)?;
        }
        Ok(())
    }

    /// A full key or a leading part from percent-decoded path parts: int, decimal, date and timestamp in
    /// canonical form, personal codes with or without hyphen. Faults have the rule `key_invalid`.
    pub fn key_from_parts(&self, parts: &[&str]) -> Result<Vec<u8>, Fault> {
        self.check_count(parts.len())?;
        let mut key = Vec::with_capacity(48);
        for (node, part) in self.key.iter().zip(parts) {
            if matches!(*part, "" | "." | "..") {
                return Err(self.key_fault(
                    *node,
                    "key_invalid",
                    "this value can only be asked for through lookup",
                ));
            }
            let json = self.json_from_text(*node, part)?;
            self.push_column(*node, &json, &mut key).map_err(as_invalid)?;
        }
        Ok(key)
    }

    /// A key from `{Field: value}` as in a record. `full`: every column; else a leading part without gaps.
    pub fn key_from_object(&self, object: &Map<String, Value>, full: bool) -> Result<Vec<u8>, Vec<Fault>> {
        let mut faults: Vec<Fault> = object
            .keys()
            .filter_map(|name| self.not_a_key_field(name))
            .collect();
        let given = |node: &NodeId| {
            object
                .get(&self.nodes[*node].name)
                .filter(|value| !value.is_null())
        };
        let last = self
            .key
            .iter()
            .rposition(|node| given(node).is_some())
            .map_or(0, |at| at + 1);
        let columns = if full {
            self.key.len()
        } else {
            last.max(self.partition_len)
        };
        let mut values = Vec::new();
        for node in &self.key[..columns] {
            match given(node) {
                Some(value) => values.push(value),
                None => faults.push(self.key_fault(*node, "key_invalid", "the key needs this field")),
            }
        }
        if faults.is_empty() {
            self.key_from_refs(values.into_iter())
        } else {
            Err(faults)
        }
    }

    /// A key from values in key order: all, or a leading part that holds at least the partition.
    pub fn key_from_values(&self, values: &[Value]) -> Result<Vec<u8>, Vec<Fault>> {
        self.check_count(values.len()).map_err(|fault| vec![fault])?;
        self.key_from_refs(values.iter())
    }

    fn key_from_refs<'v>(&self, values: impl Iterator<Item = &'v Value>) -> Result<Vec<u8>, Vec<Fault>> {
        let mut key = Vec::with_capacity(48);
        let mut faults = Vec::new();
        for (node, value) in self.key.iter().zip(values) {
            match self.read_value(*node, &value.to_string()) {
                Ok(Some(json)) => {
                    // Past the first fault there is no key; the later columns are only checked.
                    if let Err(fault) = self.push_column(*node, &json, &mut key) {
                        faults.push(fault);
                    }
                }
                Ok(None) => faults.push(self.key_fault(*node, "key_invalid", "the key needs a value here")),
                Err(more) => faults.extend(more),
            }
        }
        if faults.is_empty() { Ok(key) } else { Err(faults) }
    }

    /// How many columns the key holds; 0 if it is not a key of this schema.
    pub fn key_parts(&self, key: &[u8]) -> usize {
        self.columns(key).map_or(0, |columns| columns.len())
    }

    pub fn is_full_key(&self, key: &[u8]) -> bool {
        self.key_parts(key) == self.key.len()
    }

    /// Writes `{"Code":"…","Year":2020}`: the key's columns as the canonical record shows them, so in definition
    /// order. Equal to the projection of the record onto its key fields.
    pub fn key_json(&self, key: &[u8], out: &mut Vec<u8>) {
        let mut columns = self.columns(key).unwrap_or_default();
        // Nodes are numbered in definition order.
        columns.sort_by_key(|(node, _)| *node);
        out.push(b'{');
        for (at, (node, json)) in columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.nodes[*node].label);
            out.extend_from_slice(json);
        }
        out.push(b'}');
    }

    /// The columns' values in key order, as JSON.
    pub fn key_display_values(&self, key: &[u8]) -> Vec<Value> {
        let columns = self.columns(key).unwrap_or_default();
        columns
            .iter()
            .map(|(_, json)| serde_json::from_slice(json).unwrap_or(Value::Null))
            .collect()
    }

    /// Columns in key order with their canonical JSON. `None` if the bytes are no key of this schema.
    fn columns(&self, mut key: &[u8]) -> Option<Vec<(NodeId, Vec<u8>)>> {
        let mut columns = Vec::with_capacity(self.key.len());
        for node in &self.key {
            if key.is_empty() {
                break;
            }
            let mut json = Vec::new();
            let taken = column::decode(&self.nodes[*node].ty, key, &mut json)?;
            key = &key[taken..];
            columns.push((*node, json));
        }
        key.is_empty().then_some(columns)
    }

    fn push_column(&self, node: NodeId, json: &[u8], key: &mut Vec<u8>) -> Result<(), Fault> {
        column::encode(&self.nodes[node].ty, json, key)
            .ok_or_else(|| self.key_fault(node, "type", "the value is not of the field's type"))?;
        if key.len() > MAX_KEY {
            return Err(self.key_fault(node, "key_length", "the key is longer than 255 bytes"));
        }
        Ok(())
    }

    /// Canonical JSON of a key or index value given as text in a URL.
    fn json_from_text(&self, node: NodeId, text: &str) -> Result<Vec<u8>, Fault> {
        let ty = &self.nodes[node].ty;
        let mut json = Vec::with_capacity(text.len() + 2);
        value::write_scalar(ty, text, &self.zone, &mut json)
            .map_err(|Refusal { message, .. }| self.key_fault(node, "key_invalid", message))?;
        let one_form = matches!(
            ty,
            Type::Int | Type::Decimal | Type::Date | Type::Timestamp | Type::Bool
        );
        if one_form
            && json
                .strip_prefix(b"\"")
                .and_then(|j| j.strip_suffix(b"\""))
                .unwrap_or(&json)
                != text.as_bytes()
        {
            return Err(self.key_fault(node, "key_invalid", "write the value in its canonical form"));
        }
        Ok(json)
    }

    fn check_count(&self, count: usize) -> Result<(), Fault> {
        if (self.partition_len..=self.key.len()).contains(&count) {
            return Ok(());
        }
        let names: Vec<&str> = self
            .key
            .iter()
            .map(|node| self.nodes[*node].name.as_str())
            .collect();
        let message = format!(
            "give from {} to {} parts of the key: {}",
            self.partition_len,
            names.len(),
            names.join(", ")
        );
        Err(Fault::new("key", "key_invalid", message))
    }

    fn not_a_key_field(&self, name: &str) -> Option<Fault> {
        let known = || self.key.iter().map(|node| self.nodes[*node].name.as_str());
        if known().any(|own| own == name) {
            return None;
        }
        let short: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        let message = match nearest(&short, known()) {
            Some(near) => format!("not a key field; did you mean {near}?"),
            None => format!(
                "not a key field; the key is {}",
                known().collect::<Vec<_>>().join(", ")
            ),
        };
        Some(Fault::new(short, "unknown_field", message))
    }

    fn key_fault(&self, node: NodeId, rule: &str, message: &str) -> Fault {
        Fault::new(&self.nodes[node].path, rule, message)
    }
}

fn as_invalid(fault: Fault) -> Fault {
    Fault {
        rule: "key_invalid".to_owned(),
        ..fault
    }
}

#[cfg(test)]
mod tests;
