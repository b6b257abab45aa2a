//! Of which record is a row that is refused? That one is left as it is.

use std::sync::Arc;

use dagr_model::{
    definition::{CsvOptions, Type},
    schema::{NodeId, Schema},
};
use serde_json::{Map, Value};

use super::members::Members;
use crate::map::Mapping;

/// What can be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKey {
    Known(Vec<u8>),
    /// A row without a key is of no record.
    Nothing,
    /// A key is there and cannot be read: it may be any record's.
    Unreadable,
}

/// Reads the key alone, whatever is wrong with the rest.
pub struct KeyReader {
    /// The definition's key fields, and no others.
    schema: Schema,
    /// Each key field: in the whole schema, and in this one.
    nodes: Vec<(NodeId, NodeId)>,
    /// What a key that cannot be read makes of its row.
    unreadable: RowKey,
}

impl KeyReader {
    /// `passes`: a row whose key cannot be read is of no record.
    pub fn new(whole: &Schema, passes: bool) -> Self {
        let mut definition = (*whole.definition).clone();
        let is_key = |name: &str| whole.key.iter().any(|node| whole.nodes[*node].name == name);
        definition.fields.retain(|field| is_key(field.name.as_str()));
        let schema = Schema::compile(Arc::new(definition), None);
        let nodes = whole
            .key
            .iter()
            .copied()
            .zip(schema.key.iter().copied())
            .collect();
        let unreadable = if passes {
            RowKey::Nothing
        } else {
            RowKey::Unreadable
        };
        Self {
            schema,
            nodes,
            unreadable,
        }
    }

    /// Of a row whose key is there and cannot be read.
    pub fn unreadable(&self) -> RowKey {
        self.unreadable.clone()
    }

    pub fn of_cells(&self, mapping: &Mapping, cells: &[Option<&str>]) -> RowKey {
        let mut given = Vec::with_capacity(self.nodes.len());
        for (node, own) in &self.nodes {
            match mapping.value_of(*node, cells) {
                Some(Ok(Some(text))) if !text.trim().is_empty() => given.push((*own, text)),
                Some(Ok(_)) => return RowKey::Nothing,
                Some(Err(_)) | None => return self.unreadable.clone(),
            }
        }
        let record = self.schema.read_cells(&given, &CsvOptions::default());
        match record.map(|record| self.schema.key_of(record.as_ref())) {
            Ok(Ok(key)) => RowKey::Known(key),
            _ => self.unreadable.clone(),
        }
    }

    pub fn of_json(&self, raw: &[u8]) -> RowKey {
        // Torn: whatever is passed over, this may have been a record.
        let Ok(Members(all)) = serde_json::from_slice(raw) else {
            return RowKey::Unreadable;
        };
        let names = || self.schema.key.iter().map(|node| &self.schema.nodes[*node].name);
        let mut members = Map::new();
        for (name, value) in all {
            if names().any(|own| *own == name) {
                let Ok(value) = serde_json::from_str(value.get()) else {
                    return RowKey::Unreadable;
                };
                // Neither of two values is the key's.
                if members.insert(name, value).is_some() {
                    return RowKey::Unreadable;
                }
            }
        }
        if names().any(|name| members.get(name).is_none_or(is_nothing)) {
            return RowKey::Nothing;
        }
        match self.schema.key_from_object(&members, true) {
            Ok(key) => RowKey::Known(key),
            Err(_) => self.unreadable.clone(),
        }
    }
}

/// A key as JSON, for whoever looks for its record; nothing where a part of it is personal.
pub fn shown(schema: &Schema, key: &[u8]) -> String {
    let subject = &schema.definition.subject;
    let is_personal = |node: &NodeId| {
        let node = &schema.nodes[*node];
        node.personal || node.ty == Type::PersonCode || subject.contains(&node.path)
    };
    if schema.key.iter().any(is_personal) {
        return String::new();
    }
    let mut json = Vec::new();
    schema.key_json(key, &mut json);
    String::from_utf8(json).unwrap_or_default()
}

/// As in a record: what is empty is no value.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::{
        feed::Feed,
        map::{Filled, Origin},
    };

    fn schema() -> Schema {
        let text = "name: x_set\nkey: Day, At, Amount\ndata_description: d\nfields:\n  - Word! : w\n  - Day date : d\n  - At timestamp : t\n  - Amount decimal : a\nsubject: Word\nindexes: [Word]\ncsv: {date_format: '%d.%m.%Y', decimal: comma, delimiter: ';'}\n";
        Schema::compile(Arc::new(text.parse().unwrap()), None)
    }

    #[test]
    fn the_key_of_a_row_is_read_as_in_a_record() {
        let schema = schema();
        let feed = "dataset = 'x_set'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = { file = 'k' }\n[source]\nkind = 'files'\npath = 'x.csv'\n[map]\nAt = { columns = ['day', 'hour'], join = ' ' }\nDay = { constant = '2024-12-24' }\n";
        let spec = Feed::parse(feed, Path::new(".")).unwrap().map;
        let columns = ["Word", "day", "hour", "Amount"].map(str::to_owned);
        let (mapping, _) = Mapping::compile(&spec, &schema, &columns, Origin::Csv, &Filled::new()).unwrap();
        let reader = KeyReader::new(&schema, false);
        let of = |day, amount| reader.of_cells(&mapping, &[None, Some(day), Some("10:00:00Z"), Some(amount)]);
        let expected = schema
            .key_from_values(&[json!("2024-12-24"), json!("2024-01-02T10:00:00Z"), json!(1.5)])
            .unwrap();
        assert_eq!(of("2024-01-02", "1,50"), RowKey::Known(expected));
        assert_eq!(of("2024-01-02", "x"), RowKey::Unreadable);
        assert_eq!(of("2024-13-02", "1"), RowKey::Unreadable);
        assert_eq!(of("2024-01-02", " "), RowKey::Nothing);
        let passing = KeyReader::new(&schema, true);
        let cells = [None, Some("2024-13-02"), Some("10:00:00Z"), Some("1")];
        assert_eq!(passing.of_cells(&mapping, &cells), RowKey::Nothing);
        assert_eq!(passing.of_json(b"{"), RowKey::Unreadable);
    }

    #[test]
    fn the_key_of_an_object_is_read_whatever_else_it_holds() {
        let schema = schema();
        let reader = KeyReader::new(&schema, false);
        let of = |value: Value| reader.of_json(value.to_string().as_bytes());
        let key = json!({ "Day": "2024-12-24", "At": "2024-01-02T10:00:00Z", "Amount": 1, "Else": [] });
        assert!(matches!(of(key.clone()), RowKey::Known(_)));
        let with = |name: &str, value: Value| {
            let mut key = key.clone();
            key[name] = value;
            of(key)
        };
        assert_eq!(with("Day", json!("24.12.2024")), RowKey::Unreadable);
        for nothing in [Value::Null, json!(""), json!([]), json!({})] {
            assert_eq!(with("Amount", nothing), RowKey::Nothing);
        }
        assert_eq!(reader.of_json(b"{"), RowKey::Unreadable);
        let twice = br#"{"Day": "2024-12-24", "At": "2024-01-02T10:00:00Z", "Amount": 1, "Amount": 2}"#;
        assert_eq!(reader.of_json(twice), RowKey::Unreadable);
        // Half of a surrogate pair, and a number beyond all numbers, are not nothing.
        for torn in [r#""\ud83d""#, "1e999"] {
            let record =
                format!(r#"{{"Day": "2024-12-24", "At": "2024-01-02T10:00:00Z", "Amount": {torn}}}"#);
            assert_eq!(reader.of_json(record.as_bytes()), RowKey::Unreadable, "{torn}");
        }
    }
}
