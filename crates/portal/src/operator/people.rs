//! People, found by their code: it is sent in a form and stands in no address.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    views::{RoleState, RoleView},
};
use jiff::Timestamp;

use crate::{
    application::institution,
    failed::Failed,
    form::Posted,
    institution::{role_name, role_state},
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::State as Word,
};

/// Roles of one person shown.
const MOST: u32 = 200;

#[derive(Template)]
#[template(path = "operator_people.html")]
struct PeoplePage {
    page: Page,
    code: String,
    sought: bool,
    found: Option<Found>,
}

struct Found {
    name: String,
    number: i64,
    roles: Vec<Held>,
}

struct Held {
    role: String,
    institution: String,
    number: String,
    state: Word,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// `GET /operator/people`
pub async fn people_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    visitor
        .ctx
        .operator()
        .map_err(|problem| visitor.failed(problem))?;
    Ok(html(&page(&portal, &visitor)))
}

fn page(portal: &Portal, visitor: &Visitor) -> PeoplePage {
    let lang = visitor.lang;
    PeoplePage {
        page: visitor
            .page(&portal.app, lang.t("people-title"))
            .under("/operator", lang.t("nav-operator")),
        code: String::new(),
        sought: false,
        found: None,
    }
}

/// `POST /operator/people`
pub async fn people_find(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let code = form.text("code");
    let found = find(&portal, &visitor, code)
        .await
        .map_err(|problem| visitor.failed(problem))?;
    Ok(html(&PeoplePage {
        code: code.chars().take(20).collect(),
        sought: true,
        found,
        ..page(&portal, &visitor)
    }))
}

async fn find(portal: &Portal, visitor: &Visitor, code: &str) -> Result<Option<Found>, Problem> {
    visitor.ctx.operator()?;
    let Some(person) = portal.app.person_find(&visitor.ctx, code).await? else {
        return Ok(None);
    };
    let page = ListQuery {
        after: None,
        limit: MOST,
    };
    let person = person.value;
    let roles = portal.app.role_list(&visitor.ctx, Some(person.id), page).await?;
    let mut roles = roles.items;
    roles.sort_by_key(|role| (role.state == RoleState::Ended, role.id));
    Ok(Some(Found {
        name: person.name,
        number: person.id.0,
        roles: roles.iter().map(|role| held(portal, visitor, role)).collect(),
    }))
}

fn held(portal: &Portal, visitor: &Visitor, role: &RoleView) -> Held {
    Held {
        role: role_name(visitor.lang, role.role),
        institution: institution(portal, role.institution.as_str()),
        number: role.institution.to_string(),
        state: role_state(visitor.lang, role.state),
        from: role.from,
        to: role.to,
    }
}
