//! Parts of a path, taken from the raw URI: `%2F` in a key part belongs to the value.

use axum::extract::{OriginalUri, Request};
use dagr_app::problem::Problem;
use dagr_model::{fault::Fault, ids::Section};
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
    path.trim_start_matches('/').split('/').map(decoded).collect()
}

/// What `/data/{set}/records/{key}…` and its sandbox twin name.
pub struct RecordPath {
    pub section: Section,
    pub dataset: String,
    pub parts: Result<Vec<String>, Problem>,
}

impl RecordPath {
    pub fn read(path: &str) -> Self {
        let mut segments = path.trim_start_matches('/').splitn(4, '/');
        let section = match segments.next() {
            Some("sandbox") => Section::Sandbox,
            _ => Section::Main,
        };
        let dataset = segments.next().and_then(decoded).unwrap_or_default();
        let keys = segments.nth(1);
        Self {
            section,
            dataset,
            parts: keys.map_or(Ok(Vec::new()), key_parts),
        }
    }
}

/// `None` = not UTF-8 once decoded.
fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The parts of a key, percent-encoded and divided by `/`.
pub fn key_parts(key: &str) -> Result<Vec<String>, Problem> {
    let part = |part| decoded(part).ok_or_else(|| invalid("percent-encoded UTF-8 is wanted"));
    key.split('/').map(part).collect()
}

fn invalid(message: &str) -> Problem {
    Problem::key_invalid(Fault::new("path", "key_invalid", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_belongs_to_the_value() {
        let parts = |path| RecordPath::read(path).parts;
        let read = RecordPath::read("/data/riga/records/Br%C4%ABv%C4%ABbas%201%2F3/x");
        assert_eq!((read.section, read.dataset.as_str()), (Section::Main, "riga"));
        assert_eq!(read.parts.unwrap(), ["Brīvības 1/3", "x"]);
        assert_eq!(parts("/data/riga/records/%FF").unwrap_err().code, "key_invalid");
        assert_eq!(parts("/data/riga/records/").unwrap(), [""]);
        assert!(parts("/sandbox/riga/records").unwrap().is_empty());
        assert_eq!(
            RecordPath::read("/sandbox/riga/records").section,
            Section::Sandbox
        );
    }
}
