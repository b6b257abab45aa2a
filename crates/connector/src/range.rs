//! Ranges of keys and their digests, as the server gives them.

use dagr_model::{digest::SetDigest, schema::Schema};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    state::unhex,
};

/// Pieces a range is cut into at once.
pub const PARTS: usize = 256;

/// A stretch of keys: from inclusive, to exclusive; `None` = open.
#[derive(Debug, Clone, Default)]
pub struct Range {
    pub from: Option<Vec<u8>>,
    pub to: Option<Vec<u8>>,
}

/// A piece of a range, and what the other side holds of it.
pub struct Part {
    pub range: Range,
    pub digest: SetDigest,
    pub records: u64,
    /// Of its one record.
    pub key: Option<Vec<u8>>,
}

/// The pieces of an answer.
pub fn parts(schema: &Schema, answer: &Value) -> Result<Vec<Part>> {
    let parts = answer["parts"].as_array().ok_or_else(unreadable)?;
    parts
        .iter()
        .map(|part| {
            Ok(Part {
                range: Range {
                    from: key(schema, &part["from"])?,
                    to: key(schema, &part["to"])?,
                },
                digest: part["digest"]
                    .as_str()
                    .and_then(unhex)
                    .map(SetDigest)
                    .ok_or_else(unreadable)?,
                records: part["records"].as_u64().ok_or_else(unreadable)?,
                key: key(schema, &part["key"])?,
            })
        })
        .collect()
}

/// `{Field: value…}`, or null for an open end.
pub fn key_json(schema: &Schema, key: Option<&[u8]>) -> Value {
    key.map_or(Value::Null, |key| {
        let mut out = Vec::new();
        schema.key_json(key, &mut out);
        serde_json::from_slice(&out).unwrap_or(Value::Null)
    })
}

/// The encoded key of such an object; `None` for null.
pub fn key(schema: &Schema, value: &Value) -> Result<Option<Vec<u8>>> {
    match value {
        Value::Null => Ok(None),
        Value::Object(object) => schema
            .key_from_object(object, true)
            .map(Some)
            .map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

pub fn unreadable() -> Error {
    Error::State("the server's digests cannot be read: it is of another version".to_owned())
}
