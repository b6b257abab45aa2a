//! `/registry/backups`

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::backup::BackupCreate;
use dagr_web::{Operator, Query, Rejected, context::Web};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use super::id;
use crate::body;

pub async fn backup_create(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: BackupCreate = body::json(request).await?;
    let job = web.app.backup_create(&ctx, create).await?;
    let location = HeaderValue::try_from(format!("/registry/backups/{}", job.id));
    let mut response = (StatusCode::ACCEPTED, Json(json!(job))).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

pub async fn backup_get(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(json!(web.app.backup_get(&ctx, &id(&request)).await?)))
}

/// `GET /registry/export`: one line a row, as `dagr registry import` takes it.
pub async fn registry_export(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let exported = web.app.registry_export(&ctx).await?;
    let mut response = Body::from_stream(ReaderStream::new(exported.file)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(exported.bytes));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
