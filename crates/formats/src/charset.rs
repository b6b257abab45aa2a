//! Which charset a package is in: by its label, by byte order mark, by the pattern of its first bytes.

use dagr_model::fault::nearest;
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1257};

use crate::Unreadable;

/// Labels offered when an unknown one was written; any WHATWG label is accepted.
const OFFERED: [&str; 22] = [
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "us-ascii",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1254",
    "windows-1257",
    "koi8-r",
    "macintosh",
    "shift_jis",
    "gb18030",
    "big5",
];

/// The place of a label that stands in the request.
pub(crate) const CONTENT_TYPE: &str = "Content-Type";

/// What was declared about the charset, by `Content-Type`, the definition or a feed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    #[default]
    Nothing,
    /// `utf-16` without an end: the byte order mark says which, else little-endian.
    Utf16,
    Exactly(&'static Encoding),
}

/// Looks a label up; `place` is where it stands.
pub fn declared(label: &str, place: &str) -> Result<Declared, Unreadable> {
    let plain = label.trim().to_ascii_lowercase();
    match plain.as_str() {
        "utf-16" => return Ok(Declared::Utf16),
        // WHATWG reads ASCII as windows-1252, which would turn an undeclared charset into wrong letters; UTF-8 finds it.
        "us-ascii" | "ascii" => return Ok(Declared::Exactly(UTF_8)),
        _ => {}
    }
    match Encoding::for_label(plain.as_bytes()) {
        Some(encoding) if encoding != REPLACEMENT => Ok(Declared::Exactly(encoding)),
        _ => Err(unknown(&plain, place)),
    }
}

fn unknown(label: &str, place: &str) -> Unreadable {
    let shown: String = label.chars().filter(|c| !c.is_control()).take(40).collect();
    let advice = match nearest(&shown, OFFERED) {
        Some(word) => format!("did you mean `{word}`?"),
        None => "write for example utf-8, utf-16, iso-8859-13 or windows-1257".to_owned(),
    };
    let message = format!("unknown charset `{shown}`: {advice}");
    // The definition is at fault, not the request's header: then it is no matter of media types.
    if place == CONTENT_TYPE {
        Unreadable::media(place, "charset_unknown", message)
    } else {
        Unreadable::package(place, "charset_unknown", message)
    }
}

/// Encoding of a text by its first bytes, and how many of them are the byte order mark.
pub fn sniff(head: &[u8], declared: Declared) -> (&'static Encoding, usize) {
    let mark = Encoding::for_bom(head);
    match (declared, mark) {
        (Declared::Nothing, Some(found)) => found,
        (Declared::Nothing, None) => (utf16_by_nuls(head).unwrap_or(UTF_8), 0),
        (Declared::Utf16, Some((encoding, length))) if encoding != UTF_8 => (encoding, length),
        (Declared::Utf16, _) => (utf16_by_nuls(head).unwrap_or(UTF_16LE), 0),
        (Declared::Exactly(encoding), Some((found, length))) if found == encoding => (encoding, length),
        (Declared::Exactly(encoding), _) => (encoding, 0),
    }
}

/// Text that begins with Latin letters or JSON has a NUL in every second byte when it is UTF-16, and none when it is UTF-8.
fn utf16_by_nuls(head: &[u8]) -> Option<&'static Encoding> {
    let count = |parity| {
        head.iter()
            .skip(parity)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (count(0), count(1));
    let enough = |nuls: usize| nuls > 0 && nuls * 2 >= head.len() / 2;
    match (even, odd) {
        (0, odd) if enough(odd) => Some(UTF_16LE),
        (even, 0) if enough(even) => Some(UTF_16BE),
        _ => None,
    }
}

/// Advice for bytes that are not UTF-8: what they would be. `around` is the row they stand in.
pub(crate) fn advice(around: &[u8]) -> String {
    if around.starts_with(&[0xFF, 0xFE]) || around.starts_with(&[0xFE, 0xFF]) {
        return "the body begins with a UTF-16 byte order mark: declare charset=utf-16".to_owned();
    }
    let sample = &around[..around.len().min(64 << 10)];
    let baltic = WINDOWS_1257.decode_without_bom_handling_and_without_replacement(sample);
    let written = baltic.is_some_and(|text| {
        text.chars()
            .filter(|c| !c.is_ascii())
            .all(|c| c.is_alphabetic() || "\u{a0}–—“”„‘’‚…•€«»°".contains(c))
    });
    // ISO-8859-13 has only control characters from 0x80 to 0x9F, where windows-1257 has quotes and dashes.
    let windows_only = sample.iter().any(|byte| (0x80..0xA0).contains(byte));
    let charset = match (written, windows_only) {
        (true, true) => "it looks like windows-1257: declare charset=windows-1257",
        (true, false) => {
            "it looks like a Baltic charset: declare charset=iso-8859-13 or charset=windows-1257"
        }
        (false, _) => "declare the charset it was written in, for example charset=iso-8859-13",
    };
    format!("{charset}, in Content-Type or as csv.charset of the definition")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_label_names_the_nearest() {
        let error = declared("iso-8859-31", CONTENT_TYPE).unwrap_err();
        assert_eq!(error.code, "media_type");
        assert!(
            error.faults[0].message.contains("did you mean `iso-8859-1"),
            "{error}"
        );
        assert!(declared("iso-2022-kr", CONTENT_TYPE).is_err());
        assert_eq!(
            declared(" Windows-1257 ", "x").unwrap(),
            Declared::Exactly(WINDOWS_1257)
        );
    }

    #[test]
    fn utf16_shows_by_mark_or_by_its_nuls() {
        assert_eq!(sniff(b"\xFF\xFEa\0", Declared::Nothing), (UTF_16LE, 2));
        assert_eq!(sniff(b"\xFE\xFF\0a", Declared::Utf16), (UTF_16BE, 2));
        assert_eq!(sniff(b"a\0b\0\x01\x01", Declared::Nothing), (UTF_16LE, 0));
        assert_eq!(sniff(b"\0[\0]", Declared::Nothing), (UTF_16BE, 0));
        assert_eq!(sniff(b"\xEF\xBB\xBFa", Declared::Nothing), (UTF_8, 3));
        assert_eq!(sniff(b"", Declared::Nothing), (UTF_8, 0));
    }

    #[test]
    fn advice_tells_the_baltic_charsets() {
        assert!(advice(b"R\xeega").contains("iso-8859-13"));
        assert!(advice(b"\x84R\xeega\x94").contains("charset=windows-1257"));
        assert!(advice(b"\xff\xfea\0").contains("utf-16"));
    }
}
