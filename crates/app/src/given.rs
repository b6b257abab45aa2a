//! What a feed has shown of every record up to a cursor. A digest over more would give what no entry names.

use aws_lc_rs::digest;
use dagr_model::{record::Mask, schema::Schema};
use dagr_policy::Grant;

/// Length of what a cursor holds of it.
pub const GIVEN_BYTES: usize = 16;

/// The fields shown, as a hash: all cursors are of one length, however many fields there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given(pub [u8; GIVEN_BYTES]);

impl Given {
    /// What a page shows under a mask: the key too, which each of its items names.
    pub fn of(schema: &Schema, mask: &Mask) -> Self {
        let mut shown = mask.leaves.clone();
        for node in &schema.key {
            shown.union(&schema.nodes[*node].leaves);
        }
        let mut context = digest::Context::new(&digest::SHA256);
        // Alignments follow from the leaves, and a later definition may number them otherwise.
        for leaf in shown.iter().filter(|leaf| schema.all_leaves.contains(*leaf)) {
            context.update(&leaf.to_be_bytes());
        }
        let mut out = [0; GIVEN_BYTES];
        out.copy_from_slice(&context.finish().as_ref()[..GIVEN_BYTES]);
        Self(out)
    }
}

/// The least and the most that a permission's feed gives.
pub struct Bounds {
    keys: Given,
    whole: Given,
}

impl Bounds {
    pub fn of(grant: &Grant) -> Self {
        Self {
            keys: Given::of(&grant.schema, &grant.schema.mask(&[])),
            whole: Given::of(&grant.schema, &grant.mask),
        }
    }

    /// What is sure to have been given of every record, where some were given `one` and some `other`.
    pub fn common(&self, one: Given, other: Given) -> Given {
        match (one, other) {
            (one, other) if one == other || other == self.whole => one,
            (one, other) if one == self.whole => other,
            // Hashes do not tell what two selections share; keys they do.
            _ => self.keys,
        }
    }

    /// Was whatever `asked` shows given?
    pub fn cover(&self, given: Given, asked: Given) -> bool {
        asked == self.keys || given == asked || given == self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_only_narrows() {
        let [keys, whole, some, others] = [1, 2, 3, 4].map(|byte| Given([byte; GIVEN_BYTES]));
        let bounds = Bounds { keys, whole };
        for given in [keys, whole, some, Given::default()] {
            assert_eq!(bounds.common(given, given), given);
            assert_eq!(bounds.common(given, whole), given);
            assert_eq!(bounds.common(whole, given), given);
        }
        assert_eq!(bounds.common(some, others), keys);
        assert_eq!(bounds.common(keys, some), keys);
        assert!(bounds.cover(keys, keys) && bounds.cover(whole, some) && bounds.cover(some, some));
        assert!(
            bounds.cover(Given::default(), keys),
            "a key is named in every item"
        );
        assert!(!bounds.cover(some, whole) && !bounds.cover(some, others) && !bounds.cover(keys, some));
        assert!(!bounds.cover(Given::default(), some));
    }
}
