//! Signing people in by OpenID Connect: a real provider, and a false one that breaks one rule at a time.

mod browser;
mod false_answers;
mod false_provider;
mod real;
mod real_provider;

/// The log holds none of these. Ids of requests are left out: they are numbers, and some look like a code.
fn holds_none(log: &str, secrets: &[&str]) {
    let mut pieces = log.split("request_id=\"");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str(piece.split_once('"').map_or("", |(_, rest)| rest));
    }
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} stands in the log:\n{log}");
    }
}
