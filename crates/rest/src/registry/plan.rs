//! `/registry/plans`: plans of transition, their threads, and the draft consulted on.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{plan::PlanQuery, problem::Problem};
use dagr_model::{
    ids::RegistrationNumber,
    plan::{PlanChange, PlanCreate},
};
use dagr_web::{Person, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, expected, id, list, list_query, patch, take_page, view};
use crate::body;

pub async fn plan_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: PlanCreate = body::json_with(request, &["scenario", "subject", "title"]).await?;
    let made = web.app.plan_create(&ctx, create).await?;
    let location = format!("/registry/plans/{}", made.value.head.number);
    Ok(created(made, &location))
}

pub async fn plan_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = PlanQuery {
        institution: query.take("institution")?,
        provider: query.take("provider")?,
        recipient: query.take("recipient")?,
        dataset: query.take("dataset")?,
        stage: query.take("stage")?,
        late: query.take_bool("late")?,
        page: take_page(&mut query)?,
    };
    query.end()?;
    Ok(list("plans", web.app.plan_list(&ctx, asked).await?))
}

pub async fn plan_get(State(web): State<Web>, ctx: Steward, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.plan_get(&ctx, &id(&request)).await?))
}

pub async fn plan_update(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: PlanChange = patch(request).await?;
    Ok(view(web.app.plan_update(&ctx, &id, change, expected).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invited {
    institutions: Vec<RegistrationNumber>,
}

pub async fn plan_invite(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Invited { institutions } = body::json_with(request, &["institutions"]).await?;
    Ok(view(
        web.app.plan_invite(&ctx, &id, institutions, expected).await?,
    ))
}

/// The body of a move that may be explained.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[serde(default)]
    pub note: Option<String>,
}

/// The body of what is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub text: String,
}

pub async fn plan_close(State(web): State<Web>, ctx: Person, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Note { note } = body::json(request).await?;
    Ok(view(web.app.plan_close(&ctx, &id, note, expected).await?))
}

pub async fn plan_definition(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let draft = web.app.plan_definition(&ctx, &id(&request)).await?;
    let draft = serde_json::to_value(draft).map_err(Problem::internal)?;
    Ok(Json(draft))
}

pub async fn plan_event_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.plan_events(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "events": page.items, "next": page.next })))
}

pub async fn plan_comment_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.plan_comment_list(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "comments": page.items, "next": page.next })))
}

pub async fn plan_comment_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = id(&request);
    let Words { text } = body::json_with(request, &["text"]).await?;
    let made = web.app.plan_comment_create(&ctx, &id, &text).await?;
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("/registry/plans/{id}/comments")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}
