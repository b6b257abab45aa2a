//! One step of a plan: whose, until when, where it stands and what shows it.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    MAX_EVIDENCE, MOVERS, PLANNERS, Refused,
    event::{StepMove, optional_words, words},
    faults,
    scenario::{PlanSide, StepKind},
};
use crate::{
    fault::Fault,
    ids::{PersonId, RegistrationNumber},
    role::Role,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Counts from 1 and never changes.
    pub number: u32,
    pub kind: StepKind,
    pub side: PlanSide,
    /// Whose it is.
    pub institution: RegistrationNumber,
    /// Who answers for it there.
    pub person: Option<PersonId>,
    pub due: Option<Date>,
    pub state: StepState,
    /// Oldest first.
    pub evidence: Vec<Evidence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum StepState {
    Open,
    Done {
        by: PersonId,
        at: Timestamp,
    },
    NotApplicable {
        by: PersonId,
        at: Timestamp,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub kind: EvidenceKind,
    pub at: Timestamp,
    /// None: the system found it.
    pub by: Option<PersonId>,
    /// A person's words; of the system, what it found: a data set, a permission's number.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Written by a person.
    Note,
    DefinitionPublished,
    FirstPackageReceived,
    PermissionGranted,
    FirstLookUp,
}

impl StepState {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done { .. } => "done",
            Self::NotApplicable { .. } => "not_applicable",
        }
    }
}

impl Evidence {
    /// What the system found.
    pub fn found(kind: EvidenceKind, at: Timestamp, text: impl Into<String>) -> Self {
        Self {
            kind,
            at,
            by: None,
            text: text.into(),
        }
    }

    fn note(text: &str, by: PersonId, at: Timestamp) -> Self {
        Self {
            kind: EvidenceKind::Note,
            at,
            by: Some(by),
            text: text.to_owned(),
        }
    }
}

impl Step {
    pub(super) fn open(number: u32, kind: StepKind, side: PlanSide, institution: RegistrationNumber) -> Self {
        Self {
            number,
            kind,
            side,
            institution,
            person: None,
            due: None,
            state: StepState::Open,
            evidence: Vec::new(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.state == StepState::Open
    }

    /// Moves that its state allows, with who may make them.
    pub(super) fn moves(&self) -> &'static [(&'static str, &'static [Role])] {
        if self.is_open() {
            &[
                ("step_assign", PLANNERS),
                ("step_done", MOVERS),
                ("step_not_applicable", PLANNERS),
                ("step_note", MOVERS),
            ]
        } else {
            &[("step_reopen", MOVERS), ("step_note", MOVERS)]
        }
    }

    pub(super) fn apply(&mut self, change: &StepMove, by: PersonId, at: Timestamp) -> Result<(), Refused> {
        match change {
            StepMove::Assign { person, due } => {
                self.must_be_open(change)?;
                if let Some(person) = person {
                    self.person = *person;
                }
                if let Some(due) = due {
                    self.due = *due;
                }
            }
            StepMove::Done { note } => {
                self.must_be_open(change)?;
                let mut found = Vec::new();
                optional_words("note", note.as_deref(), &mut found);
                faults(found)?;
                if let Some(note) = note {
                    self.add(Evidence::note(note, by, at))?;
                }
                self.state = StepState::Done { by, at };
            }
            StepMove::NotApplicable { reason } => {
                self.must_be_open(change)?;
                check("reason", reason)?;
                self.state = StepState::NotApplicable {
                    by,
                    at,
                    reason: reason.clone(),
                };
            }
            StepMove::Reopen { reason } => {
                if self.is_open() {
                    return Err(Refused::StepOpen);
                }
                check("reason", reason)?;
                self.add(Evidence::note(reason, by, at))?;
                self.state = StepState::Open;
            }
            StepMove::Note { text } => {
                check("text", text)?;
                self.add(Evidence::note(text, by, at))?;
            }
        }
        Ok(())
    }

    fn must_be_open(&self, change: &StepMove) -> Result<(), Refused> {
        if self.is_open() {
            return Ok(());
        }
        Err(Refused::StepSettled {
            verb: change.verb(),
            state: self.state.name(),
        })
    }

    fn add(&mut self, evidence: Evidence) -> Result<(), Refused> {
        if self.evidence.len() >= MAX_EVIDENCE {
            let message = format!("a step keeps at most {MAX_EVIDENCE} notes: say it in the plan's thread");
            return Err(Refused::Invalid(vec![Fault::new("text", "too_many", message)]));
        }
        self.evidence.push(evidence);
        Ok(())
    }

    /// What was found stays as it was first found.
    pub(super) fn observe(&mut self, evidence: &Evidence) {
        let known = self
            .evidence
            .iter()
            .any(|one| one.kind == evidence.kind && one.text == evidence.text && one.by.is_none());
        if !known && self.evidence.len() < MAX_EVIDENCE {
            self.evidence.push(evidence.clone());
        }
    }
}

fn check(place: &str, text: &str) -> Result<(), Refused> {
    let mut found = Vec::new();
    words(place, text, super::MAX_WORDS, &mut found);
    faults(found)
}
