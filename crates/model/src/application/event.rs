//! What happens to an application, as values.

use std::{collections::HashSet, fmt};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{MAX_WORDS, asked::Asked};
use crate::fault::{Fault, nearest};

/// Remarks of one return, at most.
const MAX_REMARKS: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    Amend {
        asked: Box<Asked>,
    },
    /// Also handing in again what was returned. `due` and `seal` are made by the platform.
    Submit {
        due: Date,
        seal: String,
    },
    Return {
        remarks: Vec<Remark>,
    },
    /// The lawyer passes it on.
    Review {
        note: Option<String>,
    },
    Decide {
        verdict: Verdict,
        seal: String,
    },
    Withdraw {
        reason: String,
    },
}

/// An event without what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Amend,
    Submit,
    Return,
    Review,
    Decide,
    Withdraw,
}

/// What has to be made precise, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// A member of what is asked (`purpose`, `fields.Code`); null: the whole.
    #[serde(default)]
    pub place: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// Everything that was asked.
    Approve,
    /// Everything but these fields.
    Partial {
        refused: Vec<FieldRefused>,
    },
    Refuse {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRefused {
    pub field: String,
    pub reason: String,
}

impl Event {
    pub fn verb(&self) -> Verb {
        match self {
            Self::Amend { .. } => Verb::Amend,
            Self::Submit { .. } => Verb::Submit,
            Self::Return { .. } => Verb::Return,
            Self::Review { .. } => Verb::Review,
            Self::Decide { .. } => Verb::Decide,
            Self::Withdraw { .. } => Verb::Withdraw,
        }
    }
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amend => "amend",
            Self::Submit => "submit",
            Self::Return => "return",
            Self::Review => "review",
            Self::Decide => "decide",
            Self::Withdraw => "withdraw",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(super) fn check_remarks(remarks: &[Remark]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if remarks.is_empty() {
        faults.push(Fault::new(
            "remarks",
            "required",
            "say what has to be made precise: it is what the applicant reads",
        ));
    }
    if remarks.len() > MAX_REMARKS {
        faults.push(Fault::new(
            "remarks",
            "too_many",
            format!("at most {MAX_REMARKS} remarks"),
        ));
    }
    for (at, remark) in remarks.iter().enumerate().take(MAX_REMARKS) {
        words(&format!("remarks[{at}].text"), &remark.text, &mut faults);
    }
    faults
}

pub(super) fn check_note(note: Option<&str>) -> Vec<Fault> {
    note.map_or_else(Vec::new, |note| check_reason("note", note))
}

pub(super) fn check_reason(place: &str, reason: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    words(place, reason, &mut faults);
    faults
}

/// Each refused field was asked, is named once and has a reason; something remains.
pub(super) fn check_refused(refused: &[FieldRefused], asked: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let known: HashSet<&str> = asked.iter().map(String::as_str).collect();
    let mut seen = HashSet::new();
    for (at, one) in refused.iter().enumerate().take(asked.len() + 1) {
        let place = format!("refused[{at}]");
        if !known.contains(one.field.as_str()) {
            let message = match nearest(&one.field, asked.iter().map(String::as_str)) {
                Some(near) => format!("this field was not asked: did you mean {near}?"),
                None => "this field was not asked".to_owned(),
            };
            faults.push(Fault::new(format!("{place}.field"), "field_unknown", message));
        } else if !seen.insert(one.field.as_str()) {
            faults.push(Fault::new(
                format!("{place}.field"),
                "repeated",
                "name each field once",
            ));
        }
        words(&format!("{place}.reason"), &one.reason, &mut faults);
    }
    if refused.is_empty() {
        faults.push(Fault::new(
            "refused",
            "required",
            "name the fields that are refused, or approve everything",
        ));
    } else if seen.len() == known.len() {
        faults.push(Fault::new(
            "refused",
            "nothing_left",
            "no field remains: refuse the application as a whole and say why",
        ));
    }
    faults
}

fn words(place: &str, text: &str, faults: &mut Vec<Fault>) {
    if text.trim().is_empty() {
        faults.push(Fault::new(
            place,
            "required",
            "say it in words: it is kept and shown",
        ));
    } else if text.chars().count() > MAX_WORDS {
        faults.push(Fault::new(
            place,
            "too_long",
            format!("at most {MAX_WORDS} characters"),
        ));
    }
}
