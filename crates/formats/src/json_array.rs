//! A JSON array of records, item by item: the array itself is never held.

use dagr_model::fault::Fault;

use crate::json::{Kind, Reader};
use crate::ndjson::too_long;
use crate::partial::{Partial, Whole};
use crate::{Limits, Row, Sink, Unreadable};

pub(crate) struct JsonArray {
    state: State,
    partial: Partial,
    limits: Limits,
    /// Place of the item that is under way or was last, from 1.
    item: u64,
    /// Bytes of text before the chunk at hand.
    before: u64,
    /// Offset in the text where the item under way began.
    item_start: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// After `[` (`first`) or a comma.
    BeforeItem {
        first: bool,
    },
    /// Inside an object or array.
    Nested {
        depth: u64,
    },
    /// Inside a string at that depth; `escape` = after a backslash.
    InString {
        depth: u64,
        escape: bool,
    },
    Scalar,
    AfterItem,
    End,
}

impl JsonArray {
    pub fn new(limits: Limits) -> Self {
        let partial = Partial::new(limits.max_row_bytes);
        Self {
            state: State::Start,
            partial,
            limits,
            item: 0,
            before: 0,
            item_start: 0,
        }
    }

    /// `mark` = bytes of the body before the text.
    pub fn push(&mut self, text: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        let mut at = 0;
        while at < text.len() {
            match self.state {
                State::Start | State::BeforeItem { .. } | State::AfterItem | State::End => {
                    let byte = text[at];
                    if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                        let begins_item = self.between(byte, self.before + at as u64, mark)?;
                        if begins_item {
                            self.item += 1;
                            self.item_start = self.before + at as u64;
                            continue_item(&mut self.state, byte);
                            at =
                                self.inside(text, at, usize::from(self.state != State::Scalar), mark, sink)?;
                            continue;
                        }
                    }
                    at += 1;
                }
                _ => at = self.inside(text, at, 0, mark, sink)?,
            }
        }
        self.before += text.len() as u64;
        Ok(())
    }

    pub fn finish(&mut self, mark: usize) -> Result<(), Unreadable> {
        match self.state {
            State::End => Ok(()),
            State::Start if self.before == 0 => Err(self.unreadable(
                0,
                mark,
                "the body is empty: send an array of records; `[]` is the package of zero rows",
            )),
            State::Start => Err(self.unreadable(
                self.before,
                mark,
                "the body holds no array: send an array of records",
            )),
            _ => Err(self.unreadable(
                self.before,
                mark,
                "the array is cut off: send the whole body again",
            )),
        }
    }

    /// A byte between items, white space apart. True if an item begins with it.
    fn between(&mut self, byte: u8, at: u64, mark: usize) -> Result<bool, Unreadable> {
        self.state = match (self.state, byte) {
            (State::Start, b'[') => State::BeforeItem { first: true },
            (State::Start, b'{') => {
                return Err(self.unreadable(
                    at,
                    mark,
                    "the body is not an array: put the records into [ ], or send operations as application/x-ndjson",
                ));
            }
            (State::Start, _) => {
                return Err(self.unreadable(at, mark, "the body is not a JSON array of records"));
            }
            (State::BeforeItem { first: true } | State::AfterItem, b']') => State::End,
            (State::AfterItem, b',') => State::BeforeItem { first: false },
            (State::AfterItem, _) => {
                return Err(self.unreadable(at, mark, "`,` or `]` must stand after an item"));
            }
            (State::BeforeItem { .. }, b']' | b',' | b'}' | b':') => {
                return Err(self.unreadable(at, mark, "an item must stand here"));
            }
            (State::End, _) => {
                return Err(self.unreadable(at, mark, "something follows the end of the array"));
            }
            _ => return Ok(true),
        };
        Ok(false)
    }

    /// Goes on inside an item that has bytes from `start` in this chunk, `seen` of them looked at already.
    fn inside(
        &mut self,
        text: &[u8],
        start: usize,
        seen: usize,
        mark: usize,
        sink: &mut dyn Sink,
    ) -> Result<usize, Unreadable> {
        match scan(&mut self.state, &text[start..], seen) {
            Some(length) => {
                self.give(&text[start..start + length], mark, sink)?;
                self.state = State::AfterItem;
                Ok(start + length)
            }
            None => {
                self.partial.add(&text[start..]);
                Ok(text.len())
            }
        }
    }

    fn give(&mut self, last: &[u8], mark: usize, sink: &mut dyn Sink) -> Result<(), Unreadable> {
        let line = self.item;
        let place = format!("item {line}");
        let (start, limits) = (self.item_start + mark as u64, self.limits);
        let given = match self.partial.whole(last) {
            Whole::TooLong => sink.row(Row::Bad {
                line,
                fault: too_long(place, limits),
            }),
            Whole::Row(json) => match look(json, limits.max_depth) {
                Ok(Kind::Object) => sink.row(Row::Upsert { line, json }),
                Ok(_) => sink.row(Row::Bad {
                    line,
                    fault: Fault::new(
                        place,
                        "json",
                        "the item is not an object: write each record as {…}",
                    ),
                }),
                // Broken syntax inside an item means that the body is not JSON; where it would go on is a guess.
                Err(("json" | "charset", at, what)) => Err(Unreadable::package(
                    place,
                    "json",
                    format!("byte {} of the body: {what}", start + at as u64),
                )),
                Err((rule, at, what)) => sink.row(Row::Bad {
                    line,
                    fault: Fault::new(place, rule, format!("byte {} of the item: {what}", at + 1)),
                }),
            },
        };
        self.partial.clear();
        given
    }

    fn unreadable(&self, at: u64, mark: usize, what: &str) -> Unreadable {
        Unreadable::package(
            format!("item {}", self.item),
            "json",
            format!("byte {} of the body: {what}", at + mark as u64),
        )
    }
}

fn look(json: &[u8], max_depth: usize) -> Result<Kind, (&'static str, usize, &'static str)> {
    if let Err(error) = simdutf8::compat::from_utf8(json) {
        return Err(("charset", error.valid_up_to(), "not UTF-8, which JSON must be"));
    }
    let mut reader = Reader::new(json, max_depth);
    let read = reader.value().and_then(|(kind, _)| reader.end().map(|()| kind));
    read.map_err(|broken| (broken.rule, broken.at, broken.what))
}

/// The state inside an item that begins with `byte`.
fn continue_item(state: &mut State, byte: u8) {
    *state = match byte {
        b'{' | b'[' => State::Nested { depth: 1 },
        b'"' => State::InString {
            depth: 0,
            escape: false,
        },
        _ => State::Scalar,
    };
}

/// Finds the end of the item in `text`, or keeps the state for the next chunk. Only brackets and strings are followed.
fn scan(state: &mut State, text: &[u8], mut at: usize) -> Option<usize> {
    while at < text.len() {
        match *state {
            State::InString { depth, escape: true } => {
                *state = State::InString { depth, escape: false };
                at += 1;
            }
            State::InString { depth, escape: false } => {
                let found = memchr::memchr2(b'"', b'\\', &text[at..])?;
                at += found + 1;
                if text[at - 1] == b'\\' {
                    *state = State::InString { depth, escape: true };
                } else if depth == 0 {
                    return Some(at);
                } else {
                    *state = State::Nested { depth };
                }
            }
            State::Nested { depth } => {
                let found = text[at..]
                    .iter()
                    .position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                at += found + 1;
                match text[at - 1] {
                    b'"' => *state = State::InString { depth, escape: false },
                    b'{' | b'[' => *state = State::Nested { depth: depth + 1 },
                    _ if depth == 1 => return Some(at),
                    _ => *state = State::Nested { depth: depth - 1 },
                }
            }
            _ => {
                let end = text[at..]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r'))?;
                return Some(at + end);
            }
        }
    }
    None
}
