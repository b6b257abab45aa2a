//! `/registry/session`: who a person is here, for whom they act, signing out; and what they should look at.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{session::SessionShown, views::NotificationView};
use dagr_web::{Person, Query, Rejected, context::Web};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{number, take_page};
use crate::body;

pub async fn session_get(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<SessionShown>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.session_get(&ctx)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActingFor {
    /// Null: for oneself. Must be said: nobody changes sides by leaving something out.
    institution: Option<String>,
}

/// Acts for another institution from the next call on.
pub async fn session_update(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<SessionShown>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let ActingFor { institution } = body::json_with(request, &["institution"]).await?;
    Ok(Json(web.app.session_switch(&ctx, institution.as_deref()).await?))
}

pub async fn session_delete(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    web.app.session_close(&ctx).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn notification_list(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let unread = query.take_bool("unread")?;
    let page = take_page(&mut query)?;
    query.end()?;
    let page = web.app.notification_list(&ctx, unread, page).await?;
    Ok(Json(json!({ "notifications": page.items, "next": page.next })))
}

pub async fn notification_read(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<NotificationView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = number(&request, 2, "notification")?;
    Ok(Json(web.app.notification_read(&ctx, id).await?))
}
