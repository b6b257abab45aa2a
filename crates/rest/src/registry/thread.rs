//! `/registry/applications/{id}/events` and `…/comments`: what happened, and what was said.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_web::{Person, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{id, list_query};
use crate::body;

pub async fn application_event_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.application_events(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "events": page.items, "next": page.next })))
}

pub async fn comment_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.comment_list(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "comments": page.items, "next": page.next })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
}

pub async fn comment_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = id(&request);
    let Words { text } = body::json_with(request, &["text"]).await?;
    let made = web.app.comment_create(&ctx, &id, &text).await?;
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("/registry/applications/{id}/comments")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}
