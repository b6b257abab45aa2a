//! Random operations compared with sorted maps. The seed is in every message.

use std::collections::BTreeMap;

use super::{caller_error, delete, open, pairs, put};
use crate::kv::{Direction, Engine, Kv, Op, Precondition, Range, Table};

const STEPS: usize = 150;

type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

pub(super) fn run(engine: &dyn Engine, seed: u64) {
    let kv = open(engine, &format!("model-{seed}"));
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut model = Model::new();
    for step in 0..STEPS {
        let ops: Vec<_> = (0..random.below(30)).map(|_| random.op()).collect();
        let told = format!("seed {seed}, step {step}");
        match random.below(10) {
            0..4 => {
                kv.commit(&ops, &[]).expect(&told);
                apply(&mut model, &ops);
            }
            4..6 => commit_with_preconditions(&*kv, &mut model, &ops, &mut random, &told),
            6..9 => {
                bulk(&*kv, &ops, false).expect(&told);
                apply(&mut model, &ops);
            }
            _ => assert!(bulk(&*kv, &ops, true).is_err(), "{told}"),
        }
        compare(&*kv, &model, &mut random, &told);
    }
}

fn commit_with_preconditions(kv: &dyn Kv, model: &mut Model, ops: &[Op], random: &mut Random, told: &str) {
    let conditions: Vec<_> = (0..3)
        .map(|_| {
            let (table, key) = (random.table(), random.key());
            let found = model.get(&(table, key.clone())).cloned();
            let value = if random.below(4) == 0 {
                Some(random.value())
            } else {
                found
            };
            Precondition { table, key, value }
        })
        .collect();
    let hold = conditions
        .iter()
        .all(|c| model.get(&(c.table, c.key.clone())) == c.value.as_ref());
    assert_eq!(kv.commit(ops, &conditions).is_ok(), hold, "{told}");
    if hold {
        apply(model, ops);
    }
}

fn bulk(kv: &dyn Kv, ops: &[Op], fail: bool) -> Result<(), crate::kv::KvError> {
    kv.bulk(0, &mut |_, sink| {
        for op in ops {
            match op {
                Op::Put { table, key, value } => sink.put(*table, key, value)?,
                Op::Delete { table, key } => sink.delete(*table, key)?,
            }
        }
        if fail { Err(caller_error()) } else { Ok(()) }
    })
}

fn apply(model: &mut Model, ops: &[Op]) {
    for op in ops.iter().cloned() {
        match op {
            Op::Put { table, key, value } => model.insert((table, key), value),
            Op::Delete { table, key } => model.remove(&(table, key)),
        };
    }
}

fn compare(kv: &dyn Kv, model: &Model, random: &mut Random, told: &str) {
    let snapshot = kv.snapshot().expect(told);
    for _ in 0..5 {
        let (table, key) = (random.table(), random.key());
        let expected = model.get(&(table, key.clone())).map(Vec::as_slice);
        assert_eq!(snapshot.get(table, &key).expect(told), expected, "{told}");
    }
    for _ in 0..5 {
        let table = random.table();
        let (from, to) = (random.bound(), random.bound());
        let mut expected: Vec<_> = model
            .iter()
            .filter(|((of, key), _)| {
                *of == table
                    && from.as_ref().is_none_or(|from| key >= from)
                    && to.as_ref().is_none_or(|to| key < to)
            })
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        let range = Range {
            from: from.as_deref(),
            to: to.as_deref(),
        };
        assert_eq!(
            pairs(&*snapshot, table, range, Direction::Forward),
            expected,
            "{told}"
        );
        expected.reverse();
        assert_eq!(
            pairs(&*snapshot, table, range, Direction::Backward),
            expected,
            "{told}"
        );
    }
}

/// xorshift64*: the same numbers on every machine, without a dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn table(&mut self) -> Table {
        [Table::Record, Table::Change, Table::Index][self.below(3) as usize]
    }

    /// Few letters and short keys, so that they meet and are prefixes of each other.
    fn key(&mut self) -> Vec<u8> {
        (0..=self.below(4))
            .map(|_| [0, b'a', b'b', 0xff][self.below(4) as usize])
            .collect()
    }

    /// Mostly short, sometimes beyond a page.
    fn value(&mut self) -> Vec<u8> {
        let length = if self.below(20) == 0 {
            self.below(20_000)
        } else {
            self.below(40)
        };
        vec![self.below(256) as u8; length as usize]
    }

    fn bound(&mut self) -> Option<Vec<u8>> {
        (self.below(4) > 0).then(|| self.key())
    }

    fn op(&mut self) -> Op {
        let (table, key) = (self.table(), self.key());
        if self.below(3) == 0 {
            delete(table, key)
        } else {
            put(table, key, self.value())
        }
    }
}
