//! What a file's name says about its content.

use std::path::Path;

/// Media type and content encoding by the name's endings: `.csv.gz` is CSV, compressed.
pub fn of(path: &Path) -> (Option<&'static str>, Option<&'static str>) {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_lowercase();
    let (name, encoding) = match name.rsplit_once('.') {
        Some((rest, "gz")) => (rest.to_owned(), Some("gzip")),
        Some((rest, "zst")) => (rest.to_owned(), Some("zstd")),
        _ => (name, None),
    };
    let media = match name.rsplit_once('.') {
        Some((_, "ndjson" | "jsonl")) => Some("application/x-ndjson"),
        Some((_, "json")) => Some("application/json"),
        Some((_, "csv" | "tsv" | "txt")) => Some("text/csv"),
        _ => None,
    };
    (media, encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell() {
        assert_eq!(of(Path::new("a/B.CSV.gz")), (Some("text/csv"), Some("gzip")));
        assert_eq!(of(Path::new("a.ndjson")), (Some("application/x-ndjson"), None));
        assert_eq!(of(Path::new("a.zst")), (None, Some("zstd")));
        assert_eq!(of(Path::new("a")), (None, None));
    }
}
