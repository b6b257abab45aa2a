//! Sets of leaves of one schema, as bitmaps.

use smallvec::SmallVec;

/// Number of a leaf path. Stable over compatible evolution (see `schema::LeafIds`).
pub type LeafId = u16;

/// A set of leaf ids. Bits beyond the last word are zero; equal sets may differ in trailing zero words
/// only inside, never in comparison or bytes.
#[derive(Debug, Clone, Default)]
pub struct LeafSet(SmallVec<[u64; 2]>);

impl LeafSet {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn insert(&mut self, leaf: LeafId) {
        let word = usize::from(leaf) / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (leaf % 64);
    }

    pub fn contains(&self, leaf: LeafId) -> bool {
        self.0
            .get(usize::from(leaf) / 64)
            .is_some_and(|word| word & (1 << (leaf % 64)) != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0
            .iter()
            .enumerate()
            .all(|(at, word)| word & !other.0.get(at).copied().unwrap_or(0) == 0)
    }

    pub fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub fn subtract(&mut self, other: &Self) {
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            *word &= !less;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = LeafId> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            (0..64u16)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| at as u16 * 64 + bit)
        })
    }

    /// Words, lowest first, without trailing zeros: the stored form.
    pub fn words(&self) -> &[u64] {
        let used = self.0.iter().rposition(|word| *word != 0).map_or(0, |at| at + 1);
        &self.0[..used]
    }

    pub fn from_words(words: impl IntoIterator<Item = u64>) -> Self {
        Self(words.into_iter().collect())
    }
}

impl PartialEq for LeafSet {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for LeafSet {}

impl FromIterator<LeafId> for LeafSet {
    fn from_iter<T: IntoIterator<Item = LeafId>>(leaves: T) -> Self {
        let mut set = Self::new();
        for leaf in leaves {
            set.insert(leaf);
        }
        set
    }
}
