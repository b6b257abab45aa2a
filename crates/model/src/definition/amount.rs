//! Durations and shares as a definition writes them: `24h`, `400d`, `10y`, `1y6mo`, `10%`.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
/// Longest duration in days: a thousand years.
const DAYS_LIMIT: u64 = 365_250;
/// Largest number before a unit: the longest duration in seconds.
const NUMBER_LIMIT: u64 = DAYS_LIMIT * DAY;
const TOO_LONG: &str = "a duration is at most a thousand years";

/// A duration in the three measures a calendar keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amount {
    pub months: u64,
    pub days: u64,
    pub seconds: u64,
}

/// Numbers with units, `y`, `mo`, `w`, `d`, `h`, `min` (or `m`) and `s`. `Err` says what to write.
pub(super) fn duration(text: &str) -> Result<Amount, String> {
    let way_out = || {
        format!(
            "{:?} is not a duration: write a number and one of y, mo, w, d, h, min, s, as in `24h`",
            shown(text)
        )
    };
    let mut rest = text.trim();
    let mut amount = Amount::default();
    if rest.is_empty() {
        return Err(way_out());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().map_err(|_| way_out())?;
        if number > NUMBER_LIMIT {
            return Err(format!(
                "{number} is too much: at most {NUMBER_LIMIT} of any unit"
            ));
        }
        rest = rest[digits..].trim_start();
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        match &rest[..letters] {
            "y" => amount.months = amount.months.saturating_add(number * 12),
            "mo" => amount.months = amount.months.saturating_add(number),
            "w" => amount.days = amount.days.saturating_add(number * 7),
            "d" => amount.days = amount.days.saturating_add(number),
            "h" => amount.seconds = amount.seconds.saturating_add(number * HOUR),
            "min" | "m" => amount.seconds = amount.seconds.saturating_add(number * MINUTE),
            "s" => amount.seconds = amount.seconds.saturating_add(number),
            _ => return Err(way_out()),
        }
        rest = rest[letters..].trim_start();
    }
    if amount == Amount::default() {
        return Err("the duration must be longer than nothing".to_owned());
    }
    Ok(amount)
}

/// Seconds of a promise; months have no fixed length.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let amount = duration(text)?;
    if amount.months > 0 {
        return Err(
            "months and years have no fixed length here: write days or hours, as in `24h`".to_owned(),
        );
    }
    let seconds = amount.days.saturating_mul(DAY).saturating_add(amount.seconds);
    if seconds > DAYS_LIMIT * DAY {
        Err(TOO_LONG.to_owned())
    } else {
        Ok(seconds)
    }
}

/// Whole days; a year counts 365 and a month 30 where only days are kept.
pub(super) fn days(text: &str) -> Result<u32, String> {
    let amount = duration(text)?;
    if amount.seconds % DAY != 0 {
        return Err("write whole days, as in `400d`".to_owned());
    }
    let days = [
        amount.months / 12 * 365,
        amount.months % 12 * 30,
        amount.days,
        amount.seconds / DAY,
    ]
    .into_iter()
    .fold(0, u64::saturating_add);
    u32::try_from(days)
        .ok()
        .filter(|_| days <= DAYS_LIMIT)
        .ok_or_else(|| TOO_LONG.to_owned())
}

/// Months and days of a retention.
pub(super) fn calendar(text: &str) -> Result<(u32, u32), String> {
    let amount = duration(text)?;
    if amount.seconds % DAY != 0 {
        return Err("write years, months or days, as in `10y`".to_owned());
    }
    let days = amount.days.saturating_add(amount.seconds / DAY);
    match (u32::try_from(amount.months), u32::try_from(days)) {
        (Ok(months), Ok(days)) if months <= 12_000 && u64::from(days) <= DAYS_LIMIT => Ok((months, days)),
        _ => Err(TOO_LONG.to_owned()),
    }
}

/// A share in hundredths of a per cent: `10%` is 1 000. A feed's file writes it so, too.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn share(text: &str) -> Result<u32, String> {
    let way_out = || {
        format!(
            "{:?} is not a share: write `10%`, with at most two decimals",
            shown(text)
        )
    };
    let number = text.trim().strip_suffix('%').ok_or_else(way_out)?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(way_out());
    }
    let whole: u32 = whole.parse().map_err(|_| way_out())?;
    let hundredths: u32 = format!("{part:0<2}").parse().map_err(|_| way_out())?;
    let share = whole * 100 + hundredths;
    if share > 10_000 {
        Err("a share is at most `100%`".to_owned())
    } else {
        Ok(share)
    }
}

/// The largest unit that says it whole; a day is told in hours, as promises are.
pub(super) fn print_seconds(seconds: u64) -> String {
    match seconds {
        s if s % DAY == 0 && s > DAY => format!("{}d", s / DAY),
        s if s % HOUR == 0 => format!("{}h", s / HOUR),
        s if s % MINUTE == 0 => format!("{}min", s / MINUTE),
        s => format!("{s}s"),
    }
}

pub(super) fn print_calendar(months: u32, days: u32) -> String {
    let mut out = String::new();
    for (number, unit) in [(months / 12, "y"), (months % 12, "mo"), (days, "d")] {
        if number > 0 {
            out.push_str(&format!("{number}{unit}"));
        }
    }
    out
}

pub(super) fn print_share(hundredths: u32) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

fn shown(text: &str) -> String {
    super::shown(text)
}
