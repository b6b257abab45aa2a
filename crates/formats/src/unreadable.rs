//! A package that cannot be read as a whole.

use dagr_model::fault::Fault;

/// The package is refused: nothing of it may be applied. The way out is to fix the package and send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", faults.first().map_or("", |fault| fault.message.as_str()))]
pub struct Unreadable {
    pub faults: Vec<Fault>,
    /// The `code` of the problem: `package_unreadable`, `columns_unknown` or `media_type`.
    pub code: &'static str,
}

impl Unreadable {
    /// The body cannot be read: cut off, not of its media type, or not in its charset.
    pub fn package(place: impl Into<String>, rule: &str, message: impl Into<String>) -> Self {
        Self {
            faults: vec![Fault::new(place, rule, message)],
            code: "package_unreadable",
        }
    }

    /// The declared media type or charset is not one we read.
    pub fn media(place: impl Into<String>, rule: &str, message: impl Into<String>) -> Self {
        Self {
            faults: vec![Fault::new(place, rule, message)],
            code: "media_type",
        }
    }
}
