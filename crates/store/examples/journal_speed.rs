//! Speed and size of the journal: `cargo run --release -p dagr-store --example journal_speed -- DIR`.
//! It makes about 300 MB in a directory under DIR and removes it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_store::journal::{DiskIo, Journal, JournalConfig, JournalIo, NewEntry};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let dir = tempfile::tempdir_in(parent)?;
    bare_sync(dir.path())?;
    group_commit(&dir.path().join("group"))?;
    subjects(&dir.path().join("subjects"))
}

/// A 4 KiB write and sync in space written with zeros before.
fn bare_sync(dir: &Path) -> Result {
    const SYNCS: usize = 2000;
    let file = DiskIo.create(&dir.join("bare"))?;
    file.write_at(&vec![0; SYNCS * 4096], 0)?;
    file.sync()?;
    let mut times = Vec::with_capacity(SYNCS);
    for at in 0..SYNCS {
        let start = Instant::now();
        file.write_at(&[7; 4096], at as u64 * 4096)?;
        file.sync()?;
        times.push(start.elapsed());
    }
    print_times("bare 4 KiB fdatasync", times);
    Ok(())
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    println!("{what}: median {:?}, p99 {:?}", at(50), at(99));
}

fn group_commit(dir: &Path) -> Result {
    const THREADS: usize = 64;
    const EACH: usize = 3000;
    let journal = Journal::open(dir, JournalConfig::default(), Arc::new(DiskIo))?;
    journal.wait_idle();
    let before = journal.stats().syncs;
    let start = Instant::now();
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let loops: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let journal = &journal;
                    move || append(journal, thread, EACH)
                })
            })
            .collect();
        loops
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let syncs = journal.stats().syncs - before;
    println!(
        "{THREADS} threads, urgent 200 bytes: {} entries in {seconds:.2} s = {:.0}/s, {syncs} syncs, {:.1} entries a sync, {:.0} µs a sync",
        times.len(),
        times.len() as f64 / seconds,
        times.len() as f64 / syncs as f64,
        seconds * 1e6 / syncs as f64,
    );
    print_times("append until durable", times);
    Ok(())
}

fn append(journal: &Journal, thread: usize, count: usize) -> Vec<Duration> {
    let one = |number: usize| {
        let code = format!("{:011}", (number * 64 + thread) * 7919 % 2_000_000);
        let entry = NewEntry {
            payload: vec![7; 200],
            subjects: vec![code.into_bytes()],
            counters: [(thread as u64, 1)].into_iter().collect(),
            at_ms: 1,
            urgent: true,
        };
        let start = Instant::now();
        journal
            .append(entry)
            .wait_blocking()
            .ok()
            .map(|_| start.elapsed())
    };
    (0..count).filter_map(one).collect()
}

/// Pages of 10 000 persons each, of 2 million.
fn subjects(dir: &Path) -> Result {
    const ENTRIES: u64 = 1000;
    const EACH: u64 = 10_000;
    let mut random = 88_172_645_463_325_252u64;
    let mut person = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Persons are spread over all codes.
        format!("{:011}", (random % 2_000_000) * 49_999 + 10_000_000).into_bytes()
    };
    let journal = Journal::open(dir, JournalConfig::default(), Arc::new(DiskIo))?;
    let start = Instant::now();
    for number in 0..ENTRIES {
        let entry = NewEntry {
            payload: vec![7; 200],
            subjects: (0..EACH).map(|_| person()).collect(),
            at_ms: number as i64,
            urgent: false,
            ..NewEntry::default()
        };
        journal.append(entry).wait_blocking()?;
    }
    journal.sync()?;
    println!(
        "{ENTRIES} entries of {EACH} subjects: appended in {:?}",
        start.elapsed()
    );
    let wanted = person();
    let search = |journal: &Journal, what: &str| -> Result {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..20 {
            let start = Instant::now();
            found = journal
                .find_subject(&wanted, i64::MIN, i64::MAX, None, 1000)?
                .len();
            times.push(start.elapsed());
        }
        print_times(&format!("search, {what} ({found} found)"), times);
        Ok(())
    };
    search(&journal, "open segment")?;
    drop(journal);
    let start = Instant::now();
    let journal = Journal::open(dir, JournalConfig::default(), Arc::new(DiskIo))?;
    println!("reopened in {:?}", start.elapsed());
    journal.wait_idle();
    println!("sealed and indexed after {:?}", start.elapsed());
    let stats = journal.stats();
    let subjects = (ENTRIES * EACH) as f64;
    println!(
        "bytes a subject: segment {:.2}, run {:.2}; {} segments, {} runs",
        stats.bytes as f64 / subjects,
        stats.run_bytes as f64 / subjects,
        stats.segments,
        stats.runs
    );
    search(&journal, "runs")?;
    let start = Instant::now();
    let misses = (0..1000)
        .filter(|number| {
            journal
                .find_subject(format!("{number:011}").as_bytes(), i64::MIN, i64::MAX, None, 10)
                .is_ok_and(|found| found.is_empty())
        })
        .count();
    println!(
        "{misses} searches of absent persons: {:?} each",
        start.elapsed() / 1000
    );
    Ok(())
}
