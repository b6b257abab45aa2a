//! Classifiers as deliveries are judged by them: in memory, with the version in force and those that will be.

use std::sync::Arc;

use dagr_model::{
    classifier::{CodeList, Codes},
    clock::riga_date,
    schema::Schema,
};
use dagr_registry::{Classifier, ClassifierKept};
use jiff::{Timestamp, civil::Date};

use crate::catalog::Catalog;

/// A classifier and its versions, the oldest first.
#[derive(Debug)]
pub struct InForce {
    pub classifier: Classifier,
    pub versions: Vec<LiveVersion>,
}

#[derive(Debug)]
pub struct LiveVersion {
    pub valid_from: Date,
    pub codes: Arc<CodeList>,
}

impl InForce {
    pub fn of(kept: ClassifierKept) -> Self {
        let id = &kept.classifier.id;
        let live = |version: &dagr_registry::VersionKept| {
            let codes = version.values.iter().map(|value| value.code.as_str());
            LiveVersion {
                valid_from: version.valid_from,
                codes: Arc::new(CodeList::new(id, version.number, codes)),
            }
        };
        Self {
            versions: kept.versions.iter().map(live).collect(),
            classifier: kept.classifier,
        }
    }

    /// What judges on that day: the newest version that has begun.
    pub fn on(&self, day: Date) -> Option<&Arc<CodeList>> {
        let begun = self
            .versions
            .iter()
            .rev()
            .find(|version| version.valid_from <= day);
        begun.map(|version| &version.codes)
    }
}

impl Catalog {
    pub fn code_list(&self, list: &str, day: Date) -> Option<&Arc<CodeList>> {
        self.classifiers.get(list)?.on(day)
    }

    /// By which lists the fields of a definition are judged at that time.
    pub fn codes(&self, schema: &Schema, now: Timestamp) -> Codes {
        let day = riga_date(now);
        Codes::of(schema, |list| self.code_list(list, day).cloned())
    }
}
