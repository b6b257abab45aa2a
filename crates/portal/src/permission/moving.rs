//! Suspending, resuming, revoking: on a page of its own that says what it does, with a reason that is kept.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{permission::Transition, problem::Problem, views::PermissionSeen};
use http::StatusCode;

use super::words::transition;
use crate::{
    failed::{Failed, fault_text},
    form::Posted,
    page::{Page, html, name_of, see},
    settings::Portal,
    visitor::{Signed, Visitor},
};

#[derive(Template)]
#[template(path = "permission_move.html")]
struct MovePage {
    page: Page,
    number: String,
    version: i64,
    /// `suspend`, `resume`, `revoke`.
    verb: &'static str,
    note: String,
    button: String,
    is_final: bool,
    description: String,
    recipient: String,
    purpose: String,
    used: u64,
    reason: String,
    fault: Option<String>,
}

/// `GET /permissions/{number}/{suspend|resume|revoke}`
pub async fn permission_move_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path((number, verb)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let to = transition(&verb).ok_or_else(|| visitor.failed(Problem::not_found()))?;
    let seen = portal.app.permission_show(&visitor.ctx, &number).await;
    let seen = seen.map_err(|problem| visitor.failed(problem))?;
    if !seen.possible.contains(&to) {
        let message = "this cannot be done to the permission as it stands, or not by you";
        return Err(visitor.failed(Problem::new(409, "permission_move_impossible", message)));
    }
    Ok(html(&page(&portal, &visitor, &seen, to, "", None)))
}

/// `POST` to the same.
pub async fn permission_move(
    State(portal): State<Portal>,
    Path((number, verb)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let to = transition(&verb).ok_or_else(|| visitor.failed(Problem::not_found()))?;
    let (reason, expected) = (form.text("reason"), form.text("version").parse().ok());
    let moved = portal
        .app
        .permission_move(&visitor.ctx, &number, to, reason, expected)
        .await;
    let problem = match moved {
        Ok(moved) => {
            let (number, verb) = (&moved.value.number, to.as_str());
            return Ok(see(
                &visitor.url(&format!("/permissions/{number}?done=permission-{verb}"))
            ));
        }
        Err(problem) => problem,
    };
    if problem.status != 422 {
        return Err(visitor.failed(problem));
    }
    let fault = problem.faults.first();
    let fault = if reason.is_empty() {
        visitor.lang.t("permission-reason-missing")
    } else {
        fault.map_or(problem.detail.clone(), |fault| fault_text(visitor.lang, fault))
    };
    let seen = portal.app.permission_show(&visitor.ctx, &number).await;
    let seen = seen.map_err(|problem| visitor.failed(problem))?;
    let mut response = html(&page(&portal, &visitor, &seen, to, reason, Some(fault)));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

fn page(
    portal: &Portal,
    visitor: &Visitor,
    seen: &PermissionSeen,
    to: Transition,
    reason: &str,
    fault: Option<String>,
) -> MovePage {
    let lang = visitor.lang;
    let verb = to.as_str();
    let number = seen.row.permission.number.to_string();
    let text = |family: &str| {
        lang.known(&format!("permission-{family}-{verb}"))
            .unwrap_or_default()
    };
    let recipient = &seen.row.recipient;
    MovePage {
        page: visitor
            .page(&portal.app, text("title"))
            .under("/permissions", lang.t("permissions-title"))
            .under(
                &format!("/permissions/{number}"),
                lang.with("permission-title", &[("number", &number)]),
            ),
        version: seen.row.version,
        verb,
        note: text("note"),
        button: text("do"),
        is_final: to == Transition::Revoke,
        description: seen.row.description.clone(),
        recipient: name_of(&recipient.name, recipient.registration_number.as_str()),
        purpose: seen.row.permission.purpose.clone(),
        used: seen.row.used,
        reason: reason.to_owned(),
        fault,
        number,
    }
}
