//! A position in a feed, as a cursor holds it: constant length.
//!
//! A delete (or a leaving) at *s* of what came at *e* is told if and only if it had been given: *e* lies at or
//! before the position and, where that stretch was read when the set's head was already at *h* > position, the
//! record was still there at *h*. Pages of one poll may be read at different heads: `stretches` remembers them
//! until the position has passed those heads.
//!
//! Two things are told a delete too many, never one too few; of a record that was visible when a page was read, so
//! that nobody hears of what came and went between two: what went before the first load came to it, and what moved
//! on in the feed before its page came.

//!
//! A permission that was amended leaves a `Layer` behind: what was given under the earlier revision, until it is
//! taken back where it no longer stands. What the reader is told under the new one is a first load again.

mod layer;

use dagr_model::ids::Sequence;

use crate::codec::{Reader, put_bytes, put_varint};

pub use layer::{Layer, MAX_LAYERS};

/// Stretches remembered exactly. With more, two that were read at near heads become one, read at the earlier: a
/// delete too many, of what was there at that head, never one too few.
const STRETCHES: usize = 24;
/// Longest encoded key, in bytes.
const MAX_KEY: usize = 255;
/// Longest encoded number, in bytes.
const MAX_NUMBER: usize = 10;
/// Length of an encoded position: a load and as many layers as there may be, each as long as it can get.
pub const POSITION_BYTES: usize = 1 + MAX_NUMBER + 2 + MAX_KEY + 1 + MAX_LAYERS * layer::MAX_BYTES;

// Layers are gone before a reader follows on, so one that follows has the room for its stretches.
const _: () = assert!(2 + MAX_NUMBER * (2 + 2 * STRETCHES) < POSITION_BYTES);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub reading: Reading,
    /// What was given under earlier revisions and is not yet taken back, oldest first.
    pub layers: Vec<Layer>,
}

/// Where the reader is under the present revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// First load in key order; `head` = the sequence when it began.
    Load {
        head: Sequence,
        after: Vec<u8>,
    },
    Follow(Follow),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Follow {
    /// Everything visible at or before this has been told.
    pub at: Sequence,
    /// Where the first stretch begins.
    base: Sequence,
    /// (end of the stretch, head when it was read), both growing.
    stretches: Vec<(Sequence, Sequence)>,
}

impl Follow {
    pub fn new(at: Sequence) -> Self {
        Self {
            at,
            base: at,
            stretches: Vec::new(),
        }
    }

    /// Was what came at `entered` and is still there given to this reader?
    pub fn holds(&self, entered: Sequence) -> bool {
        entered <= self.at
    }

    /// Was what came at `entered` and went at `gone` given to this reader?
    pub fn was_given(&self, entered: Sequence, gone: Sequence) -> bool {
        if entered > self.at || gone <= self.at {
            return false;
        }
        if entered <= self.base {
            return true;
        }
        self.stretches
            .iter()
            .find(|(end, _)| entered <= *end)
            .is_none_or(|(_, head)| gone > *head)
    }

    /// Moves to `to`, having read everything up to it when the head was `head`.
    pub fn advance(&mut self, to: Sequence, head: Sequence) {
        if to > self.at {
            match self.stretches.last_mut() {
                Some(last) if last.1 == head => last.0 = to,
                _ => {
                    if self.stretches.is_empty() {
                        self.base = self.at;
                    }
                    self.stretches.push((to, head));
                }
            }
            self.at = to;
        }
        while self.stretches.first().is_some_and(|(_, head)| *head <= self.at) {
            self.base = self.stretches.remove(0).0;
        }
        self.keep(STRETCHES);
    }

    /// Remembers at most `most` stretches.
    fn keep(&mut self, most: usize) {
        while self.stretches.len() > most {
            self.join_nearest();
        }
    }

    fn join_nearest(&mut self) {
        let gap = |at: &usize| self.stretches[at + 1].1 - self.stretches[*at].1;
        if let Some(nearest) = (0..self.stretches.len() - 1).min_by_key(gap) {
            self.stretches[nearest].0 = self.stretches.remove(nearest + 1).0;
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.at);
        put_varint(out, self.base);
        out.push(self.stretches.len() as u8);
        for (end, head) in &self.stretches {
            put_varint(out, *end);
            put_varint(out, *head);
        }
    }

    fn read(reader: &mut Reader<'_>, most: usize) -> Option<Self> {
        let (at, base) = (reader.varint()?, reader.varint()?);
        let count = usize::from(reader.byte()?);
        if count > most {
            return None;
        }
        let stretches = (0..count)
            .map(|_| Some((reader.varint()?, reader.varint()?)))
            .collect::<Option<_>>()?;
        Some(Self { at, base, stretches })
    }
}

impl Reading {
    /// Everything visible at or before this has been told, or is by the load.
    pub fn at(&self) -> Sequence {
        match self {
            Self::Load { head, .. } => *head,
            Self::Follow(follow) => follow.at,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Load { head, after } => {
                out.push(0);
                put_varint(out, *head);
                put_bytes(out, after);
            }
            Self::Follow(follow) => {
                out.push(1);
                follow.write(out);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.byte()? {
            0 => Some(Self::Load {
                head: reader.varint()?,
                after: read_key(reader)?,
            }),
            1 => Some(Self::Follow(Follow::read(reader, STRETCHES)?)),
            _ => None,
        }
    }
}

fn read_key(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let key = reader.bytes()?;
    (key.len() <= MAX_KEY).then(|| key.to_vec())
}

impl Position {
    /// A first load that begins now.
    pub fn load(head: Sequence) -> Self {
        Self {
            reading: Reading::Load {
                head,
                after: Vec::new(),
            },
            layers: Vec::new(),
        }
    }

    /// Deletes after this have yet to be told: they must not be forgotten.
    pub fn since(&self) -> Sequence {
        let given = self.layers.iter().map(Layer::at);
        given.fold(self.reading.at(), Sequence::min)
    }

    /// The permission is another since this position was sealed, under `revision`: what was given so far is to be
    /// taken back or told anew. `false` = more such amendments in a row than are remembered.
    pub fn amend(&mut self, revision: u32, sealed_ms: i64, head: Sequence) -> bool {
        let next = Self::load(head).reading;
        let layer = match std::mem::replace(&mut self.reading, next) {
            // Nothing was given yet.
            Reading::Load { after, .. } if after.is_empty() => return true,
            Reading::Load { head, after } => Layer::new(revision, sealed_ms, Follow::new(head), after),
            Reading::Follow(follow) => Layer::new(revision, sealed_ms, follow, Vec::new()),
        };
        self.layers.push(layer);
        self.layers.len() <= MAX_LAYERS
    }

    /// Always `POSITION_BYTES` long, so that a cursor's length tells nothing.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(POSITION_BYTES);
        self.reading.write(&mut out);
        out.push(self.layers.len() as u8);
        for layer in &self.layers {
            layer.write(&mut out);
        }
        out.resize(POSITION_BYTES, 0);
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let reading = Reading::read(&mut reader)?;
        let count = usize::from(reader.byte()?);
        if count > MAX_LAYERS {
            return None;
        }
        let layers = (0..count)
            .map(|_| Layer::read(&mut reader))
            .collect::<Option<_>>()?;
        Some(Self { reading, layers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_came_and_went_between_polls_is_not_told() {
        // Position 10, head 20: a record came at 12 and went at 18. The page up to 15 never showed it.
        let mut follow = Follow::new(10);
        follow.advance(15, 20);
        assert!(!follow.was_given(12, 18), "gone before the page was read");
        assert!(follow.was_given(12, 21), "gone after the page was read");
        assert!(follow.was_given(9, 18), "given by an earlier poll");
        follow.advance(20, 20);
        assert!(follow.was_given(12, 21));
        assert_eq!(
            follow,
            Follow {
                at: 20,
                base: 20,
                stretches: vec![]
            }
        );
    }

    #[test]
    fn pages_read_at_different_heads_are_told_apart() {
        let mut follow = Follow::new(0);
        follow.advance(5, 50);
        follow.advance(8, 60);
        assert!(follow.was_given(3, 55), "still there at head 50");
        assert!(!follow.was_given(7, 55), "gone when its page was read at head 60");
    }

    proptest! {
        #[test]
        fn positions_keep_their_bytes(steps in prop::collection::vec((0u64..50, 0u64..50), 0..40)) {
            let mut follow = Follow::new(3);
            let mut head = 3;
            for (move_by, grow) in steps {
                head = head.max(follow.at) + grow;
                follow.advance((follow.at + move_by).min(head), head);
            }
            let position = Position {
                reading: Reading::Follow(follow),
                layers: Vec::new(),
            };
            let bytes = position.to_bytes();
            prop_assert_eq!(bytes.len(), POSITION_BYTES);
            prop_assert_eq!(Position::from_bytes(&bytes), Some(position));
        }

        /// Enough pages at different heads that stretches are joined.
        #[test]
        fn deletes_of_what_was_given_are_told_and_only_of_what_was_seen(
            steps in prop::collection::vec((0u64..4, 0u64..6), 0..80),
            lives in prop::collection::vec((1u64..200, 1u64..200), 50),
        ) {
            let mut follow = Follow::new(3);
            let (mut head, mut pages) = (3, vec![(0, 3, 3)]);
            for (move_by, grow) in steps {
                head += grow;
                let to = (follow.at + move_by).min(head);
                pages.push((follow.at, to, head));
                follow.advance(to, head);
            }
            for (entered, stay) in lives {
                let gone = entered + stay;
                if gone <= follow.at {
                    continue;
                }
                let given = pages.iter().any(|(from, to, head)| *from < entered && entered <= *to && gone > *head);
                let seen = pages.iter().any(|(.., head)| (entered..gone).contains(head));
                prop_assert!(!given || follow.was_given(entered, gone));
                prop_assert!(!follow.was_given(entered, gone) || seen);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Position::from_bytes(&bytes);
        }
    }
}
