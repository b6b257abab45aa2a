//! Disclosed data as a response.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use dagr_app::{definition_text::DefinitionText, disclose::Disclosed, record::Answer};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A JSON answer; 304 if the caller holds these very bytes. The disclosure is entered either way.
pub fn json(answer: Disclosed<Answer>, request: &HeaderMap) -> Response {
    let Answer { body, etag, private } = answer.into_inner();
    let known = etag.as_deref().is_some_and(|etag| matches(request, etag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(body))
    };
    let headers = response.headers_mut();
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(value) = etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
        headers.insert(header::ETAG, value);
    }
    let control = if private { "no-store" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    response
}

/// A definition's text; 304 if the caller holds this very one. `no-cache`: ask whether it is still so.
pub fn definition(definition: DefinitionText, request: &HeaderMap) -> Response {
    let DefinitionText { text, etag, open } = definition;
    let known = matches(request, &etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(text))
    };
    let headers = response.headers_mut();
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    }
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, value);
    }
    let control = if open { "no-cache" } else { "private, no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    response
}

/// `If-None-Match`, by weak comparison (RFC 9110, 13.1.2).
fn matches(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| {
            list.split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.trim_start_matches("W/") == etag)
        })
}
