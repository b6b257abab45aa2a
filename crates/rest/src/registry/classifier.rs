//! `/registry/classifiers`: what `code(LIST)` is judged by. Reading needs no token.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    classifier::{VersionSent, Which, csv},
    problem::Problem,
    views::{Classifier, Versioned},
};
use dagr_model::ids::RegistrationNumber;
use dagr_web::{Anyone, Query, Rejected, Steward, context::Web};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{created, expected, id, list, list_query, segment, take_page, view};
use crate::body;

/// A version with all its codes, at most.
const MAX_VERSION_BYTES: usize = 24 << 20;

/// A classifier, but for its id, which is in the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    title: String,
    #[serde(default)]
    title_en: Option<String>,
    #[serde(default)]
    description: Option<String>,
    keeper: RegistrationNumber,
    #[serde(default)]
    url: Option<String>,
}

pub async fn classifier_put(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    let Described {
        title,
        title_en,
        description,
        keeper,
        url,
    } = body::json_with(request, &["title", "keeper"]).await?;
    let put = Classifier {
        id,
        title,
        title_en,
        description,
        keeper,
        url,
    };
    let (made, is_new) = web.app.classifier_put(&ctx, &put, expected).await?;
    if is_new {
        let location = format!("/registry/classifiers/{}", percent(&put.id));
        Ok(created(made, &location))
    } else {
        Ok(view(made))
    }
}

pub async fn classifier_get(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    Ok(view(web.app.classifier_get(&ctx, &id(&request)).await?))
}

pub async fn classifier_list(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    Ok(list("classifiers", web.app.classifier_list(&ctx, page).await?))
}

/// The next version; with `dry_run` what it would change, and for whom.
pub async fn classifier_version_create(
    State(web): State<Web>,
    ctx: Steward,
    request: Request,
) -> Result<Response, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let dry_run = query.take_bool("dry_run")?;
    query.end()?;
    let (id, expected) = (id(&request), expected(request.headers()));
    // Who asks is judged before megabytes are taken.
    web.app.may_publish(&ctx, &id).await?;
    let media = body::media_type(request.headers());
    if media.as_deref() != Some("application/json") {
        return Err(Problem::new(415, "media_type", "send application/json").into());
    }
    let bytes = body::bytes_up_to(request, MAX_VERSION_BYTES).await?;
    let sent: VersionSent = body::parse(&bytes, &["reason", "values"])?;
    if dry_run {
        let checked = web.app.classifier_check(&ctx, &id, sent).await?;
        let told = json!({ "difference": checked.difference(), "used_by": checked.used_by });
        return Ok(Json(told).into_response());
    }
    let made = web.app.classifier_publish(&ctx, &id, sent, expected).await?;
    let number = made.value.number;
    let location = format!("/registry/classifiers/{}/versions/{number}", percent(&id));
    Ok(created(made, &location))
}

pub async fn classifier_version_list(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let page = list_query(&request)?;
    let found = web.app.classifier_version_list(&ctx, &id(&request), page).await?;
    Ok(Json(json!({ "versions": found.items, "next": found.next })))
}

pub async fn classifier_version_get(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let which = Which::parse(&segment(&request, 4))?;
    let whole = web.app.classifier_version_get(&ctx, &id(&request), which).await?;
    Ok(view(Versioned {
        version: whole.0.number,
        value: &whole.0,
    }))
}

/// In the order they were published in; `after` is a place among them.
pub async fn classifier_value_list(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Json<Value>, Rejected> {
    let mut query = Query::parse(request.uri().query())?;
    let page = take_page(&mut query)?;
    query.end()?;
    let from = match page.after.as_deref().map(str::parse::<usize>) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => {
            let why = "send `next` of the page before, as it stands";
            return Err(Problem::query_invalid("after", why).into());
        }
    };
    let which = Which::parse(&segment(&request, 4))?;
    let whole = web.app.classifier_version_get(&ctx, &id(&request), which).await?;
    let values = &whole.1;
    let end = from.saturating_add(page.limit as usize);
    let next = (end < values.len()).then(|| end.to_string());
    let values: Vec<_> = values.iter().skip(from).take(page.limit as usize).collect();
    Ok(Json(json!({ "values": values, "next": next })))
}

pub async fn classifier_value_export(
    State(web): State<Web>,
    ctx: Anyone,
    request: Request,
) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let which = Which::parse(&segment(&request, 4))?;
    let whole = web.app.classifier_version_get(&ctx, &id(&request), which).await?;
    let media = HeaderValue::from_static("text/csv; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, media)], csv::write(&whole.1)).into_response())
}

fn percent(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
