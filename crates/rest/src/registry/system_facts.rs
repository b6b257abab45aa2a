//! `/registry/systems/{id}/facts`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::views::{SystemFactsPut, SystemFactsView, Versioned};
use dagr_web::{Query, Rejected, SignedIn, Steward, context::Web};
use serde_json::{Value, json};

use super::{expected, id, list_query, view};
use crate::body;

pub async fn system_facts_get(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(tagged(web.app.system_facts_get(&ctx, &id(&request)).await?))
}

pub async fn system_facts_put(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let put: SystemFactsPut = body::json_with(request, &["facts", "reason"]).await?;
    Ok(tagged(web.app.system_facts_put(&ctx, &id, &put, expected).await?))
}

pub async fn system_facts_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let found = web.app.system_facts_versions(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "versions": found.items, "next": found.next })))
}

/// Its version is its tag.
fn tagged(facts: SystemFactsView) -> Response {
    let version = facts.version;
    view(Versioned {
        value: facts,
        version,
    })
}
