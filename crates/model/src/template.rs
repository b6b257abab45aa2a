//! A template: what a provider offers for one use of a data set, and so the most that may be asked under it.

use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    application::{DataAsked, FieldAsked},
    fault::Fault,
    permission::{QuotaUnit, Scope, Way},
};

const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 2_000;
const MAX_FIELDS: usize = 2_000;
/// A hundred years: more is no bound.
const MAX_DAYS: u32 = 36_500;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub title: String,
    /// For whom, and what they do with the data.
    pub use_case: String,
    /// Of every application under it, word for word.
    pub purpose: String,
    /// Of every application under it, word for word.
    pub legal_basis: String,
    /// The most fields, each with the law that allows it.
    pub fields: Vec<FieldAsked>,
    pub ways: Vec<Way>,
    /// Null: any. Keys: those and what lies under them. A condition: that one.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Null: any.
    #[serde(default)]
    pub quota: Option<u64>,
    #[serde(default)]
    pub quota_unit: QuotaUnit,
    /// How long a permission may last, in days, both ends counted. Null: any.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Which template an application is under, in which version: what was chosen stays what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    pub number: i64,
    pub version: i64,
}

impl Template {
    /// What is wrong with the template itself, as far as no definition is needed for it.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let texts = [
            ("title", &self.title, MAX_TITLE),
            ("use_case", &self.use_case, MAX_TEXT),
            ("purpose", &self.purpose, MAX_TEXT),
            ("legal_basis", &self.legal_basis, MAX_TEXT),
        ];
        for (place, text, most) in texts {
            if text.trim().is_empty() {
                faults.push(Fault::new(place, "required", "write it: applicants read it"));
            } else if text.chars().count() > most {
                faults.push(Fault::new(
                    place,
                    "too_long",
                    format!("at most {most} characters"),
                ));
            }
        }
        if self.fields.is_empty() || self.fields.len() > MAX_FIELDS {
            faults.push(Fault::new(
                "fields",
                "required",
                format!("from 1 to {MAX_FIELDS} fields"),
            ));
        }
        for one in self.fields.iter().take(MAX_FIELDS) {
            if one.law.trim().is_empty() || one.law.chars().count() > MAX_TEXT {
                let place = format!("fields.{}.law", one.field.chars().take(100).collect::<String>());
                faults.push(Fault::new(
                    place,
                    "required",
                    "cite the article that allows to know this field",
                ));
            }
        }
        if self.ways.is_empty() {
            faults.push(Fault::new("ways", "required", "name at least one"));
        }
        if self.quota == Some(0) {
            faults.push(Fault::new("quota", "range", "at least 1, or null for any"));
        }
        if self.days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
            faults.push(Fault::new(
                "days",
                "range",
                format!("from 1 to {MAX_DAYS}, or null for any"),
            ));
        }
        faults
    }

    /// An application under it, filled in as far as the template can.
    pub fn fill(&self, asked: &mut DataAsked, today: Date) {
        asked.purpose.clone_from(&self.purpose);
        asked.legal_basis.clone_from(&self.legal_basis);
        asked.fields.clone_from(&self.fields);
        asked.ways.clone_from(&self.ways);
        asked.scope.clone_from(&self.scope);
        asked.quota = self.quota;
        asked.quota_unit = self.quota_unit;
        asked.valid_to = self.days.and_then(|days| last_day(today, days));
    }

    /// Everything in which an application goes beyond it; empty when it lies within.
    pub fn excess(&self, asked: &DataAsked, today: Date) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut beyond = |place: String, message: String| faults.push(Fault::new(place, "template", message));
        for (place, text, fixed) in [
            ("purpose", &asked.purpose, &self.purpose),
            ("legal_basis", &asked.legal_basis, &self.legal_basis),
        ] {
            if text != fixed {
                beyond(place.to_owned(), format!("the template says: {fixed}"));
            }
        }
        for one in &asked.fields {
            if !self.fields.iter().any(|known| known.field == one.field) {
                let shown: String = one.field.chars().take(100).collect();
                beyond(
                    format!("fields.{shown}"),
                    "the template does not hold this field".to_owned(),
                );
            }
        }
        for way in asked.ways.iter().filter(|way| !self.ways.contains(way)) {
            beyond("ways".to_owned(), format!("the template does not hold {way}"));
        }
        if !self.holds_scope(asked.scope.as_ref()) {
            let message = match &self.scope {
                Some(Scope::When(when)) => format!("the template holds records for which {when}"),
                _ => "the template holds the keys it names, and what lies under them".to_owned(),
            };
            beyond("scope".to_owned(), message);
        }
        if let Some(most) = self.quota
            && (asked.quota_unit != self.quota_unit || asked.quota.is_none_or(|quota| quota > most))
        {
            beyond("quota".to_owned(), format!("the template holds at most {most}"));
        }
        if let Some(days) = self.days {
            let last = last_day(asked.valid_from.unwrap_or(today), days);
            if asked.valid_to.is_none_or(|to| last.is_none_or(|last| to > last)) {
                beyond(
                    "valid_to".to_owned(),
                    format!("the template holds {days} days at most"),
                );
            }
        }
        faults
    }

    fn holds_scope(&self, asked: Option<&Scope>) -> bool {
        match (&self.scope, asked) {
            (None, _) => true,
            (Some(Scope::When(most)), Some(Scope::When(text))) => most == text,
            (Some(Scope::Keys(most)), Some(Scope::Keys(keys))) => {
                let holds = |key: &Vec<Value>| most.iter().any(|part| key.starts_with(part));
                !keys.is_empty() && keys.iter().all(holds)
            }
            (Some(_), _) => false,
        }
    }
}

fn last_day(from: Date, days: u32) -> Option<Date> {
    from.checked_add(Span::new().days(i64::from(days) - 1)).ok()
}

#[cfg(test)]
mod tests;
