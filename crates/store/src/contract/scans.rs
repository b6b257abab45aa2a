//! Scans with every form of range, in both directions, against a filter of all keys.

use super::{Pairs, open, pairs, put};
use crate::kv::{Direction, Engine, Range, Table};

/// Neighbours in every way that an order of bytes can get wrong.
const KEYS: [&[u8]; 12] = [
    b"\0",
    b"\0\0",
    b"\0\xff",
    b"a",
    b"a\0",
    b"aa",
    b"ab",
    b"ab\xff",
    b"b",
    b"\x7f",
    b"\xff",
    b"\xff\xff",
];

pub(super) fn run(engine: &dyn Engine) {
    let kv = open(engine, "scans");
    let ops: Vec<_> = KEYS
        .iter()
        .rev()
        .map(|key| put(Table::Index, key, [key.len() as u8]))
        .collect();
    kv.commit(&ops, &[]).expect("commit");
    kv.commit(&[put(Table::List, "a", "another table")], &[])
        .expect("commit");
    let snapshot = kv.snapshot().expect("snapshot");

    let mut bounds: Vec<Option<&[u8]>> =
        vec![None, Some(b""), Some(b"aaa"), Some(b"ac"), Some(b"\xff\xff\xff")];
    bounds.extend(KEYS.iter().map(|key| Some(*key)));
    for from in &bounds {
        for to in &bounds {
            let range = Range { from: *from, to: *to };
            let mut expected: Pairs = KEYS
                .iter()
                .filter(|key| from.is_none_or(|from| **key >= from) && to.is_none_or(|to| **key < to))
                .map(|key| (key.to_vec(), vec![key.len() as u8]))
                .collect();
            expected.sort();
            assert_eq!(
                pairs(&*snapshot, Table::Index, range, Direction::Forward),
                expected,
                "{range:?}"
            );
            expected.reverse();
            assert_eq!(
                pairs(&*snapshot, Table::Index, range, Direction::Backward),
                expected,
                "{range:?} backward"
            );
        }
    }
    for direction in [Direction::Forward, Direction::Backward] {
        assert!(
            pairs(&*snapshot, Table::Erasure, Range::default(), direction).is_empty(),
            "an empty table"
        );
        // A scan that ends early, and two at once on one snapshot.
        let mut one = snapshot
            .scan(Table::Index, Range::default(), direction)
            .expect("scan");
        let mut other = snapshot
            .scan(Table::Index, Range::default(), direction)
            .expect("scan");
        let first = one.next().expect("first").expect("pair");
        one.next().expect("second").expect("pair");
        assert_eq!(
            other.next().expect("first").expect("pair"),
            first,
            "scans do not disturb each other"
        );
    }
}
