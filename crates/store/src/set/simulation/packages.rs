//! Packages that make of records what is wanted, in all the forms providers find.

use std::{collections::BTreeMap, sync::Arc};

use dagr_model::{definition::Duplicates, record::Canonical};

use super::{
    Simulation, Wanted,
    model::{Delivery, Row},
    random::Random,
    world,
};
use crate::{
    set::apply::Mode,
    stage::{Verb, groups::Resolve},
};

impl Simulation {
    /// Rows that make of a world what is wanted, with repetitions that change nothing.
    pub(super) fn delivery(&mut self, live: Vec<(Vec<u8>, Canonical)>, wanted: &Wanted) -> Delivery {
        let (schema, random) = (Arc::clone(&self.schema), &mut self.random);
        let wanted: BTreeMap<_, _> = wanted
            .iter()
            .map(|(key, new)| (world::key_of(&schema, *key), new.clone()))
            .collect();
        let mut by_key: Vec<Vec<Row>> = Vec::new();
        let upsert = |key: &Vec<u8>, record: &Canonical| Row {
            key: key.clone(),
            verb: Verb::Upsert,
            record: record.clone(),
        };
        let snapshot = random.percent(30);
        let resolve = if snapshot || random.percent(30) {
            Resolve::Rows(*random.pick(&[Duplicates::Quarantine, Duplicates::First, Duplicates::Last]))
        } else {
            Resolve::LastOperation
        };
        if snapshot {
            let untouched = live.iter().filter(|(key, _)| !wanted.contains_key(key));
            by_key.extend(untouched.map(|(key, record)| vec![upsert(key, record)]));
        }
        for (key, new) in &wanted {
            let last = match new {
                Some(record) => upsert(key, record),
                None if snapshot => continue,
                None => {
                    let verb = *random.pick(&[Verb::Delete, Verb::Erase]);
                    Row {
                        key: key.clone(),
                        verb,
                        record: Canonical::default(),
                    }
                }
            };
            let mut rows = vec![last.clone()];
            if random.percent(40) {
                match resolve {
                    Resolve::LastOperation => {
                        let verb = *random.pick(&[Verb::Delete, Verb::Erase]);
                        rows.insert(
                            0,
                            Row {
                                key: key.clone(),
                                verb,
                                record: Canonical::default(),
                            },
                        );
                    }
                    Resolve::Rows(_) => rows.push(last),
                }
            }
            by_key.push(rows);
        }
        Delivery {
            mode: if snapshot { Mode::Snapshot } else { Mode::Delta },
            resolve,
            guard_bp: None,
            now_ms: self.now_ms,
            rows: shuffle(random, by_key),
            expired: None,
        }
    }

    /// Makes a package one that is not simply accepted.
    pub(super) fn spoil(&mut self, delivery: &mut Delivery) {
        let random = &mut self.random;
        if random.percent(50) {
            delivery.guard_bp = Some(*random.pick(&[0, 1_000, 3_000]));
        }
        if random.percent(30) {
            delivery.expired = Some(b"\"F0\":\"c\"");
        }
        for _ in 0..random.below(3) {
            let key = world::key_parts(random);
            let bytes = world::key_of(&self.schema, key);
            let record = world::canonical(&self.schema, &world::draft(random, &self.schema, key));
            let (verb, record) = if random.percent(50) {
                (Verb::Upsert, record)
            } else {
                (Verb::Protect, Canonical::default())
            };
            let at = random.below(delivery.rows.len() + 1);
            delivery.rows.insert(
                at,
                Row {
                    key: bytes.clone(),
                    verb,
                    record,
                },
            );
            if random.percent(30) {
                delivery
                    .rows
                    .retain(|row| row.key != bytes || row.verb == Verb::Protect);
            }
        }
    }
}

/// In any order, but each key's rows in their own.
fn shuffle(random: &mut Random, by_key: Vec<Vec<Row>>) -> Vec<Row> {
    let mut left: Vec<_> = by_key.into_iter().map(Vec::into_iter).collect();
    let mut rows = Vec::new();
    while !left.is_empty() {
        let at = random.below(left.len());
        match left[at].next() {
            Some(row) => rows.push(row),
            None => drop(left.swap_remove(at)),
        }
    }
    rows
}
