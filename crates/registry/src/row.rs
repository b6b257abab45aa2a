//! The forms values are stored in.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{RegistryError, Result, db::Row};

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The time as it will be read back: whole microseconds.
pub(crate) fn stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

pub(crate) fn time(row: &Row, column: &str) -> Result<Timestamp> {
    from_micros(row.try_get(column)?)
}

pub(crate) fn from_micros(at: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(at).map_err(|_| RegistryError::Unavailable("stored time out of range".into()))
}

pub(crate) fn text(row: &Row, column: &str) -> Result<String> {
    Ok(row.try_get(column)?)
}

pub(crate) fn small(row: &Row, column: &str) -> Result<u32> {
    u32::try_from(row.try_get::<i64>(column)?)
        .map_err(|_| RegistryError::Unavailable(format!("stored {column} out of range")))
}

pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_str(text)?)
}

/// A unit enum as its serde word, so that rows and views spell it alike.
pub(crate) fn word(value: impl Serialize) -> Result<String> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(RegistryError::Unavailable("not a word".into())),
    }
}

pub(crate) fn from_word<T: DeserializeOwned>(word: String) -> Result<T> {
    Ok(serde_json::from_value(serde_json::Value::String(word))?)
}

/// For members of a merge-patch: absent is `None`, present is `Some`. With `T = Option<_>` a null is
/// `Some(None)`; with another `T` it is an error, for what is required cannot be removed.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
