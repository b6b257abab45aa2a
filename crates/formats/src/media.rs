//! Which format a package is in, and the `read_as` of its receipt.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum MediaType {
    #[serde(rename = "application/x-ndjson")]
    NdJson,
    #[serde(rename = "application/json")]
    JsonArray,
    #[serde(rename = "text/csv")]
    Csv,
}

/// How the package was read, as the receipt states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadAs {
    pub media_type: MediaType,
    /// Lower-case name of the encoding, such as `utf-8` or `iso-8859-13`.
    pub charset: String,
    /// One character; CSV only.
    pub delimiter: Option<String>,
}

impl MediaType {
    /// Reads a `Content-Type` header: the format and the charset label, if it names one. `None` = not a format of the intake.
    pub fn parse(content_type: &str) -> Option<(Self, Option<String>)> {
        let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let media = match essence.trim().to_ascii_lowercase().as_str() {
            "application/x-ndjson" | "application/ndjson" => Self::NdJson,
            "application/json" => Self::JsonArray,
            "text/csv" => Self::Csv,
            _ => return None,
        };
        let charset = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, label)| label.trim().trim_matches('"').trim().to_owned())
            .filter(|label| !label.is_empty());
        Some((media, charset))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NdJson => "application/x-ndjson",
            Self::JsonArray => "application/json",
            Self::Csv => "text/csv",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_without_regard_to_case_and_quotes() {
        assert_eq!(
            MediaType::parse("application/x-ndjson"),
            Some((MediaType::NdJson, None))
        );
        assert_eq!(
            MediaType::parse("Application/JSON ; charset=UTF-8"),
            Some((MediaType::JsonArray, Some("UTF-8".into())))
        );
        assert_eq!(
            MediaType::parse("text/csv; header=present; Charset=\"iso-8859-13\""),
            Some((MediaType::Csv, Some("iso-8859-13".into())))
        );
        assert_eq!(
            MediaType::parse("text/csv; charset="),
            Some((MediaType::Csv, None))
        );
        assert_eq!(MediaType::parse("text/plain"), None);
        assert_eq!(MediaType::parse(""), None);
    }
}
