//! Why something cannot be seen: every check of a call, in order, until one fails. No record is read.

use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    permission::ExplainQuery,
    views::{ExplainAnswer, ExplainReason},
};
use dagr_model::permission::{Permission, Way};

use super::{shown, words::way_text};
use crate::{
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    page::html,
    settings::Portal,
};

/// Ways asked about besides those granted.
const OTHERS: [Way; 4] = [Way::Key, Way::Changes, Way::Bulk, Way::History];

/// What was asked, and the answer.
pub struct Explained {
    pub way: String,
    pub fields: String,
    pub key: String,
    pub case: String,
    pub answer: String,
    pub class: &'static str,
    pub icon: &'static str,
    pub reasons: Vec<ReasonLine>,
}

pub struct ReasonLine {
    pub ok: bool,
    pub text: String,
    /// What the check itself says, where it fails: names and limits stand in it.
    pub detail: Option<String>,
}

/// `POST /permissions/{number}/explain`: changes nothing, but a key is a personal code and does not belong in an address.
pub async fn permission_explain(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let mut page = shown(&portal.app, &visitor, &number, None).await?;
    let found = portal
        .app
        .permission_explanation(&visitor.ctx, &number, asked(&form));
    let found = found.map_err(|problem| visitor.failed(problem))?;
    let lang = visitor.lang;
    let (answer, class, icon) = match found.answer {
        ExplainAnswer::Allowed => (lang.t("explain-allowed"), "good", "✓"),
        ExplainAnswer::Refused => (lang.t("explain-refused"), "grave", "✕"),
        ExplainAnswer::DependsOnRecord => (lang.t("explain-depends"), "wait", "?"),
    };
    page.explained = Some(Explained {
        way: form.text("way").to_owned(),
        fields: form.text("fields").to_owned(),
        key: form.text("key").to_owned(),
        case: form.text("case").to_owned(),
        answer,
        class,
        icon,
        reasons: found.reasons.iter().map(|reason| line(lang, reason)).collect(),
    });
    Ok(html(&page))
}

fn asked(form: &Form) -> ExplainQuery {
    let given = |name: &str| Some(form.text(name)).filter(|text| !text.is_empty());
    let list = |text: &str, by: &[char]| -> Vec<String> {
        let parts = text.split(by).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    ExplainQuery {
        way: given("way").map(str::to_owned),
        fields: given("fields").map(|text| list(text, &[',', ';', '\n', ' '])),
        key: given("key").map(|text| list(text, &['/'])),
        case: given("case").map(str::to_owned),
    }
}

/// Ways to choose from, each with its words.
pub fn ways(lang: Lang, permission: &Permission) -> Vec<(String, String)> {
    let others = OTHERS.iter().filter(|way| !permission.ways.contains(way));
    let all = permission.ways.iter().chain(others);
    all.map(|way| (way.text().into_owned(), way_text(lang, &way.text())))
        .collect()
}

fn line(lang: Lang, reason: &ExplainReason) -> ReasonLine {
    let outcome = if reason.ok { "ok" } else { "no" };
    let id = format!("explain-{}-{outcome}", reason.rule.replace('_', "-"));
    ReasonLine {
        ok: reason.ok,
        detail: (!reason.ok || lang.known(&id).is_none()).then(|| reason.detail.clone()),
        text: lang.known(&id).unwrap_or_else(|| reason.rule.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `policy` checks them, after the limits.
    const RULES: [&str; 10] = [
        "limits",
        "state",
        "validity",
        "case",
        "way",
        "field_known",
        "field",
        "key",
        "scope",
        "quota",
    ];

    #[test]
    fn every_check_is_told_in_both_languages() {
        for lang in Lang::ALL {
            for rule in RULES {
                for ok in [true, false] {
                    let reason = ExplainReason {
                        rule,
                        ok,
                        code: None,
                        detail: "detail".to_owned(),
                    };
                    let told = line(lang, &reason);
                    assert_ne!(told.text, rule);
                    assert_eq!(told.detail.is_none(), ok, "{rule}");
                }
            }
        }
    }
}
