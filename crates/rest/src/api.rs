//! The interface describes itself: for people at `/api`, for machines at `/api/openapi.json`.

use std::sync::{Arc, Weak};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use dagr_app::{App, problem::Problem};
use dagr_model::clock::riga_date;
use dagr_web::{Rejected, context::Web};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::Mutex;

mod calls;
mod codes;
mod dataset;
mod document;
mod html;
mod names;
mod operation;
mod record;
mod schemas;
#[cfg(test)]
mod tests;

/// `GET /api/openapi.json`
pub async fn openapi(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Rejected> {
    let rendered = rendered(&web.app).await?;
    Ok(respond(&rendered.document, "application/json", &headers))
}

/// `GET /api`
pub async fn page(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Rejected> {
    let rendered = rendered(&web.app).await?;
    let mut response = respond(&rendered.page, "text/html; charset=utf-8", &headers);
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Both documents, for one state of the catalogue.
struct Rendered {
    document: Tagged,
    page: Tagged,
}

struct Tagged {
    bytes: Bytes,
    etag: String,
}

struct Kept {
    /// Whose they are; while this is held, no other application has its address.
    app: Weak<App>,
    generation: u64,
    /// Classifiers come into force by the day.
    day: jiff::civil::Date,
    rendered: Arc<Rendered>,
}

/// One application runs in a process, so one place is enough. Held while rendering: many callers render once.
static KEPT: Mutex<Option<Kept>> = Mutex::const_new(None);

async fn rendered(app: &Arc<App>) -> Result<Arc<Rendered>, Problem> {
    let mut kept = KEPT.lock().await;
    let (catalog, day) = (Arc::clone(&app.catalog()), riga_date(app.now()));
    if let Some(kept) = kept.as_ref()
        && (kept.generation, kept.day) == (catalog.generation, day)
        && std::ptr::eq(kept.app.as_ptr(), Arc::as_ptr(app))
    {
        return Ok(Arc::clone(&kept.rendered));
    }
    let (generation, url) = (catalog.generation, app.settings.public_url.clone());
    let rendered = tokio::task::spawn_blocking(move || {
        let document = document::of_catalog(&catalog, &url, day).to_string();
        Arc::new(Rendered {
            document: tagged(document),
            page: tagged(html::page(&catalog)),
        })
    })
    .await
    .map_err(Problem::internal)?;
    *kept = Some(Kept {
        app: Arc::downgrade(app),
        generation,
        day,
        rendered: Arc::clone(&rendered),
    });
    Ok(rendered)
}

/// Weak, because the answer may be compressed on its way.
fn tagged(text: String) -> Tagged {
    use std::hash::{DefaultHasher, Hasher as _};
    let mut hash = DefaultHasher::new();
    hash.write(text.as_bytes());
    Tagged {
        etag: format!("W/\"{:016x}\"", hash.finish()),
        bytes: text.into(),
    }
}

fn respond(tagged: &Tagged, media: &'static str, request: &HeaderMap) -> Response {
    let known = request
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let same = |known: &str| {
        known
            .split(',')
            .map(str::trim)
            .any(|one| one == "*" || one == tagged.etag)
    };
    let mut response = if known.is_some_and(same) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(tagged.bytes.clone().into());
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        response
    };
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&tagged.etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
