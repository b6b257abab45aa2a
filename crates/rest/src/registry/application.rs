//! `/registry/applications`: the machine's twin of what people do in the portal.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::{application::ApplicationQuery, views::ApplicationOrder};
use dagr_model::application::{Asked, Remark, Verdict};
use dagr_web::{Person, Query, Rejected, Steward, context::Web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reason, created, expected, id, list, patch, take_page, take_preview, told, view};
use crate::body;

pub async fn application_create(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let asked: Asked = body::json_with(request, &["kind"]).await?;
    let made = web.app.application_create(&ctx, asked).await?;
    let location = format!("/registry/applications/{}", made.value.application.number);
    Ok(created(made, &location))
}

pub async fn application_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let due_by = query.take("due_by")?;
    let order = query.take("order")?;
    let asked = ApplicationQuery {
        side: query.take("side")?,
        institution: query.take("institution")?,
        dataset: query.take("dataset")?,
        stage: query.take("stage")?,
        due_by: due_by.map(|day| date(&day)).transpose()?,
        order: order.map_or(Ok(ApplicationOrder::default()), |order| in_order(&order))?,
        page: take_page(&mut query)?,
    };
    query.end()?;
    Ok(list("applications", web.app.application_list(&ctx, asked).await?))
}

pub async fn application_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.application_get(&ctx, &id(&request)).await?))
}

pub async fn application_update(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let change: serde_json::Map<String, Value> = patch(request).await?;
    let change = Value::Object(change);
    Ok(view(
        web.app.application_update(&ctx, &id, &change, expected).await?,
    ))
}

pub async fn application_submit(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    Ok(view(web.app.application_submit(&ctx, &id, expected).await?))
}

pub async fn application_resubmit(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    Ok(view(web.app.application_resubmit(&ctx, &id, expected).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remarks {
    remarks: Vec<Remark>,
}

pub async fn application_return(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Remarks { remarks } = body::json_with(request, &["remarks"]).await?;
    Ok(view(
        web.app.application_return(&ctx, &id, remarks, expected).await?,
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    #[serde(default)]
    note: Option<String>,
}

pub async fn application_review(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Note { note } = body::json(request).await?;
    Ok(view(web.app.application_review(&ctx, &id, note, expected).await?))
}

pub async fn application_decide(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let verdict: Verdict = body::json_with(request, &["result"]).await?;
    Ok(view(
        web.app.application_decide(&ctx, &id, verdict, expected).await?,
    ))
}

pub async fn application_withdraw(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(view(
        web.app.application_withdraw(&ctx, &id, reason, expected).await?,
    ))
}

/// What is still missing before it can be submitted.
pub async fn application_check(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let faults = web.app.application_check(&ctx, &id(&request)).await?;
    Ok(Json(json!({ "errors": faults })))
}

pub async fn application_preview(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let asked = take_preview(&mut query)?;
    query.end()?;
    let preview = web.app.application_preview(&ctx, &id(&request), &asked).await?;
    Ok(told(&preview)?)
}

pub async fn application_facts(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(told(&web.app.application_facts(&ctx, &id(&request)).await?)?)
}

fn date(text: &str) -> Result<jiff::civil::Date, dagr_app::problem::Problem> {
    dagr_model::value::date(text)
        .map_err(|refusal| dagr_app::problem::Problem::query_invalid("due_by", refusal.message))
}

fn in_order(text: &str) -> Result<ApplicationOrder, dagr_app::problem::Problem> {
    match text {
        "newest" => Ok(ApplicationOrder::Newest),
        "due" => Ok(ApplicationOrder::Due),
        _ => Err(dagr_app::problem::Problem::query_invalid(
            "order",
            "write newest or due",
        )),
    }
}
