//! `/registry/people` and their roles. A person's code is taken, never shown.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    problem::Problem,
    views::{PersonCreate, RoleCreate, RoleView},
};
use dagr_model::ids::PersonId;
use dagr_web::{Operator, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{Reason, created, list, list_query, number, view};
use crate::body;

pub async fn person_create(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: PersonCreate = body::json_with(request, &["code", "name"]).await?;
    let made = web.app.person_create(&ctx, &create).await?;
    let location = format!("/registry/people/{}", made.value.id.0);
    Ok(created(made, &location))
}

pub async fn person_list(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("people", web.app.person_list(&ctx, page).await?))
}

pub async fn person_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.person_get(&ctx, person(&request)?).await?))
}

pub async fn role_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.role_list(&ctx, Some(person(&request)?), page).await?;
    Ok(Json(json!({ "roles": page.items, "next": page.next })))
}

pub async fn role_create(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let person = person(&request)?;
    let create: RoleCreate = body::json_with(request, &["institution", "role"]).await?;
    let made = web.app.role_grant(&ctx, person, &create).await?;
    let location = format!("/registry/people/{}/roles", person.0);
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn role_confirm(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<RoleView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (person, role) = (person(&request)?, role(&request)?);
    Ok(Json(web.app.role_confirm(&ctx, person, role).await?))
}

pub async fn role_end(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<RoleView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (person, role) = (person(&request)?, role(&request)?);
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(Json(web.app.role_end(&ctx, person, role, &reason).await?))
}

fn person(request: &Request) -> Result<PersonId, Problem> {
    number(request, 2, "person").map(PersonId)
}

fn role(request: &Request) -> Result<i64, Problem> {
    number(request, 4, "role")
}
