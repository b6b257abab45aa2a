//! Shapes of what is handed in. Every fault is collected; a reference that leads nowhere is one too.

use dagr_model::fault::Fault;
use jiff::civil::Date;

use crate::{RegistryError, Result};

/// Faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Check(Vec<Fault>);

impl Check {
    pub(crate) fn fault(&mut self, place: &str, rule: &str, message: impl Into<String>) {
        self.0.push(Fault::new(place, rule, message));
    }

    pub(crate) fn require(&mut self, holds: bool, place: &str, rule: &str, message: &str) {
        if !holds {
            self.fault(place, rule, message);
        }
    }

    pub(crate) fn done(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::Invalid(self.0))
        }
    }

    /// Something a person reads: not blank, bounded, without control characters.
    pub(crate) fn text(&mut self, place: &str, text: &str, most: usize) {
        self.require(!text.trim().is_empty(), place, "required", "must not be empty");
        self.require(
            text.chars().count() <= most,
            place,
            "too_long",
            &format!("must have at most {most} characters"),
        );
        self.require(
            !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
            place,
            "characters",
            "must not hold control characters",
        );
    }

    pub(crate) fn optional_text(&mut self, place: &str, text: Option<&str>, most: usize) {
        if let Some(text) = text {
            self.text(place, text, most);
        }
    }

    /// Where something is on the web.
    pub(crate) fn optional_address(&mut self, place: &str, url: Option<&str>) {
        let is_address = |url: &str| {
            url.len() <= 500
                && (url.starts_with("https://") || url.starts_with("http://"))
                && !url.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        self.require(
            url.is_none_or(is_address),
            place,
            "url",
            "must be an address that begins with https://",
        );
    }

    /// A day of an ordinary year: such compare as text, too.
    pub(crate) fn day(&mut self, place: &str, day: Date) {
        self.require(
            (1..=9_999).contains(&day.year()),
            place,
            "range",
            "must be a day of the years 1 to 9999",
        );
    }

    /// 11 digits, or a foreign one: two letters and up to 20 letters or digits.
    pub(crate) fn registration_number(&mut self, place: &str, number: &str) {
        let bytes = number.as_bytes();
        let latvian = bytes.len() == 11 && bytes.iter().all(u8::is_ascii_digit);
        let foreign = (3..=22).contains(&bytes.len())
            && bytes[..2].iter().all(u8::is_ascii_alphabetic)
            && bytes[2..].iter().all(u8::is_ascii_alphanumeric);
        self.require(
            latvian || foreign,
            place,
            "registration_number",
            "must be 11 digits, or two letters of the country and up to 20 letters or digits",
        );
    }

    /// A technical name that stands in paths: `client_id`, system code.
    pub(crate) fn code(&mut self, place: &str, code: &str) {
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let bytes = code.as_bytes();
        self.require(
            (1..=100).contains(&bytes.len()) && bytes[0].is_ascii_alphanumeric() && bytes.iter().all(inner),
            place,
            "code",
            "must be 1 to 100 letters, digits, `-`, `_` or `.` and begin with a letter or digit",
        );
    }

    pub(crate) fn token_lifetime(&mut self, seconds: u32) {
        self.require(
            (1..=86_400).contains(&seconds),
            "token_lifetime_s",
            "range",
            "must be from 1 to 86400 seconds",
        );
    }

    /// `found`: whether the thing named at `place` is registered.
    pub(crate) fn reference(&mut self, found: bool, place: &str, what: &str) {
        if !found {
            self.fault(
                place,
                "unknown",
                format!("there is no such {what}: register it first"),
            );
        }
    }
}
