//! `/registry/session`: who a person is here, for whom they act, signing out; and what they should look at.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    problem::Problem,
    session::SessionShown,
    views::{MailAddress, NotificationView},
};
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

/// Where one's notifications go by e-mail; 404 where they do not.
pub async fn mail_get(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<MailAddress>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let found = web.app.mail_address_get(&ctx).await?;
    let none = || Problem::new(404, "not_found", "you get no mail; PUT an address to get it");
    Ok(Json(found.ok_or_else(none)?))
}

pub async fn mail_put(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<MailAddress>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let put: MailAddress = body::json_with(request, &["address", "language"]).await?;
    web.app.mail_address_put(&ctx, Some(&put)).await?;
    Ok(Json(put))
}

pub async fn mail_delete(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    web.app.mail_address_put(&ctx, None).await?;
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
