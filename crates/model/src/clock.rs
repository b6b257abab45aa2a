//! Time is handed in, never read here.

use std::sync::LazyLock;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where the present comes from. Only the binary and tests make one.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// Looking the zone up costs more than using it.
static RIGA: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Riga").unwrap_or(TimeZone::UTC));

/// Today's date in Latvia: `valid_from` and `valid_to` are dates of Europe/Riga, both inclusive.
pub fn riga_date(now: Timestamp) -> Date {
    now.to_zoned_datetime(riga()).date()
}

/// Europe/Riga, from the bundled zone data.
pub fn riga() -> TimeZone {
    RIGA.clone()
}
