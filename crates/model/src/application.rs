//! An application: what an institution asks for, and how it is decided. Pure: no IO, no clock.
//!
//! Every step is an [`Event`]; [`Application::apply`] says whether it may happen and what comes of it. The only way
//! to a granted field leads through a decision by somebody of the provider, who did not submit.

mod asked;
mod event;
mod refused;
mod stage;

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use asked::{Asked, DataAsked, FieldAsked, InstitutionRole, RoleAsked, resolve_asked};
pub use event::{Event, FieldRefused, Remark, Verb, Verdict};
pub use refused::Refused;
pub use stage::{Decision, Stage, Submission};

use crate::{
    fault::Fault,
    ids::{ApplicationNumber, PersonId, RegistrationNumber},
    permission::Way,
    role::Role,
};

/// Characters of a reason, a remark or a note, at most.
pub const MAX_WORDS: usize = 4_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    pub number: ApplicationNumber,
    pub applicant: RegistrationNumber,
    /// Whose decision it is; null: the operator's.
    pub provider: Option<RegistrationNumber>,
    pub asked: Asked,
    pub stage: Stage,
}

/// Who does something, for which institution, with which roles there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatory {
    pub person: PersonId,
    pub institution: RegistrationNumber,
    pub roles: BTreeSet<Role>,
}

impl Signatory {
    /// The first of `wanted` that is held.
    fn one_of(&self, wanted: &[Role]) -> Option<Role> {
        wanted.iter().copied().find(|role| self.roles.contains(role))
    }
}

/// Who drafts and submits.
pub const APPLICANTS: &[Role] = &[Role::Head, Role::DataManager];
/// Who decides for a provider.
pub const DECIDERS: &[Role] = &[Role::Head, Role::DataManager];
/// Who returns for precision.
pub const RETURNERS: &[Role] = &[Role::LegalReviewer, Role::Head, Role::DataManager];
const REVIEWERS: &[Role] = &[Role::LegalReviewer];
const OPERATORS: &[Role] = &[Role::Operator];

impl Application {
    /// A new draft, by somebody of the applicant.
    pub fn draft(
        number: ApplicationNumber,
        provider: Option<RegistrationNumber>,
        asked: Asked,
        by: &Signatory,
    ) -> Result<Self, Refused> {
        let draft = Self {
            number,
            applicant: by.institution.clone(),
            provider,
            asked,
            stage: Stage::Draft,
        };
        draft.role_for(Verb::Amend, by)?;
        if draft.provider.as_ref() == Some(&draft.applicant) {
            return Err(Refused::Invalid(vec![Fault::new(
                "dataset",
                "own",
                "these are your institution's own data: no permission is needed",
            )]));
        }
        faults(draft.asked.bounds())?;
        Ok(draft)
    }

    /// The application after the event; itself is never changed.
    pub fn apply(&self, event: &Event, by: &Signatory, at: Timestamp) -> Result<Self, Refused> {
        let verb = event.verb();
        if !self.possible().contains(&verb) {
            return Err(Refused::stage(verb, &self.stage, self.possible()));
        }
        self.role_for(verb, by)?;
        let (stage, asked) = self.next(event, by, at)?;
        Ok(Self {
            asked,
            stage,
            ..self.clone()
        })
    }

    fn next(&self, event: &Event, by: &Signatory, at: Timestamp) -> Result<(Stage, Asked), Refused> {
        let person = by.person;
        let stage = match event {
            Event::Amend { asked } => {
                self.amendable(asked)?;
                return Ok((self.stage.clone(), (**asked).clone()));
            }
            Event::Submit { due, seal } => {
                faults(self.asked.completeness())?;
                let submission = Submission {
                    by: person,
                    at,
                    due: *due,
                    seal: seal.clone(),
                };
                match self.stage {
                    Stage::Draft => Stage::Submitted { submission },
                    _ => Stage::Resubmitted { submission },
                }
            }
            Event::Return { remarks } => {
                faults(event::check_remarks(remarks))?;
                Stage::Returned {
                    submission: self.submission(event.verb())?,
                    by: person,
                    at,
                    remarks: remarks.clone(),
                }
            }
            Event::Review { note } => {
                faults(event::check_note(note.as_deref()))?;
                Stage::LegalReview {
                    submission: self.submission(event.verb())?,
                    by: person,
                    at,
                    note: note.clone(),
                }
            }
            Event::Decide { verdict, seal } => Stage::Decided {
                submission: self.submission(event.verb())?,
                by: person,
                at,
                seal: seal.clone(),
                decision: self.decision(verdict)?,
            },
            Event::Withdraw { reason } => {
                faults(event::check_reason("reason", reason))?;
                Stage::Withdrawn {
                    submission: self.stage.submission().cloned(),
                    by: person,
                    at,
                    reason: reason.clone(),
                }
            }
        };
        Ok((stage, self.asked.clone()))
    }

    /// What may happen to it now, by whoever has the role.
    pub fn possible(&self) -> &'static [Verb] {
        let reviewed = self.provider.is_some();
        match &self.stage {
            Stage::Draft | Stage::Returned { .. } => &[Verb::Amend, Verb::Submit, Verb::Withdraw],
            Stage::Submitted { .. } | Stage::Resubmitted { .. } if reviewed => {
                &[Verb::Return, Verb::Review, Verb::Decide, Verb::Withdraw]
            }
            Stage::Submitted { .. } | Stage::Resubmitted { .. } | Stage::LegalReview { .. } => {
                &[Verb::Return, Verb::Decide, Verb::Withdraw]
            }
            Stage::Decided { .. } | Stage::Withdrawn { .. } => &[],
        }
    }

    /// What this person may do to it now: what a page offers.
    pub fn open_to(&self, by: &Signatory) -> Vec<Verb> {
        let possible = self.possible().iter().copied();
        possible.filter(|verb| self.role_for(*verb, by).is_ok()).collect()
    }

    /// The role in which `by` may do it; else who may.
    pub fn role_for(&self, verb: Verb, by: &Signatory) -> Result<Role, Refused> {
        let (institution, roles) = self.authority(verb);
        let there = institution.is_none_or(|institution| *institution == by.institution);
        let role = by.one_of(roles).filter(|_| there).ok_or_else(|| Refused::Role {
            verb,
            institution: institution.cloned(),
            roles,
        })?;
        // Four eyes: nobody decides what they asked for, in whatever institution they are today.
        let submitter = self.stage.submission().map(|submission| submission.by);
        if verb == Verb::Decide && submitter == Some(by.person) {
            return Err(Refused::OwnApplication);
        }
        Ok(role)
    }

    /// In which institution (none: in any), and with which roles.
    fn authority(&self, verb: Verb) -> (Option<&RegistrationNumber>, &'static [Role]) {
        match (verb, &self.provider) {
            (Verb::Amend | Verb::Submit | Verb::Withdraw, _) => (Some(&self.applicant), APPLICANTS),
            (_, None) => (None, OPERATORS),
            (Verb::Return, Some(provider)) => (Some(provider), RETURNERS),
            (Verb::Review, Some(provider)) => (Some(provider), REVIEWERS),
            (Verb::Decide, Some(provider)) => (Some(provider), DECIDERS),
        }
    }

    fn submission(&self, verb: Verb) -> Result<Submission, Refused> {
        self.stage
            .submission()
            .cloned()
            .ok_or_else(|| Refused::stage(verb, &self.stage, self.possible()))
    }

    fn amendable(&self, asked: &Asked) -> Result<(), Refused> {
        let mut found = asked.bounds();
        if self.asked.subject() != asked.subject() {
            found.push(Fault::new(
                "dataset",
                "fixed",
                "cannot be changed: begin another application",
            ));
        }
        faults(found)
    }

    /// The verdict as a decision about exactly what was asked.
    fn decision(&self, verdict: &Verdict) -> Result<Decision, Refused> {
        let asked: Vec<String> = self.asked.fields().map(str::to_owned).collect();
        match verdict {
            Verdict::Approve => Ok(Decision::Approved { fields: asked }),
            Verdict::Refuse { reason } => {
                faults(event::check_reason("reason", reason))?;
                Ok(Decision::Refused {
                    reason: reason.clone(),
                })
            }
            Verdict::Partial { refused } => {
                faults(event::check_refused(refused, &asked))?;
                let out: HashSet<&str> = refused.iter().map(|one| one.field.as_str()).collect();
                let fields = asked.iter().filter(|field| !out.contains(field.as_str()));
                Ok(Decision::Partial {
                    fields: fields.cloned().collect(),
                    refused: refused.clone(),
                })
            }
        }
    }

    /// Fields that a decision granted; empty before it.
    pub fn granted(&self) -> &[String] {
        match &self.stage {
            Stage::Decided { decision, .. } => decision.granted(),
            _ => &[],
        }
    }

    /// The ways that remain with these fields: who searches by a field learns it, so an index needs its own.
    pub fn ways_with(&self, fields: &[String]) -> Vec<Way> {
        let Asked::Data(asked) = &self.asked else {
            return Vec::new();
        };
        let shown = |way: &&Way| match way {
            Way::Index(names) => names
                .split(',')
                .all(|name| fields.iter().any(|field| field == name.trim())),
            _ => true,
        };
        asked.ways.iter().filter(shown).cloned().collect()
    }
}

fn faults(found: Vec<Fault>) -> Result<(), Refused> {
    if found.is_empty() {
        Ok(())
    } else {
        Err(Refused::Invalid(found))
    }
}

#[cfg(test)]
mod tests;
