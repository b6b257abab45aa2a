//! Is this machine's clock the server's? Assertions are signed for two minutes, so that it matters.

use std::time::SystemTime;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap};

/// Less is the way of an answer.
const NOTEWORTHY_S: i64 = 30;

/// What to say of an answer's `Date` (RFC 9110, 6.6.1); empty when the clocks agree, or it says nothing.
pub(super) fn words(headers: &HeaderMap) -> String {
    let told = headers.get(DATE).and_then(|date| date.to_str().ok());
    let server = told.and_then(|text| rfc2822::parse(text).ok());
    let own = Timestamp::try_from(SystemTime::now());
    match (server, own) {
        (Some(server), Ok(own)) => apart(own.as_second() - server.timestamp().as_second()),
        _ => String::new(),
    }
}

/// `ahead`: seconds that the own clock shows more than the server's.
fn apart(ahead: i64) -> String {
    if ahead.abs() <= NOTEWORTHY_S {
        return String::new();
    }
    let (amount, unit) = match ahead.unsigned_abs() {
        seconds @ 0..120 => (seconds, "seconds"),
        seconds => ((seconds + 30) / 60, "minutes"),
    };
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    format!(
        "; this machine's clock is {amount} {unit} {way} the server's: one of the two has to be set right"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told() {
        assert_eq!(apart(-30), "");
        assert!(apart(100).contains("100 seconds ahead of the server's"));
        assert!(apart(-3_590).contains("60 minutes behind the server's"));
        let mut headers = HeaderMap::new();
        assert_eq!(words(&headers), "");
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        assert!(words(&headers).contains("ahead of the server's"));
    }
}
