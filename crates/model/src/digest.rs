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
        let mut carry = 0u16;
        for (sum, more) in self.0.iter_mut().zip(record).rev() {
            let total = u16::from(*sum) + u16::from(*more) + carry;
            *sum = total as u8;
            carry = total >> 8;
        }
    }

    pub fn remove(&mut self, record: &[u8; 32]) {
        let mut borrow = 0i16;
        for (sum, less) in self.0.iter_mut().zip(record).rev() {
            let total = i16::from(*sum) - i16::from(*less) - borrow;
            *sum = total.rem_euclid(256) as u8;
            borrow = i16::from(total < 0);
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

    proptest! {
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
