//! What a reader was given under an earlier revision of its permission.

use dagr_model::ids::Sequence;

use super::{Follow, MAX_KEY, MAX_NUMBER, read_key};
use crate::codec::{Reader, put_bytes, put_time, put_varint};

/// Amendments that may follow one another before the first is wholly taken back.
pub const MAX_LAYERS: usize = 3;
/// Stretches a layer remembers: a reader that was up to date has none.
const STRETCHES: usize = 3;
/// Longest encoded layer, in bytes.
pub(super) const MAX_BYTES: usize = MAX_NUMBER * (4 + 2 * STRETCHES) + 1 + 2 + MAX_KEY;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Of the permission.
    pub revision: u32,
    /// When the last cursor of that revision was sealed, milliseconds.
    pub sealed_ms: i64,
    given: Follow,
    /// Nothing after this key was given: that first load ended here. Empty = it was through.
    last: Vec<u8>,
}

impl Layer {
    pub(super) fn new(revision: u32, sealed_ms: i64, mut given: Follow, last: Vec<u8>) -> Self {
        given.keep(STRETCHES);
        Self {
            revision,
            sealed_ms,
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
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            revision: u32::try_from(reader.varint()?).ok()?,
            sealed_ms: reader.time()?,
            given: Follow::read(reader, STRETCHES)?,
            last: read_key(reader)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{POSITION_BYTES, Position, Reading};
    use super::*;

    /// Halfway through a first load, with the longest key; then after as many pages at other heads as are remembered.
    fn positions() -> [Position; 2] {
        let head = u64::MAX - 1_000;
        let mut follow = Follow::new(head);
        for step in 1..40 {
            follow.advance(head + step, u64::MAX - 500 + step);
        }
        let load = Reading::Load {
            head,
            after: vec![9; MAX_KEY],
        };
        [load, Reading::Follow(follow)].map(|reading| Position {
            reading,
            layers: Vec::new(),
        })
    }

    #[test]
    fn layers_of_the_longest_fit_and_one_too_many_is_told() {
        for mut position in positions() {
            for revision in 0..MAX_LAYERS as u32 {
                assert!(position.amend(u32::MAX - revision, i64::MAX, u64::MAX - 400));
                if let Reading::Load { after, .. } = &mut position.reading {
                    *after = vec![8; MAX_KEY];
                }
                let bytes = position.to_bytes();
                assert_eq!(bytes.len(), POSITION_BYTES);
                assert_eq!(Position::from_bytes(&bytes).as_ref(), Some(&position));
            }
            assert!(!position.amend(1, 0, u64::MAX));
        }
    }

    #[test]
    fn what_was_given_ends_at_the_last_key_of_a_load() {
        let mut position = Position::load(10);
        assert!(position.amend(1, 0, 20));
        assert_eq!(position, Position::load(20), "nothing was given");
        if let Reading::Load { after, .. } = &mut position.reading {
            *after = vec![5];
        }
        assert!(position.amend(2, 0, 30));
        assert_eq!((position.reading.at(), position.since()), (30, 20));
        let layer = &position.layers[0];
        assert!(layer.holds(&[5], 20) && !layer.holds(&[5], 21) && !layer.holds(&[5, 0], 20));
        assert!(layer.was_given(&[4], 20, 21));
        assert!(!layer.was_given(&[4], 20, 20) && !layer.was_given(&[6], 20, 21));
    }
}
