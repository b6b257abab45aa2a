//! Cursors: sealed anew in every answer, constant in length, opaque to whoever holds them.
//!
//! Plain text: binding (32) · revision (4) · epoch (4) · seal time (8) · position · what was given (16) · told until (8).
//! The binding is a hash of what the cursor belongs to (permission, data set, section, call). AES-256-GCM, random nonce.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dagr_store::set::position::POSITION_BYTES;

use crate::given::{GIVEN_BYTES, Given};

/// What a cursor carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What the cursor may be used for: permission number, set, section, call.
    pub binding: [u8; 32],
    /// The permission's revision: after another, the feed takes back what no longer stands; pages expire.
    pub revision: u32,
    pub epoch: u32,
    pub sealed_ms: i64,
    /// At most `POSITION_BYTES`; padded.
    pub position: Vec<u8>,
    /// Of a change feed; nothing is known of one sealed before cursors had it.
    pub given: Given,
    /// Of a feed: whatever happened until then has been told, milliseconds. Its age decides whether deletes may be
    /// forgotten by now: a number of changes would tell of hidden ones.
    pub told_ms: i64,
}

const HEAD: usize = 32 + 4 + 4 + 8;
const TOLD_BYTES: usize = 8;
const PLAIN: usize = HEAD + POSITION_BYTES + GIVEN_BYTES + TOLD_BYTES;
const SEALED: usize = NONCE_LEN + PLAIN + 16;
/// As sealed before cursors had the one and the other: a copy that follows one goes on.
const SEALED_EARLIER: [usize; 2] = [SEALED - TOLD_BYTES, SEALED - TOLD_BYTES - GIVEN_BYTES];

/// Hash of the parts a cursor is bound to.
pub fn binding(parts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The key cursors are sealed with.
pub struct CursorKey(RandomizedNonceKey);

impl CursorKey {
    pub fn new(key: &[u8; 32]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key).ok().map(Self)
    }

    pub fn seal(&self, cursor: &Cursor) -> String {
        let mut plain = Vec::with_capacity(SEALED);
        plain.extend_from_slice(&cursor.binding);
        plain.extend_from_slice(&cursor.revision.to_be_bytes());
        plain.extend_from_slice(&cursor.epoch.to_be_bytes());
        plain.extend_from_slice(&cursor.sealed_ms.to_be_bytes());
        plain.extend_from_slice(&cursor.position);
        plain.resize(HEAD + POSITION_BYTES, 0);
        plain.extend_from_slice(&cursor.given.0);
        plain.extend_from_slice(&cursor.told_ms.to_be_bytes());
        match self.0.seal_in_place_append_tag(Aad::empty(), &mut plain) {
            Ok(nonce) => {
                let mut out = nonce.as_ref().to_vec();
                out.extend_from_slice(&plain);
                URL_SAFE_NO_PAD.encode(out)
            }
            // Sealing a short text with a fresh nonce cannot fail; an empty cursor would be refused.
            Err(_) => String::new(),
        }
    }

    /// `None` = altered, or not ours.
    pub fn open(&self, text: &str) -> Option<Cursor> {
        if text.len() > SEALED * 4 / 3 + 4 {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if bytes.len() != SEALED && !SEALED_EARLIER.contains(&bytes.len()) {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(&bytes[..NONCE_LEN]).ok()?;
        let plain = self
            .0
            .open_in_place(nonce, Aad::empty(), &mut bytes[NONCE_LEN..])
            .ok()?;
        let (plain, rest) = plain.split_at(HEAD + POSITION_BYTES);
        let sealed_ms = i64::from_be_bytes(plain[40..HEAD].try_into().ok()?);
        let (given, told) = rest.split_at_checked(GIVEN_BYTES).unwrap_or_default();
        Some(Cursor {
            binding: plain[..32].try_into().ok()?,
            revision: u32::from_be_bytes(plain[32..36].try_into().ok()?),
            epoch: u32::from_be_bytes(plain[36..40].try_into().ok()?),
            sealed_ms,
            position: plain[HEAD..].to_vec(),
            given: given.try_into().map_or_else(|_| Given::default(), Given),
            told_ms: told.try_into().map_or(sealed_ms, i64::from_be_bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(position: Vec<u8>) -> Cursor {
        Cursor {
            binding: binding(&["7", "set"]),
            revision: 2,
            epoch: 3,
            sealed_ms: 4,
            position,
            given: Given([5; GIVEN_BYTES]),
            told_ms: 3,
        }
    }

    #[test]
    fn cursors_are_opaque_and_of_one_length() {
        let key = CursorKey::new(&[1; 32]).unwrap();
        let (short, long) = (
            key.seal(&cursor(vec![1])),
            key.seal(&cursor(vec![2; POSITION_BYTES])),
        );
        assert_eq!(short.len(), long.len());
        assert_ne!(key.seal(&cursor(vec![1])), short, "sealed anew");
        let opened = key.open(&short).unwrap();
        assert_eq!(
            (
                opened.revision,
                opened.epoch,
                opened.sealed_ms,
                opened.position[0]
            ),
            (2, 3, 4, 1)
        );
        assert_eq!(opened.binding, binding(&["7", "set"]));
        assert_eq!((opened.given, opened.told_ms), (Given([5; GIVEN_BYTES]), 3));
    }

    #[test]
    fn a_cursor_of_before_opens_and_tells_of_nothing_given() {
        let key = CursorKey::new(&[1; 32]).unwrap();
        let new = cursor(vec![7; POSITION_BYTES]);
        let mut first = new.binding.to_vec();
        first.extend_from_slice(&[0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]);
        first.extend_from_slice(&new.position);
        let second = [first.as_slice(), &new.given.0].concat();
        for (mut plain, given) in [(first, Given::default()), (second, new.given)] {
            let nonce = key.0.seal_in_place_append_tag(Aad::empty(), &mut plain).unwrap();
            let text = URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &plain].concat());
            let opened = Cursor {
                given,
                told_ms: new.sealed_ms,
                ..new.clone()
            };
            assert_eq!(key.open(&text), Some(opened), "told until it was sealed");
        }
    }

    #[test]
    fn altered_cursors_are_refused() {
        let key = CursorKey::new(&[1; 32]).unwrap();
        let text = key.seal(&cursor(vec![1]));
        let mut altered = text.clone().into_bytes();
        altered[40] = if altered[40] == b'A' { b'B' } else { b'A' };
        assert_eq!(key.open(std::str::from_utf8(&altered).unwrap()), None);
        assert_eq!(key.open(&text[1..]), None);
        assert_eq!(key.open(""), None);
        assert_eq!(key.open("€"), None);
        assert_eq!(CursorKey::new(&[2; 32]).unwrap().open(&text), None);
    }
}
