//! Why an event may not happen, and what is possible instead.

use super::{event::Verb, stage::Stage};
use crate::{
    fault::Fault,
    ids::RegistrationNumber,
    role::{Role, either},
};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refused {
    #[error("{}", stage_text(*.verb, .stage, .possible))]
    Stage {
        verb: Verb,
        stage: &'static str,
        possible: &'static [Verb],
    },
    /// `institution` none: in any.
    #[error("{}", role_text(*.verb, .institution.as_ref(), .roles))]
    Role {
        verb: Verb,
        institution: Option<RegistrationNumber>,
        roles: &'static [Role],
    },
    #[error("who submitted an application does not decide it: somebody else has to")]
    OwnApplication,
    #[error("{} faults in what was sent", .0.len())]
    Invalid(Vec<Fault>),
}

impl Refused {
    pub(super) fn stage(verb: Verb, stage: &Stage, possible: &'static [Verb]) -> Self {
        Self::Stage {
            verb,
            stage: stage.name(),
            possible,
        }
    }
}

fn stage_text(verb: Verb, stage: &str, possible: &[Verb]) -> String {
    if possible.is_empty() {
        return format!("the application is {stage}, and that is final: begin another one");
    }
    let words: Vec<&str> = possible.iter().map(|verb| verb.as_str()).collect();
    let possible = words.join(", ");
    format!("the application is {stage}: {verb} is not possible now; possible are {possible}")
}

fn role_text(verb: Verb, institution: Option<&RegistrationNumber>, roles: &[Role]) -> String {
    let who = either(roles);
    match institution {
        Some(institution) => format!("{verb} needs the role {who} in institution {institution}"),
        None => format!("{verb} needs the role {who}"),
    }
}
