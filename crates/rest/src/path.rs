//! Parts of a path, taken from the raw URI: `%2F` in a key part belongs to the value.

use axum::extract::{OriginalUri, Request};
use dagr_app::problem::Problem;
use dagr_model::fault::Fault;
use http::Uri;
use percent_encoding::percent_decode_str;

/// The URI as the caller sent it: a nested router sees only what is behind its prefix.
pub fn whole(request: &Request) -> &Uri {
    request
        .extensions()
        .get::<OriginalUri>()
        .map_or_else(|| request.uri(), |original| &original.0)
}

/// Decoded segments after a prefix. `None` = not UTF-8 once decoded.
pub fn segments(path: &str) -> Vec<Option<String>> {
    let decode = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    path.trim_start_matches('/').split('/').map(decode).collect()
}

/// The parts of a key: every segment from `from` on.
pub fn key_parts(path: &str, from: usize) -> Result<Vec<String>, Problem> {
    segments(path)
        .into_iter()
        .skip(from)
        .map(|part| part.ok_or_else(|| invalid("percent-encoded UTF-8 is wanted")))
        .collect()
}

fn invalid(message: &str) -> Problem {
    Problem::key_invalid(Fault::new("path", "key_invalid", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_belongs_to_the_value() {
        let parts = key_parts("/data/riga/records/Br%C4%ABv%C4%ABbas%201%2F3/x", 3).unwrap();
        assert_eq!(parts, ["Brīvības 1/3", "x"]);
        assert_eq!(
            key_parts("/data/riga/records/%FF", 3).unwrap_err().code,
            "key_invalid"
        );
        assert_eq!(key_parts("/data/riga/records/", 3).unwrap(), [""]);
    }
}
