//! Canonical records and the span table beside them.
//!
//! # Span table
//!
//! Says where every field stands in the canonical JSON, so that a mask is applied by copying byte ranges. All
//! numbers are LEB128 varints (7 bits a byte, lowest first, high bit = more).
//!
//! ```text
//! record  = object
//! object  = entry*                         members in the order of the JSON, to the end of the bytes
//! entry   = position length                a leaf (also a list of values)
//!         | position length size object    a single object
//!         | position length size element*  a list of objects
//! element = length size object
//! ```
//!
//! `position` is that of the field among its parent's fields in the definition: stable, since new fields come at
//! the end. `length` is that of the value's JSON in bytes; `size` that of the nested table. Labels and commas
//! are not counted: the schema knows how long they are.

mod cells;
mod diff;
mod mask;
mod object;
mod reader;
mod scan;
mod spans;
mod values;

pub use diff::changed_leaves;
pub use mask::{Mask, project};
pub(crate) use scan::text_of;

/// Largest canonical record in bytes.
pub const MAX_RECORD: usize = 1 << 20;

/// Most faults told of one record.
pub const MAX_FAULTS: usize = 100;

/// A record in its one canonical form, with its span table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canonical {
    pub json: Vec<u8>,
    pub spans: Vec<u8>,
}

impl Canonical {
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            json: &self.json,
            spans: &self.spans,
        }
    }
}

/// A stored record. `spans` must be the table of `json`; a damaged table gives a wrong part, never a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    pub json: &'a [u8],
    pub spans: &'a [u8],
}

#[cfg(test)]
mod tests;
