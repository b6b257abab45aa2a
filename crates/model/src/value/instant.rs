//! Instants with nanoseconds, from year 0000 to 9999.
//!
//! Not `jiff::Timestamp`: its range ends a day before 9999-12-31T23:59:59Z, which registers write for "for ever".

use jiff::{Timestamp, civil, tz::TimeZone};

use super::{Refusal, digits};

const NOT_TIMESTAMP: Refusal = Refusal::new(
    "type",
    "expected a timestamp as YYYY-MM-DDThh:mm:ss, with Z or an offset",
);
const RANGE: Refusal = Refusal::new(
    "range",
    "the timestamp lies outside the years 0000 to 9999 in UTC",
);

/// Seconds since 1970-01-01T00:00:00Z and nanoseconds of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    seconds: i64,
    nanos: u32,
}

const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

impl Instant {
    /// RFC 3339, or the same without an offset as the clock of `zone` shows it.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, Refusal> {
        let bytes = text.as_bytes();
        if bytes.len() < 19 || !text.is_ascii() || !matches!(bytes[10], b'T' | b't' | b' ') {
            return Err(NOT_TIMESTAMP);
        }
        let date = super::date(&text[..10]).map_err(|_| NOT_TIMESTAMP)?;
        let (hour, minute, second) = clock(&bytes[11..19])?;
        let (nanos, rest) = fraction(&bytes[19..])?;
        let local = days(date) * DAY + hour * 3600 + minute * 60 + second;
        let seconds = match rest {
            [] => local - zone_offset(date, (hour, minute, second), zone)?,
            b"Z" | b"z" => local,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let hours = digits(&[*h1, *h2])
                    .filter(|hours| *hours < 24)
                    .ok_or(NOT_TIMESTAMP)?;
                let minutes = digits(&[*m1, *m2])
                    .filter(|minutes| *minutes < 60)
                    .ok_or(NOT_TIMESTAMP)?;
                let offset = i64::from(hours * 3600 + minutes * 60);
                if *sign == b'+' {
                    local - offset
                } else {
                    local + offset
                }
            }
            _ => return Err(NOT_TIMESTAMP),
        };
        Self::new(seconds, nanos).ok_or(RANGE)
    }

    /// `None` outside the years 0000 to 9999, or with a whole second of nanoseconds.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        ((FIRST..=LAST).contains(&seconds) && nanos < 1_000_000_000).then_some(Self { seconds, nanos })
    }

    pub fn seconds(self) -> i64 {
        self.seconds
    }

    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Canonical text: UTC with `Z`, fraction without trailing zeros.
    pub fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = civil_of(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        let mut two = |number: i64, before: u8| {
            if before != 0 {
                out.push(before);
            }
            out.push(b'0' + (number / 10) as u8);
            out.push(b'0' + (number % 10) as u8);
        };
        two(year / 100, 0);
        two(year % 100, 0);
        two(month, b'-');
        two(day, b'-');
        two(second / 3600, b'T');
        two(second / 60 % 60, b':');
        two(second % 60, b':');
        if self.nanos != 0 {
            let fraction = format!(".{:09}", self.nanos);
            out.extend_from_slice(fraction.trim_end_matches('0').as_bytes());
        }
        out.push(b'Z');
    }
}

fn clock(bytes: &[u8]) -> Result<(i64, i64, i64), Refusal> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = bytes else {
        return Err(NOT_TIMESTAMP);
    };
    let part = |tens: &u8, ones: &u8, limit: u32| {
        digits(&[*tens, *ones])
            .filter(|number| *number < limit)
            .map(i64::from)
            .ok_or(NOT_TIMESTAMP)
    };
    Ok((part(h1, h2, 24)?, part(m1, m2, 60)?, part(s1, s2, 60)?))
}

/// Nanoseconds and what follows them.
fn fraction(bytes: &[u8]) -> Result<(u32, &[u8]), Refusal> {
    let Some((b'.', after)) = bytes.split_first() else {
        return Ok((0, bytes));
    };
    let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, rest) = after.split_at(count);
    let used = written
        .iter()
        .rposition(|byte| *byte != b'0')
        .map_or(0, |at| at + 1);
    if count == 0 || used > 9 {
        return Err(NOT_TIMESTAMP);
    }
    let nanos = digits(&written[..used]).ok_or(NOT_TIMESTAMP)? * 10u32.pow(9 - used as u32);
    Ok((nanos, rest))
}

/// Seconds the clock of `zone` is ahead of UTC at a local time.
fn zone_offset(date: civil::Date, at: (i64, i64, i64), zone: &TimeZone) -> Result<i64, Refusal> {
    if *zone == TimeZone::UTC {
        return Ok(0);
    }
    let clock = date.at(at.0 as i8, at.1 as i8, at.2 as i8, 0);
    match zone.to_timestamp(clock) {
        // Measured and not asked of the zone: in an hour that the clock skips, the time moves on by the gap.
        Ok(instant) => Ok(days(date) * DAY + at.0 * 3600 + at.1 * 60 + at.2 - instant.as_second()),
        // The last days of 9999 lie beyond jiff's instants, not beyond ours.
        Err(_) if date.year() == 9999 => Ok(i64::from(zone.to_offset(Timestamp::MAX).seconds())),
        Err(_) => Err(RANGE),
    }
}

/// Days since 1970-01-01 (proleptic Gregorian; H. Hinnant, "chrono-compatible low-level date algorithms").
fn days(date: civil::Date) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
