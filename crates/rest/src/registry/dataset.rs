//! `/registry/datasets`

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use dagr_app::{dataset::DefinitionSent, problem::Problem};
use dagr_model::ids::Section;
use dagr_web::{Query, Rejected, Steward, context::Web};

use serde_json::Value;

use super::{created, expected, id, list, list_query, take_preview, told, view};
use crate::body;

pub async fn dataset_list(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("datasets", web.app.dataset_list(&ctx, page).await?))
}

pub async fn dataset_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.dataset_get(&ctx, &id(&request)).await?))
}

pub async fn definition_put(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let (institution, dry_run) = (query.take("institution")?, query.take_bool("dry_run")?);
    query.end()?;
    let (name, expected) = (id(&request), expected(request.headers()));
    let media = body::media_type(request.headers());
    if !media.is_some_and(|media| {
        ["application/yaml", "text/yaml", "application/x-yaml"].contains(&media.as_str())
    }) {
        return Err(Problem::new(415, "media_type", "send the definition as application/yaml").into());
    }
    let bytes = body::bytes(request).await?;
    let text = String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(400, "body_invalid", "the definition is not UTF-8"))?;
    let sent = DefinitionSent {
        text,
        institution,
        dry_run,
        expected,
    };
    let (put, new) = web.app.definition_put(&ctx, &name, sent).await?;
    let location = format!("/registry/datasets/{name}/definition?section=sandbox");
    Ok(if new { created(put, &location) } else { view(put) })
}

pub async fn definition_get(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let section = query.take("section")?;
    query.end()?;
    let section: Option<Section> = section
        .map(|text| {
            text.parse()
                .map_err(|()| Problem::query_invalid("section", "write main or sandbox"))
        })
        .transpose()?;
    Ok(view(web.app.definition_get(&ctx, &id(&request), section).await?))
}

pub async fn dataset_publish(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let expected = expected(request.headers());
    Ok(view(
        web.app.dataset_publish(&ctx, &id(&request), expected).await?,
    ))
}

/// Records generated from the definition; no delivered record is read.
pub async fn dataset_preview(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let fields = query.take_list("fields")?;
    let asked = take_preview(&mut query)?;
    query.end()?;
    let preview = web.app.preview(&ctx, &id(&request), fields.as_deref(), &asked)?;
    Ok(told(&preview)?)
}
