//! What a reader was given under an earlier revision of its permission.

use dagr_model::ids::Sequence;

use super::{Follow, MAX_KEY, MAX_NUMBER, read_key};
use crate::codec::{Reader, put_bytes, put_time, put_varint};

/// Amendments that may follow one another before the first is wholly taken back.
pub const MAX_LAYERS: usize = 3;
/// Stretches a layer remembers: a reader that was up to date has none.
const STRETCHES: usize = 3;
/// Longest encoded layer, in bytes.
pub(super) const MAX_BYTES: usize = MAX_NUMBER * (5 + 2 * STRETCHES) + 1 + 2 + MAX_KEY;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Of the permission.
    pub revision: u32,
    /// When the last cursor of that revision was sealed, milliseconds.
    pub sealed_ms: i64,
    given: Follow,
    /// Nothing after this key was given: that first load ended here. Empty = it was through.
    last: Vec<u8>,
    /// What went up to here has been told.
    pub looked: Sequence,
}

impl Layer {
    pub(super) fn new(revision: u32, sealed_ms: i64, mut given: Follow, last: Vec<u8>) -> Self {
        given.keep(STRETCHES);
        Self {
            revision,
            sealed_ms,
            looked: given.at,
            given,
            last,
        }
    }

    /// Where that reader was: what came later was never given under this revision.
    pub fn at(&self) -> Sequence {
        self.given.at
    }

    /// Was the record, which came at `entered` and is still there, given?
    pub fn holds(&self, key: &[u8], entered: Sequence) -> bool {
        self.reached(key) && self.given.holds(entered)
    }

    /// Was the record, which came at `entered` and went at `gone`, given?
    pub fn was_given(&self, key: &[u8], entered: Sequence, gone: Sequence) -> bool {
        self.reached(key) && self.given.was_given(entered, gone)
    }

    fn reached(&self, key: &[u8]) -> bool {
        self.last.is_empty() || key <= self.last.as_slice()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.revision));
        put_time(out, self.sealed_ms);
        self.given.write(out);
        put_bytes(out, &self.last);
        put_varint(out, self.looked);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            revision: u32::try_from(reader.varint()?).ok()?,
            sealed_ms: reader.time()?,
            given: Follow::read(reader, STRETCHES)?,
            last: read_key(reader)?,
            looked: reader.varint()?,
        })
    }
}
