//! `explain`: the decision told without reading a record.

use dagr_model::ids::PermissionNumber;
use serde::Serialize;

use crate::{
    ask::Ask,
    decide::{Reason, decide},
    grant::Grant,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Allowed,
    Refused,
    /// A predicate decides, record by record.
    DependsOnRecord,
}

/// The answer of `/registry/permissions/{n}/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub permission: PermissionNumber,
    pub answer: Answer,
    /// The code the call would be refused with.
    pub code: Option<&'static str>,
    pub reasons: Vec<Reason>,
    /// Leaf paths that would be given, in definition order.
    pub fields: Vec<String>,
}

/// Says `refused` with a code if and only if `refuse` refuses with it.
pub fn explain(grant: &Grant, ask: &Ask) -> Explanation {
    let decision = decide(grant, ask);
    let code = decision.refusal.as_ref().map(|refusal| refusal.code.as_str());
    let mut reasons = decision.reasons;
    let answer = match (&code, &decision.depends_on) {
        (Some(_), _) => Answer::Refused,
        (None, None) => Answer::Allowed,
        (None, Some(predicate)) => {
            if let Some(reason) = reasons.iter_mut().find(|reason| reason.rule == "scope") {
                reason.detail = format!("depends on the record: {predicate}");
            }
            Answer::DependsOnRecord
        }
    };
    Explanation {
        permission: grant.permission.number.clone(),
        answer,
        code,
        reasons,
        fields: decision.fields,
    }
}
