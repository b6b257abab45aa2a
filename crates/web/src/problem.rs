//! RFC 9457: every error is `application/problem+json` of one shape.

use axum::response::{IntoResponse, Response};
use dagr_app::problem::Problem;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// A refused or failed call. Its body is written by `context`, which knows the request's id.
#[derive(Debug)]
pub struct Rejected(pub Problem);

impl From<Problem> for Rejected {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// The problem of a response, until its body is written.
#[derive(Debug, Clone)]
pub(crate) struct Pending(pub Problem);

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Pending(self.0));
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    request_id: &'a str,
    errors: &'a [dagr_model::fault::Fault],
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_total: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
}

/// Problems of the token endpoint also carry RFC 6749's words.
const OAUTH_ERRORS: [&str; 4] = [
    "invalid_request",
    "invalid_client",
    "unsupported_grant_type",
    "invalid_grant",
];

/// A problem's JSON, on one line.
pub fn json(problem: &Problem, request_id: &str) -> Vec<u8> {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let oauth = OAUTH_ERRORS.contains(&problem.code);
    let body = Body {
        kind: format!("/api#problem-{}", problem.code),
        title: status.canonical_reason().unwrap_or("Error"),
        status: problem.status,
        code: problem.code,
        detail: &problem.detail,
        request_id,
        errors: &problem.faults,
        errors_total: (problem.total > 0).then_some(problem.total),
        error: oauth.then_some(problem.code),
        error_description: oauth.then_some(problem.detail.as_str()),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Writes the body of a problem.
pub(crate) fn write(response: &mut Response, problem: &Problem, request_id: &str) {
    *response.body_mut() = json(problem, request_id).into();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}
