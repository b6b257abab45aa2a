//! Cookies (RFC 6265bis): the session's, and that of a sign-in under way. Never read by a script, never sent by another
//! site's form.

use http::{HeaderMap, HeaderValue, header};

use crate::settings::Settings;

/// `__Host-`: bound to this host, its root and TLS; browsers refuse it without them.
const SECURE_NAME: &str = "__Host-dagr";
const PLAIN_NAME: &str = "dagr";

const SECURE_ATTEMPT: &str = "__Host-dagr-sign-in";
const PLAIN_ATTEMPT: &str = "dagr-sign-in";
/// As long as a sign-in may take.
const ATTEMPT_MAX_AGE: &str = "; Max-Age=600";

fn name(settings: &Settings) -> &'static str {
    if settings.secure { SECURE_NAME } else { PLAIN_NAME }
}

/// The session's token, as sent.
pub fn read(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    value(headers, name(settings))
}

/// A cookie of this name.
pub fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// Kept until the browser closes; the session's own limits end it before.
pub fn set(token: &str, settings: &Settings) -> Option<HeaderValue> {
    cookie(settings, token, "")
}

/// Forgets it.
pub fn clear(settings: &Settings) -> Option<HeaderValue> {
    cookie(settings, "", "; Max-Age=0")
}

/// The sealed half of a sign-in that is at the provider.
pub fn read_attempt(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    value(headers, attempt_name(settings)).filter(|text| !text.is_empty())
}

pub fn set_attempt(sealed: &str, settings: &Settings) -> Option<HeaderValue> {
    named(attempt_name(settings), settings, sealed, ATTEMPT_MAX_AGE)
}

pub fn clear_attempt(settings: &Settings) -> Option<HeaderValue> {
    named(attempt_name(settings), settings, "", "; Max-Age=0")
}

fn attempt_name(settings: &Settings) -> &'static str {
    if settings.secure {
        SECURE_ATTEMPT
    } else {
        PLAIN_ATTEMPT
    }
}

fn cookie(settings: &Settings, token: &str, more: &str) -> Option<HeaderValue> {
    named(name(settings), settings, token, more)
}

/// `Lax`: it comes along when the provider sends the browser back.
fn named(name: &str, settings: &Settings, token: &str, more: &str) -> Option<HeaderValue> {
    let secure = if settings.secure { "; Secure" } else { "" };
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; dagr=dgs_x; b=2"));
        assert_eq!(read(&headers, &Settings::default()), Some("dgs_x".to_owned()));
        let secure = Settings {
            secure: true,
            ..Settings::default()
        };
        assert_eq!(read(&headers, &secure), None, "another name under TLS");
        let text = set("t", &secure).unwrap();
        assert_eq!(text, "__Host-dagr=t; Path=/; HttpOnly; SameSite=Lax; Secure");
    }
}
