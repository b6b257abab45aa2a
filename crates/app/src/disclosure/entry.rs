//! A disclosure entry as bytes of the journal.
//!
//! Keys are front-coded (length shared with the one before, the rest); fields are a bitmap of leaf ids, which are
//! never used again for another path. Subjects stand beside the payload, in the journal's own form.

use std::borrow::Cow;

use dagr_model::{ids::Section, leaves::LeafSet};
use dagr_store::codec::{Reader, put_bytes, put_varint};

const FORMAT: u8 = 1;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Data were given under a permission.
    Data = 0,
    /// Somebody read the disclosure log.
    LogRead = 1,
}

/// The payload of one entry. Written, it borrows what the catalogue holds anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub kind: Kind,
    pub section: Section,
    pub found: bool,
    pub request_id: Cow<'a, str>,
    pub permission: Cow<'a, str>,
    pub revision: u32,
    pub purpose: Cow<'a, str>,
    pub legal_basis: Cow<'a, str>,
    pub case: Option<Cow<'a, str>>,
    pub recipient: Cow<'a, str>,
    pub connection: Cow<'a, str>,
    pub dataset: Cow<'a, str>,
    pub way: Cow<'a, str>,
    /// JSON of the leading key or index asked.
    pub search: Option<Cow<'a, str>>,
    /// Leaf ids given.
    pub fields: LeafSet,
    /// Records given.
    pub count: u64,
    /// Misses among what was asked.
    pub misses: u32,
    /// Encoded keys given or asked.
    pub keys: Vec<Vec<u8>>,
}

impl Entry<'_> {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.keys.len() * 8);
        out.push(FORMAT);
        out.push(
            self.kind as u8 | u8::from(self.section == Section::Sandbox) << 4 | u8::from(self.found) << 5,
        );
        for text in [
            &self.request_id,
            &self.permission,
            &self.purpose,
            &self.legal_basis,
            &self.recipient,
            &self.connection,
            &self.dataset,
            &self.way,
        ] {
            put_bytes(&mut out, text.as_bytes());
        }
        for text in [&self.case, &self.search] {
            // Absent and empty are told apart: length + 1, or 0.
            match text {
                None => put_varint(&mut out, 0),
                Some(text) => {
                    put_varint(&mut out, text.len() as u64 + 1);
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
        put_varint(&mut out, u64::from(self.revision));
        put_varint(&mut out, self.count);
        put_varint(&mut out, u64::from(self.misses));
        let words = self.fields.words();
        put_varint(&mut out, words.len() as u64);
        for word in words {
            put_varint(&mut out, *word);
        }
        put_varint(&mut out, self.keys.len() as u64);
        let mut before: &[u8] = &[];
        for key in &self.keys {
            let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
            put_varint(&mut out, shared as u64);
            put_bytes(&mut out, &key[shared..]);
            before = key;
        }
        out
    }
}

impl Entry<'static> {
    /// `None` = not an entry of a format this program knows.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.byte()? != FORMAT {
            return None;
        }
        let flags = reader.byte()?;
        let text = |reader: &mut Reader<'_>| String::from_utf8(reader.bytes()?.to_vec()).ok().map(Cow::Owned);
        let request_id = text(&mut reader)?;
        let permission = text(&mut reader)?;
        let purpose = text(&mut reader)?;
        let legal_basis = text(&mut reader)?;
        let recipient = text(&mut reader)?;
        let connection = text(&mut reader)?;
        let dataset = text(&mut reader)?;
        let way = text(&mut reader)?;
        let optional = |reader: &mut Reader<'_>| -> Option<Option<Cow<'static, str>>> {
            match reader.varint()? {
                0 => Some(None),
                len => {
                    let bytes = reader.take(usize::try_from(len - 1).ok()?)?.to_vec();
                    Some(Some(String::from_utf8(bytes).ok()?.into()))
                }
            }
        };
        let case = optional(&mut reader)?;
        let search = optional(&mut reader)?;
        let revision = u32::try_from(reader.varint()?).ok()?;
        let count = reader.varint()?;
        let misses = u32::try_from(reader.varint()?).ok()?;
        let words = reader.varint()?;
        if words > 4_096 {
            return None;
        }
        let fields = LeafSet::from_words((0..words).map(|_| reader.varint()).collect::<Option<Vec<_>>>()?);
        let keys = read_keys(&mut reader)?;
        Some(Self {
            kind: if flags % 16 == Kind::Data as u8 {
                Kind::Data
            } else {
                Kind::LogRead
            },
            section: if flags & 16 == 0 {
                Section::Main
            } else {
                Section::Sandbox
            },
            found: flags & 32 != 0,
            request_id,
            permission,
            revision,
            purpose,
            legal_basis,
            case,
            recipient,
            connection,
            dataset,
            way,
            search,
            fields,
            count,
            misses,
            keys,
        })
    }
}

fn read_keys(reader: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let count = usize::try_from(reader.varint()?).ok()?;
    let mut keys: Vec<Vec<u8>> = Vec::with_capacity(count.min(10_000));
    for _ in 0..count {
        let shared = usize::try_from(reader.varint()?).ok()?;
        let mut key = keys.last().map_or(&[][..], |last| last).get(..shared)?.to_vec();
        key.extend_from_slice(reader.bytes()?);
        keys.push(key);
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(keys: Vec<Vec<u8>>, case: Option<String>, search: Option<String>) -> Entry<'static> {
        Entry {
            kind: Kind::Data,
            section: Section::Sandbox,
            found: true,
            request_id: "r1".into(),
            permission: "17".into(),
            revision: 3,
            purpose: "pabalsts".into(),
            legal_basis: "Sociālo pakalpojumu likuma 4. pants".into(),
            case: case.map(Cow::Owned),
            recipient: "90000000001".into(),
            connection: "riga".into(),
            dataset: "fpr_person".into(),
            way: "key".into(),
            search: search.map(Cow::Owned),
            fields: [0, 3, 70].into_iter().collect(),
            count: keys.len() as u64,
            misses: 1,
            keys,
        }
    }

    proptest! {
        #[test]
        fn entries_keep_their_bytes(keys: Vec<Vec<u8>>, case: Option<String>, search: Option<String>) {
            let entry = entry(keys, case, search);
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut bytes: Vec<u8>) {
            if let Some(first) = bytes.first_mut() { *first = FORMAT; }
            let _ = Entry::from_bytes(&bytes);
        }
    }

    #[test]
    fn an_entry_of_one_person_is_small() {
        assert!(
            entry(vec![b"01019012345\0\0".to_vec()], None, None)
                .to_bytes()
                .len()
                < 160
        );
    }
}
