//! The decision: the checks of a call under one permission, in the order of the interface.

use std::sync::Arc;

use dagr_model::{
    fault::Fault,
    permission::{PermissionState, Way},
    record::Mask,
};
use serde::Serialize;

use crate::{
    ask::{Ask, Target},
    code::Code,
    fields,
    grant::{CompiledScope, Grant},
};

/// Faults told in one refusal.
const MAX_FAULTS: usize = 1_000;

/// Why a call is refused; `detail` says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub detail: String,
    pub faults: Vec<Fault>,
}

/// One check, as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What is checked: `state`, `validity`, `case`, `way`, `field`, `key`, `scope`, `quota`.
    pub rule: &'static str,
    pub ok: bool,
    pub code: Option<&'static str>,
    pub detail: String,
}

/// The outcome with its reasons, up to the first check that fails.
#[derive(Debug, Clone)]
pub struct Decision {
    pub refusal: Option<Refusal>,
    pub reasons: Vec<Reason>,
    /// What an answer may show; when refused, nothing may be read.
    pub mask: Arc<Mask>,
    /// The predicate an allowed call still depends on, record by record.
    pub depends_on: Option<String>,
    /// Leaf paths given, in definition order; empty when refused.
    pub fields: Vec<String>,
}

type Check = fn(&Grant, &Ask) -> Option<Refusal>;

/// Every check with its rule and what it means when passed. The order is part of the interface.
const CHECKS: [(&str, Check, &str); 9] = [
    ("state", state, "the permission is active"),
    ("validity", validity, "today is within its validity"),
    ("case", case, "a case is given where one is asked for"),
    ("way", way, "the permission names this way"),
    ("field_known", field_known, "the fields asked exist"),
    ("field", field_granted, "the fields asked are granted"),
    ("key", key, "the key or cursor is readable"),
    ("scope", scope, "what is asked can be in scope"),
    ("quota", quota, "uses are left"),
];

/// The first check that fails. Allocates nothing while the call is allowed and `fields` is not narrowed.
pub fn refuse(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    CHECKS.iter().find_map(|(_, check, _)| check(grant, ask))
}

/// What refuses a call under the permission whatever it asks: its state and its validity.
pub fn refuse_whatever(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    state(grant, ask).or_else(|| validity(grant, ask))
}

/// `refuse` with reasons: what was checked, in order, until something failed.
pub fn decide(grant: &Grant, ask: &Ask) -> Decision {
    let mut reasons = Vec::with_capacity(CHECKS.len());
    let mut refusal = None;
    for (rule, check, passed) in CHECKS {
        refusal = check(grant, ask);
        let code = refusal.as_ref().map(|refusal: &Refusal| refusal.code.as_str());
        let detail = refusal
            .as_ref()
            .map_or_else(|| passed.to_owned(), |refusal| refusal.detail.clone());
        reasons.push(Reason {
            rule,
            ok: refusal.is_none(),
            code,
            detail,
        });
        if refusal.is_some() {
            break;
        }
    }
    let allowed = refusal.is_none();
    let depends_on = match &grant.scope {
        CompiledScope::When(predicate) if allowed => Some(predicate.text().to_owned()),
        _ => None,
    };
    let (mask, fields) = if allowed {
        let given = grant.given(ask.fields.as_deref());
        (given.mask, given.fields)
    } else {
        (Arc::new(grant.schema.mask(&[])), Vec::new())
    };
    Decision {
        refusal,
        reasons,
        mask,
        depends_on,
        fields,
    }
}

fn refusal(code: Code, detail: impl Into<String>) -> Refusal {
    Refusal {
        code,
        detail: detail.into(),
        faults: Vec::new(),
    }
}

fn with_faults(code: Code, detail: &str, mut faults: Vec<Fault>) -> Refusal {
    let total = faults.len();
    faults.truncate(MAX_FAULTS);
    let detail = if total > MAX_FAULTS {
        format!("{detail} ({total} in all)")
    } else {
        detail.to_owned()
    };
    Refusal { code, detail, faults }
}

fn state(grant: &Grant, _: &Ask) -> Option<Refusal> {
    match grant.permission.state {
        PermissionState::Active => None,
        PermissionState::Suspended => Some(refusal(
            Code::PermissionSuspended,
            "the permission is suspended: ask its provider when it resumes",
        )),
        PermissionState::Revoked => Some(refusal(
            Code::PermissionRevoked,
            "the permission is revoked: apply for a new one",
        )),
    }
}

fn validity(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    if let Some(from) = grant.permission.valid_from.filter(|from| ask.today < *from) {
        return Some(refusal(
            Code::PermissionNotYetValid,
            format!("the permission is valid from {from}"),
        ));
    }
    let to = grant.permission.valid_to.filter(|to| ask.today > *to)?;
    Some(refusal(
        Code::PermissionExpired,
        format!("the permission was valid to {to}: apply for a new one"),
    ))
}

fn case(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    let given = ask.case.as_deref().is_some_and(|case| !case.trim().is_empty());
    if !grant.permission.case_required || given {
        return None;
    }
    Some(refusal(
        Code::CaseRequired,
        "send your case number in X-DAGR-Case: this permission asks for one",
    ))
}

fn way(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    if !grant.allows(&ask.way) {
        let ways = grant
            .permission
            .ways
            .iter()
            .map(Way::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        return Some(refusal(
            Code::PermissionWay,
            format!(
                "the permission does not name the way {}: it names {ways}",
                ask.way
            ),
        ));
    }
    // A page would tell keys the permission hides.
    if !grant.shows_full_key && ask.target.is_page() {
        let detail =
            "the permission hides a field of the key: only full keys can be asked, no pages and no changes";
        return Some(refusal(Code::PermissionWay, detail));
    }
    None
}

fn field_known(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    let faults = fields::leaf_paths(&grant.schema, ask.fields.as_deref()?).err()?;
    Some(with_faults(
        Code::FieldUnknown,
        "name fields of the data set, or leave fields out",
        faults,
    ))
}

fn field_granted(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    let asked = fields::leaf_paths(&grant.schema, ask.fields.as_deref()?).ok()?;
    let outside: Vec<Fault> = asked
        .into_iter()
        .filter(|path| !grant.shows(path))
        .map(|path| Fault::new(path, "permission_field", "not granted by this permission"))
        .collect();
    if outside.is_empty() {
        return None;
    }
    Some(with_faults(
        Code::PermissionField,
        "ask only for fields the permission grants, or leave fields out",
        outside,
    ))
}

fn key(_: &Grant, ask: &Ask) -> Option<Refusal> {
    match &ask.target {
        Target::Keys(keys) => {
            let lookup = keys.len() > 1;
            let place = |at: usize, fault: &Fault| {
                let place = if lookup {
                    format!("keys[{at}].{}", fault.place)
                } else {
                    fault.place.clone()
                };
                Fault {
                    place,
                    ..fault.clone()
                }
            };
            let faults: Vec<Fault> = keys
                .iter()
                .enumerate()
                .filter_map(|(at, key)| key.as_ref().err().map(|fault| place(at, fault)))
                .collect();
            if faults.is_empty() {
                None
            } else {
                Some(invalid_key(faults))
            }
        }
        Target::Leading(leading) => Some(unreadable(leading.as_ref().err()?)),
        Target::Page(page) => Some(unreadable(page.as_ref().err()?)),
    }
}

/// What a page was asked by, or from where.
fn unreadable(fault: &Fault) -> Refusal {
    if fault.rule == Code::CursorInvalid.as_str() {
        let detail = "the cursor is not one of this permission and data set: start without after";
        return with_faults(Code::CursorInvalid, detail, vec![fault.clone()]);
    }
    invalid_key(vec![fault.clone()])
}

fn invalid_key(faults: Vec<Fault>) -> Refusal {
    with_faults(
        Code::KeyInvalid,
        "write each key part as its field's type asks",
        faults,
    )
}

fn scope(grant: &Grant, ask: &Ask) -> Option<Refusal> {
    let CompiledScope::Keys(keys) = &grant.scope else {
        return None;
    };
    match &ask.target {
        Target::Keys(asked) => {
            let outside: Vec<Fault> = asked
                .iter()
                .enumerate()
                .filter(|(_, key)| key.as_ref().is_ok_and(|key| !keys.contains(key)))
                .map(|(at, _)| {
                    Fault::new(
                        format!("keys[{at}]"),
                        "permission_scope",
                        "outside the permission's keys",
                    )
                })
                .collect();
            if outside.is_empty() {
                return None;
            }
            let detail = match asked.len() {
                1 => "the key is outside the permission".to_owned(),
                _ => format!(
                    "{} of the keys are outside the permission: leave them out",
                    outside.len()
                ),
            };
            Some(with_faults(Code::PermissionScope, &detail, outside))
        }
        Target::Leading(Ok(leading)) if !keys.touches_prefix(leading) => Some(refusal(
            Code::PermissionScope,
            "nothing under this part of the key is within the permission",
        )),
        _ => None,
    }
}

fn quota(_: &Grant, ask: &Ask) -> Option<Refusal> {
    let left = ask.left?;
    let needed = ask.target.uses();
    if needed <= left {
        return None;
    }
    let detail = if left == 0 {
        "no uses are left under the permission's quota (0 left): apply for more".to_owned()
    } else {
        format!(
            "the call needs {needed} uses and {left} are left: ask for at most {left} keys; nothing was taken"
        )
    };
    Some(refusal(Code::PermissionExhausted, detail))
}
