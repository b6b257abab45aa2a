//! `/registry/permissions`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{PermissionCreate, PermissionPatch};
use dagr_app::{
    ctx::Ctx,
    permission::{ExplainQuery, PermissionQuery, Transition},
};
use dagr_web::{Operator, Query, Rejected, SignedIn, Steward, context::Web};
use serde_json::Value;

use super::{Reason, created, expected, id, list, patch, take_page, take_word, view};
use crate::{body, path};

pub async fn permission_create(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let required = [
        "dataset",
        "recipient",
        "environment",
        "purpose",
        "legal_basis",
        "fields",
        "ways",
    ];
    let create: PermissionCreate = body::json_with(request, &required).await?;
    let made = web.app.permission_create(&ctx, &create).await?;
    let location = format!("/registry/permissions/{}", made.value.number);
    Ok(created(made, &location))
}

pub async fn permission_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = PermissionQuery {
        dataset: query.take("dataset")?,
        recipient: query.take("recipient")?,
        provider: query.take("provider")?,
        environment: take_word(&mut query, "environment")?,
        state: take_word(&mut query, "state")?,
        page: take_page(&mut query)?,
    };
    query.end()?;
    Ok(list("permissions", web.app.permission_list(&ctx, asked).await?))
}

pub async fn permission_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.permission_get(&ctx, &id(&request)).await?))
}

pub async fn permission_update(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: PermissionPatch = patch(request).await?;
    Ok(view(
        web.app.permission_update(&ctx, &id, &change, expected).await?,
    ))
}

async fn moved(web: &Web, ctx: &Ctx, request: Request, to: Transition) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (number, expected) = (id(&request), expected(request.headers()));
    let Reason { reason } = body::json(request).await?;
    Ok(view(
        web.app
            .permission_move(ctx, &number, to, &reason, expected)
            .await?,
    ))
}

pub async fn permission_suspend(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    moved(&web, &ctx, request, Transition::Suspend).await
}

pub async fn permission_resume(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    moved(&web, &ctx, request, Transition::Resume).await
}

pub async fn permission_revoke(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    moved(&web, &ctx, request, Transition::Revoke).await
}

pub async fn permission_explain(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = ExplainQuery {
        way: query.take("way")?,
        fields: query.take_list("fields")?,
        key: query
            .take("key")?
            .map(|key| path::key_parts(key.trim_start_matches('/')))
            .transpose()?,
        case: None,
    };
    query.end()?;
    Ok(Json(web.app.permission_explain(&ctx, &id(&request), asked)?))
}
