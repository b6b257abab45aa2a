//! What every engine must do, as one suite. An engine's own test is a few lines that call it.
//!
//! Each case uses data sets of its own under `contract/`; the engine must be empty or at least free of those.

use std::path::Path;
use std::sync::Arc;

use crate::kv::{Direction, Engine, Kv, KvError, Op, Precondition, Range, Snapshot, Table};

mod bulks;
mod commits;
mod engines;
mod model;
mod scans;

/// Runs the whole suite.
///
/// # Panics
/// When the engine breaks a rule; the message says which.
pub fn run(engine: &dyn Engine) {
    commits::run(engine);
    scans::run(engine);
    bulks::run(engine);
    engines::run(engine);
    for seed in 1..=6 {
        model::run(engine, seed);
    }
}

/// Checks that a checkpoint taken while others write equals the state at one moment. `dir` is an empty directory
/// to write into; `open_copy` opens what `checkpoint` wrote.
///
/// # Panics
/// When it does not.
pub fn run_checkpoint(engine: &dyn Engine, dir: &Path, open_copy: &dyn Fn(&Path) -> Arc<dyn Kv>) {
    engines::checkpoint(engine, dir, open_copy);
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn open(engine: &dyn Engine, name: &str) -> Arc<dyn Kv> {
    let name = format!("contract/{name}");
    engine.remove(&name).expect("remove what an earlier run left");
    engine.open(&name).expect("open")
}

fn put(table: Table, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Op {
    Op::Put {
        table,
        key: key.as_ref().to_vec(),
        value: value.as_ref().to_vec(),
    }
}

fn delete(table: Table, key: impl AsRef<[u8]>) -> Op {
    Op::Delete {
        table,
        key: key.as_ref().to_vec(),
    }
}

fn holds(table: Table, key: &str, value: Option<&str>) -> Precondition {
    Precondition {
        table,
        key: key.as_bytes().to_vec(),
        value: value.map(|value| value.as_bytes().to_vec()),
    }
}

fn get(kv: &dyn Kv, table: Table, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let snapshot = kv.snapshot().expect("snapshot");
    snapshot
        .get(table, key.as_ref())
        .expect("get")
        .map(<[u8]>::to_vec)
}

fn pairs(snapshot: &dyn Snapshot, table: Table, range: Range<'_>, direction: Direction) -> Pairs {
    snapshot
        .scan(table, range, direction)
        .expect("scan")
        .map(|pair| {
            pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
                .expect("pair")
        })
        .collect()
}

fn all(kv: &dyn Kv, table: Table) -> Pairs {
    pairs(
        &*kv.snapshot().expect("snapshot"),
        table,
        Range::default(),
        Direction::Forward,
    )
}

fn count(snapshot: &dyn Snapshot, table: Table) -> usize {
    snapshot
        .scan(table, Range::default(), Direction::Forward)
        .expect("scan")
        .inspect(|pair| assert!(pair.is_ok(), "pair"))
        .count()
}

fn is_empty(kv: &dyn Kv) -> bool {
    Table::ALL.iter().all(|table| all(kv, *table).is_empty())
}

fn caller_error() -> KvError {
    KvError::Caller("the maker gives up".to_owned())
}
