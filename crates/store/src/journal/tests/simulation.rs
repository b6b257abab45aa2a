//! Random appends, crashes, full and failing disks against a model.

use std::collections::{BTreeMap, HashMap};

use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Clone)]
struct Known {
    entry: NewEntry,
    /// Where it was acknowledged to be.
    id: Option<EntryId>,
    durable: bool,
}

struct Simulation {
    random: Random,
    disk: FakeDisk,
    journal: Option<Journal>,
    /// By number, which stands in the payload.
    entries: BTreeMap<u64, Known>,
    next: u64,
    /// Sums of entries that retention removed.
    removed: HashMap<u64, u64>,
    /// Failed entries may be there after a crash, but not before.
    crashed: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let disk = FakeDisk::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let journal = Some(open(&disk));
        let random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95) | 1);
        let (entries, removed) = (BTreeMap::new(), HashMap::new());
        Self {
            random,
            disk,
            journal,
            entries,
            next: 0,
            removed,
            crashed: false,
        }
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().unwrap()
    }

    fn subject(&mut self) -> Vec<u8> {
        match self.random.below(3) {
            0 => format!("name {}", self.random.below(6)).into_bytes(),
            _ => format!("{:011}", self.random.below(12) * 9_090_909_090).into_bytes(),
        }
    }

    fn make(&mut self) -> (u64, NewEntry) {
        let number = self.next;
        self.next += 1;
        let mut payload = number.to_le_bytes().to_vec();
        payload.resize(8 + self.random.below(300) as usize, number as u8);
        let entry = NewEntry {
            payload,
            subjects: (0..self.random.below(5)).map(|_| self.subject()).collect(),
            counters: (0..self.random.below(3))
                .map(|id| (id, self.random.below(5)))
                .collect(),
            at_ms: number as i64 * 10 + self.random.below(50) as i64,
            urgent: self.random.below(2) == 0,
        };
        (number, entry)
    }

    /// Some at once; a crash may come before they are answered.
    fn append(&mut self, crash: bool) {
        let made: Vec<_> = (0..=self.random.below(8)).map(|_| self.make()).collect();
        let tickets: Vec<_> = made
            .iter()
            .map(|(_, entry)| self.journal().append(entry.clone()))
            .collect();
        if crash {
            self.disk.crash();
        }
        for ((number, entry), ticket) in made.into_iter().zip(tickets) {
            let id = ticket.wait_blocking().ok();
            let durable = id.is_some() && entry.urgent;
            self.entries.insert(number, Known { entry, id, durable });
        }
    }

    fn sync(&mut self) {
        if self.journal().sync().is_ok() {
            for known in self.entries.values_mut().filter(|known| known.id.is_some()) {
                known.durable = true;
            }
        }
    }

    fn reopen(&mut self) {
        self.journal = None;
        self.journal = loop {
            match Journal::open(DIR.as_ref(), config(), self.disk.io()) {
                Ok(journal) => break Some(journal),
                // Only while the disk fails.
                Err(error) => assert!(matches!(error, JournalError::Io(_)), "{error}"),
            }
        };
        self.crashed = true;
    }

    fn remove(&mut self) {
        let time = self.next as i64 * 5;
        let removed = self.journal().remove_before(time);
        let Ok(removed) = removed else { return };
        let gone = |known: &Known| known.id.is_some_and(|id| removed.contains(&id.segment));
        for known in self.entries.values().filter(|known| gone(known)) {
            assert!(known.entry.at_ms < time);
            for (counter, amount) in &known.entry.counters {
                *self.removed.entry(*counter).or_default() += amount;
            }
        }
        self.entries.retain(|_, known| !gone(known));
    }

    /// After a crash the journal says what is there; it must hold all that was durable, whole and once.
    fn audit(&mut self) {
        let stored: Vec<StoredEntry> = self.journal().scan(None, None).map(Result::unwrap).collect();
        let mut present = BTreeMap::new();
        for stored in stored {
            let number = u64::from_le_bytes(stored.payload[..8].try_into().unwrap());
            let known = self.entries.get_mut(&number).expect("an entry nobody appended");
            assert_eq!(stored.payload, known.entry.payload);
            assert_eq!(stored.at_ms, known.entry.at_ms);
            let mut subjects = (known.entry.subjects.clone(), stored.subjects.clone());
            subjects.0.sort();
            subjects.0.dedup();
            subjects.1.sort();
            assert_eq!(subjects.0, subjects.1);
            assert!(known.id.is_none_or(|id| id == stored.id), "an entry moved");
            assert!(known.id.is_some() || self.crashed, "a refused entry is there");
            assert!(present.insert(number, stored.id).is_none(), "an entry twice");
        }
        for (number, known) in &self.entries {
            let must = known.durable || (known.id.is_some() && !self.crashed);
            assert!(!must || present.contains_key(number), "entry {number} is lost");
        }
        // What is there after an opening has been synced by it.
        self.entries.retain(|number, _| present.contains_key(number));
        for (number, known) in &mut self.entries {
            known.id = present.get(number).copied();
            known.durable |= self.crashed;
        }
        self.crashed = false;
        let mut sums = self.removed.clone();
        for (counter, amount) in self.entries.values().flat_map(|known| &known.entry.counters) {
            *sums.entry(*counter).or_default() += amount;
        }
        for counter in 0..3 {
            assert_eq!(
                self.journal().counter(counter),
                sums.get(&counter).copied().unwrap_or(0)
            );
        }
    }

    fn search(&mut self) {
        let subject = self.subject();
        let from_ms = self.random.below(self.next * 10 + 1) as i64;
        let to_ms = from_ms + self.random.below(2000) as i64;
        let limit = 1 + self.random.below(20) as usize;
        let mut expected: Vec<EntryId> = self
            .entries
            .values()
            .filter(|known| known.entry.subjects.contains(&subject))
            .filter(|known| (from_ms..to_ms).contains(&known.entry.at_ms))
            .filter_map(|known| known.id)
            .collect();
        expected.sort();
        let after = expected.get(self.random.below(9) as usize).copied();
        let newest: Vec<_> = (expected.iter().rev().copied())
            .filter(|id| after.is_none_or(|before| *id < before))
            .take(limit)
            .collect();
        let found = self
            .journal()
            .find_subject_newest(&subject, from_ms, to_ms, after, limit)
            .unwrap();
        assert_eq!(found, newest, "newest first");
        expected.retain(|id| after.is_none_or(|after| *id > after));
        expected.truncate(limit);
        let found = self
            .journal()
            .find_subject(&subject, from_ms, to_ms, after, limit)
            .unwrap();
        assert_eq!(found, expected);
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..10 => self.append(false),
            10 => self.sync(),
            11 => {
                self.append(true);
                self.reopen();
                self.audit();
            }
            12 => {
                self.disk.crash();
                self.reopen();
                self.audit();
            }
            13 => self.disk.set_room(Some(self.random.below(9000))),
            14 => {
                self.disk.set_room(None);
                self.sync();
            }
            15 => self
                .disk
                .fail_syncs(self.random.below(4), 1 + self.random.below(3)),
            16 => self.remove(),
            17 => self.reopen(),
            18 => self.journal().wait_idle(),
            _ => {}
        }
        if self.crashed {
            self.audit();
        }
        self.search();
    }
}

fn run(seed: u64) {
    let mut simulation = Simulation::new(seed);
    for _ in 0..150 {
        simulation.step();
    }
    simulation.disk.set_room(None);
    while simulation.journal().sync().is_err() {}
    simulation.audit();
    simulation.journal().wait_idle();
    (0..20).for_each(|_| simulation.search());
}

#[test]
fn nothing_acknowledged_is_lost() {
    let seeds = std::env::var("DAGR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .map_or(1..80, |seed| seed..seed + 1);
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
            eprintln!("simulation failed: DAGR_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
