//! Order-preserving bytes of one scalar. Every encoding ends itself: none is a prefix of another of its type.
//!
//! | type | bytes |
//! |---|---|
//! | text, codes (and values without an order of their own, as their JSON) | UTF-8, 00 → 01 01, 01 → 01 02, then 00 |
//! | int | 8, big-endian, sign bit flipped |
//! | decimal | 01 negative, 02 zero, 03 positive; then exponent + 128, ASCII digits of the mantissa 0.d₁d₂…, 00; all inverted for negatives |
//! | bool | 00 or 01 |
//! | date | `YYYY-MM-DD` |
//! | timestamp | seconds like int, nanoseconds as 4, big-endian |
//! | uuid | 16 |

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::{
    definition::Type,
    value::{Instant, uuid, uuid_text, write_plain, write_string},
};

/// Appends the bytes of a value given as canonical JSON. `None` if it is not of the type.
pub(super) fn encode(ty: &Type, json: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let raw = std::str::from_utf8(json).ok()?;
    let plain = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match ty {
        Type::Int => out.extend_from_slice(&ordered(raw.parse().ok()?)),
        Type::Decimal => encode_decimal(raw, out),
        Type::Bool => out.push(u8::from(raw == "true")),
        Type::Date => out.extend_from_slice(plain.filter(|text| text.len() == 10)?.as_bytes()),
        Type::Timestamp => {
            let instant = Instant::parse(plain?, &TimeZone::UTC).ok()?;
            out.extend_from_slice(&ordered(instant.seconds()));
            out.extend_from_slice(&instant.nanos().to_be_bytes());
        }
        Type::Uuid => out.extend_from_slice(&uuid(plain?).ok()?),
        _ => encode_text(&crate::record::text_of(json), out),
    }
    Some(())
}

/// Writes the value at the head of `bytes` as canonical JSON; the number of bytes it took.
pub(super) fn decode(ty: &Type, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    match ty {
        Type::Int => {
            out.extend_from_slice(plain_int(bytes.get(..8)?)?.to_string().as_bytes());
            Some(8)
        }
        Type::Decimal => decode_decimal(bytes, out),
        Type::Bool => {
            let word: &[u8] = if *bytes.first()? == 0 { b"false" } else { b"true" };
            out.extend_from_slice(word);
            Some(1)
        }
        Type::Date => {
            write_string(std::str::from_utf8(bytes.get(..10)?).ok()?, out);
            Some(10)
        }
        Type::Timestamp => {
            let seconds = plain_int(bytes.get(..8)?)?;
            let nanos = u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
            let instant = Instant::new(seconds, nanos)?;
            out.push(b'"');
            instant.write(out);
            out.push(b'"');
            Some(12)
        }
        Type::Uuid => {
            write_string(&uuid_text(bytes.get(..16)?.try_into().ok()?), out);
            Some(16)
        }
        _ => {
            let end = bytes.iter().position(|byte| *byte == 0)?;
            write_string(&decode_text(&bytes[..end]), out);
            Some(end + 1)
        }
    }
}

fn ordered(number: i64) -> [u8; 8] {
    (number as u64 ^ (1 << 63)).to_be_bytes()
}

fn plain_int(bytes: &[u8]) -> Option<i64> {
    Some((u64::from_be_bytes(bytes.try_into().ok()?) ^ (1 << 63)) as i64)
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            0 => out.extend_from_slice(&[1, 1]),
            1 => out.extend_from_slice(&[1, 2]),
            _ => out.push(byte),
        }
    }
    out.push(0);
}

fn decode_text(bytes: &[u8]) -> Cow<'_, str> {
    if !bytes.contains(&1) {
        return String::from_utf8_lossy(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        plain.push(if *byte == 1 {
            rest.next().map_or(0, |next| next.saturating_sub(1))
        } else {
            *byte
        });
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// `text` is a canonical decimal.
fn encode_decimal(text: &str, out: &mut Vec<u8>) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let leading = digits.iter().take_while(|byte| **byte == b'0').count();
    let point = whole.len() as i64 - leading as i64;
    let mut digits = &digits[leading..];
    while let Some((b'0', shorter)) = digits.split_last() {
        digits = shorter;
    }
    if digits.is_empty() {
        out.push(2);
        return;
    }
    let invert = if negative { 0xff } else { 0 };
    out.push(if negative { 1 } else { 3 });
    out.push((point + 128) as u8 ^ invert);
    out.extend(digits.iter().map(|byte| byte ^ invert));
    out.push(invert);
}

fn decode_decimal(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let invert = match bytes.first()? {
        2 => {
            out.push(b'0');
            return Some(1);
        }
        1 => 0xff,
        _ => 0,
    };
    let point = i64::from(bytes.get(1)? ^ invert) - 128;
    let length = bytes
        .get(2..)?
        .iter()
        .position(|byte| *byte == invert)
        .filter(|length| *length > 0)?;
    let digits: Vec<u8> = bytes[2..2 + length].iter().map(|byte| byte ^ invert).collect();
    if invert != 0 {
        out.push(b'-');
    }
    write_plain(&digits, point, out);
    Some(length + 3)
}
