//! The session's cookie (RFC 6265bis): never read by a script, never sent by another site's form.

use http::{HeaderMap, HeaderValue, header};

use crate::settings::Settings;

/// `__Host-`: bound to this host, its root and TLS; browsers refuse it without them.
const SECURE_NAME: &str = "__Host-dagr";
const PLAIN_NAME: &str = "dagr";

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

fn cookie(settings: &Settings, token: &str, more: &str) -> Option<HeaderValue> {
    let secure = if settings.secure { "; Secure" } else { "" };
    let text = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{more}",
        name(settings)
    );
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
