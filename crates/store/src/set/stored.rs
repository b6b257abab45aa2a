//! A record as it is stored.
//!
//! ```text
//! format (1) · digest (32) · meta length · meta · spans length · spans · canonical JSON
//! meta = creation sequence · creation time
//!        · n × (sequence · time · words · word…)        leaf sequences, newest first
//!        · m × (scope list id · sequence · time)        where it entered a scope by a later change
//! ```
//! Numbers are varints, words 8 bytes little-endian. A leaf in no group was last changed at the creation.

use dagr_model::{ids::Sequence, leaves::LeafSet, record::RecordRef};
use smallvec::SmallVec;

use super::{corrupt, keys::ListId};
use crate::{
    codec::{Reader, put_bytes, put_time, put_varint},
    kv::KvError,
};

const FORMAT: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct At {
    pub sequence: Sequence,
    pub time_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub at: At,
    pub leaves: LeafSet,
}

/// Leaf sequences and scope entries of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    pub creation: At,
    pub groups: SmallVec<[Group; 4]>,
    pub scopes: SmallVec<[(ListId, At); 2]>,
}

/// Borrowed view of a stored record.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    pub digest: &'a [u8; 32],
    meta: &'a [u8],
    pub record: RecordRef<'a>,
}

impl<'a> Stored<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, KvError> {
        Self::parse(bytes).ok_or_else(|| corrupt("record"))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.byte()? != FORMAT {
            return None;
        }
        let digest = reader.take(32)?.try_into().ok()?;
        let meta = reader.bytes()?;
        let spans = reader.bytes()?;
        Some(Self {
            digest,
            meta,
            record: RecordRef {
                json: reader.0,
                spans,
            },
        })
    }

    /// Where this record stands in the feed of whoever sees `leaves` (and, in a scope, since when).
    pub fn place(&self, leaves: &LeafSet, scope: Option<ListId>) -> Result<Place, KvError> {
        self.find_place(leaves, scope)
            .ok_or_else(|| corrupt("leaf sequences"))
    }

    fn find_place(&self, leaves: &LeafSet, scope: Option<ListId>) -> Option<Place> {
        let mut reader = Reader(self.meta);
        let creation = read_at(&mut reader)?;
        let mut place = creation;
        let shown = leaves.words();
        for _ in 0..reader.varint()? {
            let at = read_at(&mut reader)?;
            let mut seen = false;
            for word in 0..reader.varint()? as usize {
                let bits = u64::from_le_bytes(reader.take(8)?.try_into().ok()?);
                seen |= shown.get(word).is_some_and(|mask| mask & bits != 0);
            }
            if seen && at.sequence > place.sequence {
                place = at;
            }
        }
        let mut entered = creation.sequence;
        if let Some(scope) = scope {
            for _ in 0..reader.varint()? {
                let id = reader.varint()?;
                let at = read_at(&mut reader)?;
                if id == u64::from(scope) {
                    entered = at.sequence;
                    if at.sequence > place.sequence {
                        place = at;
                    }
                }
            }
        }
        Some(Place { at: place, entered })
    }

    pub fn meta(&self) -> Result<Meta, KvError> {
        Meta::parse(self.meta).ok_or_else(|| corrupt("record header"))
    }
}

/// A record's one place in a feed, and since when it is in what that feed tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub at: At,
    pub entered: Sequence,
}

fn read_at(reader: &mut Reader<'_>) -> Option<At> {
    Some(At {
        sequence: reader.varint()?,
        time_ms: reader.time()?,
    })
}

fn put_at(out: &mut Vec<u8>, at: At) {
    put_varint(out, at.sequence);
    put_time(out, at.time_ms);
}

impl Meta {
    pub fn created(at: At) -> Self {
        Self {
            creation: at,
            ..Self::default()
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut meta = Self::created(read_at(&mut reader)?);
        for _ in 0..reader.varint()? {
            let at = read_at(&mut reader)?;
            let mut words = SmallVec::<[u64; 4]>::new();
            for _ in 0..reader.varint()? {
                words.push(u64::from_le_bytes(reader.take(8)?.try_into().ok()?));
            }
            meta.groups.push(Group {
                at,
                leaves: LeafSet::from_words(words),
            });
        }
        for _ in 0..reader.varint()? {
            let id = ListId::try_from(reader.varint()?).ok()?;
            meta.scopes.push((id, read_at(&mut reader)?));
        }
        Some(meta)
    }

    /// Moves `changed` to `at`; gives the sequences that are now the last change of nothing.
    pub fn touch(&mut self, changed: &LeafSet, at: At) -> SmallVec<[Sequence; 4]> {
        let mut freed = SmallVec::new();
        self.groups.retain(|group| {
            group.leaves.subtract(changed);
            let empty = group.leaves.is_empty();
            if empty {
                freed.push(group.at.sequence);
            }
            !empty
        });
        self.groups.insert(
            0,
            Group {
                at,
                leaves: changed.clone(),
            },
        );
        freed
    }

    /// When the record entered a scope it is in.
    pub fn entered(&self, scope: ListId) -> Sequence {
        self.scopes
            .iter()
            .find(|(id, _)| *id == scope)
            .map_or(self.creation.sequence, |(_, at)| at.sequence)
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_at(out, self.creation);
        put_varint(out, self.groups.len() as u64);
        for group in &self.groups {
            put_at(out, group.at);
            let words = group.leaves.words();
            put_varint(out, words.len() as u64);
            for word in words {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        put_varint(out, self.scopes.len() as u64);
        for (id, at) in &self.scopes {
            put_varint(out, u64::from(*id));
            put_at(out, *at);
        }
    }
}

/// Writes a whole stored record into `out` (cleared first); `scratch` is reused between calls.
pub fn write(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    digest: &[u8; 32],
    meta: &Meta,
    record: RecordRef<'_>,
) {
    scratch.clear();
    meta.write(scratch);
    out.clear();
    out.push(FORMAT);
    out.extend_from_slice(digest);
    put_bytes(out, scratch);
    put_bytes(out, record.spans);
    out.extend_from_slice(record.json);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64) -> At {
        At {
            sequence,
            time_ms: 1_000 + sequence as i64,
        }
    }

    #[test]
    fn a_record_stands_where_its_shown_leaves_last_changed() {
        let mut meta = Meta::created(at(5));
        assert!(meta.touch(&[0, 1].into_iter().collect(), at(7)).is_empty());
        assert!(meta.touch(&[1].into_iter().collect(), at(9)).is_empty());
        meta.scopes.push((3, at(8)));
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        let record = RecordRef {
            json: b"{}",
            spans: b"",
        };
        write(&mut out, &mut scratch, &[7; 32], &meta, record);
        let stored = Stored::read(&out).unwrap();
        assert_eq!(stored.meta().unwrap(), meta);
        let place = |leaves: &[u16], scope| {
            let place = stored.place(&leaves.iter().copied().collect(), scope).unwrap();
            (place.at.sequence, place.entered)
        };
        assert_eq!(place(&[0], None), (7, 5));
        assert_eq!(place(&[1], None), (9, 5));
        assert_eq!(place(&[2], None), (5, 5));
        assert_eq!(place(&[2], Some(3)), (8, 8));
        assert_eq!(place(&[2], Some(4)), (5, 5));
        assert_eq!(meta.touch(&[0].into_iter().collect(), at(11)).as_slice(), [7]);
    }

    #[test]
    fn damage_is_an_error() {
        assert!(Stored::read(b"").is_err());
        assert!(Stored::read(&[1; 20]).is_err());
        assert!(Stored::read(&[9; 80]).is_err());
    }
}
