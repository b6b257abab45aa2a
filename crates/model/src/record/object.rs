//! Building one canonical object, whatever order its members come in.

use smallvec::SmallVec;

use crate::schema::{NodeId, Schema};

use super::{
    Canonical,
    spans::{insert_front, push_varint},
};

/// Canonical JSON and span table while they grow. Every member is written with a comma before it; closing the
/// object turns the first comma into the brace.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) json: Vec<u8>,
    pub(super) spans: Vec<u8>,
}

/// Lengths of an `Output`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    json: usize,
    spans: usize,
}

/// A member written: where it ends; it begins where the one before it ends.
#[derive(Debug, Clone, Copy)]
struct Written {
    position: usize,
    end: Mark,
}

/// An object under construction.
#[derive(Debug)]
pub(super) struct Open {
    start: Mark,
    written: SmallVec<[Written; 24]>,
    ordered: bool,
    /// Bitmap of the positions met.
    seen: SmallVec<[u64; 2]>,
    /// Bitmap of the positions with a value, good or refused.
    given: SmallVec<[u64; 2]>,
}

impl Output {
    pub(super) fn reusing(before: Canonical) -> Self {
        let Canonical { mut json, mut spans } = before;
        json.clear();
        spans.clear();
        Self { json, spans }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            json: self.json.len(),
            spans: self.spans.len(),
        }
    }

    pub(super) fn back(&mut self, mark: Mark) {
        self.json.truncate(mark.json);
        self.spans.truncate(mark.spans);
    }

    pub(super) fn open(&self, children: usize) -> Open {
        let words = children.div_ceil(64);
        Open {
            start: self.mark(),
            written: SmallVec::new(),
            ordered: true,
            seen: SmallVec::from_elem(0, words),
            given: SmallVec::from_elem(0, words),
        }
    }

    /// Begins a member: comma and label. Give the mark back to `end_member`.
    pub(super) fn begin_member(&mut self, schema: &Schema, node: NodeId) -> Mark {
        self.json.push(b',');
        self.json.extend_from_slice(&schema.nodes[node].label);
        self.mark()
    }

    /// Writes the table entry of a member whose value stands from `value` on.
    pub(super) fn end_member(
        &mut self,
        schema: &Schema,
        node: NodeId,
        open: &mut Open,
        position: usize,
        value: Mark,
    ) {
        let length = self.json.len() - value.json;
        if schema.nodes[node].is_object() {
            let mut head = Vec::with_capacity(8);
            push_varint(position, &mut head);
            push_varint(length, &mut head);
            push_varint(self.spans.len() - value.spans, &mut head);
            insert_front(&mut self.spans, value.spans, &head);
        } else {
            push_varint(position, &mut self.spans);
            push_varint(length, &mut self.spans);
        }
        open.ordered &= open.written.last().is_none_or(|last| last.position < position);
        open.written.push(Written {
            position,
            end: self.mark(),
        });
    }

    /// Writes the table entry of a list element whose object stands from `element` on (after its comma).
    pub(super) fn end_element(&mut self, element: Mark) {
        let mut head = Vec::with_capacity(8);
        push_varint(self.json.len() - element.json, &mut head);
        push_varint(self.spans.len() - element.spans, &mut head);
        insert_front(&mut self.spans, element.spans, &head);
    }

    /// Closes the object. False (and nothing left) if it has no member.
    pub(super) fn close(&mut self, open: &Open) -> bool {
        if open.written.is_empty() {
            self.back(open.start);
            return false;
        }
        if !open.ordered {
            self.sort(open);
        }
        self.json[open.start.json] = b'{';
        self.json.push(b'}');
        true
    }

    fn sort(&mut self, open: &Open) {
        let mut from = open.start;
        let mut pieces: SmallVec<[(usize, Mark, Mark); 24]> = SmallVec::new();
        for member in &open.written {
            pieces.push((member.position, from, member.end));
            from = member.end;
        }
        pieces.sort_unstable_by_key(|(position, ..)| *position);
        let (mut json, mut spans) = (Vec::new(), Vec::new());
        for (_, from, to) in pieces {
            json.extend_from_slice(&self.json[from.json..to.json]);
            spans.extend_from_slice(&self.spans[from.spans..to.spans]);
        }
        self.back(open.start);
        self.json.extend_from_slice(&json);
        self.spans.extend_from_slice(&spans);
    }
}

impl Open {
    /// No value came, neither good nor refused.
    pub(super) fn is_empty(&self) -> bool {
        self.given.iter().all(|word| *word == 0)
    }

    /// False if this position was met before.
    pub(super) fn meet(&mut self, position: usize) -> bool {
        let bit = 1 << (position % 64);
        let first = self.seen[position / 64] & bit == 0;
        self.seen[position / 64] |= bit;
        first
    }

    /// The position has a value, good or refused: it is not missing.
    pub(super) fn give(&mut self, position: usize) {
        self.given[position / 64] |= 1 << (position % 64);
    }

    /// Positions of `required` that were not given.
    pub(super) fn missing(&self, required: &[u64]) -> impl Iterator<Item = usize> {
        let lacking: SmallVec<[u64; 2]> = required
            .iter()
            .zip(&self.given)
            .map(|(must, has)| must & !has)
            .collect();
        lacking
            .into_iter()
            .enumerate()
            .filter(|(_, word)| *word != 0)
            .flat_map(|(at, word)| {
                (0..64)
                    .filter(move |bit| word & (1 << bit) != 0)
                    .map(move |bit| at * 64 + bit)
            })
    }
}
