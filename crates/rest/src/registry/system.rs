//! `/registry/systems`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{SystemCreate, SystemPatch};
use dagr_web::{Operator, Query, Rejected, Steward, context::Web};
use serde_json::Value;

use super::{created, expected, id, list, list_query, patch, view};
use crate::body;

pub async fn system_create(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: SystemCreate = body::json_with(request, &["institution", "code", "name"]).await?;
    let made = web.app.system_create(&ctx, &create).await?;
    let location = format!("/registry/systems/{}", made.value.code);
    Ok(created(made, &location))
}

pub async fn system_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("systems", web.app.system_list(&ctx, page).await?))
}

pub async fn system_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.system_get(&ctx, &id(&request)).await?))
}

pub async fn system_update(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: SystemPatch = patch(request).await?;
    Ok(view(web.app.system_update(&ctx, &id, &change, expected).await?))
}
