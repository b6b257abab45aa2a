//! `/registry/proposals`: what takes two people.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    problem::Problem,
    proposal::{ProposalCreate, ProposalQuery},
    views::ProposalView,
};
use dagr_web::{Operator, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{Reason, segment, take_page, take_word};
use crate::body;

pub async fn proposal_create(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let create: ProposalCreate = body::json(request).await?;
    let made = web.app.proposal_create(&ctx, &create).await?;
    let location = format!("/registry/proposals/{}", made.id);
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

pub async fn proposal_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = ProposalQuery {
        state: take_word(&mut query, "state")?,
        page: take_page(&mut query)?,
    };
    query.end()?;
    let page = web.app.proposal_list(&ctx, asked).await?;
    Ok(Json(json!({ "proposals": page.items, "next": page.next })))
}

pub async fn proposal_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<ProposalView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.proposal_get(&ctx, id(&request)?).await?))
}

pub async fn proposal_confirm(
    State(web): State<Web>,
    ctx: Operator,
    request: Request,
) -> Result<Json<ProposalView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.proposal_confirm(&ctx, id(&request)?).await?))
}

pub async fn proposal_reject(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<ProposalView>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = id(&request)?;
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(Json(web.app.proposal_reject(&ctx, id, &reason).await?))
}

fn id(request: &Request) -> Result<i64, Problem> {
    segment(request, 2)
        .parse()
        .map_err(|_| Problem::new(404, "not_found", "there is no such proposal"))
}
