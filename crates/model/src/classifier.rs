//! Classifiers: published lists of codes, in versions. A `code(LIST)` is judged by the version in force.
//!
//! A version holds every code there is, also those whose own validity has ended: registers hold history. What it leaves
//! out is no code of the list any more.

mod codes;
mod difference;

use std::collections::HashMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use codes::{CodeList, Codes, FIRST, UNJUDGED};
pub use difference::{Difference, difference};

pub use crate::definition::is_classifier;
use crate::fault::Fault;

/// Codes of one version, at most.
pub const MAX_VALUES: usize = 50_000;
/// A code and its parent, in characters.
pub const MAX_CODE: usize = 100;
/// A name, in characters.
pub const MAX_NAME: usize = 500;
/// Faults told of one version; there may be more.
pub const MAX_FAULTS: usize = 1_000;

/// One code of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierValue {
    pub code: String,
    /// In Latvian.
    pub name: String,
    #[serde(default)]
    pub name_en: Option<String>,
    /// The code this one stands under, in the same version.
    #[serde(default)]
    pub parent: Option<String>,
    /// First and last day the code is given out; none: without end. What has ended stays a code.
    #[serde(default)]
    pub valid_from: Option<Date>,
    #[serde(default)]
    pub valid_to: Option<Date>,
}

/// What is wrong with the values of a version, all of it. Places are `values[N]`, from 0; messages name the code.
pub fn check(values: &[ClassifierValue]) -> Vec<Fault> {
    if values.is_empty() || values.len() > MAX_VALUES {
        let message = format!("a version has from 1 to {MAX_VALUES} codes");
        return vec![Fault::new("values", "count", message)];
    }
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(values.len());
    let mut faults = Faults::default();
    for (at, value) in values.iter().enumerate() {
        shape(at, value, &mut faults);
        if let Some(before) = first.insert(&value.code, at) {
            first.insert(&value.code, before);
            let message = format!("{} stands above already", named(value));
            faults.push(at, "code", "duplicate", message);
        }
    }
    let in_circle = circles(values, &first);
    for (at, value) in values.iter().enumerate() {
        let Some(parent) = &value.parent else { continue };
        let rule = match first.get(parent.as_str()) {
            None => ("unknown", "its parent is no code of this version"),
            Some(_) if in_circle[at] => ("cycle", "it stands under itself"),
            Some(_) => continue,
        };
        faults.push(at, "parent", rule.0, format!("{}: {}", named(value), rule.1));
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn push(&mut self, at: usize, member: &str, rule: &str, message: String) {
        if self.0.len() < MAX_FAULTS {
            self.0
                .push(Fault::new(format!("values[{at}].{member}"), rule, message));
        }
    }
}

fn shape(at: usize, value: &ClassifierValue, faults: &mut Faults) {
    let texts = [
        ("code", Some(&value.code), MAX_CODE),
        ("name", Some(&value.name), MAX_NAME),
        ("name_en", value.name_en.as_ref(), MAX_NAME),
        ("parent", value.parent.as_ref(), MAX_CODE),
    ];
    for (member, text, most) in texts {
        let Some(text) = text else { continue };
        let wrong = if text.is_empty() {
            ("required", "must not be empty".to_owned())
        } else if text.chars().count() > most {
            ("too_long", format!("must have at most {most} characters"))
        } else if text.chars().any(char::is_control) || text.trim() != text {
            let message = "must not hold control characters or begin or end with space";
            ("characters", message.to_owned())
        } else {
            continue;
        };
        faults.push(
            at,
            member,
            wrong.0,
            format!("{}: {member} {}", named(value), wrong.1),
        );
    }
    if let (Some(from), Some(to)) = (value.valid_from, value.valid_to)
        && to < from
    {
        let message = format!("{}: valid_to is before valid_from", named(value));
        faults.push(at, "valid_to", "range", message);
    }
}

/// As a message calls it.
fn named(value: &ClassifierValue) -> String {
    let plain = value.code.chars().filter(|c| !c.is_control());
    format!("code `{}`", plain.take(MAX_CODE).collect::<String>())
}

/// By value: is the way up from it a circle that it is part of? Every value is passed once, whatever the depth.
fn circles(values: &[ClassifierValue], first: &HashMap<&str, usize>) -> Vec<bool> {
    let mut in_circle = vec![false; values.len()];
    // In which walk a value was first passed.
    let mut walks = vec![usize::MAX; values.len()];
    for start in 0..values.len() {
        let (mut at, mut way) = (start, Vec::new());
        while walks[at] == usize::MAX {
            walks[at] = start;
            way.push(at);
            let up = values[at].parent.as_deref().and_then(|code| first.get(code));
            let Some(up) = up else { break };
            at = *up;
            if walks[at] == start {
                let begin = way.iter().position(|passed| *passed == at).unwrap_or(0);
                for member in &way[begin..] {
                    in_circle[*member] = true;
                }
            }
        }
    }
    in_circle
}

#[cfg(test)]
mod tests;
