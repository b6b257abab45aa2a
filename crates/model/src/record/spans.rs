//! Reading and writing the span table.

use crate::schema::{NodeId, Schema};

use super::RecordRef;

pub(super) fn push_varint(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Puts the bytes of `head` before what `out` holds from `at` on.
pub(super) fn insert_front(out: &mut Vec<u8>, at: usize, head: &[u8]) {
    let end = out.len();
    out.extend_from_slice(head);
    out[at..].rotate_right(head.len());
    debug_assert_eq!(out.len(), end + head.len());
}

fn take_varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(number);
        }
    }
    None
}

fn take_slice<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// One object inside a record: its JSON from `{` to `}` and its table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) json: &'a [u8],
    pub(crate) spans: &'a [u8],
}

impl<'a> From<RecordRef<'a>> for Object<'a> {
    fn from(record: RecordRef<'a>) -> Self {
        Self {
            json: record.json,
            spans: record.spans,
        }
    }
}

/// One member of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) position: usize,
    pub(crate) node: NodeId,
    /// `,"Name":value` (the first member has `{` for the comma).
    pub(crate) whole: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Table of a structured value, else empty.
    pub(crate) nested: &'a [u8],
}

impl<'a> Member<'a> {
    pub(crate) fn object(&self) -> Object<'a> {
        Object {
            json: self.value,
            spans: self.nested,
        }
    }

    pub(crate) fn elements(&self) -> Elements<'a> {
        Elements {
            json: self.value,
            spans: self.nested,
        }
    }
}

/// Members of an object in order. Ends early where the table does not fit.
pub(crate) struct Members<'a> {
    schema: &'a Schema,
    children: &'a [NodeId],
    json: &'a [u8],
    spans: &'a [u8],
}

impl Schema {
    pub(crate) fn members_of<'a>(&'a self, parent: Option<NodeId>, object: Object<'a>) -> Members<'a> {
        Members {
            schema: self,
            children: self.children(parent),
            json: object.json,
            spans: object.spans,
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let position = take_varint(&mut self.spans)?;
        let length = take_varint(&mut self.spans)?;
        let id = *self.children.get(position)?;
        let node = &self.schema.nodes[id];
        let nested = if node.is_object() {
            let size = take_varint(&mut self.spans)?;
            take_slice(&mut self.spans, size)?
        } else {
            &[]
        };
        let head = 1 + node.label.len();
        let whole = take_slice(&mut self.json, head + length)?;
        Some(Member {
            position,
            node: id,
            whole,
            value: &whole[head..],
            nested,
        })
    }
}

/// Elements of a list of objects.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    json: &'a [u8],
    spans: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Object<'a>> {
        let length = take_varint(&mut self.spans)?;
        let size = take_varint(&mut self.spans)?;
        let spans = take_slice(&mut self.spans, size)?;
        // `[` or `,` stands before each element.
        let json = take_slice(&mut self.json, length + 1)?.get(1..)?;
        Some(Object { json, spans })
    }
}
