//! Bodies other than intake: bounded, JSON, strictly of the wanted shape.

use axum::extract::Request;
use dagr_app::problem::Problem;
use dagr_model::fault::Fault;
use http::header;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

/// Bodies other than intake, at most.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The whole body, or 413.
pub async fn bytes(request: Request) -> Result<bytes::Bytes, Problem> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES);
    body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
            Problem::new(413, "body_too_large", format!("a body here is at most {MAX_BODY_BYTES} bytes"))
        } else {
            Problem::new(400, "body_invalid", "the body was cut off")
        }
    })
}

/// The media type of a request, without parameters, in lower case.
pub fn media_type(headers: &http::HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// A JSON body. Not JSON is 400 `body_invalid`; JSON of another shape is 422 `invalid`.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    json_of(request, &["application/json"]).await
}

/// A JSON body under one of several media types.
pub async fn json_of<T: DeserializeOwned>(request: Request, types: &[&str]) -> Result<T, Problem> {
    let media = media_type(request.headers());
    if !media.as_deref().is_some_and(|media| types.contains(&media)) {
        return Err(Problem::new(415, "media_type", format!("send {}", types.join(" or "))));
    }
    let bytes = bytes(request).await?;
    parse(&bytes)
}

/// Reads JSON strictly; every way it can be wrong names its place.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(400, "body_invalid", format!("the body is not JSON ({place})"))
    })?;
    serde_json::from_value(value).map_err(|error| {
        // Serde's words name the member and what was wanted; a value in quotes is cut out.
        let message = without_values(&error.to_string());
        Problem::invalid(vec![Fault::new("body", "shape", message)])
    })
}

/// `invalid type: string "x", expected …` without the value.
fn without_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    for character in text.chars() {
        if character == '"' {
            quoted = !quoted;
            if !quoted {
                out.push('…');
            }
        } else if !quoted {
            out.push(character);
        }
    }
    out
}
