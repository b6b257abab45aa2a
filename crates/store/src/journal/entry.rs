//! Entries and their body in a frame: time · counters · subjects · payload.

use std::{fmt, str::FromStr};

use smallvec::SmallVec;

use super::{
    error::{JournalError, Result},
    subject::{self, MAX_SUBJECT, Subject},
};
use crate::codec::{Reader, put_varint};

/// Where an entry stands. Later entries have greater ids; its text has the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    pub segment: u64,
    pub offset: u32,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A letter for the number of digits keeps the order of texts that of numbers.
        let segment = format!("{:x}", self.segment);
        let width = char::from(b'a' + (segment.len() - 1) as u8);
        write!(f, "{width}{segment}{:08x}", self.offset)
    }
}

impl FromStr for EntryId {
    type Err = JournalError;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let digits = text.get(1..)?;
            let width = usize::from(text.bytes().next()?.checked_sub(b'a')?) + 1;
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if width > 16 || digits.len() != width + 8 || !digits.bytes().all(lower) {
                return None;
            }
            let (segment, offset) = digits.split_at(width);
            let id = Self {
                segment: u64::from_str_radix(segment, 16).ok()?,
                offset: u32::from_str_radix(offset, 16).ok()?,
            };
            (id.to_string() == text).then_some(id)
        };
        parse().ok_or(JournalError::Invalid("not an id of an entry"))
    }
}

/// Counter id and amount.
pub type Counters = SmallVec<[(u64, u64); 2]>;

#[derive(Debug, Clone, Default)]
pub struct NewEntry {
    pub payload: Vec<u8>,
    /// At most 64 bytes each; sorted and made unique when written.
    pub subjects: Vec<Vec<u8>>,
    /// Added to the counters with the entry, or not at all.
    pub counters: Counters,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// True: durable before the ticket resolves. False: written, and durable within `lazy_sync_ms`.
    pub urgent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub id: EntryId,
    pub at_ms: i64,
    pub payload: Vec<u8>,
    /// Unique; codes of eleven digits first, then the others.
    pub subjects: Vec<Vec<u8>>,
    pub counters: Counters,
}

pub(super) fn encode(entry: NewEntry, limit: usize) -> Result<Vec<u8>> {
    if entry.subjects.iter().any(|subject| subject.len() > MAX_SUBJECT) {
        return Err(JournalError::Invalid("a subject is longer than 64 bytes"));
    }
    let mut body = Vec::with_capacity(32 + entry.payload.len() + 5 * entry.subjects.len());
    body.extend_from_slice(&entry.at_ms.to_le_bytes());
    put_varint(&mut body, entry.counters.len() as u64);
    for (counter, amount) in &entry.counters {
        put_varint(&mut body, *counter);
        put_varint(&mut body, *amount);
    }
    subject::put_list(&mut body, entry.subjects);
    body.extend_from_slice(&entry.payload);
    if body.len() > limit {
        return Err(JournalError::TooLarge { limit });
    }
    Ok(body)
}

/// What stands before the subjects.
pub(super) struct Opening<'a> {
    pub at_ms: i64,
    pub counters: Counters,
    /// At the subjects.
    pub rest: Reader<'a>,
}

/// `None` = not the body of an entry.
pub(super) fn open(body: &[u8]) -> Option<Opening<'_>> {
    let mut reader = Reader(body);
    let at_ms = i64::from_le_bytes(reader.take(8)?.try_into().ok()?);
    let mut counters = Counters::new();
    for _ in 0..reader.varint()? {
        counters.push((reader.varint()?, reader.varint()?));
    }
    Some(Opening {
        at_ms,
        counters,
        rest: reader,
    })
}

pub(super) fn decode(id: EntryId, body: &[u8]) -> Option<StoredEntry> {
    let Opening {
        at_ms,
        counters,
        mut rest,
    } = open(body)?;
    let mut codes = Vec::new();
    let mut others = Vec::new();
    subject::read_list(
        &mut rest,
        |code| codes.push(Subject::Code(code).to_bytes()),
        |other| others.push(other.to_vec()),
    )?;
    codes.append(&mut others);
    Some(StoredEntry {
        id,
        at_ms,
        payload: rest.0.to_vec(),
        subjects: codes,
        counters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_keep_their_order_as_text(a: (u64, u32), b: (u64, u32)) {
            let a = EntryId { segment: a.0, offset: a.1 };
            let b = EntryId { segment: b.0 >> (b.0 % 64), offset: b.1 };
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(b.to_string().parse::<EntryId>().unwrap(), b);
        }

        #[test]
        fn any_text_or_bytes_may_be_asked(text: String, bytes: Vec<u8>) {
            let _ = text.parse::<EntryId>();
            let _ = decode(EntryId { segment: 1, offset: 0 }, &bytes);
        }
    }
}
