//! A fault in something a person or a program handed us: where, which rule, and the way out.

use serde::Serialize;

/// One fault. `place` is a line (`line 7`), a field path or a member; `message` never holds a personal value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub place: String,
    pub rule: String,
    pub message: String,
}

impl Fault {
    pub fn new(place: impl Into<String>, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            rule: rule.into(),
            message: message.into(),
        }
    }
}

/// The word of `known` nearest to `word`, if it is near enough to be a slip of the fingers.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
