//! What a page of records is asked by.

use dagr_model::{fault::Fault, permission::Way, record::RecordRef};
use dagr_policy::Target;
use serde_json::{Map, Value};

use crate::{admit::Admission, problem::Problem, set::LiveSet};

/// What to read.
pub enum What {
    /// Encoded leading part of the key.
    Leading(Vec<u8>),
    Index {
        name: String,
        /// Its name in the store.
        stored: String,
        /// Encoded, cut.
        value: Vec<u8>,
        /// As sent, in the order of the index's fields: for the re-check.
        texts: Vec<String>,
    },
    Everything,
}

pub struct Search {
    pub what: What,
    pub way: Way,
    /// What cursors are bound to.
    pub call: String,
    /// For the entry: JSON of what was asked.
    pub text: Option<String>,
    pub leading: Option<Vec<u8>>,
    fault: Option<Fault>,
}

impl Search {
    pub fn new(
        admission: &Admission,
        parts: &[String],
        filters: &[(String, String)],
    ) -> Result<Self, Problem> {
        if !parts.is_empty() {
            if let Some((word, _)) = filters.first() {
                return Err(unknown_word(admission, word));
            }
            return Ok(Self::leading(admission, parts));
        }
        if filters.is_empty() {
            return Ok(Self {
                what: What::Everything,
                way: Way::Bulk,
                call: "bulk".to_owned(),
                text: None,
                leading: None,
                fault: None,
            });
        }
        Self::index(admission, filters)
    }

    fn leading(admission: &Admission, parts: &[String]) -> Self {
        let schema = &admission.set.schema;
        let texts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (key, fault) = match schema.key_from_parts(&texts) {
            Ok(key) => (key, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let mut json = Vec::new();
        if fault.is_none() {
            schema.key_json(&key, &mut json);
        }
        let text = String::from_utf8(json).unwrap_or_default();
        Self {
            what: What::Leading(key.clone()),
            way: Way::Key,
            call: format!("leading {text}"),
            text: Some(text),
            leading: Some(key),
            fault,
        }
    }

    fn index(admission: &Admission, filters: &[(String, String)]) -> Result<Self, Problem> {
        let set = &admission.set;
        let index = set
            .indexes
            .iter()
            .find(|index| {
                let fields: Vec<&str> = index.name.split(',').collect();
                fields.len() == filters.len()
                    && fields
                        .iter()
                        .all(|field| filters.iter().any(|(name, _)| name == field))
            })
            .ok_or_else(|| unknown_word(admission, &filters[0].0))?;
        let texts: Vec<String> = index
            .name
            .split(',')
            .filter_map(|field| filters.iter().find(|(name, _)| name == field))
            .map(|(_, value)| value.clone())
            .collect();
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (value, fault) = match set.schema.index_value_from_texts(&index.nodes, &borrowed) {
            Ok(value) => (value, None),
            Err(fault) => (
                Vec::new(),
                Some(Fault {
                    rule: "key_invalid".to_owned(),
                    ..fault
                }),
            ),
        };
        let asked: Map<String, Value> = index
            .name
            .split(',')
            .map(str::to_owned)
            .zip(texts.iter().cloned().map(Value::String))
            .collect();
        let text = Value::Object(asked).to_string();
        Ok(Self {
            way: Way::Index(index.name.clone()),
            call: format!("index {text}"),
            text: Some(text),
            leading: None,
            what: What::Index {
                name: index.name.clone(),
                stored: index.stored.clone(),
                value,
                texts,
            },
            fault,
        })
    }

    /// The policy's view of it; a cursor's fault counts where the key has none.
    pub fn target(&self, cursor_fault: Option<&Fault>) -> Target {
        match (self.fault.as_ref().or(cursor_fault), &self.leading) {
            (Some(fault), None) => Target::Page(Err(fault.clone())),
            (Some(fault), Some(_)) => Target::Leading(Err(fault.clone())),
            (None, Some(key)) => Target::Leading(Ok(key.clone())),
            (None, None) => Target::Page(Ok(())),
        }
    }
}

impl What {
    /// Long index values are cut: the record decides.
    pub fn matches(&self, set: &LiveSet, record: RecordRef<'_>) -> bool {
        let Self::Index { name, texts, .. } = self else {
            return true;
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        set.index(name)
            .is_some_and(|index| set.schema.index_matches(&index.nodes, record, &texts))
    }
}

fn unknown_word(admission: &Admission, word: &str) -> Problem {
    let set = &admission.set;
    let names: Vec<&str> = set.indexes.iter().map(|index| index.name.as_str()).collect();
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("; ")
    };
    let place = if set.schema.node(word).is_some() {
        word
    } else {
        "query"
    };
    Problem::query_invalid(
        place,
        format!("unknown query word, or no index by exactly these fields; indexes of this set: {known}"),
    )
}
