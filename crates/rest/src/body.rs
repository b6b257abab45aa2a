//! Bodies other than intake: bounded, JSON, strictly of the wanted shape.

use axum::extract::Request;
use dagr_app::problem::Problem;
use dagr_model::fault::Fault;
use http::header;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Bodies other than intake, at most.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The whole body, or 413.
pub async fn bytes(request: Request) -> Result<bytes::Bytes, Problem> {
    bytes_up_to(request, MAX_BODY_BYTES).await
}

/// The same with another bound.
pub async fn bytes_up_to(request: Request, most: usize) -> Result<bytes::Bytes, Problem> {
    let body = Limited::new(request.into_body(), most);
    body.collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                Problem::new(
                    413,
                    "body_too_large",
                    format!("a body here is at most {most} bytes"),
                )
            } else {
                Problem::new(400, "body_invalid", "the body was cut off")
            }
        })
}

/// The media type of a request, without parameters, in lower case.
pub fn media_type(headers: &http::HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}

/// A JSON body. Not JSON is 400 `body_invalid`; JSON of another shape is 422 `invalid`.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    json_with(request, &[]).await
}

/// The same, of an object that must have these members: every one that is missing is named at once.
pub async fn json_with<T: DeserializeOwned>(request: Request, required: &[&str]) -> Result<T, Problem> {
    json_of(request, &["application/json"], required).await
}

/// A JSON body under one of several media types.
pub async fn json_of<T: DeserializeOwned>(
    request: Request,
    types: &[&str],
    required: &[&str],
) -> Result<T, Problem> {
    let media = media_type(request.headers());
    if !media.as_deref().is_some_and(|media| types.contains(&media)) {
        return Err(Problem::new(
            415,
            "media_type",
            format!("send {}", types.join(" or ")),
        ));
    }
    let bytes = bytes(request).await?;
    parse(&bytes, required)
}

/// Members found wrong in one go, at most.
const MAX_FAULTS: usize = 64;

/// Reads JSON strictly; every way it can be wrong names its place.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], required: &[&str]) -> Result<T, Problem> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(400, "body_invalid", format!("the body is not JSON ({place})"))
    })?;
    let mut faults = missing(&value, required);
    // A wrong member is noted and taken out, so that the next one shows.
    while faults.len() < MAX_FAULTS {
        let error = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) if faults.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => error,
        };
        let (fault, member) = shape_fault(&error);
        let gone = value
            .as_object_mut()
            .and_then(|object| object.shift_remove(&member))
            .is_some();
        if gone || faults.is_empty() {
            faults.push(fault);
        }
        if !gone {
            break;
        }
    }
    Err(Problem::invalid(faults))
}

fn missing(value: &Value, required: &[&str]) -> Vec<Fault> {
    let absent = |name: &&&str| {
        value
            .as_object()
            .is_some_and(|object| !object.contains_key(**name))
    };
    let fault = |name: &&str| Fault::new(*name, "required", "this member is required");
    required.iter().filter(absent).map(fault).collect()
}

/// What serde found, and the member of the body it lies in.
fn shape_fault(error: &serde_path_to_error::Error<serde_json::Error>) -> (Fault, String) {
    // Serde's words name the member and what was wanted; a value in quotes is cut out.
    let message = without_values(&error.inner().to_string());
    let path = error.path().to_string();
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    let (place, rule) = match (unknown, path.as_str()) {
        (Some(name), "." | "?") => (name.to_owned(), "unknown"),
        (_, "." | "?") => ("body".to_owned(), "shape"),
        (Some(_), path) => (path.to_owned(), "unknown"),
        (None, path) => (path.to_owned(), "shape"),
    };
    let member = place.split(['.', '[']).next().unwrap_or_default().to_owned();
    (Fault::new(place, rule, message), member)
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Pair {
        name: String,
        number: u32,
        note: Option<String>,
    }

    fn places(body: &str) -> Vec<String> {
        let problem = parse::<Pair>(body.as_bytes(), &["name", "number"]).unwrap_err();
        assert_eq!(problem.code, "invalid", "{body}");
        problem.faults.into_iter().map(|fault| fault.place).collect()
    }

    #[test]
    fn every_wrong_member_is_named_at_once() {
        assert!(parse::<Pair>(br#"{"name":"a","number":1}"#, &["name", "number"]).is_ok());
        assert_eq!(places("{}"), ["name", "number"]);
        assert_eq!(
            places(r#"{"name":1,"number":"x","zz":true,"yy":1}"#),
            ["name", "number", "zz", "yy"]
        );
        assert_eq!(places(r#"{"number":1,"note":5}"#), ["name", "note"]);
        assert_eq!(places("[]"), ["body"]);
        assert_eq!(parse::<Pair>(b"{", &[]).unwrap_err().code, "body_invalid");
    }

    #[test]
    fn a_value_is_not_repeated() {
        let problem = parse::<Pair>(br#"{"name":"a","number":"320000-00001"}"#, &[]).unwrap_err();
        assert!(!format!("{problem:?}").contains("320000"), "{problem:?}");
    }
}
