//! Which columns tell one row from another.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// Leading columns that are tried alone.
const ALONE: usize = 8;
/// Leading columns that are tried in pairs.
const PAIRED: usize = 5;
/// One row of so many may lack the key, or have that of another: registers have such rows.
const TOLERATED: u64 = 100;
/// So many of the first rows may, until it is known how many there are.
const FEW: u64 = 100;
/// Rows that are held against each other.
pub const ROWS: u64 = 1_000_000;

#[derive(Default)]
pub struct Telling {
    pairs: bool,
    /// `None` before the first row.
    candidates: Option<Vec<Candidate>>,
    hasher: RandomState,
    rows: u64,
    /// Columns that are tried alone so far.
    tried: usize,
}

struct Candidate {
    places: Vec<usize>,
    seen: HashSet<u64>,
    /// Rows that lack it, or have it as another row has.
    faults: u64,
}

impl Telling {
    pub fn pairs() -> Self {
        Self {
            pairs: true,
            ..Self::default()
        }
    }

    /// Columns that tell the rows apart but for so many, those that tell most first.
    pub fn found(&self) -> Vec<(&[usize], u64)> {
        let candidates = self.candidates.iter().flatten();
        let mut found: Vec<_> = candidates
            .filter(|candidate| candidate.faults <= self.rows / TOLERATED)
            .map(|candidate| (candidate.places.as_slice(), candidate.faults))
            .collect();
        found.sort_by_key(|(_, faults)| *faults);
        found
    }

    pub fn row(&mut self, texts: &[Option<&str>]) {
        let candidates = self.candidates.get_or_insert_with(|| {
            if self.pairs {
                pairs(texts.len())
            } else {
                Vec::new()
            }
        });
        if !self.pairs {
            // A record may have what those before it had not.
            for place in self.tried..texts.len().min(ALONE) {
                let mut late = Candidate::of(vec![place]);
                late.faults = self.rows;
                candidates.push(late);
                self.tried = place + 1;
            }
        }
        self.rows += 1;
        let held = self.rows <= ROWS;
        candidates.retain_mut(|candidate| {
            let texts = candidate
                .places
                .iter()
                .map(|place| texts.get(*place).copied().flatten());
            let tells = match texts.collect::<Option<Vec<&str>>>() {
                Some(texts) => !held || candidate.seen.insert(self.hasher.hash_one(texts)),
                None => false,
            };
            candidate.faults += u64::from(!tells);
            candidate.faults <= FEW + self.rows / TOLERATED
        });
    }
}

fn pairs(columns: usize) -> Vec<Candidate> {
    let columns = columns.min(PAIRED);
    (0..columns)
        .flat_map(|first| (first + 1..columns).map(move |second| Candidate::of(vec![first, second])))
        .collect()
}

impl Candidate {
    fn of(places: Vec<usize>) -> Self {
        Self {
            places,
            seen: HashSet::new(),
            faults: 0,
        }
    }
}
