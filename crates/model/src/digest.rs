//! Digests of records and of whole data sets.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 of a canonical record.
pub fn record_digest(canonical: &[u8]) -> [u8; 32] {
    Sha256::digest(canonical).into()
}

/// Sum modulo 2^256 of the digests of a data set's records, as big-endian numbers. Empty is zero.
///
/// A sum and not a chain, so that the order of records does not matter and one record can be taken out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetDigest(pub [u8; 32]);

impl SetDigest {
    pub fn add(&mut self, record: &[u8; 32]) {
        self.by_words(record, u64::overflowing_add);
    }

    pub fn remove(&mut self, record: &[u8; 32]) {
        self.by_words(record, u64::overflowing_sub);
    }

    /// Word by word from the last, what overflows goes to the word before.
    fn by_words(&mut self, record: &[u8; 32], op: impl Fn(u64, u64) -> (u64, bool)) {
        let mut over = false;
        let (words, _) = self.0.as_chunks_mut::<8>();
        let (more, _) = record.as_chunks::<8>();
        for (word, more) in words.iter_mut().zip(more).rev() {
            let (first, a) = op(u64::from_be_bytes(*word), u64::from_be_bytes(*more));
            let (second, b) = op(first, u64::from(over));
            *word = second.to_be_bytes();
            over = a | b;
        }
    }

    /// Lower-case hex, 64 characters.
    pub fn hex(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_empty_set_is_zeros_and_the_sum_carries() {
        let mut digest = SetDigest::default();
        assert_eq!(digest.hex(), "0".repeat(64));
        let mut one = [0u8; 32];
        one[31] = 1;
        digest.add(&[0xff; 32]);
        digest.add(&one);
        assert_eq!(digest, SetDigest::default());
        digest.remove(&one);
        assert_eq!(digest.hex(), "f".repeat(64));
        assert_eq!(record_digest(b"{}")[..2], [0x44, 0x13]);
    }

    /// Byte by byte, as on paper.
    fn on_paper(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
        let (mut sum, mut carry) = ([0; 32], 0);
        for at in (0..32).rev() {
            let total = u16::from(left[at]) + u16::from(right[at]) + carry;
            sum[at] = total as u8;
            carry = total >> 8;
        }
        sum
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_big_numbers(mut a: [u8; 32], b: [u8; 32], full in 0usize..32) {
            // Carries that go far.
            a[..full].fill(0xff);
            let mut sum = SetDigest(a);
            sum.add(&b);
            prop_assert_eq!(sum.0, on_paper(a, b));
        }

        #[test]
        fn order_does_not_matter_and_removing_undoes(a: [u8; 32], b: [u8; 32]) {
            let (mut left, mut right) = (SetDigest::default(), SetDigest::default());
            left.add(&a);
            left.add(&b);
            right.add(&b);
            right.add(&a);
            prop_assert_eq!(left, right);
            left.remove(&a);
            prop_assert_eq!(left, SetDigest(b));
        }
    }
}
