//! `/registry/disclosures`

use axum::{
    Json,
    extract::{Request, State},
};
use dagr_app::disclosure::DisclosureFilter;
use dagr_web::{Query, Rejected, SignedIn, context::Web};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::id;
use crate::body;

pub async fn disclosure_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let filter = DisclosureFilter {
        permission: query.take("permission")?,
        recipient: query.take("recipient")?,
        dataset: query.take("dataset")?,
        from: query.take_time("from")?,
        to: query.take_time("to")?,
        after: query.take("after")?,
        limit: query.take_number("limit")?,
    };
    query.end()?;
    Ok(Json(web.app.disclosure_list(&ctx, filter).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    person: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

pub async fn disclosure_search(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    query.end()?;
    let Search { person, from, to } = body::json(request).await?;
    let filter = DisclosureFilter {
        from,
        to,
        after,
        limit,
        ..DisclosureFilter::default()
    };
    Ok(Json(web.app.disclosure_search(&ctx, &person, filter).await?))
}

pub async fn disclosure_get(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(Json(web.app.disclosure_get(&ctx, &id(&request)).await?))
}

pub async fn subject_list(
    State(web): State<Web>,
    ctx: SignedIn,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    query.end()?;
    Ok(Json(
        web.app
            .disclosure_subjects(&ctx, &id(&request), after.as_deref(), limit)
            .await?,
    ))
}
