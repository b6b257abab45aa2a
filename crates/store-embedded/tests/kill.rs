//! A process that is killed loses nothing it has acknowledged, and leaves no half bulk.
//!
//! The test starts itself as the writer, reads the acknowledged numbers from its output and kills it.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use dagr_store::kv::{Direction, Engine, Kv, Op, Range, Table};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

const DIR_VARIABLE: &str = "DAGR_KILL_TEST_DIR";
const ROUNDS: usize = 4;
const ACKNOWLEDGED_A_ROUND: usize = 12;
/// Enough that a kill mostly falls into the middle of a bulk.
const BULK_RECORDS: u32 = 2_000;

fn open(dir: &Path) -> std::sync::Arc<dyn Kv> {
    // A small map, so that growing is interrupted too.
    let config = LmdbConfig {
        map_initial_bytes: 1 << 20,
        ..LmdbConfig::default()
    };
    LmdbEngine::new(dir.to_owned(), config)
        .unwrap()
        .open("kill/set")
        .unwrap()
}

/// Not a test of its own: what the child process runs. Without the variable it does nothing.
#[test]
fn child_writes_until_killed() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else {
        return;
    };
    let kv = open(Path::new(&dir));
    let first = next_number(&*kv);
    // Written past the test harness, which would keep it until the end.
    let mut out = std::io::stdout().lock();
    for number in first.. {
        write_number(&*kv, number);
        writeln!(out, "\nacknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Even numbers by commit, odd ones by a bulk of many records.
fn write_number(kv: &dyn Kv, number: u32) {
    let key = number.to_be_bytes();
    if number.is_multiple_of(2) {
        let op = |table| Op::Put {
            table,
            key: key.to_vec(),
            value: vec![1; 100],
        };
        kv.commit(&[op(Table::Meta), op(Table::Change)], &[]).unwrap();
    } else {
        kv.bulk(u64::from(BULK_RECORDS) * 220, &mut |_, sink| {
            for record in 0..BULK_RECORDS {
                sink.put(Table::Record, &[key, record.to_be_bytes()].concat(), &[2; 200])?;
            }
            sink.put(Table::Meta, &key, b"")?;
            sink.put(Table::Change, &key, b"")
        })
        .unwrap();
    }
}

fn next_number(kv: &dyn Kv) -> u32 {
    let snapshot = kv.snapshot().unwrap();
    let last = snapshot
        .scan(Table::Meta, Range::default(), Direction::Backward)
        .unwrap()
        .next();
    last.map_or(0, |pair| {
        u32::from_be_bytes(pair.unwrap().0.try_into().unwrap()) + 1
    })
}

#[test]
fn nothing_acknowledged_is_lost_and_no_bulk_is_half() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..ROUNDS {
        let last = kill_after_acknowledgements(dir.path());
        check(&*open(dir.path()), last);
    }
}

/// Returns the last acknowledged number.
fn kill_after_acknowledgements(dir: &Path) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_writes_until_killed", "--exact", "--nocapture"])
        .env(DIR_VARIABLE, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut acknowledged = |line: String| {
        line.strip_prefix("acknowledged ")
            .and_then(|number| number.parse().ok())
    };
    let before = lines
        .by_ref()
        .filter_map(&mut acknowledged)
        .nth(ACKNOWLEDGED_A_ROUND - 1);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had acknowledged before the kill reached it counts as well.
    lines
        .filter_map(acknowledged)
        .last()
        .or(before)
        .expect("the child must acknowledge")
}

fn check(kv: &dyn Kv, last: u32) {
    let snapshot = kv.snapshot().unwrap();
    let known = next_number(kv);
    assert!(
        known > last,
        "number {last} was acknowledged, {known} is the first unknown one"
    );
    assert!(
        known <= last + 2,
        "at most one more was durable and not yet acknowledged"
    );
    for number in 0..known {
        let key = number.to_be_bytes();
        assert!(
            snapshot.get(Table::Meta, &key).unwrap().is_some(),
            "{number} is missing"
        );
        assert!(
            snapshot.get(Table::Change, &key).unwrap().is_some(),
            "{number} is half"
        );
    }
    let records = snapshot
        .scan(Table::Record, Range::default(), Direction::Forward)
        .unwrap();
    assert_eq!(
        records.map(Result::unwrap).count(),
        (known / 2 * BULK_RECORDS) as usize,
        "no bulk is half"
    );
}
