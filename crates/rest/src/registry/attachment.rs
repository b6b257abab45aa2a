//! `/registry/applications/{id}/attachments`: bytes in, bytes out; what comes out is saved, never shown.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::application::attachment::{AttachmentSent, MAX_BYTES};
use dagr_web::{Person, Query, Rejected, Steward, context::Web, saved};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{id, number};
use crate::body;

/// The body is the file; `name` and `kind` are words of the query.
pub async fn attachment_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let (name, kind) = (query.take("name")?, query.take("kind")?);
    query.end()?;
    let application = id(&request);
    // Who asks is judged before megabytes are taken.
    web.app.application_get(&ctx, &application).await?;
    let sent = AttachmentSent {
        kind: kind.unwrap_or_else(|| "document".to_owned()),
        name: name.unwrap_or_default(),
        media_type: body::media_type(request.headers()).unwrap_or_default(),
        content: body::bytes_up_to(request, MAX_BYTES).await?.into(),
    };
    let made = web.app.attachment_create(&ctx, &application, sent).await?;
    let location = format!("/registry/applications/{application}/attachments/{}", made.id);
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn attachment_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let attachments = web.app.attachment_list(&ctx, &id(&request)).await?;
    // An application has few; the page is always whole.
    Ok(Json(json!({ "attachments": attachments, "next": null })))
}

pub async fn attachment_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let attachment = number(&request, 4, "attachment")?;
    let (view, bytes) = web.app.attachment_get(&ctx, &id(&request), attachment).await?;
    Ok(saved::file(&view.name, &view.media_type, &view.sha256, bytes))
}
