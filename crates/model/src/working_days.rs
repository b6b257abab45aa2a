//! Working days in Latvia: what deadlines are counted in.
//!
//! Source: the law "Par svētku, atceres un atzīmējamām dienām", section 1. Days that the Cabinet moves from one
//! week to another each year are orders, not law, and are not counted: a deadline is never shorter for them.

use jiff::civil::{Date, Weekday};

/// Free days set once, or by an event whose date no rule gives: the closing days of the Song and Dance
/// Celebration (moved to Monday), the Pope's visit, the ice-hockey bronze.
const SINGLE: [(i16, i8, i8); 4] = [(2018, 7, 9), (2018, 9, 24), (2023, 5, 29), (2023, 7, 10)];

/// Days looked through at most: an answer is always near.
const MOST_DAYS: u32 = 10_000;

/// A public holiday, whatever day of the week it is; also the working day made free for one on a weekend.
pub fn is_public_holiday(date: Date) -> bool {
    is_fixed(date) || is_movable(date) || is_in_lieu(date)
}

pub fn is_working_day(date: Date) -> bool {
    !is_weekend(date) && !is_public_holiday(date)
}

/// The day on which `days` working days after `date` are over; `date` itself is not counted. 0 is `date`.
pub fn add_working_days(date: Date, days: u32) -> Date {
    let mut at = date;
    let mut left = days;
    for _ in 0..MOST_DAYS {
        if left == 0 {
            break;
        }
        let Ok(next) = at.tomorrow() else { break };
        at = next;
        left -= u32::from(is_working_day(at));
    }
    at
}

/// Working days after `from`, up to and with `to`; negative when `to` is past.
pub fn working_days_between(from: Date, to: Date) -> i32 {
    let (early, late, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
    let mut at = early;
    let mut count = 0;
    for _ in 0..MOST_DAYS {
        if at >= late {
            break;
        }
        let Ok(next) = at.tomorrow() else { break };
        at = next;
        count += i32::from(is_working_day(at));
    }
    sign * count
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_fixed(date: Date) -> bool {
    matches!(
        (date.month(), date.day()),
        (1, 1) | (5, 1 | 4) | (6, 23 | 24) | (11, 18) | (12, 24..=26 | 31)
    ) || SINGLE.contains(&(date.year(), date.month(), date.day()))
}

fn is_movable(date: Date) -> bool {
    let from_easter = easter(date.year()).and_then(|easter| {
        let span = date.since(easter).ok()?;
        Some(span.get_days())
    });
    // Good Friday, Easter Sunday and Monday, Pentecost.
    matches!(from_easter, Some(-2 | 0 | 1 | 49)) || is_mothers_day(date)
}

/// The second Sunday of May.
fn is_mothers_day(date: Date) -> bool {
    date.month() == 5 && date.weekday() == Weekday::Sunday && (8..=14).contains(&date.day())
}

/// The first working day after 4 May or 18 November, when that fell on a weekend.
fn is_in_lieu(date: Date) -> bool {
    [(5, 4), (11, 18)].into_iter().any(|(month, day)| {
        let Ok(holiday) = Date::new(date.year(), month, day) else {
            return false;
        };
        if !is_weekend(holiday) {
            return false;
        }
        let mut at = holiday;
        while let Ok(next) = at.tomorrow() {
            at = next;
            if !is_weekend(at) && !is_fixed(at) && !is_movable(at) {
                break;
            }
        }
        at == date
    })
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (golden, century, in_century) = (year_number % 19, year_number / 100, year_number % 100);
    let moon = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let (month, day) = (days / 31, days % 31 + 1);
    Date::new(year, month as i8, day as i8).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_is_where_the_calendar_has_it() {
        for (year, month, day) in [
            (2000, 4, 23),
            (2008, 3, 23),
            (2019, 4, 21),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
    }

    #[test]
    fn holidays_are_those_of_the_law() {
        for day in [
            date(2024, 1, 1),
            date(2024, 3, 29),
            date(2024, 3, 31),
            date(2024, 4, 1),
            date(2024, 5, 1),
            date(2024, 5, 12),
            date(2024, 5, 19),
            date(2024, 6, 23),
            date(2024, 6, 24),
            date(2024, 11, 18),
            date(2024, 12, 24),
            date(2024, 12, 26),
            date(2024, 12, 31),
            // In lieu of 4 May 2024 (Saturday), 4 May 2025 (Sunday), 18 November 2023 (Saturday).
            date(2024, 5, 6),
            date(2025, 5, 5),
            date(2023, 11, 20),
            date(2023, 7, 10),
        ] {
            assert!(is_public_holiday(day), "{day}");
        }
        for day in [
            date(2026, 5, 5),
            date(2026, 11, 19),
            date(2024, 4, 2),
            date(2024, 12, 27),
            date(2025, 1, 2),
            // 24 June 2023 was a Saturday: nothing is given in lieu of it.
            date(2023, 6, 26),
        ] {
            assert!(is_working_day(day), "{day}");
        }
    }

    #[test]
    fn working_days_are_counted_over_holidays() {
        // Thursday before Easter 2024 → Tuesday after it.
        assert_eq!(add_working_days(date(2024, 3, 28), 1), date(2024, 4, 2));
        assert_eq!(add_working_days(date(2024, 4, 30), 2), date(2024, 5, 3));
        assert_eq!(add_working_days(date(2024, 4, 30), 3), date(2024, 5, 7));
        assert_eq!(add_working_days(date(2025, 12, 23), 3), date(2026, 1, 2));
        assert_eq!(add_working_days(date(2024, 6, 1), 0), date(2024, 6, 1));
        assert_eq!(working_days_between(date(2024, 3, 28), date(2024, 4, 2)), 1);
        assert_eq!(working_days_between(date(2024, 4, 2), date(2024, 3, 28)), -1);
        assert_eq!(working_days_between(date(2024, 6, 3), date(2024, 6, 3)), 0);
    }

    #[test]
    fn adding_and_counting_agree() {
        let mut day = date(2023, 1, 1);
        while day < date(2026, 1, 1) {
            for n in [1, 5, 10, 30] {
                let end = add_working_days(day, n);
                assert!(is_working_day(end));
                assert_eq!(working_days_between(day, end), n as i32, "{day} + {n}");
            }
            day = day.tomorrow().unwrap();
        }
    }
}
