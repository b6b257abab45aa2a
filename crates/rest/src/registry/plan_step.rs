//! `/registry/plans/{id}/steps/{step}`: each moved by the institution whose it is.

use axum::{
    extract::{Request, State},
    response::Response,
};
use dagr_app::{plan::StepAssign, problem::Problem};
use dagr_web::{Person, Query, Rejected, context::Web};

use super::{
    Reason, expected, id, patch,
    plan::{Note, Words},
    segment, view,
};
use crate::body;

/// Plan, step and the version wanted. What is no number is no step.
fn addressed(request: &Request) -> Result<(String, u32, Option<i64>), Problem> {
    Query::parse(request.uri().query())?.end()?;
    let step = segment(request, 4).parse().unwrap_or(0);
    Ok((id(request), step, expected(request.headers())))
}

pub async fn plan_step_assign(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let (id, step, expected) = addressed(&request)?;
    let assign: StepAssign = patch(request).await?;
    Ok(view(
        web.app
            .plan_step_assign(&ctx, &id, step, assign, expected)
            .await?,
    ))
}

pub async fn plan_step_done(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let (id, step, expected) = addressed(&request)?;
    let Note { note } = body::json(request).await?;
    Ok(view(
        web.app.plan_step_done(&ctx, &id, step, note, expected).await?,
    ))
}

pub async fn plan_step_not_applicable(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let (id, step, expected) = addressed(&request)?;
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(view(
        web.app
            .plan_step_not_applicable(&ctx, &id, step, reason, expected)
            .await?,
    ))
}

pub async fn plan_step_reopen(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let (id, step, expected) = addressed(&request)?;
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(view(
        web.app
            .plan_step_reopen(&ctx, &id, step, reason, expected)
            .await?,
    ))
}

pub async fn plan_step_note(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    let (id, step, expected) = addressed(&request)?;
    let Words { text } = body::json_with(request, &["text"]).await?;
    Ok(view(
        web.app.plan_step_note(&ctx, &id, step, text, expected).await?,
    ))
}
