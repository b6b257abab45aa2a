//! Administration under `/registry`: one file a noun. POST creates, PATCH is a merge-patch, `ETag`/`If-Match` guard.

pub mod application;
pub mod attachment;
pub mod audit;
pub mod backup;
pub mod classifier;
pub mod connection;
pub mod dataset;
pub mod disclosure;
pub mod institution;
pub mod law;
pub mod life;
pub mod permission;
pub mod person;
pub mod plan;
pub mod plan_step;
pub mod proposal;
pub mod registered;
pub mod session;
pub mod system;
pub mod system_facts;
pub mod template;
pub mod thread;

use axum::{
    Json,
    extract::Request,
    response::{IntoResponse, Response},
};
use dagr_app::views::{Page, Versioned};
use dagr_app::{institution::ListQuery, preview::PreviewQuery, problem::Problem};
use dagr_web::Query;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{body, path};

/// The body of a transition: why, which the trail keeps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

/// The decoded segment at a place in the path: `/registry/{noun}/{id}/…` has its id at 2.
fn segment(request: &Request, at: usize) -> String {
    path::segments(path::whole(request).path())
        .into_iter()
        .nth(at)
        .flatten()
        .unwrap_or_default()
}

fn id(request: &Request) -> String {
    segment(request, 2)
}

/// A whole number in the path: what is none names nothing.
fn number(request: &Request, at: usize, what: &str) -> Result<i64, Problem> {
    segment(request, at)
        .parse()
        .map_err(|_| Problem::new(404, "not_found", format!("there is no such {what}")))
}

/// What a preview is asked: `seed` and `records`.
fn take_preview(query: &mut Query) -> Result<PreviewQuery, Problem> {
    let records = query.take_number("records")?;
    Ok(PreviewQuery {
        seed: query.take_number("seed")?.unwrap_or_default(),
        records: records.map(|records| u32::try_from(records).unwrap_or(u32::MAX)),
    })
}

/// A value as it serialises.
fn told(value: &impl Serialize) -> Result<Json<Value>, Problem> {
    serde_json::to_value(value).map(Json).map_err(Problem::internal)
}

/// 200 with the view and its `ETag`.
fn view<T: Serialize>(found: Versioned<T>) -> Response {
    with_etag(StatusCode::OK, &found)
}

/// 201 with the view, its `ETag` and where it is.
fn created<T: Serialize>(made: Versioned<T>, location: &str) -> Response {
    let mut response = with_etag(StatusCode::CREATED, &made);
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn with_etag<T: Serialize>(status: StatusCode, versioned: &Versioned<T>) -> Response {
    let mut response = (status, Json(&versioned.value)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", versioned.version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version that `If-Match` demands.
fn expected(headers: &HeaderMap) -> Option<i64> {
    let value = headers.get(header::IF_MATCH)?;
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return None;
    }
    // A tag that is none of ours matches nothing.
    Some(text.trim_matches('"').parse().unwrap_or(-1))
}

/// `after` and `limit` of a list, and nothing else.
fn list_query(request: &Request) -> Result<ListQuery, Problem> {
    let mut query = Query::parse(request.uri().query())?;
    let page = take_page(&mut query)?;
    query.end()?;
    Ok(page)
}

/// `after` and `limit`, leaving other words.
fn take_page(query: &mut Query) -> Result<ListQuery, Problem> {
    let (after, limit) = (query.take("after")?, query.take_number("limit")?);
    Ok(ListQuery {
        after,
        limit: dagr_app::records::page_limit(limit)? as u32,
    })
}

/// A query word whose value is one of an enum's words.
fn take_word<T: DeserializeOwned>(query: &mut Query, word: &str) -> Result<Option<T>, Problem> {
    let Some(text) = query.take(word)? else {
        return Ok(None);
    };
    serde_json::from_value(Value::String(text))
        .map(Some)
        .map_err(|_| Problem::query_invalid(word, "not a value of this word; /api lists them"))
}

/// `{noun: […], next}`.
fn list<T: Serialize>(noun: &str, page: Page<Versioned<T>>) -> Json<Value> {
    let items: Vec<Value> = page
        .items
        .into_iter()
        .map(|item| serde_json::to_value(item.value).unwrap_or_default())
        .collect();
    Json(json!({ noun: items, "next": page.next }))
}

/// A merge-patch (RFC 7396).
async fn patch<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    body::json_of(
        request,
        &["application/merge-patch+json", "application/json"],
        &[],
    )
    .await
}
