//! Personal codes and registration numbers: right in form, belonging to nobody on purpose.
//!
//! A code of the older form says a birthday and a serial number, so some of these will by chance equal a real
//! person's. They are never presented as real: every name, family and address beside them is drawn.

use super::calendar::{Day, two_digits};

/// From this day on new codes begin with 32 and say nothing about their bearer.
pub(super) const NEW_FORM_SINCE: Day = Day::of(2017, 7, 1);

const WEIGHTS: [u64; 10] = [1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check digit of `DDMMYYCNNN`: (1101 − Σ wᵢdᵢ) mod 11. `None` where that is 10, which no code uses.
pub(super) fn check_digit(digits: &[u8]) -> Option<u8> {
    let sum: u64 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u64::from(digit - b'0') * weight)
        .sum();
    let check = (1101 - sum) % 11;
    (check < 10).then_some(b'0' + check as u8)
}

/// The older form, `DDMMYYCNNNK`. `None` if this serial number of the day has no check digit.
pub(super) fn old_form(born: Day, serial: u16) -> Option<[u8; 11]> {
    let (year, month, day) = born.civil();
    let mut digits = Vec::with_capacity(11);
    for number in [day, month, year % 100] {
        two_digits(number, &mut digits);
    }
    digits.push(if year < 2000 { b'1' } else { b'2' });
    for divisor in [100, 10, 1] {
        digits.push(b'0' + (serial / divisor % 10) as u8);
    }
    digits.push(check_digit(&digits)?);
    digits.try_into().ok()
}

/// The form since July 2017: 32 and nine digits. `number` below 10⁹.
pub(super) fn new_form(number: u64) -> [u8; 11] {
    let mut code = *b"32000000000";
    decimal(number, &mut code[2..]);
    code
}

/// First five digits as the enterprise register gave them to its regional offices and over the years.
const PREFIXES: [u64; 20] = [
    40003, 40103, 40203, 50003, 50103, 50203, 41203, 41503, 41703, 42103, 42403, 42803, 43603, 44103, 45103,
    45403, 46603, 48503, 49503, 41003,
];

/// Enterprises there can be: 50 000 of each prefix.
pub(super) const MOST_ENTERPRISES: u64 = 50_000 * PREFIXES.len() as u64;

/// The registration number of enterprise `index` (below [`MOST_ENTERPRISES`]).
pub(super) fn registration_number(index: u64) -> [u8; 11] {
    let prefix = PREFIXES[(index % 20) as usize];
    let first = prefix * 100_000 + index / 20 % 50_000 * 2;
    // Two neighbours differ by one in the tenth digit, of weight 6: at most one of them lacks a check digit.
    [first, first + 1]
        .into_iter()
        .find_map(|number| {
            let mut digits = *b"00000000000";
            decimal(number, &mut digits[..10]);
            digits[10] = organisation_check(&digits)?;
            Some(digits)
        })
        .unwrap_or(*b"40003000000")
}

/// The digit that makes the weighted sum of a legal person's number 3 modulo 11.
fn organisation_check(digits: &[u8; 11]) -> Option<u8> {
    let sum: u64 = digits
        .iter()
        .zip([9, 1, 4, 8, 3, 10, 2, 5, 7, 6])
        .map(|(digit, weight)| u64::from(digit - b'0') * weight)
        .sum();
    let check = (14 - sum % 11) % 11;
    (check < 10).then_some(b'0' + check as u8)
}

fn decimal(mut number: u64, into: &mut [u8]) {
    for place in into.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_check_digit_is_the_published_one() {
        // The example of the python-stdnum library: 161175-19997.
        assert_eq!(check_digit(b"1611751999"), Some(b'7'));
    }

    #[test]
    fn registration_numbers_are_distinct_and_check() {
        let numbers: HashSet<_> = (0..MOST_ENTERPRISES)
            .step_by(7)
            .map(registration_number)
            .collect();
        assert_eq!(numbers.len() as u64, MOST_ENTERPRISES.div_ceil(7));
        assert!(
            numbers
                .iter()
                .all(|number| organisation_check(number) == Some(number[10]))
        );
        // 40003521600, a number published in the same library's tests, checks too.
        assert_eq!(organisation_check(b"40003521600"), Some(b'0'));
    }
}
