//! `/registry/institutions`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{InstitutionCreate, InstitutionPatch};
use dagr_web::{Operator, Query, Rejected, Steward, context::Web};
use serde_json::Value;

use super::{created, expected, id, list, list_query, patch, view};
use crate::body;

pub async fn institution_create(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: InstitutionCreate = body::json_with(request, &["registration_number", "name"]).await?;
    let made = web.app.institution_create(&ctx, &create).await?;
    let location = format!("/registry/institutions/{}", made.value.registration_number);
    Ok(created(made, &location))
}

pub async fn institution_list(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("institutions", web.app.institution_list(&ctx, page).await?))
}

pub async fn institution_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.institution_get(&ctx, &id(&request)).await?))
}

pub async fn institution_update(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: InstitutionPatch = patch(request).await?;
    Ok(view(
        web.app.institution_update(&ctx, &id, &change, expected).await?,
    ))
}
