//! What a version changes against the one before it.

use std::collections::HashMap;

use serde::Serialize;

use super::ClassifierValue;

/// In the order of the version they stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference<'v> {
    pub added: Vec<&'v ClassifierValue>,
    pub removed: Vec<&'v ClassifierValue>,
    /// Before and after: another name, in either language.
    pub renamed: Vec<(&'v ClassifierValue, &'v ClassifierValue)>,
    /// The same names, another parent or validity.
    pub changed: Vec<(&'v ClassifierValue, &'v ClassifierValue)>,
}

impl Difference<'_> {
    /// The order of codes aside.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.renamed.is_empty() && self.changed.is_empty()
    }
}

pub fn difference<'v>(before: &'v [ClassifierValue], after: &'v [ClassifierValue]) -> Difference<'v> {
    let known: HashMap<&str, &ClassifierValue> = by_code(before);
    let kept: HashMap<&str, &ClassifierValue> = by_code(after);
    let mut found = Difference {
        removed: before
            .iter()
            .filter(|value| !kept.contains_key(value.code.as_str()))
            .collect(),
        ..Difference::default()
    };
    for value in after {
        match known.get(value.code.as_str()).copied() {
            None => found.added.push(value),
            Some(old) if old.name != value.name || old.name_en != value.name_en => {
                found.renamed.push((old, value));
            }
            Some(old) if old != value => found.changed.push((old, value)),
            Some(_) => {}
        }
    }
    found
}

fn by_code(values: &[ClassifierValue]) -> HashMap<&str, &ClassifierValue> {
    values.iter().map(|value| (value.code.as_str(), value)).collect()
}
