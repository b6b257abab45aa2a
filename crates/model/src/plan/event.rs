//! What happens to a plan, as values.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use super::{MAX_TITLE, MAX_WORDS, MOVERS, PLANNERS};
use crate::{
    fault::Fault,
    ids::{PersonId, RegistrationNumber},
    role::Role,
};

/// Both days inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    pub from: Date,
    pub to: Date,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    Update {
        change: PlanChange,
    },
    Invite {
        institutions: Vec<RegistrationNumber>,
    },
    Step {
        step: u32,
        change: StepMove,
    },
    /// Final.
    Close {
        note: Option<String>,
    },
}

/// A merge-patch: what is not named stays, a period that is null is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanChange {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub period: Option<Option<Period>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "move", rename_all = "snake_case")]
pub enum StepMove {
    /// Who answers for it and until when; what is not named stays, null takes away.
    Assign {
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
        person: Option<Option<PersonId>>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
        due: Option<Option<Date>>,
    },
    Done {
        note: Option<String>,
    },
    NotApplicable {
        reason: String,
    },
    Reopen {
        reason: String,
    },
    /// Evidence in words.
    Note {
        text: String,
    },
}

/// Present is `Some`; a null of an optional value is `Some(None)`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Event {
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Update { .. } => "update",
            Self::Invite { .. } => "invite",
            Self::Step { change, .. } => change.verb(),
            Self::Close { .. } => "close",
        }
    }
}

impl StepMove {
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Assign { .. } => "step_assign",
            Self::Done { .. } => "step_done",
            Self::NotApplicable { .. } => "step_not_applicable",
            Self::Reopen { .. } => "step_reopen",
            Self::Note { .. } => "step_note",
        }
    }

    /// Of the step's institution.
    pub(super) fn roles(&self) -> &'static [Role] {
        match self {
            Self::Assign { .. } | Self::NotApplicable { .. } => PLANNERS,
            Self::Done { .. } | Self::Reopen { .. } | Self::Note { .. } => MOVERS,
        }
    }
}

impl PlanChange {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        if let Some(text) = &self.title {
            title(text, &mut found);
        }
        if let Some(text) = &self.description {
            description(text, &mut found);
        }
        period(self.period.as_ref().and_then(Option::as_ref), &mut found);
        found
    }
}

pub(super) fn title(text: &str, found: &mut Vec<Fault>) {
    words("title", text, MAX_TITLE, found);
}

/// May be empty.
pub(super) fn description(text: &str, found: &mut Vec<Fault>) {
    optional_words("description", Some(text).filter(|text| !text.is_empty()), found);
}

pub(super) fn period(period: Option<&Period>, found: &mut Vec<Fault>) {
    if period.is_some_and(|period| period.to < period.from) {
        found.push(Fault::new(
            "period.to",
            "order",
            "a period ends on the day it begins, or later",
        ));
    }
}

pub(super) fn optional_words(place: &str, text: Option<&str>, found: &mut Vec<Fault>) {
    if let Some(text) = text {
        words(place, text, MAX_WORDS, found);
    }
}

/// Something a person reads: not blank, bounded, without control characters.
pub(super) fn words(place: &str, text: &str, most: usize, found: &mut Vec<Fault>) {
    if text.trim().is_empty() {
        found.push(Fault::new(place, "required", "must not be empty"));
    }
    if text.chars().count() > most {
        found.push(Fault::new(
            place,
            "too_long",
            format!("must have at most {most} characters"),
        ));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    {
        found.push(Fault::new(
            place,
            "characters",
            "must not hold control characters",
        ));
    }
}
