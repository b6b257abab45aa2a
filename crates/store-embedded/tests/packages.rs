//! Whole data sets on LMDB: against the model, and through kill −9.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_store::{
    kv::{Engine, Kv},
    set::simulation::{self, Endless},
};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

const DIR_VARIABLE: &str = "DAGR_PACKAGES_TEST_DIR";
const SEED: u64 = 7;
/// Rounds of the kill test; `DAGR_CASES` multiplies them.
const ROUNDS: u64 = 3;
const ACKNOWLEDGED_A_ROUND: usize = 5;

fn engine(dir: &Path) -> LmdbEngine {
    // A small map, so that growing is met too.
    let config = LmdbConfig {
        map_initial_bytes: 1 << 20,
        ..LmdbConfig::default()
    };
    LmdbEngine::new(dir.to_owned(), config).unwrap()
}

fn open(dir: &Path) -> Arc<dyn Kv> {
    engine(dir).open("kill/set").unwrap()
}

#[test]
fn every_recipient_is_told_what_it_may_see_and_nothing_else() {
    for seed in 0..simulation::cases(4) {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(dir.path());
        simulation::run(
            &|name| engine.open(&format!("simulation/{name}")).unwrap(),
            1_000_000 + seed,
        );
    }
}

#[test]
fn a_permission_that_is_amended_takes_back_what_it_gave_and_nothing_else() {
    for seed in 0..simulation::cases(2) {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(dir.path());
        simulation::run_amended(
            &|name| engine.open(&format!("simulation/{name}")).unwrap(),
            1_000_000 + seed,
        );
    }
}

/// Not a test of its own: what the child process runs. Without the variable it does nothing.
#[test]
fn child_applies_until_killed() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else {
        return;
    };
    let mut packages = Endless::resume(&open(Path::new(&dir)), SEED);
    // Written past the test harness, which would keep it until the end.
    let mut out = std::io::stdout().lock();
    loop {
        packages.deliver();
        writeln!(out, "\nacknowledged {}", packages.applied()).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn acknowledged_packages_are_whole_after_a_kill() {
    let mut dir = tempfile::tempdir().unwrap();
    for round in 0..simulation::cases(ROUNDS) {
        if round.is_multiple_of(10) {
            // Packages are replayed in the model: not ever more of them.
            dir = tempfile::tempdir().unwrap();
        }
        let acknowledged = kill_after_acknowledgements(dir.path(), round);
        // Every row of every table is that of whole packages, or this fails.
        let applied = Endless::resume(&open(dir.path()), SEED).applied();
        assert!(
            applied == acknowledged || applied == acknowledged + 1,
            "{acknowledged} acknowledged, {applied} there"
        );
    }
}

/// Returns the last acknowledged package.
fn kill_after_acknowledgements(dir: &Path, round: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_applies_until_killed", "--exact", "--nocapture"])
        .env(DIR_VARIABLE, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let before = numbers.nth(ACKNOWLEDGED_A_ROUND - 1);
    // Each round a little later in the next package.
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(round * 1_700 % 23_000) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had acknowledged before the kill reached it counts as well.
    numbers.last().or(before).expect("the child must acknowledge")
}
