//! Which rows have one key: what a comparison finds by sorting is found here in memory, for as many rows as that allows.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use dagr_model::definition::Duplicates;

use super::against::Fate;

/// Rows that are remembered: 160 MB.
pub const MOST: u64 = 10_000_000;
/// Rows of one allocation.
const CHUNK: usize = 1 << 16;
/// Parts that are sorted one after another.
const PARTS: u64 = 16;

/// A row: hashes of its key and of what it says.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: u64,
    said: u32,
    /// Its number, in the highest bit whether it is past the retention, and in the next three its fate.
    number: u32,
}

const EXPIRED: u32 = 1 << 31;
const FATE: u32 = 28;
const NUMBER: u32 = (1 << FATE) - 1;

impl Row {
    fn number(self) -> u64 {
        u64::from(self.number & NUMBER)
    }

    fn is_expired(self) -> bool {
        self.number & EXPIRED != 0
    }

    fn fate(self) -> Fate {
        match self.number >> FATE & 7 {
            0 => Fate::New,
            1 => Fate::Different,
            2 => Fate::Unchanged,
            3 => Fate::Absent,
            4 => Fate::Left,
            _ => Fate::Refused,
        }
    }
}

#[derive(Debug, Default)]
pub struct Keys {
    chunks: Vec<Vec<Row>>,
    held: u64,
    /// Rows that came when there was no room any more.
    pub beyond: u64,
    /// The key of the last row, while each came after the one before.
    last: Option<Vec<u8>>,
    /// Did one not?
    mixed: bool,
}

/// What the rows of several of one key come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Same {
    /// Rows that are not sent since another of their key is, or since they differ.
    pub records: u64,
    pub expired: u64,
    /// Rows of several of one key, by their fates, less those that are chosen.
    pub fates: [u64; Fate::COUNT],
    /// Keys whose rows differ and that were sent: their records stay as they are.
    pub left: u64,
    /// First and last row of each key whose rows differ, in the order of the first.
    pub differing: Vec<(u64, u64)>,
}

impl Keys {
    pub fn add(&mut self, row: u64, key: &[u8], digest: &[u8; 32], expired: bool, fate: Fate) {
        let number = u32::try_from(row).ok().filter(|number| *number <= NUMBER);
        let Some(number) = number.filter(|_| self.held < MOST) else {
            self.beyond += 1;
            return;
        };
        if !self.mixed {
            let last = self.last.get_or_insert_default();
            self.mixed = self.held > 0 && key <= last.as_slice();
            last.clear();
            last.extend_from_slice(key);
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let [a, b, c, d, ..] = *digest;
        let row = Row {
            key: hasher.finish(),
            said: u32::from_be_bytes([a, b, c, d]),
            number: number | (fate as u32) << FATE | if expired { EXPIRED } else { 0 },
        };
        self.held += 1;
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(row),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(row);
                self.chunks.push(chunk);
            }
        }
    }

    /// `duplicates`: what becomes of rows that differ.
    pub fn same(&self, duplicates: Duplicates) -> Same {
        let mut same = Same::default();
        if !self.mixed {
            // No key came twice.
            return same;
        }
        let mut rows: Vec<Row> = Vec::new();
        for part in 0..PARTS {
            rows.clear();
            let all = self.chunks.iter().flatten();
            rows.extend(all.filter(|row| row.key % PARTS == part));
            // Those of one key stay in the order they came in.
            rows.sort_by_key(|row| row.key);
            for group in rows.chunk_by(|one, other| one.key == other.key) {
                if group.len() > 1 {
                    same.group(group, duplicates);
                }
            }
        }
        same.differing.sort_unstable();
        same
    }
}

impl Same {
    fn group(&mut self, group: &[Row], duplicates: Duplicates) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return;
        };
        let chosen = match duplicates {
            _ if group.iter().all(|row| row.said == first.said) => Some(first),
            Duplicates::First => Some(first),
            Duplicates::Last => Some(last),
            Duplicates::Quarantine => None,
        };
        for row in group {
            self.count(*row, 1);
        }
        match chosen {
            Some(row) => self.count(*row, -1),
            None => {
                self.left += u64::from(group.iter().any(|row| row.fate().is_met()));
                self.differing.push((first.number(), last.number()));
            }
        }
    }

    fn count(&mut self, row: Row, by: i64) {
        let fate = row.fate();
        let add = |count: &mut u64| *count = count.saturating_add_signed(by);
        add(&mut self.fates[fate as usize]);
        // A refused row was never one of the records.
        match (fate.is_refused(), row.is_expired()) {
            (true, _) => {}
            (false, true) => add(&mut self.expired),
            (false, false) => add(&mut self.records),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const FATES: [Fate; Fate::COUNT] = [
        Fate::New,
        Fate::Different,
        Fate::Unchanged,
        Fate::Absent,
        Fate::Left,
        Fate::Refused,
    ];

    fn digest(said: u8) -> [u8; 32] {
        [said; 32]
    }

    proptest! {
        /// As a map of all rows by key says it.
        #[test]
        fn rows_of_one_key_are_found(
            rows in prop::collection::vec((0..12u8, 0..3u8, any::<bool>(), 0..Fate::COUNT), 0..60),
            at in 0..3usize,
        ) {
            let duplicates = [Duplicates::Quarantine, Duplicates::First, Duplicates::Last][at];
            let mut keys = Keys::default();
            let mut by_key: BTreeMap<u8, Vec<(u64, u8, bool, usize)>> = BTreeMap::new();
            for (row, (key, said, expired, fate)) in (1..).zip(&rows) {
                keys.add(row, &[*key], &digest(*said), *expired, FATES[*fate]);
                by_key.entry(*key).or_default().push((row, *said, *expired, *fate));
            }
            let mut wanted = Same::default();
            for rows in by_key.values() {
                let (first, last) = (rows[0], rows[rows.len() - 1]);
                let differ = rows.iter().any(|row| row.1 != first.1);
                let sent = match duplicates {
                    Duplicates::Last if differ => Some(last.0),
                    Duplicates::Quarantine if differ => None,
                    _ => Some(first.0),
                };
                for (row, _, expired, fate) in rows {
                    let count = if *expired { &mut wanted.expired } else { &mut wanted.records };
                    *count += u64::from(sent != Some(*row) && !FATES[*fate].is_refused());
                    wanted.fates[*fate] += u64::from(sent != Some(*row));
                }
                if sent.is_none() {
                    wanted.differing.push((first.0, last.0));
                    wanted.left += u64::from(rows.iter().any(|row| FATES[row.3].is_met()));
                }
            }
            wanted.differing.sort_unstable();
            prop_assert_eq!(keys.same(duplicates), wanted);
        }
    }

    #[test]
    fn rows_without_room_are_counted() {
        let mut keys = Keys {
            held: MOST - 1,
            ..Keys::default()
        };
        for row in [1, 2, u64::MAX] {
            keys.add(row, b"k", &digest(1), false, Fate::New);
        }
        assert_eq!((keys.beyond, keys.same(Duplicates::First)), (2, Same::default()));
    }
}
