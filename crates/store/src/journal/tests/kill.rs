//! kill −9 on a process that appends: every id it told is there.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use super::*;

const DIR_VARIABLE: &str = "DAGR_TEST_JOURNAL_DIR";

/// Runs only as the child of the test below.
#[test]
fn child_appends_until_killed() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else {
        return;
    };
    let config = JournalConfig {
        segment_bytes: 64 << 10,
        ..config()
    };
    let journal = Journal::open(dir.as_ref(), config, Arc::new(DiskIo)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let id = journal
                        .append(entry(1, &["x", "00000000007"]))
                        .wait_blocking()
                        .unwrap();
                    println!("\nid {id}");
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = BTreeSet::new();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "journal::tests::kill::child_appends_until_killed",
                "--nocapture",
            ])
            .env(DIR_VARIABLE, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let id = |line: String| line.strip_prefix("id ").and_then(|id| id.parse::<EntryId>().ok());
        while told.len() < round * 700 {
            told.extend(id(lines.next().unwrap().unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had told before it died and nobody had read yet.
        told.extend(lines.map_while(Result::ok).filter_map(id));

        let journal = Journal::open(
            dir.path(),
            JournalConfig {
                segment_bytes: 64 << 10,
                ..config()
            },
            Arc::new(DiskIo),
        )
        .unwrap();
        let there: Vec<EntryId> = journal.scan(None, None).map(|entry| entry.unwrap().id).collect();
        let unique: BTreeSet<EntryId> = there.iter().copied().collect();
        assert_eq!(unique.len(), there.len());
        assert!(told.is_subset(&unique));
        assert_eq!(journal.counter(1), there.len() as u64);
        journal.wait_idle();
        assert_eq!(find(&journal, "x"), there);
    }
}
