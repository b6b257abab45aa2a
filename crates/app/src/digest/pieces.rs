//! Records in key order, summed into pieces of about equal count: in one pass and in memory that does not grow.

use dagr_model::digest::SetDigest;

/// Cells kept for each piece asked: pieces differ in count by at most an eighth or so.
const FINENESS: usize = 16;

/// Neighbouring records, summed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// The first one's key.
    pub first: Vec<u8>,
    pub records: u64,
    pub digest: SetDigest,
}

/// Cells of `width` records each (the last one perhaps of fewer); when there are too many, two become one.
#[derive(Debug)]
pub(super) struct Pieces {
    parts: usize,
    width: u64,
    cells: Vec<Cell>,
}

impl Pieces {
    pub fn new(parts: usize) -> Self {
        Self {
            parts: parts.max(1),
            width: 1,
            cells: Vec::new(),
        }
    }

    /// Keys come in order.
    pub fn add(&mut self, key: &[u8], digest: &[u8; 32]) {
        if self.is_full() {
            self.join();
        }
        if self.cells.last().is_none_or(|last| last.records >= self.width) {
            self.cells.push(Cell {
                first: key.to_vec(),
                ..Cell::default()
            });
        }
        if let Some(last) = self.cells.last_mut() {
            last.records += 1;
            last.digest.add(digest);
        }
    }

    fn is_full(&self) -> bool {
        let most = self.parts * FINENESS;
        self.cells.len() >= most && self.cells.last().is_some_and(|last| last.records >= self.width)
    }

    fn join(&mut self) {
        self.cells = self
            .cells
            .chunks(2)
            .map(|pair| sum(pair.iter().cloned()))
            .collect();
        self.width *= 2;
    }

    /// At most `parts` of about equal count; one record each where there are no more.
    pub fn grouped(self) -> Vec<Cell> {
        let total: u64 = self.cells.iter().map(|cell| cell.records).sum();
        let parts = (self.parts as u64).min(total);
        let mut groups: Vec<(u64, Cell)> = Vec::with_capacity(self.parts);
        let mut start = 0;
        for cell in self.cells {
            let (at, records) = (start * parts / total, cell.records);
            match groups.last_mut() {
                Some((last, group)) if *last == at => {
                    *group = sum([std::mem::take(group), cell].into_iter());
                }
                _ => groups.push((at, cell)),
            }
            start += records;
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

fn sum(cells: impl Iterator<Item = Cell>) -> Cell {
    cells
        .reduce(|mut sum, cell| {
            sum.records += cell.records;
            sum.digest.add(&cell.digest.0);
            sum
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use dagr_model::digest::record_digest;
    use proptest::prelude::*;

    use super::*;

    fn filled(parts: usize, count: u32) -> Pieces {
        let mut pieces = Pieces::new(parts);
        for number in 0..count {
            let key = number.to_be_bytes();
            pieces.add(&key, &record_digest(&key));
        }
        pieces
    }

    proptest! {
        #[test]
        fn pieces_are_the_records_between_their_keys(parts in 1usize..20, count in 0u32..3_000) {
            let pieces = filled(parts, count);
            prop_assert!(pieces.cells.len() <= parts * FINENESS);
            let groups = pieces.grouped();
            prop_assert_eq!(groups.len(), parts.min(count as usize));
            let mut next = 0u32;
            for (at, group) in groups.iter().enumerate() {
                prop_assert_eq!(&group.first, &next.to_be_bytes());
                let end = groups.get(at + 1).map_or(count, |after| {
                    u32::from_be_bytes(after.first.as_slice().try_into().unwrap())
                });
                let mut digest = SetDigest::default();
                (next..end).for_each(|number| digest.add(&record_digest(&number.to_be_bytes())));
                prop_assert_eq!((group.records, group.digest), (u64::from(end - next), digest));
                let even = f64::from(count) / parts as f64;
                prop_assert!(f64::from(end - next) <= (even * 1.3).max(even + 1.0), "{} of {}", end - next, even);
                next = end;
            }
            prop_assert_eq!(next, count);
        }
    }

    #[test]
    fn where_there_are_few_each_piece_is_one_record() {
        let groups = filled(16, 16).grouped();
        assert!(groups.len() == 16 && groups.iter().all(|group| group.records == 1));
        assert!(filled(16, 0).grouped().is_empty());
    }
}
