//! A page being filled: masked records up to a number and a size, with what the disclosure entry must name.

use std::sync::Arc;

use dagr_model::{
    record::{Mask, RecordRef, project},
    schema::Schema,
};

/// Records in one page at most, and when nothing is asked.
pub const MAX_LIMIT: u64 = 10_000;
pub const DEFAULT_LIMIT: u64 = 100;
/// A page ends at this many masked bytes, with at least one record.
pub const MAX_PAGE_BYTES: usize = 8 << 20;
/// How long one page may look for what is visible.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Masked records, comma-joined, and whom and what they name.
pub struct Page {
    schema: Arc<Schema>,
    mask: Arc<Mask>,
    limit: u64,
    pub json: Vec<u8>,
    pub count: u64,
    pub keys: Vec<Vec<u8>>,
    pub subjects: Vec<String>,
}

impl Page {
    pub fn new(schema: Arc<Schema>, mask: Arc<Mask>, limit: u64) -> Self {
        Self {
            schema,
            mask,
            limit,
            json: Vec::new(),
            count: 0,
            keys: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// The next record would be one too many.
    pub fn is_full(&self) -> bool {
        self.count >= self.limit || (self.count > 0 && self.json.len() >= MAX_PAGE_BYTES)
    }

    /// Adds one record under the mask; `false` = it did not fit, and nothing was added.
    pub fn add(&mut self, key: &[u8], record: RecordRef<'_>) -> bool {
        self.add_with(key, |schema, mask, out| {
            project(schema, record, mask, out);
            schema.subjects_of(record, Some(mask))
        })
    }

    /// Adds one item that `write` makes; it returns the subjects named.
    pub fn add_with(
        &mut self,
        key: &[u8],
        write: impl FnOnce(&Schema, &Mask, &mut Vec<u8>) -> Vec<String>,
    ) -> bool {
        if self.is_full() {
            return false;
        }
        let before = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        let subjects = write(&self.schema, &self.mask, &mut self.json);
        if self.count > 0 && self.json.len() > MAX_PAGE_BYTES {
            self.json.truncate(before);
            return false;
        }
        self.count += 1;
        self.keys.push(key.to_vec());
        self.subjects.extend(subjects);
        true
    }
}

/// `{"records":[…],"next":…}`.
pub fn records_body(page: &Page, next: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(page.json.len() + 2_000);
    body.extend_from_slice(b"{\"records\":[");
    body.extend_from_slice(&page.json);
    body.extend_from_slice(b"],\"next\":");
    put_next(&mut body, next);
    body.push(b'}');
    body
}

/// A cursor (which needs no escaping) or null.
pub fn put_next(body: &mut Vec<u8>, next: Option<&str>) {
    match next {
        None => body.extend_from_slice(b"null"),
        Some(cursor) => {
            body.push(b'"');
            body.extend_from_slice(cursor.as_bytes());
            body.push(b'"');
        }
    }
}
