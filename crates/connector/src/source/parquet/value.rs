//! A value of Parquet as the text of a cell, or as JSON inside one.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Span, civil::Date};
use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit},
    data_type::Decimal,
    record::{Field, Row},
    schema::types::Type,
};
use serde_json::{Map, Number, Value};

/// What a column's own values do not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// Is it a moment, or what some clock shows; are its numbers nanoseconds.
    Time {
        utc: bool,
        nanos: bool,
    },
    /// A time of day in nanoseconds.
    Clock,
    Uuid,
    List(Box<Kind>),
    Map(Box<Kind>),
    Group(Vec<Kind>),
}

impl Kind {
    pub fn of(ty: &Type) -> Self {
        let one = Self::once(ty);
        let info = ty.get_basic_info();
        if info.has_repetition() && info.repetition() == Repetition::REPEATED {
            Self::List(Box::new(one))
        } else {
            one
        }
    }

    fn once(ty: &Type) -> Self {
        let info = ty.get_basic_info();
        match (info.logical_type_ref(), info.converted_type()) {
            (Some(LogicalType::Timestamp(time)), _) => Self::Time {
                utc: time.is_adjusted_to_u_t_c,
                nanos: time.unit == TimeUnit::NANOS,
            },
            (Some(LogicalType::Time(time)), _) if time.unit == TimeUnit::NANOS => Self::Clock,
            (Some(LogicalType::Uuid), _) => Self::Uuid,
            _ if ty.is_primitive() => Self::Plain,
            (_, ConvertedType::LIST) => Self::List(Box::new(Self::element(ty))),
            (_, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => {
                Self::Map(Box::new(Self::map_value(ty)))
            }
            _ => Self::Group(ty.get_fields().iter().map(|field| Self::of(field)).collect()),
        }
    }

    /// The items of a list: its repeated group holds them, unless that is the item itself.
    fn element(list: &Type) -> Self {
        let Some(repeated) = list.get_fields().first() else {
            return Self::Plain;
        };
        let is_item = repeated.is_primitive()
            || repeated.get_fields().len() != 1
            || repeated.name() == "array"
            || repeated.name().ends_with("_tuple");
        match repeated
            .is_group()
            .then(|| repeated.get_fields().first())
            .flatten()
        {
            Some(inner) if !is_item => Self::of(inner),
            _ => Self::once(repeated),
        }
    }

    fn map_value(map: &Type) -> Self {
        let entry = map.get_fields().first().filter(|entry| entry.is_group());
        entry
            .and_then(|entry| entry.get_fields().get(1))
            .map_or(Self::Plain, |value| Self::of(value))
    }

    /// The cell; `None` = no value.
    pub fn text(&self, field: &Field) -> Option<String> {
        match self.json(field) {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    fn json(&self, field: &Field) -> Value {
        match (field, self) {
            (Field::Null, _) => Value::Null,
            (Field::Bool(truth), _) => Value::Bool(*truth),
            (Field::Long(at), Self::Time { utc, .. }) => Value::String(time(*at, 1_000_000_000, *utc)),
            (Field::Long(at), Self::Clock) => Value::String(clock(*at, 1_000_000_000)),
            (Field::TimestampMicros(at), kind) => Value::String(time(*at, 1_000_000, kind.is_utc())),
            (Field::TimestampMillis(at), kind) => Value::String(time(*at, 1_000, kind.is_utc())),
            (Field::Date(day), _) => Value::String(date(i64::from(*day))),
            (Field::TimeMillis(at), _) => Value::String(clock(i64::from(*at), 1_000)),
            (Field::TimeMicros(at), _) => Value::String(clock(*at, 1_000_000)),
            (Field::Str(text), _) => Value::String(text.clone()),
            (Field::Bytes(bytes), Self::Uuid) => Value::String(uuid(bytes.data())),
            (Field::Bytes(bytes), _) => Value::String(STANDARD.encode(bytes.data())),
            (Field::Decimal(number), _) => numeral(&decimal(number)),
            (Field::Group(row), kind) => object(row, kind),
            (Field::ListInternal(list), kind) => {
                let inner = match kind {
                    Self::List(inner) => inner,
                    _ => &Self::Plain,
                };
                list.elements().iter().map(|item| inner.json(item)).collect()
            }
            (Field::MapInternal(map), kind) => {
                let inner = match kind {
                    Self::Map(inner) => inner,
                    _ => &Self::Plain,
                };
                let entries = map.entries().iter();
                let members: Map<String, Value> = entries
                    .map(|(name, value)| (Self::Plain.text(name).unwrap_or_default(), inner.json(value)))
                    .collect();
                Value::Object(members)
            }
            (Field::Byte(number), _) => Value::from(*number),
            (Field::Short(number), _) => Value::from(*number),
            (Field::Int(number), _) => Value::from(*number),
            (Field::Long(number), _) => Value::from(*number),
            (Field::UByte(number), _) => Value::from(*number),
            (Field::UShort(number), _) => Value::from(*number),
            (Field::UInt(number), _) => Value::from(*number),
            (Field::ULong(number), _) => Value::from(*number),
            (Field::Float16(number), _) => numeral(&number.to_f32().to_string()),
            (Field::Float(number), _) => numeral(&number.to_string()),
            (Field::Double(number), _) => numeral(&number.to_string()),
        }
    }

    /// Times from before there were logical types are moments.
    fn is_utc(&self) -> bool {
        !matches!(self, Self::Time { utc: false, .. })
    }
}

fn object(row: &Row, kind: &Kind) -> Value {
    let kinds = match kind {
        Kind::Group(kinds) => kinds.as_slice(),
        _ => &[],
    };
    let members = row.get_column_iter().enumerate();
    let members: Map<String, Value> = members
        .map(|(at, (name, field))| (name.clone(), kinds.get(at).unwrap_or(&Kind::Plain).json(field)))
        .collect();
    Value::Object(members)
}

/// A number as it is written; what is none (NaN) stays text, for its field to refuse.
fn numeral(text: &str) -> Value {
    text.parse::<Number>()
        .map_or_else(|_| Value::String(text.to_owned()), Value::Number)
}

fn decimal(number: &Decimal) -> String {
    let bytes = number.data();
    let Some(whole) = i128_of(bytes) else {
        return format!("a decimal of {} bytes", bytes.len());
    };
    let scale = usize::try_from(number.scale()).unwrap_or_default();
    let digits = format!("{:0>width$}", whole.unsigned_abs(), width = scale + 1);
    let (whole_part, fraction) = digits.split_at(digits.len() - scale);
    let sign = if whole < 0 { "-" } else { "" };
    if scale == 0 {
        format!("{sign}{whole_part}")
    } else {
        format!("{sign}{whole_part}.{fraction}")
    }
}

/// Two's complement, the highest byte first; longer ones only where the rest is sign.
fn i128_of(bytes: &[u8]) -> Option<i128> {
    let sign = bytes.first().is_some_and(|first| *first >= 0x80);
    let fill = if sign { 0xFF } else { 0 };
    let cut = bytes.len().saturating_sub(16);
    let (head, tail) = bytes.split_at(cut);
    let mut whole = [fill; 16];
    whole[16 - tail.len()..].copy_from_slice(tail);
    let whole = i128::from_be_bytes(whole);
    (head.iter().all(|byte| *byte == fill) && (whole < 0) == sign).then_some(whole)
}

/// A day as a date; one that no calendar has as it stands, for its field to refuse.
pub fn date(day: i64) -> String {
    Span::new()
        .try_days(day)
        .and_then(|days| Date::constant(1970, 1, 1).checked_add(days))
        .map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

fn time(at: i64, per_second: i64, utc: bool) -> String {
    let day = at.div_euclid(86_400 * per_second);
    let end = if utc { "Z" } else { "" };
    format!(
        "{}T{}{end}",
        date(day),
        clock(at.rem_euclid(86_400 * per_second), per_second)
    )
}

pub fn clock(at: i64, per_second: i64) -> String {
    let (seconds, part) = (at / per_second, at % per_second);
    let (hours, minutes, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{hours:02}:{minutes:02}:{second:02}");
    if part == 0 {
        return whole;
    }
    let width = per_second.ilog10() as usize;
    let fraction = format!("{part:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_times_are_written_exactly() {
        let decimal = |bytes: &[u8], scale| decimal(&Decimal::from_bytes(bytes.to_vec().into(), 38, scale));
        assert_eq!(decimal(&[0xFF, 0x85], 2), "-1.23");
        assert_eq!(decimal(&[5], 3), "0.005");
        assert_eq!(decimal(&[0; 20], 0), "0");
        assert_eq!(decimal(&[1; 17], 0), "a decimal of 17 bytes");
        assert_eq!(time(-1, 1_000, true), "1969-12-31T23:59:59.999Z");
        assert_eq!(time(1_500_000, 1_000_000, false), "1970-01-01T00:00:01.5");
        assert_eq!(time(253_402_300_799_000, 1_000, true), "9999-12-31T23:59:59Z");
        let nanos = Type::primitive_type_builder("t", parquet::basic::Type::INT64)
            .with_logical_type(Some(LogicalType::time(false, TimeUnit::NANOS)))
            .build()
            .unwrap();
        assert_eq!(
            Kind::of(&nanos).text(&Field::Long(34_200_000_000_001)).as_deref(),
            Some("09:30:00.000000001")
        );
        assert_eq!(numeral("NaN"), Value::String("NaN".to_owned()));
        assert_eq!(uuid(&[0xAB; 16]), "abababab-abab-abab-abab-abababababab");
    }

    proptest! {
        #[test]
        fn any_number_is_some_text(at: i64, day: i32, bytes in prop::collection::vec(any::<u8>(), 0..40), scale in 0..40i32) {
            for per_second in [1_000, 1_000_000, 1_000_000_000] {
                prop_assert!(time(at, per_second, true).ends_with('Z'));
                clock(at, per_second);
            }
            date(i64::from(day));
            decimal(&Decimal::from_bytes(bytes.into(), 38, scale));
        }

        #[test]
        fn decimals_come_back(whole: i128, scale in 0..38usize) {
            let text = decimal(&Decimal::from_bytes(whole.to_be_bytes().to_vec().into(), 38, scale as i32));
            let digits: String = text.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i128>().unwrap(), whole);
            prop_assert_eq!(text.split_once('.').map_or(0, |(_, part)| part.len()), scale);
        }
    }
}
