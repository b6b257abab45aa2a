//! Which types all values seen so far have.

use dagr_model::{
    definition::Type,
    value::{date_by_format, without_space, write_scalar},
};
use jiff::tz::TimeZone;
use serde_json::Value;

/// How Latvian programs write days.
pub const DOTTED: &str = "%d.%m.%Y";

/// A type, and how its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Uuid,
    PersonCode,
    Bool,
    Int,
    Decimal,
    /// With a comma.
    Comma,
    Date,
    /// By [`DOTTED`].
    Dotted,
    Timestamp,
}

/// The narrowest first.
const ALL: [Written; 9] = [
    Written::Uuid,
    Written::PersonCode,
    Written::Bool,
    Written::Int,
    Written::Decimal,
    Written::Comma,
    Written::Date,
    Written::Dotted,
    Written::Timestamp,
];

#[derive(Debug, Default)]
pub struct Looks {
    /// Types that some value does not have.
    not: Vec<Written>,
    numbers: bool,
    truths: bool,
    texts: bool,
    /// Was there a moment without an offset?
    local: bool,
}

impl Looks {
    /// A cell, in which numbers stand as text.
    pub fn text(&mut self, text: &str) {
        self.texts = true;
        self.see(without_space(text));
    }

    pub fn json(&mut self, value: &Value) {
        match value {
            Value::Number(number) => {
                self.numbers = true;
                self.rule_out(|written| !matches!(written, Written::Int | Written::Decimal));
                self.see(&number.to_string());
            }
            Value::Bool(truth) => {
                self.truths = true;
                self.see(if *truth { "true" } else { "false" });
            }
            Value::String(text) if !text.is_empty() => {
                self.texts = true;
                // "5" is a text that says 5.
                self.rule_out(|written| {
                    matches!(
                        written,
                        Written::Bool | Written::Int | Written::Decimal | Written::Comma | Written::Dotted
                    )
                });
                self.see(text);
            }
            _ => {}
        }
    }

    fn see(&mut self, text: &str) {
        let clock = text.get(11..).filter(|_| !self.not.contains(&Written::Timestamp));
        self.local |= clock.is_some_and(|clock| !clock.contains(['Z', 'z', '+', '-']));
        self.rule_out(|written| !fits(written, text));
    }

    fn rule_out(&mut self, is_out: impl Fn(Written) -> bool) {
        if self.not.len() < ALL.len() {
            let out = ALL
                .into_iter()
                .filter(|written| !self.not.contains(written) && is_out(*written));
            let out: Vec<Written> = out.collect();
            self.not.extend(out);
        }
    }

    /// Are they moments of which some do not say in which time zone?
    pub fn is_local(&self) -> bool {
        self.local && self.written() == Some(Written::Timestamp)
    }

    pub fn any(&self) -> bool {
        self.numbers || self.truths || self.texts
    }

    /// Texts and numbers, or numbers that no type holds.
    pub fn is_mixed(&self) -> bool {
        let kinds = [self.numbers, self.truths, self.texts];
        let many = kinds.into_iter().filter(|kind| *kind).count() > 1;
        many || self.numbers && self.written().is_none()
    }

    pub fn written(&self) -> Option<Written> {
        let all = || ALL.into_iter();
        all().find(|written| self.any() && !self.not.contains(written))
    }

    pub fn ty(&self) -> &'static str {
        match self.written() {
            Some(Written::Uuid) => "uuid",
            Some(Written::PersonCode) => "person_code",
            Some(Written::Bool) => "bool",
            Some(Written::Int) => "int",
            Some(Written::Decimal | Written::Comma) => "decimal",
            Some(Written::Date | Written::Dotted) => "date",
            Some(Written::Timestamp) => "timestamp",
            None => "text",
        }
    }
}

fn fits(written: Written, text: &str) -> bool {
    let is = |ty: &Type, text: &str| write_scalar(ty, text, &TimeZone::UTC, &mut Vec::new()).is_ok();
    match written {
        Written::Uuid => is(&Type::Uuid, text),
        Written::PersonCode => is(&Type::PersonCode, text),
        Written::Bool => is(&Type::Bool, text),
        Written::Int => is_plain(text) && is(&Type::Int, text),
        Written::Decimal => is_plain(text) && is(&Type::Decimal, text),
        Written::Comma => {
            let point = text.replacen(',', ".", 1);
            !text.contains('.') && is_plain(&point) && is(&Type::Decimal, &point)
        }
        Written::Date => is(&Type::Date, text),
        Written::Dotted => date_by_format(text, DOTTED).is_ok(),
        Written::Timestamp => is(&Type::Timestamp, text),
    }
}

/// Digits that begin with a zero are a code: as a number they would lose it.
fn is_plain(text: &str) -> bool {
    let digits = text.trim_start_matches('-').as_bytes();
    !(digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit))
}
