//! `/registry/datasets/{id}/templates`, `/registry/templates/{id}`, `/registry/datasets/{id}/rules`, and the sandbox that a
//! rule gives.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{RulesPut, RulesView, TemplatePut, TemplateView, Versioned};
use dagr_web::{Person, Query, Rejected, SignedIn, Steward, context::Web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reason, created, expected, id, number, take_page, view};
use crate::body;

pub async fn template_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let retired = query.take_bool("retired")?;
    let page = take_page(&mut query)?;
    query.end()?;
    let found = web.app.template_list(&ctx, &id(&request), retired, page).await?;
    Ok(Json(json!({ "templates": found.items, "next": found.next })))
}

pub async fn template_create(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let dataset = id(&request);
    let put: TemplatePut = body::json_with(request, &["template", "reason"]).await?;
    let made = web.app.template_create(&ctx, &dataset, put).await?;
    let location = format!("/registry/templates/{}", made.number);
    Ok(created(tagged(made), &location))
}

pub async fn template_get(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = number(&request, 2, "template")?;
    Ok(view(tagged(web.app.template_get(&ctx, id).await?)))
}

pub async fn template_update(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (number(&request, 2, "template")?, expected(request.headers()));
    let put: TemplatePut = body::json_with(request, &["template", "reason"]).await?;
    Ok(view(tagged(
        web.app.template_update(&ctx, id, put, expected).await?,
    )))
}

pub async fn template_retire(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let id = number(&request, 2, "template")?;
    let Reason { reason } = body::json_with(request, &["reason"]).await?;
    Ok(view(tagged(web.app.template_retire(&ctx, id, &reason).await?)))
}

pub async fn rules_get(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(ruled(web.app.rules_get(&ctx, &id(&request)).await?))
}

pub async fn rules_put(State(web): State<Web>, ctx: Steward, request: Request) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let put: RulesPut = body::json_with(request, &["rules", "reason"]).await?;
    Ok(ruled(web.app.rules_put(&ctx, &id, &put, expected).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    records: u64,
    #[serde(default)]
    seed: u64,
}

/// Generated records in the place of whatever the sandbox holds: the receipt.
pub async fn sandbox_fill(
    State(web): State<Web>,
    ctx: Person,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let dataset = id(&request);
    let Fill { records, seed } = body::json_with(request, &["records"]).await?;
    let answer = web.app.sandbox_fill(&ctx, &dataset, records, seed).await?;
    Ok(Json(answer.body))
}

fn tagged(template: TemplateView) -> Versioned<TemplateView> {
    Versioned {
        version: template.version,
        value: template,
    }
}

fn ruled(rules: RulesView) -> Response {
    view(Versioned {
        version: rules.version,
        value: rules,
    })
}
