//! An entry of the change table or of a list.

use dagr_model::ids::Sequence;

use super::corrupt;
use crate::{
    codec::{Reader, put_bytes, put_time, put_varint},
    kv::KvError,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The record changed, or entered a scope.
    Upsert = 0,
    /// The record is gone, or left a scope: it had been there since `entered`.
    Delete = 1,
}

/// `kind`, time, `entered`, key, subjects. `entered` and `subjects` only matter for `Delete`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub kind: Kind,
    pub time_ms: i64,
    pub entered: Sequence,
    pub key: &'a [u8],
    /// Data subjects named by the key alone, joined with NUL.
    pub subjects: &'a [u8],
}

impl<'a> Entry<'a> {
    pub fn upsert(key: &'a [u8], time_ms: i64) -> Self {
        Self {
            kind: Kind::Upsert,
            time_ms,
            entered: 0,
            key,
            subjects: &[],
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(self.kind as u8);
        put_time(out, self.time_ms);
        put_bytes(out, self.key);
        if self.kind == Kind::Delete {
            put_varint(out, self.entered);
            put_bytes(out, self.subjects);
        }
    }

    pub fn read(bytes: &'a [u8]) -> Result<Self, KvError> {
        Self::parse(bytes).ok_or_else(|| corrupt("change entry"))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let kind = match reader.byte()? {
            0 => Kind::Upsert,
            1 => Kind::Delete,
            _ => return None,
        };
        let time_ms = reader.time()?;
        let key = reader.bytes()?;
        let (entered, subjects) = if kind == Kind::Delete {
            (reader.varint()?, reader.bytes()?)
        } else {
            (0, &[][..])
        };
        Some(Self {
            kind,
            time_ms,
            entered,
            key,
            subjects,
        })
    }

    pub fn subject_texts(&self) -> impl Iterator<Item = &'a str> {
        self.subjects
            .split(|byte| *byte == 0)
            .filter(|text| !text.is_empty())
            .filter_map(|text| std::str::from_utf8(text).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_bytes() {
        let entry = Entry {
            kind: Kind::Delete,
            time_ms: 1_700_000_000_000,
            entered: 300,
            key: b"k",
            subjects: b"a\0b",
        };
        let mut out = Vec::new();
        entry.write(&mut out);
        assert_eq!(Entry::read(&out).unwrap(), entry);
        assert_eq!(entry.subject_texts().collect::<Vec<_>>(), ["a", "b"]);
        Entry::upsert(b"k", 5).write(&mut out);
        assert_eq!(out, [0, 5, 1, b'k']);
    }
}
