//! An entry as people and programs read it.

use dagr_store::journal::StoredEntry;
use serde_json::{Map, Value, json};

use super::entry::Entry;
use crate::{App, changes::time_text};

/// Subjects and keys shown in a list; all of them are under the entry's own path.
const SHOWN: usize = 100;

impl App {
    pub(super) fn entry_view(&self, stored: &StoredEntry, entry: &Entry) -> Value {
        let subjects: Vec<Value> = subjects(stored).take(SHOWN).collect();
        let keys: Vec<Value> = self.entry_keys(entry).into_iter().take(SHOWN).collect();
        let mut view = self.common(stored, entry);
        view.insert("search".to_owned(), search(entry));
        view.insert("subjects".to_owned(), subjects.into());
        view.insert("keys".to_owned(), keys.into());
        view.insert("count".to_owned(), entry.count.into());
        view.insert("found".to_owned(), entry.found.into());
        Value::Object(view)
    }

    /// Only what concerns one person.
    pub(super) fn entry_of_person(&self, stored: &StoredEntry, entry: &Entry, person: &str) -> Value {
        let names = |value: &Value| value.as_str().is_some_and(|text| same_person(text, person));
        let concerns = |key: &Value| key.as_object().is_some_and(|key| key.values().any(names));
        let mut keys = self.entry_keys(entry);
        // A single record's key is about whom it names, whatever the key is made of.
        if keys.len() > 1 || stored.subjects.len() > 1 {
            keys.retain(concerns);
        }
        let search = Some(search(entry)).filter(concerns);
        let mut view = self.common(stored, entry);
        view.insert("search".to_owned(), search.unwrap_or(Value::Null));
        view.insert("subjects".to_owned(), json!([person]));
        view.insert("keys".to_owned(), keys.into());
        view.insert("count".to_owned(), 1.into());
        view.insert("found".to_owned(), entry.found.into());
        Value::Object(view)
    }

    fn common(&self, stored: &StoredEntry, entry: &Entry) -> Map<String, Value> {
        let members = [
            ("id", json!(stored.id.to_string())),
            ("at", json!(time_text(stored.at_ms))),
            ("request_id", json!(entry.request_id)),
            ("permission", json!(entry.permission)),
            ("purpose", json!(entry.purpose)),
            ("legal_basis", json!(entry.legal_basis)),
            ("case", json!(entry.case)),
            ("recipient", json!(entry.recipient)),
            ("connection", json!(entry.connection)),
            ("dataset", json!(entry.dataset)),
            ("section", json!(entry.section)),
            ("way", json!(entry.way)),
            ("fields", json!(self.entry_fields(entry))),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Leaf paths given, in definition order.
    pub(super) fn entry_fields(&self, entry: &Entry) -> Vec<String> {
        let catalog = self.catalog();
        let Some(set) = catalog.live(entry.section, &entry.dataset) else {
            return Vec::new();
        };
        let given = set
            .schema
            .leaf_paths
            .iter()
            .filter(|(_, leaf)| entry.fields.contains(*leaf));
        given.map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn entry_keys(&self, entry: &Entry) -> Vec<Value> {
        let catalog = self.catalog();
        let Some(set) = catalog.live(entry.section, &entry.dataset) else {
            return Vec::new();
        };
        let shown = |key: &Vec<u8>| {
            let mut json = Vec::new();
            set.schema.key_json(key, &mut json);
            serde_json::from_slice(&json).unwrap_or_default()
        };
        entry.keys.iter().map(shown).collect()
    }
}

fn search(entry: &Entry) -> Value {
    entry
        .search
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// When it was made.
pub(super) fn time_of(stored: &StoredEntry) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(stored.at_ms).unwrap_or_default()
}

pub(super) fn subjects(stored: &StoredEntry) -> impl Iterator<Item = Value> + '_ {
    stored
        .subjects
        .iter()
        .map(|subject| Value::String(String::from_utf8_lossy(subject).into_owned()))
}

fn same_person(text: &str, person: &str) -> bool {
    dagr_model::value::subject_code(text) == person
}
