//! The catalogue of keys.
//!
//! | table | key | value |
//! |---|---|---|
//! | Meta | `head` | `head::Head` (JSON) |
//! | Meta | `lists` | `lists::Lists` (JSON): ids of change lists, scope lists and indexes |
//! | Record | encoded key | `stored::Stored` |
//! | Change | sequence (8, big-endian) | `change::Entry` |
//! | List | list id (2) ‖ sequence (8) | `change::Entry` |
//! | Latest | list id (2) ‖ encoded key | sequence (8): the newest event of a record in a change list |
//! | Index | index id (2) ‖ value (≤ 128) ‖ encoded key | encoded key |
//! | Version | encoded key ‖ sequence (8) | time, canonical record |
//! | Package | `i` ‖ package id; `o` ‖ order (8) → id | JSON of the caller; id |
//! | Quarantine | package order (8) ‖ row (8) | encoded key (with its length, perhaps empty), JSON of the caller |
//! | Quarantine | `0xff` ‖ encoded key ‖ package order (8) ‖ row (8) | nothing: the rows of a key, to forget them |
//! | Erasure | package order (8) ‖ encoded key | time, encoded key |
//!
//! An encoded key is at most 255 bytes, a package id at most 200: no key comes near `kv::MAX_KEY`.

use dagr_model::ids::Sequence;

pub const HEAD: &[u8] = b"head";
pub const LISTS: &[u8] = b"lists";

/// Number of a list or an index inside one data set.
pub type ListId = u16;

pub fn sequence(at: Sequence) -> [u8; 8] {
    at.to_be_bytes()
}

pub fn read_sequence(bytes: &[u8]) -> Option<Sequence> {
    Some(Sequence::from_be_bytes(bytes.try_into().ok()?))
}

pub fn list(id: ListId, at: Sequence) -> [u8; 10] {
    let mut key = [0; 10];
    key[..2].copy_from_slice(&id.to_be_bytes());
    key[2..].copy_from_slice(&at.to_be_bytes());
    key
}

pub fn read_list_sequence(key: &[u8]) -> Option<Sequence> {
    read_sequence(key.get(2..)?)
}

pub fn under_id(id: ListId, rest: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes(), rest].concat()
}

pub fn index(id: ListId, value: &[u8], key: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes(), value, key].concat()
}

pub fn version(key: &[u8], at: Sequence) -> Vec<u8> {
    [key, &at.to_be_bytes()].concat()
}

pub fn package(id: &str) -> Vec<u8> {
    [b"i", id.as_bytes()].concat()
}

pub fn package_order(order: u64) -> Vec<u8> {
    [b"o", order.to_be_bytes().as_slice()].concat()
}

pub fn quarantine(package_order: u64, row: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&package_order.to_be_bytes());
    key[8..].copy_from_slice(&row.to_be_bytes());
    key
}

/// First byte of the entries that lead from a key to its quarantine rows: no package order begins so.
pub const QUARANTINE_OF_KEY: u8 = 0xff;

pub fn quarantine_of_key(key: &[u8], row: &[u8; 16]) -> Vec<u8> {
    [&[QUARANTINE_OF_KEY], key, row.as_slice()].concat()
}

/// The first key after every key that begins with `prefix`; `None` = no such key.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_by_number() {
        assert!(list(1, 2) < list(1, 10));
        assert!(list(1, u64::MAX) < list(2, 0));
        assert!(quarantine(1, 300) < quarantine(2, 0));
        assert!(package_order(255) < package_order(256));
        assert_eq!(read_sequence(&sequence(77)), Some(77));
        assert_eq!(read_list_sequence(&list(1, 77)), Some(77));
    }

    #[test]
    fn after_a_prefix() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff]), None);
    }
}
