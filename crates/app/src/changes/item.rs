//! One change as a feed writes it.

use dagr_model::schema::Schema;
use jiff::Timestamp;

pub(crate) fn put_item(schema: &Schema, out: &mut Vec<u8>, operation: &str, key: &[u8], time_ms: i64) {
    out.extend_from_slice(b"{\"operation\":\"");
    out.extend_from_slice(operation.as_bytes());
    out.extend_from_slice(b"\",\"key\":");
    schema.key_json(key, out);
    out.extend_from_slice(b",\"changed_at\":\"");
    out.extend_from_slice(time_text(time_ms).as_bytes());
    out.push(b'"');
}

/// RFC 3339 in UTC.
pub fn time_text(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map(|at| at.to_string())
        .unwrap_or_default()
}
