mod kill;
mod simulation;

use std::sync::Arc;

use super::{fake::FakeDisk, *};

const DIR: &str = "/journal";

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 4096,
        max_entry_bytes: 1024,
        merge_runs: 3,
        retry_ms: 1,
        lazy_sync_ms: 1000,
        ..JournalConfig::default()
    }
}

fn open(disk: &FakeDisk) -> Journal {
    Journal::open(DIR.as_ref(), config(), disk.io()).unwrap()
}

fn entry(number: u64, subjects: &[&str]) -> NewEntry {
    NewEntry {
        payload: format!("entry {number}").into_bytes(),
        subjects: subjects
            .iter()
            .map(|subject| subject.as_bytes().to_vec())
            .collect(),
        counters: [(1, 1), (2, number)].into_iter().collect(),
        at_ms: number as i64,
        urgent: true,
    }
}

fn fill(journal: &Journal, numbers: std::ops::Range<u64>) -> Vec<EntryId> {
    numbers
        .map(|number| {
            let code = format!("{:011}", number % 7);
            journal
                .append(entry(number, &[&code, "LV-all"]))
                .wait_blocking()
                .unwrap()
        })
        .collect()
}

fn find(journal: &Journal, subject: &str) -> Vec<EntryId> {
    journal
        .find_subject(subject.as_bytes(), i64::MIN, i64::MAX, None, usize::MAX)
        .unwrap()
}

#[test]
fn entries_come_back_after_reopening() {
    let disk = FakeDisk::new(1);
    let journal = open(&disk);
    let ids = fill(&journal, 0..500);
    drop(journal);
    let journal = open(&disk);
    for (number, id) in ids.iter().enumerate() {
        let stored = journal.read(*id).unwrap().unwrap();
        assert_eq!(stored.payload, format!("entry {number}").into_bytes());
        assert_eq!(stored.at_ms, number as i64);
        assert_eq!(
            stored.subjects,
            [format!("{:011}", number % 7).into_bytes(), b"LV-all".to_vec()]
        );
    }
    assert_eq!(
        journal
            .scan(None, None)
            .map(|entry| entry.unwrap().id)
            .collect::<Vec<_>>(),
        ids
    );
    assert_eq!(journal.scan(Some(ids[3]), Some(ids[400])).count(), 397);
    assert_eq!(journal.scan_time(100, 110, None).count(), 10);
    assert_eq!((journal.counter(1), journal.counter(2)), (500, (0..500).sum()));
    assert_eq!(
        journal
            .read(EntryId {
                segment: 1,
                offset: 33
            })
            .unwrap(),
        None
    );
    assert_eq!(
        journal
            .read(EntryId {
                segment: 99,
                offset: 32
            })
            .unwrap(),
        None
    );
}

#[test]
fn a_subject_is_found_in_merged_runs_and_in_the_open_segment() {
    let disk = FakeDisk::new(2);
    let journal = open(&disk);
    let ids = fill(&journal, 0..1000);
    journal.wait_idle();
    let stats = journal.stats();
    assert_eq!((stats.unindexed, stats.damaged), (0, 0));
    assert!(stats.runs < stats.segments / 2, "{stats:?}");
    assert_eq!(find(&journal, "LV-all"), ids);
    let of_three: Vec<_> = ids.iter().skip(3).step_by(7).copied().collect();
    assert_eq!(find(&journal, "00000000003"), of_three);
    assert_eq!(find(&journal, "00000000008"), []);
    let page = journal
        .find_subject(b"00000000003", 100, 600, Some(of_three[20]), 5)
        .unwrap();
    assert_eq!(page, of_three[21..26]);
}

#[test]
fn damaged_or_missing_runs_are_made_again() {
    let disk = FakeDisk::new(3);
    let journal = open(&disk);
    let ids = fill(&journal, 0..400);
    journal.wait_idle();
    let runs = || {
        disk.paths()
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ext| ext == "run"))
    };
    for (at, path) in runs().enumerate() {
        // A block, the index or filter, the meta block: each is noticed.
        disk.flip(&path, [20, 60, 1200][at % 3]);
    }
    assert_eq!(find(&journal, "LV-all"), ids);
    journal.wait_idle();
    assert_eq!(journal.stats().unindexed, 0);
    drop(journal);
    let io = disk.io();
    runs().for_each(|path| io.remove(&path).unwrap());
    let journal = open(&disk);
    journal.wait_idle();
    assert_eq!(journal.stats().unindexed, 0);
    assert_eq!(find(&journal, "LV-all"), ids);
}

#[test]
fn removal_keeps_the_counters_and_hides_the_entries() {
    let disk = FakeDisk::new(4);
    let journal = open(&disk);
    let ids = fill(&journal, 0..600);
    journal.wait_idle();
    let removed = journal.remove_before(300).unwrap();
    assert!(!removed.is_empty());
    assert!(journal.remove_before(300).unwrap().is_empty());
    let last = *removed.last().unwrap();
    let left: Vec<_> = ids.iter().filter(|id| id.segment > last).copied().collect();
    assert!(left.len() >= 300);
    for journal in [journal, { open(&disk) }] {
        assert_eq!(find(&journal, "LV-all"), left);
        assert_eq!(journal.scan(None, None).count(), left.len());
        assert_eq!(journal.counter(1), 600);
        assert_eq!(journal.read(ids[0]).unwrap(), None);
    }
}

#[test]
fn missing_use_counts_are_no_fresh_quota() {
    let disk = FakeDisk::new(5);
    let journal = open(&disk);
    fill(&journal, 0..300);
    journal.wait_idle();
    journal.remove_before(200).unwrap();
    drop(journal);
    let io = disk.io();
    for path in disk
        .paths()
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "uses"))
    {
        io.remove(path).unwrap();
    }
    let refused = Journal::open(DIR.as_ref(), config(), disk.io());
    assert!(matches!(refused, Err(JournalError::Corrupt(_))));
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let disk = FakeDisk::new(6);
    let journal = open(&disk);
    journal.wait_idle();
    disk.set_room(Some(0));
    let mut written = Vec::new();
    let refused = loop {
        match journal
            .append(entry(written.len() as u64, &["x"]))
            .wait_blocking()
        {
            Ok(id) => written.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, JournalError::Full), "{refused:?}");
    assert_eq!(journal.health().state, State::Full);
    assert!(matches!(
        journal.append(entry(0, &[])).wait_blocking(),
        Err(JournalError::Full)
    ));
    assert_eq!(find(&journal, "x"), written);
    drop(journal);
    // Opening on a full disk: reads work.
    let journal = open(&disk);
    assert_eq!(journal.health().state, State::Full);
    assert_eq!(find(&journal, "x"), written);
    disk.set_room(None);
    journal.sync().unwrap();
    assert_eq!(journal.health().state, State::Running);
    written.push(journal.append(entry(7, &["x"])).wait_blocking().unwrap());
    assert_eq!(find(&journal, "x"), written);
}

#[test]
fn a_failed_sync_fails_its_group_and_keeps_what_was_acknowledged() {
    let disk = FakeDisk::new(7);
    let journal = open(&disk);
    journal.wait_idle();
    let lazy = NewEntry {
        urgent: false,
        ..entry(1, &["x"])
    };
    let kept = journal.append(lazy).wait_blocking().unwrap();
    disk.fail_syncs(0, 1);
    let failed = journal.append(entry(2, &["x"])).wait_blocking();
    assert!(matches!(failed, Err(JournalError::Failed(_))));
    journal.sync().unwrap();
    let next = journal.append(entry(3, &["x"])).wait_blocking().unwrap();
    assert!(next.segment > kept.segment);
    disk.crash();
    drop(journal);
    let journal = open(&disk);
    assert_eq!(find(&journal, "x"), [kept, next]);
    assert_eq!(journal.counter(2), 4);
}

#[test]
fn a_disk_that_goes_on_failing_stops_the_journal_until_asked() {
    let disk = FakeDisk::new(8);
    let config = JournalConfig {
        retries: 0,
        ..config()
    };
    let journal = Journal::open(DIR.as_ref(), config, disk.io()).unwrap();
    journal.wait_idle();
    disk.fail_syncs(0, 3);
    assert!(journal.append(entry(2, &["x"])).wait_blocking().is_err());
    assert_eq!(journal.health().state, State::Stopped);
    assert!(journal.sync().is_err());
    while journal.sync().is_err() {}
    assert_eq!(journal.health().state, State::Running);
    assert!(journal.append(entry(3, &["x"])).wait_blocking().is_ok());
}

#[test]
fn what_is_wrong_is_refused_at_once() {
    let disk = FakeDisk::new(9);
    let journal = open(&disk);
    let large = NewEntry {
        payload: vec![0; 1025],
        ..NewEntry::default()
    };
    assert!(matches!(
        journal.append(large).wait_blocking(),
        Err(JournalError::TooLarge { limit: 1024 })
    ));
    let long = NewEntry {
        subjects: vec![vec![0; 65]],
        ..NewEntry::default()
    };
    assert!(matches!(
        journal.append(long).wait_blocking(),
        Err(JournalError::Invalid(_))
    ));
    let small = JournalConfig {
        segment_bytes: 1000,
        ..config()
    };
    assert!(matches!(
        Journal::open(DIR.as_ref(), small, disk.io()),
        Err(JournalError::Invalid(_))
    ));
}

#[test]
fn a_full_queue_is_busy() {
    let disk = FakeDisk::new(10);
    let config = JournalConfig {
        queue_entries: 0,
        ..config()
    };
    let journal = Journal::open(DIR.as_ref(), config, disk.io()).unwrap();
    assert!(matches!(
        journal.append(entry(1, &[])).wait_blocking(),
        Err(JournalError::Busy)
    ));
}

#[test]
fn a_directory_has_one_journal_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), config(), Arc::new(DiskIo)).unwrap();
    assert!(Journal::open(dir.path(), config(), Arc::new(DiskIo)).is_err());
    let ids = fill(&journal, 0..300);
    drop(journal);
    let journal = Journal::open(dir.path(), config(), Arc::new(DiskIo)).unwrap();
    journal.wait_idle();
    assert_eq!(find(&journal, "LV-all"), ids);
}

#[test]
fn many_subjects_go_through_parts() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(
        dir.path(),
        JournalConfig {
            segment_bytes: 8 << 20,
            ..JournalConfig::default()
        },
        Arc::new(DiskIo),
    )
    .unwrap();
    let mut ids = Vec::new();
    for number in 0..220u64 {
        let codes = (0..10_000u64).map(|person| format!("{:011}", (person * 37 + number * 11) % 3_000_017));
        let subjects = codes.map(String::into_bytes).collect();
        ids.push(
            journal
                .append(NewEntry {
                    subjects,
                    urgent: false,
                    ..NewEntry::default()
                })
                .wait_blocking()
                .unwrap(),
        );
    }
    drop(journal);
    let journal = Journal::open(
        dir.path(),
        JournalConfig {
            segment_bytes: 8 << 20,
            ..JournalConfig::default()
        },
        Arc::new(DiskIo),
    )
    .unwrap();
    journal.wait_idle();
    assert_eq!(journal.stats().unindexed, 0);
    for code in [0u64, 37, 407, 3_000_000, 123_457] {
        let has = |number: u64| (0..10_000u64).any(|person| (person * 37 + number * 11) % 3_000_017 == code);
        let expected: Vec<_> = (0..220)
            .filter(|number| has(*number))
            .map(|number| ids[number as usize])
            .collect();
        assert_eq!(find(&journal, &format!("{code:011}")), expected);
    }
}

#[test]
fn a_ticket_is_a_future() {
    let disk = FakeDisk::new(11);
    let journal = open(&disk);
    let mut ticket = std::pin::pin!(journal.append(entry(1, &[])));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    journal.sync().unwrap();
    assert!(ticket.as_mut().poll(&mut context).is_ready());
}
