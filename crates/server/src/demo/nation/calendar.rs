//! Days as small numbers: a person's row holds two of them.

/// Days since 1900-01-01; reaches 2079. Zero stands for "none" where a date is optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Day(pub u16);

/// The day as of which the nation is told. Fixed, so that the same seed gives the same bytes on any day.
pub const TODAY: Day = Day::of(2026, 6, 30);

/// 1970-01-01 in days since 1900-01-01.
const UNIX: i64 = 25_567;

impl Day {
    pub const NONE: Day = Day(0);

    /// Proleptic Gregorian date (algorithm `days_from_civil` of Howard Hinnant). `year` in 1900..=2079.
    pub const fn of(year: i64, month: i64, day: i64) -> Day {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year - era * 400;
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day((era * 146_097 + day_of_era - 719_468 + UNIX) as u16)
    }

    /// (year, month, day).
    pub const fn civil(self) -> (i64, i64, i64) {
        let days = self.0 as i64 - UNIX + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days - era * 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
    }

    pub const fn year(self) -> i64 {
        self.civil().0
    }

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whole years from this day to `later`.
    pub const fn years_until(self, later: Day) -> i64 {
        let (from, to) = (self.civil(), later.civil());
        let before_birthday = to.1 < from.1 || (to.1 == from.1 && to.2 < from.2);
        to.0 - from.0 - before_birthday as i64
    }

    /// The day `days` later (or earlier), held inside the calendar.
    pub const fn plus(self, days: i64) -> Day {
        let sum = self.0 as i64 + days;
        if sum < 1 {
            Day(1)
        } else if sum > u16::MAX as i64 {
            Day(u16::MAX)
        } else {
            Day(sum as u16)
        }
    }

    /// `YYYY-MM-DD` at the end of `out`.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.civil();
        for number in [year / 100, year % 100] {
            two_digits(number, out);
        }
        out.push(b'-');
        two_digits(month, out);
        out.push(b'-');
        two_digits(day, out);
    }
}

pub(super) fn two_digits(number: i64, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(Day::of(1900, 1, 1), Day(0));
        assert_eq!(Day::of(1970, 1, 1), Day(25_567));
        for number in 0..60_000 {
            let (year, month, day) = Day(number).civil();
            assert_eq!(Day::of(year, month, day), Day(number));
        }
    }

    #[test]
    fn a_birthday_counts_from_its_day() {
        let born = Day::of(2000, 2, 29);
        assert_eq!(born.years_until(Day::of(2018, 2, 28)), 17);
        assert_eq!(born.years_until(Day::of(2018, 3, 1)), 18);
    }
}
