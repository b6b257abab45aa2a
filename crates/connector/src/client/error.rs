//! What a call can end in other than its answer.

use std::{fmt, time::Duration};

use reqwest::{
    Response,
    header::{self, HeaderMap},
};
use serde::{Deserialize, Serialize};

use super::{Answer, Moved};

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server's problem.
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("cannot reach {base}: {cause}; {}", way_out(cause))]
    Unreachable { base: String, cause: String },
    /// The connection stands and nothing comes through it.
    #[error(
        "{base} fell silent: nothing moved for {idle_s} s. Is the network cut, or the server overloaded? It is tried again"
    )]
    Silent { base: String, idle_s: u64 },
    #[error("the answer was cut off: {0}")]
    CutOff(String),
    #[error("the key cannot sign: {0}")]
    Key(String),
    #[error("{0}")]
    Unexpected(String),
}

/// RFC 9457, as the server writes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub detail: String,
    pub request_id: String,
    pub errors: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_total: Option<usize>,
    /// When to ask again, of the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    pub place: String,
    pub rule: String,
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)?;
        for Place { place, rule, message } in &self.errors {
            write!(f, "\n  {place}: {message} ({rule})")?;
        }
        let listed = self.errors.len();
        match self.errors_total {
            Some(total) if total > listed => write!(f, "\n  and {} more", total - listed),
            _ => Ok(()),
        }
    }
}

impl CallError {
    pub(super) fn unreachable(base: &str, error: &reqwest::Error) -> Self {
        let mut cause = error.without_url_text();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            cause = inner.to_string();
            source = inner.source();
        }
        Self::Unreachable {
            base: base.to_owned(),
            cause,
        }
    }

    pub(super) fn still(base: &str, idle: Duration) -> Self {
        Self::Silent {
            base: base.to_owned(),
            idle_s: idle.as_secs(),
        }
    }

    /// The problem's code, if the server answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    /// The problem's status, if the server answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Refused(refusal) => refusal.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

/// What may be wrong, by the innermost cause.
fn way_out(cause: &str) -> &'static str {
    if cause.contains("certificate expired") {
        "the server's certificate has run out, or this machine's clock is wrong: whoever keeps the server renews the certificate"
    } else if cause.contains("certificate not valid yet") {
        "the server's certificate is not valid yet, or this machine's clock is wrong"
    } else if cause.contains("UnknownIssuer") {
        "nobody trusted here has issued the server's certificate: `server.ca` names further authorities"
    } else if cause.contains("certificate") {
        "the server's certificate is not accepted"
    } else {
        "is `dagr serve` running there, and the network up?"
    }
}

/// An error's words without its URL: keys and person codes may stand in one.
trait WithoutUrl {
    fn without_url_text(&self) -> String;
}

impl WithoutUrl for reqwest::Error {
    fn without_url_text(&self) -> String {
        if self.is_timeout() {
            "it took too long".to_owned()
        } else if self.is_connect() {
            "no connection".to_owned()
        } else {
            "the call failed".to_owned()
        }
    }
}

/// Reads an answer whole; a problem becomes an error.
pub(super) async fn answer(mut response: Response, moved: &Moved) -> Result<Answer, CallError> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| CallError::CutOff(error.without_url_text()))?
    {
        moved.again();
        body.extend_from_slice(&piece);
    }
    if status < 400 {
        return Ok(Answer {
            status,
            headers,
            body,
        });
    }
    let mut refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
    refusal.status = status;
    refusal.retry_after = asked(&headers);
    if refusal.code.is_empty() {
        "not_a_problem".clone_into(&mut refusal.code);
        "the answer is no problem of this interface; is another server listening here?"
            .clone_into(&mut refusal.detail);
    }
    Err(CallError::Refused(Box::new(refusal)))
}

/// When to ask again: in so many seconds, a day at most.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(Duration::from_hours(24)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_to_wait_for_longer_than_a_day() {
        let of = |text: &'static str| {
            let text = header::HeaderValue::from_static(text);
            asked(&HeaderMap::from_iter([(header::RETRY_AFTER, text)]))
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("18446744073709551615"), Some(Duration::from_hours(24)));
        assert_eq!(of("soon"), None);
    }

    #[test]
    fn a_problem_is_shown_with_its_places() {
        let text = r#"{"status":422,"code":"invalid","detail":"2 faults","request_id":"r","title":"x",
            "errors":[{"place":"name","rule":"required","message":"name is missing"}],"errors_total":2}"#;
        let refusal: Refusal = serde_json::from_str(text).unwrap();
        let shown = refusal.to_string();
        assert_eq!(
            shown,
            "422 invalid: 2 faults\n  name: name is missing (required)\n  and 1 more"
        );
    }
}
