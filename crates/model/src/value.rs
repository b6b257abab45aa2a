//! Scalar values: from the text a provider writes to the one canonical form.

use std::borrow::Cow;

use jiff::{Timestamp, civil, tz::TimeZone};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::definition::Type;

pub mod bytes;
mod instant;
mod number;
pub(crate) mod tree;

pub use instant::Instant;
pub(crate) use number::write_plain;
pub use number::{decimal, int};

/// Why a value is not of its type. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub rule: &'static str,
    pub message: &'static str,
}

impl Refusal {
    pub(crate) const fn new(rule: &'static str, message: &'static str) -> Self {
        Self { rule, message }
    }
}

/// `text` in NFC; borrowed when it already is.
pub fn nfc(text: &str) -> Cow<'_, str> {
    // Every character below U+0300 is in NFC whatever stands beside it; its UTF-8 bytes are below 0xCC.
    if bytes::all_below_cc(text.as_bytes()) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// A cell without the space around it.
pub fn without_space(text: &str) -> &str {
    // Most cells have none: what neither begins nor ends with space is told by two bytes.
    let is_dark = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_dark(bytes.first()) && is_dark(bytes.last()) {
        text
    } else {
        text.trim_matches([' ', '\t', '\u{a0}'])
    }
}

/// Writes `text` as a JSON string, escaped as RFC 8785 says.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    while let Some(at) = bytes::next_escaped(text.as_bytes(), from) {
        let byte = text.as_bytes()[at];
        out.extend_from_slice(&text.as_bytes()[from..at]);
        from = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
    out.push(b'"');
}

/// Writes the canonical JSON of a scalar given as text (not empty). Types with a structure of their own
/// (`json`, `point`, `geometry`, objects) are read as JSON elsewhere and refused here.
pub fn write_scalar(ty: &Type, text: &str, zone: &TimeZone, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match ty {
        Type::Text | Type::Code(_) => write_string(&nfc(text), out),
        Type::Int => {
            let number = int(text)?;
            if text.starts_with(['0', '-']) {
                out.extend_from_slice(number.to_string().as_bytes());
            } else {
                out.extend_from_slice(text.as_bytes());
            }
        }
        Type::Decimal => decimal(text, out)?,
        Type::Bool => match text {
            "true" | "false" => out.extend_from_slice(text.as_bytes()),
            _ => return Err(Refusal::new("type", "expected true or false")),
        },
        Type::Date => {
            // What passes is already in its one form.
            date(text)?;
            quoted(text.as_bytes(), out);
        }
        Type::Timestamp => {
            out.push(b'"');
            Instant::parse(text, zone)?.write(out);
            out.push(b'"');
        }
        Type::Uuid => quoted(uuid_text(&uuid(text)?).as_bytes(), out),
        Type::PersonCode => quoted(&person_code(text)?, out),
        Type::OrgCode => quoted(&org_code(text)?, out),
        Type::Point | Type::Geometry | Type::Json | Type::Object => {
            return Err(Refusal::new("type", "expected JSON"));
        }
    }
    Ok(())
}

fn quoted(plain: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(plain);
    out.push(b'"');
}

/// `YYYY-MM-DD`, an existing day.
pub fn date(text: &str) -> Result<civil::Date, Refusal> {
    const REFUSAL: Refusal = Refusal::new("type", "expected a date as YYYY-MM-DD that exists");
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(REFUSAL);
    }
    let part = |from: usize, to: usize| digits(&bytes[from..to]).ok_or(REFUSAL);
    civil::Date::new(part(0, 4)? as i16, part(5, 7)? as i8, part(8, 10)? as i8).map_err(|_| REFUSAL)
}

/// A date written in the provider's strftime `format`.
pub fn date_by_format(text: &str, format: &str) -> Result<civil::Date, Refusal> {
    civil::Date::strptime(format, text)
        .ok()
        .filter(|date| date.year() >= 0)
        .ok_or(Refusal::new(
            "type",
            "expected a date in the form that csv.date_format of the definition says",
        ))
}

/// The number that ASCII digits (at most nine) write.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// 32 hex digits, with hyphens at their places or without any.
pub fn uuid(text: &str) -> Result<[u8; 16], Refusal> {
    const REFUSAL: Refusal = Refusal::new("type", "expected a UUID");
    let hyphens = [8, 13, 18, 23];
    let with_hyphens = text.len() == 36;
    if !with_hyphens && text.len() != 32 {
        return Err(REFUSAL);
    }
    let mut out = [0u8; 16];
    let mut nibbles = 0;
    for (at, byte) in text.bytes().enumerate() {
        if with_hyphens && hyphens.contains(&at) {
            if byte != b'-' {
                return Err(REFUSAL);
            }
            continue;
        }
        let nibble = (byte as char).to_digit(16).ok_or(REFUSAL)? as u8;
        out[nibbles / 2] |= if nibbles % 2 == 0 { nibble << 4 } else { nibble };
        nibbles += 1;
    }
    Ok(out)
}

/// Lower-case, with hyphens.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// A Latvian personal code, with or without its hyphen, as 11 digits.
///
/// Older form `DDMMYY-CNNNK`: a date that exists (century digit 0, 1, 2 = 18xx, 19xx, 20xx) and a check digit
/// K = (1 + Σ digit·weight) mod 11 mod 10, weights 10 5 8 4 2 1 6 3 7 9 (the same as (1101 − Σ digit·w) mod 11
/// mod 10 with w 1 6 3 7 9 10 5 8 4 2). Form since July 2017: 32 to 39 and nine more digits without meaning.
pub fn person_code(text: &str) -> Result<[u8; 11], Refusal> {
    const REFUSAL: Refusal = Refusal::new("person_code", "not a valid Latvian personal code");
    let code = eleven_digits(text, true).ok_or(REFUSAL)?;
    let digit = |at: usize| u32::from(code[at] - b'0');
    if digit(0) == 3 && digit(1) >= 2 {
        return Ok(code);
    }
    let two = |at: usize| digit(at) * 10 + digit(at + 1);
    let year = 1800 + 100 * digit(6) + two(4);
    if digit(6) > 2 || civil::Date::new(year as i16, two(2) as i8, two(0) as i8).is_err() {
        return Err(REFUSAL);
    }
    let sum: u32 = [10, 5, 8, 4, 2, 1, 6, 3, 7, 9]
        .iter()
        .enumerate()
        .map(|(at, w)| w * digit(at))
        .sum();
    if (1 + sum) % 11 % 10 == digit(10) {
        Ok(code)
    } else {
        Err(REFUSAL)
    }
}

/// A registration number: 11 digits.
pub fn org_code(text: &str) -> Result<[u8; 11], Refusal> {
    eleven_digits(text, false).ok_or(Refusal::new(
        "org_code",
        "expected a registration number of 11 digits",
    ))
}

/// A subject's code as logs and searches compare it: without the hyphen where it has the form of a personal
/// code, else as it stands.
pub fn subject_code(text: &str) -> Cow<'_, str> {
    match eleven_digits(text, true) {
        Some(code) if text.len() == 12 => Cow::Owned(code.iter().map(|byte| *byte as char).collect()),
        _ => Cow::Borrowed(text),
    }
}

fn eleven_digits(text: &str, hyphen: bool) -> Option<[u8; 11]> {
    let bytes = text.as_bytes();
    let mut code = [0; 11];
    match bytes.len() {
        11 => code.copy_from_slice(bytes),
        12 if hyphen && bytes[6] == b'-' => {
            code[..6].copy_from_slice(&bytes[..6]);
            code[6..].copy_from_slice(&bytes[7..]);
        }
        _ => return None,
    }
    code.iter().all(u8::is_ascii_digit).then_some(code)
}

/// The instant a canonical timestamp text names, for code that computes with it.
pub fn canonical_timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
