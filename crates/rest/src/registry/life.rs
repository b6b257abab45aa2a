//! The life of a permission: its use, what of it is not used, narrowing, a change by application, ODRL; and the
//! emergency stop of a data set.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    permission::{Narrowing, PermissionQuery, PermissionUse, UnusedQuery},
    views::StopView,
};
use dagr_web::{Person, Query, Rejected, Steward, context::Web};
use http::header;
use serde_json::{Value, json};

use super::{Reason, created, expected, id, list_query, take_page, take_word, view};
use crate::body;

pub async fn permission_use(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<PermissionUse>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.permission_use(&ctx, &id(&request)).await?))
}

/// Of the institution acted for, on one side, like the list of permissions.
pub async fn unused_permission_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let days = query.take_number("days")?;
    let asked = UnusedQuery {
        days: days.map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        list: PermissionQuery {
            dataset: query.take("dataset")?,
            recipient: query.take("recipient")?,
            provider: query.take("provider")?,
            environment: take_word(&mut query, "environment")?,
            state: None,
            page: take_page(&mut query)?,
        },
    };
    query.end()?;
    let page = web.app.permission_unused(&ctx, asked).await?;
    Ok(Json(json!({ "permissions": page.items, "next": page.next })))
}

pub async fn permission_narrow(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (number, expected) = (id(&request), expected(request.headers()));
    let narrowing: Narrowing = body::json_with(request, &["reason"]).await?;
    Ok(view(
        web.app
            .permission_narrow(&ctx, &number, &narrowing, expected)
            .await?,
    ))
}

/// Begins an application that asks for what the permission gives now.
pub async fn permission_amend(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let made = web.app.permission_amend(&ctx, &id(&request)).await?;
    let location = format!("/registry/applications/{}", made.value.application.number);
    Ok(created(made, &location))
}

pub async fn permission_odrl(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let agreement = web.app.permission_odrl(&ctx, &id(&request)).await?;
    Ok((
        [(header::CONTENT_TYPE, "application/ld+json")],
        agreement.to_string(),
    )
        .into_response())
}

pub async fn dataset_stop(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<StopView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let name = id(&request);
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(Json(web.app.dataset_stop(&ctx, &name, &reason).await?))
}

pub async fn dataset_resume(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<StopView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let name = id(&request);
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(Json(web.app.dataset_resume(&ctx, &name, &reason).await?))
}

pub async fn stop_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let page = web.app.dataset_stop_list(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "stops": page.items, "next": page.next })))
}
