//! Whole numbers and decimals.

use smallvec::SmallVec;

use super::Refusal;

/// Most digits a decimal may have in plain notation.
pub const MAX_DIGITS: usize = 64;

const NOT_INT: Refusal = Refusal::new("type", "expected a whole number");
const NOT_DECIMAL: Refusal = Refusal::new("type", "expected a decimal number");
const INT_RANGE: Refusal = Refusal::new("range", "the number does not fit 64 bits");
const DECIMAL_RANGE: Refusal = Refusal::new("range", "the number has more than 64 digits");

/// A whole number of 64 bits: an optional minus and digits.
pub fn int(text: &str) -> Result<i64, Refusal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_INT);
    }
    text.parse().map_err(|_| INT_RANGE)
}

/// Writes a decimal in plain notation: no leading or trailing zeros, no exponent, no −0.
pub fn decimal(text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(NOT_DECIMAL),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(NOT_DECIMAL);
    }
    let leading = whole
        .bytes()
        .chain(fraction.bytes())
        .take_while(|byte| *byte == b'0')
        .count();
    let mut digits: SmallVec<[u8; MAX_DIGITS]> =
        whole.bytes().chain(fraction.bytes()).skip(leading).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    if digits.is_empty() {
        out.push(b'0');
        return Ok(());
    }
    let point = whole.len() as i64 - leading as i64 + exponent;
    let plain = point.max(0) + (digits.len() as i64 - point).max(0);
    if plain > MAX_DIGITS as i64 {
        return Err(DECIMAL_RANGE);
    }
    if negative {
        out.push(b'-');
    }
    write_plain(&digits, point, out);
    Ok(())
}

/// Writes 0.`digits` × 10^`point`. The caller has bounded `point`.
pub(crate) fn write_plain(digits: &[u8], point: i64, out: &mut Vec<u8>) {
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (-point) as usize));
        out.extend_from_slice(digits);
    } else if point as usize >= digits.len() {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', point as usize - digits.len()));
    } else {
        out.extend_from_slice(&digits[..point as usize]);
        out.push(b'.');
        out.extend_from_slice(&digits[point as usize..]);
    }
}

fn exponent(text: &str) -> Result<i64, Refusal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_DECIMAL);
    }
    // Nine digits cannot overflow the arithmetic that follows; more are out of range anyway.
    let size: i64 = digits
        .trim_start_matches('0')
        .get(..9)
        .map_or_else(|| digits.parse().unwrap_or(999_999_999), |_| 999_999_999);
    Ok(if text.starts_with('-') { -size } else { size })
}
