//! What a replica takes in while its copy is compared.

use std::{collections::BTreeSet, ops::Bound};

use crate::range::Range;

/// What became of the copy.
#[derive(Default)]
pub struct TakenIn {
    /// Of records that were told, unless there were many.
    pub keys: BTreeSet<Vec<u8>>,
    pub is_many: bool,
    /// It is loaded anew, or of another definition.
    pub is_another: bool,
}

/// More keys than are noted.
const MANY: usize = 10_000;

impl TakenIn {
    pub fn told<'k>(&mut self, keys: impl Iterator<Item = &'k Vec<u8>>) {
        self.keys.extend(keys.cloned());
        self.cut();
    }

    pub fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.is_many |= other.is_many;
        self.is_another |= other.is_another;
        self.cut();
    }

    fn cut(&mut self) {
        if self.keys.len() > MANY {
            self.keys.clear();
            self.is_many = true;
        }
    }

    pub fn is_of(&self, key: &[u8]) -> bool {
        self.is_many || self.is_another || self.keys.contains(key)
    }

    pub fn touches(&self, range: &Range) -> bool {
        let from = range.from.as_deref().unwrap_or_default();
        let mut behind = self
            .keys
            .range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
        let first = behind.next();
        let inside = first.is_some_and(|key| range.to.as_ref().is_none_or(|to| key < to));
        self.is_many || self.is_another || inside
    }
}
