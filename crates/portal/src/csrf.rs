//! A form is ours if it carries the token made from the session that sends it (OWASP's HMAC-based pattern), and if the
//! browser does not say that another site sent it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// The session's token is 32 random bytes nobody else holds: its hash under a word of our own is as unguessable.
pub fn token(session: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"dagr form\0");
    hash.update(session.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

pub fn fits(session: &str, sent: &str) -> bool {
    let expected = token(session);
    // Equal in time whatever was sent.
    expected.len() == sent.len()
        && expected
            .bytes()
            .zip(sent.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

/// Fetch metadata, else `Origin`: the form was sent from a page of ours.
pub fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    if let Some(site) = text(http::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        // A client that is no browser: the form's token judges.
        (None, _) => true,
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_session_or_site_is_not_ours() {
        assert!(fits("a", &token("a")) && !fits("a", &token("b")) && !fits("a", ""));
        let headers = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            headers
        };
        assert!(same_origin(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!same_origin(&headers(&[
            ("origin", "http://evil.test"),
            ("host", "localhost:1")
        ])));
        assert!(same_origin(&headers(&[
            ("origin", "http://localhost:1"),
            ("host", "localhost:1")
        ])));
    }
}
