//! The keys of a scope list: full keys and leading parts, compact enough for a million.

/// Sorted byte prefixes in one buffer. An encoded key names the keys it is a prefix of: itself if it is full, all
/// below it if it is a leading part. No prefix of the set lies under another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    bytes: Vec<u8>,
    /// End of each prefix in `bytes`.
    ends: Vec<u32>,
}

impl KeySet {
    /// Prefixes a scope list may hold.
    pub const MAX: usize = 1_000_000;

    /// Takes prefixes in any order, repeated or covering one another. `None` if there are more than `MAX`, or more
    /// bytes than 4 GiB.
    pub fn new(mut prefixes: Vec<Vec<u8>>) -> Option<Self> {
        if prefixes.len() > Self::MAX {
            return None;
        }
        prefixes.sort_unstable();
        let mut set = Self::default();
        for prefix in prefixes {
            // Sorted, so whatever lies under a prefix comes right after it.
            let covered = set.last().is_some_and(|last| prefix.starts_with(last));
            if !covered {
                set.bytes.extend_from_slice(&prefix);
                set.ends.push(u32::try_from(set.bytes.len()).ok()?);
            }
        }
        Some(set)
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether the full key is in scope.
    pub fn contains(&self, key: &[u8]) -> bool {
        // The greatest prefix not above the key: nothing else can cover it, as none lies under another.
        let after = self.first_above(key);
        after
            .checked_sub(1)
            .and_then(|at| self.get(at))
            .is_some_and(|prefix| key.starts_with(prefix))
    }

    /// Whether some key under the leading part can be in scope.
    pub fn touches_prefix(&self, leading: &[u8]) -> bool {
        self.contains(leading)
            || self
                .get(self.first_above(leading))
                .is_some_and(|prefix| prefix.starts_with(leading))
    }

    /// Prefixes in key order: the ranges a scan has to read.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The ranges a scan under `leading` has to read, as prefixes in key order.
    pub fn under<'a>(&'a self, leading: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let covered = self.contains(leading);
        let from = self.first_above(leading);
        let below = (from..self.len())
            .filter(move |_| !covered)
            .filter_map(|at| self.get(at))
            .take_while(move |prefix| prefix.starts_with(leading));
        covered.then_some(leading).into_iter().chain(below)
    }

    /// `key` itself where the list covers it, else the first prefix after it: where a scan goes on.
    pub fn seek<'a>(&'a self, key: &'a [u8]) -> Option<&'a [u8]> {
        if self.contains(key) {
            Some(key)
        } else {
            self.get(self.first_above(key))
        }
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end)
    }

    fn last(&self) -> Option<&[u8]> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Position of the first prefix greater than `key`.
    fn first_above(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(|prefix| prefix <= key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
