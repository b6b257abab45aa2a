//! A plan of transition: how a data set comes to the platform, or an integration moves to it or behind the API
//! manager, with the steps of both sides. Pure: no IO, no clock.
//!
//! Every change is an [`Event`]; [`Plan::apply`] says whether it may happen. Each side moves its own steps only; a
//! plan closes when none is open.

mod event;
mod refused;
mod scenario;
mod step;

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use event::{Event, Period, PlanChange, StepMove};
pub use refused::Refused;
pub use scenario::{PlanSide, Scenario, StepKind, Subject};
pub use step::{Evidence, EvidenceKind, Step, StepState};

use crate::{
    application::Signatory,
    fault::Fault,
    ids::{PersonId, PlanNumber, RegistrationNumber},
    role::Role,
};

/// Characters of a title, at most.
pub const MAX_TITLE: usize = 200;
/// Characters of a description, a note or a reason, at most.
pub const MAX_WORDS: usize = 4_000;
/// Recipients of one plan, at most: each has steps of its own.
pub const MAX_RECIPIENTS: usize = 200;
/// Notes and findings kept with one step, at most.
pub const MAX_EVIDENCE: usize = 200;

/// Who makes a plan, changes it, gives steps their owner and due date.
pub const PLANNERS: &[Role] = &[Role::Head, Role::DataManager];
/// Who moves the steps of the own institution.
pub const MOVERS: &[Role] = &[Role::Head, Role::DataManager, Role::TechnicalContact];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub number: PlanNumber,
    pub scenario: Scenario,
    pub subject: Subject,
    pub title: String,
    pub description: String,
    pub provider: RegistrationNumber,
    /// Invited, in the order they were.
    pub recipients: Vec<RegistrationNumber>,
    /// Within which recipients build their retrieval.
    pub period: Option<Period>,
    /// The provider's, then each recipient's. A step's place is its number less one.
    pub steps: Vec<Step>,
    pub stage: PlanStage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum PlanStage {
    Open,
    Closed {
        by: PersonId,
        at: Timestamp,
        note: Option<String>,
    },
}

impl PlanStage {
    pub const NAMES: [&'static str; 2] = ["open", "closed"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed { .. } => "closed",
        }
    }
}

/// What begins a plan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCreate {
    pub scenario: Scenario,
    pub subject: Subject,
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub recipients: Vec<RegistrationNumber>,
    #[serde(default)]
    pub period: Option<Period>,
}

impl Plan {
    /// A new plan with the provider's steps and those of every recipient invited at once.
    pub fn begin(create: PlanCreate, by: &Signatory) -> Result<Self, Refused> {
        let provider = by.institution.clone();
        role_of("create", &provider, PLANNERS, by)?;
        let mut found = create.subject.faults(create.scenario);
        event::title(&create.title, &mut found);
        event::description(&create.description, &mut found);
        event::period(create.period.as_ref(), &mut found);
        let mut plan = Self {
            number: PlanNumber::new(""),
            scenario: create.scenario,
            subject: create.subject,
            title: create.title,
            description: create.description,
            provider: provider.clone(),
            recipients: Vec::new(),
            period: create.period,
            steps: Vec::new(),
            stage: PlanStage::Open,
        };
        plan.add_steps(PlanSide::Provider, &provider);
        found.extend(plan.uninvitable(&create.recipients));
        faults(found)?;
        plan.invite(&create.recipients);
        Ok(plan)
    }

    /// The plan after the event; itself is never changed.
    pub fn apply(&self, event: &Event, by: &Signatory, at: Timestamp) -> Result<Self, Refused> {
        if self.stage != PlanStage::Open {
            return Err(Refused::Closed);
        }
        self.role_for(event, by)?;
        let mut next = self.clone();
        match event {
            Event::Update { change } => next.update(change)?,
            Event::Invite { institutions } => {
                let mut found = self.uninvitable(institutions);
                if institutions.is_empty() {
                    found.push(Fault::new("institutions", "required", "name whom to invite"));
                }
                faults(found)?;
                next.invite(institutions);
            }
            Event::Step { step, change } => next.step_mut(*step)?.apply(change, by.person, at)?,
            Event::Close { note } => {
                let mut found = Vec::new();
                event::optional_words("note", note.as_deref(), &mut found);
                faults(found)?;
                let open = self.open_steps();
                if !open.is_empty() {
                    return Err(Refused::StepsOpen(open));
                }
                next.stage = PlanStage::Closed {
                    by: by.person,
                    at,
                    note: note.clone(),
                };
            }
        }
        Ok(next)
    }

    /// The role in which `by` may do it; else who may.
    pub fn role_for(&self, event: &Event, by: &Signatory) -> Result<Role, Refused> {
        let (institution, roles) = match event {
            Event::Update { .. } | Event::Invite { .. } | Event::Close { .. } => (&self.provider, PLANNERS),
            Event::Step { step, change } => (&self.step(*step)?.institution, change.roles()),
        };
        role_of(event.verb(), institution, roles, by)
    }

    /// Verbs on the plan itself that this person may use now: what a page offers.
    pub fn open_to(&self, by: &Signatory) -> Vec<&'static str> {
        if self.stage != PlanStage::Open || role_of("", &self.provider, PLANNERS, by).is_err() {
            return Vec::new();
        }
        let mut open = vec!["update", "invite"];
        if self.open_steps().is_empty() {
            open.push("close");
        }
        open
    }

    /// Moves of a step that this person may make now.
    pub fn step_open_to(&self, step: &Step, by: &Signatory) -> Vec<&'static str> {
        if self.stage != PlanStage::Open {
            return Vec::new();
        }
        let may = |roles| role_of("", &step.institution, roles, by).is_ok();
        let moves = step.moves().iter();
        moves
            .filter(|(_, roles)| may(roles))
            .map(|(verb, _)| *verb)
            .collect()
    }

    /// Keeps what the system found, each once.
    pub fn observe(&mut self, found: &[(u32, Evidence)]) {
        for (number, evidence) in found {
            if let Ok(step) = self.step_mut(*number) {
                step.observe(evidence);
            }
        }
    }

    pub fn step(&self, number: u32) -> Result<&Step, Refused> {
        place(number)
            .and_then(|place| self.steps.get(place))
            .ok_or(Refused::NoStep(number))
    }

    fn step_mut(&mut self, number: u32) -> Result<&mut Step, Refused> {
        place(number)
            .and_then(|place| self.steps.get_mut(place))
            .ok_or(Refused::NoStep(number))
    }

    /// Numbers of steps that are open.
    pub fn open_steps(&self) -> Vec<u32> {
        let open = self.steps.iter().filter(|step| step.is_open());
        open.map(|step| step.number).collect()
    }

    /// The step's own date; without one, the end of the period where the period binds it.
    pub fn due_of(&self, step: &Step) -> Option<Date> {
        let bound = self.period.as_ref().filter(|_| step.kind.is_bound_by_period());
        step.due.or_else(|| bound.map(|period| period.to))
    }

    /// When the next open step is due; none once it is closed.
    pub fn next_due(&self) -> Option<Date> {
        if self.stage != PlanStage::Open {
            return None;
        }
        let open = self.steps.iter().filter(|step| step.is_open());
        open.filter_map(|step| self.due_of(step)).min()
    }

    /// A step is late on the day after it was due.
    pub fn is_step_late(&self, step: &Step, today: Date) -> bool {
        self.stage == PlanStage::Open && step.is_open() && self.due_of(step).is_some_and(|due| due < today)
    }

    pub fn is_late(&self, today: Date) -> bool {
        self.next_due().is_some_and(|due| due < today)
    }

    /// The provider and whoever is invited.
    pub fn is_party(&self, institution: &RegistrationNumber) -> bool {
        self.provider == *institution || self.recipients.contains(institution)
    }

    fn update(&mut self, change: &PlanChange) -> Result<(), Refused> {
        faults(change.faults())?;
        if let Some(title) = &change.title {
            self.title.clone_from(title);
        }
        if let Some(description) = &change.description {
            self.description.clone_from(description);
        }
        if let Some(period) = &change.period {
            self.period.clone_from(period);
        }
        Ok(())
    }

    /// Faults of inviting these.
    fn uninvitable(&self, institutions: &[RegistrationNumber]) -> Vec<Fault> {
        let mut found = Vec::new();
        if self.recipients.len() + institutions.len() > MAX_RECIPIENTS {
            let message = format!("a plan has at most {MAX_RECIPIENTS} recipients: make another one");
            return vec![Fault::new("recipients", "too_many", message)];
        }
        let mut seen: BTreeSet<&RegistrationNumber> = self.recipients.iter().collect();
        for (at, institution) in institutions.iter().enumerate() {
            let place = format!("recipients[{at}]");
            if *institution == self.provider {
                let message = "the provider has its own steps: it is no recipient of itself";
                found.push(Fault::new(place, "own", message));
            } else if !seen.insert(institution) {
                found.push(Fault::new(place, "repeated", "is invited already"));
            }
        }
        found
    }

    fn invite(&mut self, institutions: &[RegistrationNumber]) {
        for institution in institutions {
            self.recipients.push(institution.clone());
            self.add_steps(PlanSide::Recipient, institution);
        }
    }

    fn add_steps(&mut self, side: PlanSide, institution: &RegistrationNumber) {
        for kind in self.scenario.steps(side) {
            let number = u32::try_from(self.steps.len() + 1).unwrap_or(u32::MAX);
            self.steps
                .push(Step::open(number, *kind, side, institution.clone()));
        }
    }
}

fn place(number: u32) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

fn role_of(
    verb: &'static str,
    institution: &RegistrationNumber,
    roles: &'static [Role],
    by: &Signatory,
) -> Result<Role, Refused> {
    let there = *institution == by.institution;
    let held = roles.iter().copied().find(|role| by.roles.contains(role));
    held.filter(|_| there).ok_or_else(|| Refused::Role {
        verb,
        institution: institution.clone(),
        roles,
    })
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
