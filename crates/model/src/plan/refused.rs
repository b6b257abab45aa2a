//! Why a plan does not change, and what to do instead.

use crate::{
    fault::Fault,
    ids::RegistrationNumber,
    role::{Role, either},
};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    #[error("the plan is closed, and that is final: make another one")]
    Closed,
    /// Numbers of the steps.
    #[error("{}", steps_text(.0))]
    StepsOpen(Vec<u32>),
    #[error("the plan has no step {0}")]
    NoStep(u32),
    #[error("the step is {state}: {verb} is not possible now; reopen it first")]
    StepSettled { verb: &'static str, state: &'static str },
    #[error("the step is open already")]
    StepOpen,
    #[error("{verb} needs the role {} in institution {institution}", either(.roles))]
    Role {
        verb: &'static str,
        institution: RegistrationNumber,
        roles: &'static [Role],
    },
    #[error("{} faults in what was sent", .0.len())]
    Invalid(Vec<Fault>),
}

/// Steps named in one message, at most.
const NAMED: usize = 20;

fn steps_text(open: &[u32]) -> String {
    let numbers: Vec<String> = open.iter().take(NAMED).map(u32::to_string).collect();
    let rest = if open.len() > NAMED { " and others" } else { "" };
    format!(
        "a plan is closed when every step is done or not applicable: open are {}{rest}",
        numbers.join(", ")
    )
}
