//! The operator's pages: what needs four eyes first.

pub mod audit;
pub mod health;
pub mod institutions;
pub mod law;
pub mod people;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    views::{RoleFilter, RoleState},
};
use dagr_model::ids::PersonId;

use crate::{
    application::institution,
    failed::Failed,
    form::Posted,
    institution::role_name,
    page::{Page, html, see},
    proposal::{Waiting, waiting},
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// Proposed roles shown.
const MOST: u32 = 50;

#[derive(Template)]
#[template(path = "operator.html")]
struct OperatorPage {
    page: Page,
    waiting: Vec<Waiting>,
    roles: Vec<ProposedRole>,
}

struct ProposedRole {
    person: i64,
    id: i64,
    name: String,
    role: String,
    institution: String,
    proposed_by: String,
    confirmable: bool,
}

/// `GET /operator`
pub async fn operator_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.ctx.operator().map_err(failed)?;
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let title = visitor.lang.t("operator-title");
    Ok(html(&OperatorPage {
        page: visitor.page(&portal.app, title).saying(done.as_deref()),
        waiting: waiting(&portal, &visitor).await.map_err(failed)?,
        roles: proposed(&portal, &visitor).await.map_err(failed)?,
    }))
}

async fn proposed(portal: &Portal, visitor: &Visitor) -> Result<Vec<ProposedRole>, Problem> {
    let filter = RoleFilter {
        state: Some(RoleState::Proposed),
        ..RoleFilter::default()
    };
    let page = ListQuery {
        after: None,
        limit: MOST,
    };
    let found = portal.app.role_search(&visitor.ctx, filter, page).await?.items;
    let me = visitor.ctx.actor_name();
    let mut roles = Vec::with_capacity(found.len());
    for role in found {
        roles.push(ProposedRole {
            person: role.person.0,
            id: role.id,
            name: actor(portal, visitor, &role.person.to_string()).await,
            role: role_name(visitor.lang, role.role),
            institution: institution(portal, role.institution.as_str()),
            proposed_by: actor(portal, visitor, &role.proposed_by).await,
            confirmable: role.proposed_by != me && role.person.to_string() != me,
        });
    }
    Ok(roles)
}

/// `POST /operator/roles/{person}/{role}/confirm`
pub async fn role_confirm(
    State(portal): State<Portal>,
    Path((person, role)): Path<(i64, i64)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, .. } = posted;
    let confirmed = portal
        .app
        .role_confirm(&visitor.ctx, PersonId(person), role)
        .await;
    confirmed.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url("/operator?done=role-confirmed")))
}

/// `POST /operator/roles/{person}/{role}/reject`
pub async fn role_reject(
    State(portal): State<Portal>,
    Path((person, role)): Path<(i64, i64)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let reason = match form.text("reason") {
        "" => visitor.lang.t("role-reject-reason"),
        reason => reason.to_owned(),
    };
    let ended = portal
        .app
        .role_end(&visitor.ctx, PersonId(person), role, &reason)
        .await;
    ended.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url("/operator?done=role-rejected")))
}

/// Who acted, as people read it: a name where the reader may know it.
pub async fn actor(portal: &Portal, visitor: &Visitor, actor: &str) -> String {
    let lang = visitor.lang;
    if let Some(client) = actor.strip_prefix("connection:") {
        return lang.with("actor-connection", &[("client", client)]);
    }
    let Some(number) = actor.strip_prefix("person:") else {
        return lang
            .known(&format!("actor-{actor}"))
            .unwrap_or_else(|| actor.to_owned());
    };
    let found = match number.parse() {
        Ok(id) => portal.app.person_get(&visitor.ctx, PersonId(id)).await.ok(),
        Err(_) => None,
    };
    found.map_or_else(
        || lang.with("actor-person", &[("number", number)]),
        |found| found.value.name,
    )
}
