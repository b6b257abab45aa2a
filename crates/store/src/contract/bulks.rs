//! Bulks: all at once or nothing, read from the state before, while snapshots stand still.

use super::{all, caller_error, count, delete, get, is_empty, open, pairs, put};
use crate::kv::{Direction, Engine, Kv, KvError, Range, Table};

pub(super) fn run(engine: &dyn Engine) {
    visible_at_once(engine);
    error_leaves_nothing(engine);
    reads_the_state_before(engine);
    order_within_a_bulk(engine);
    large(engine);
}

fn visible_at_once(engine: &dyn Engine) {
    let kv = open(engine, "at-once");
    kv.commit(&[put(Table::Record, "a", "old")], &[]).expect("commit");
    let before = kv.snapshot().expect("snapshot");
    kv.bulk(100, &mut |_, sink| {
        sink.put(Table::Record, b"a", b"new")?;
        sink.put(Table::Record, b"b", b"new")?;
        sink.put(Table::Change, b"1", b"b")?;
        // Readers beside the bulk see nothing of it.
        assert_eq!(get(&*kv, Table::Record, "a").as_deref(), Some(&b"old"[..]));
        assert_eq!(get(&*kv, Table::Record, "b"), None);
        assert_eq!(before.get(Table::Record, b"a")?, Some(&b"old"[..]));
        Ok(())
    })
    .expect("bulk");
    assert_eq!(
        before.get(Table::Record, b"a").expect("get"),
        Some(&b"old"[..]),
        "a snapshot does not move"
    );
    assert_eq!(count(&*before, Table::Record), 1, "a snapshot does not move");
    assert_eq!(count(&*before, Table::Change), 0, "a snapshot does not move");
    drop(before);
    assert_eq!(get(&*kv, Table::Record, "a").as_deref(), Some(&b"new"[..]));
    assert_eq!(
        (all(&*kv, Table::Record).len(), all(&*kv, Table::Change).len()),
        (2, 1)
    );
}

fn error_leaves_nothing(engine: &dyn Engine) {
    let kv = open(engine, "error");
    let broken = kv.bulk(1_000_000, &mut |_, sink| {
        for number in 0..1_000_u32 {
            sink.put(Table::Record, &number.to_be_bytes(), &[1; 600])?;
            sink.put(Table::Index, &number.to_le_bytes(), b"")?;
        }
        Err(caller_error())
    });
    assert!(
        matches!(broken, Err(KvError::Caller(_))),
        "the maker's own error comes back"
    );
    assert!(is_empty(&*kv), "an error leaves nothing");
    kv.bulk(10, &mut |_, sink| sink.put(Table::Record, b"a", b"1"))
        .expect("the next bulk is not disturbed");
    assert_eq!(all(&*kv, Table::Record).len(), 1);
    kv.bulk(0, &mut |_, _| Ok(())).expect("an empty bulk");
}

fn reads_the_state_before(engine: &dyn Engine) {
    let kv = open(engine, "state-before");
    fill(&*kv, 500);
    // Every record is read and rewritten while the scan over them runs; every other is deleted.
    kv.bulk(0, &mut |before, sink| {
        for (number, pair) in before
            .scan(Table::Record, Range::default(), Direction::Forward)?
            .enumerate()
        {
            let (key, value) = pair?;
            assert_eq!(before.get(Table::Record, key)?, Some(value));
            if number % 2 == 0 {
                sink.delete(Table::Record, key)?;
            } else {
                sink.put(Table::Record, key, &[value, b"!"].concat())?;
            }
            assert_eq!(
                before.get(Table::Record, key)?,
                Some(value),
                "the view before the bulk does not move"
            );
        }
        Ok(())
    })
    .expect("bulk");
    let after = all(&*kv, Table::Record);
    assert_eq!(after.len(), 250);
    assert!(after.iter().all(|(_, value)| value.ends_with(b"!")));
}

fn order_within_a_bulk(engine: &dyn Engine) {
    let kv = open(engine, "bulk-order");
    kv.bulk(0, &mut |_, sink| {
        for key in [b"m", b"z", b"a", b"m", b"b"] {
            sink.put(Table::Index, key, b"1")?;
        }
        sink.put(Table::Index, b"m", b"2")?;
        sink.delete(Table::Index, b"z")?;
        sink.delete(Table::Index, b"absent")?;
        sink.put(Table::Index, b"y", b"1")
    })
    .expect("an unsorted bulk");
    let keys: Vec<_> = all(&*kv, Table::Index)
        .into_iter()
        .map(|(key, value)| [key, value].concat())
        .collect();
    assert_eq!(keys, [b"a1", b"b1", b"m2", b"y1"]);
}

/// 200 000 operations over interleaved tables, twice: as first load and as update with deletions.
fn large(engine: &dyn Engine) {
    const RECORDS: u32 = 66_667;
    let kv = open(engine, "large");
    kv.bulk(u64::from(RECORDS) * 160, &mut |_, sink| {
        for number in 0..RECORDS {
            let key = number.to_be_bytes();
            sink.put(Table::Record, &key, &[number as u8; 100])?;
            sink.put(Table::Change, &key, &key)?;
            sink.put(
                Table::Index,
                &number.wrapping_mul(2_654_435_761).to_be_bytes(),
                &key,
            )?;
        }
        Ok(())
    })
    .expect("first load");
    let loaded = kv.snapshot().expect("snapshot");
    // The hint is too small on purpose: it is only a hint.
    kv.bulk(1, &mut |before, sink| {
        for number in 0..RECORDS {
            let key = number.to_be_bytes();
            assert!(
                before
                    .get(Table::Record, &key)?
                    .is_some_and(|value| value == [number as u8; 100])
            );
            sink.put(Table::Record, &key, &[number as u8; 80])?;
            sink.delete(Table::Change, &key)?;
            sink.put(Table::Change, &(number + RECORDS).to_be_bytes(), &key)?;
        }
        Ok(())
    })
    .expect("update");
    let updated = kv.snapshot().expect("snapshot");
    for table in [Table::Record, Table::Change, Table::Index] {
        assert_eq!(
            (count(&*loaded, table), count(&*updated, table)),
            (RECORDS as usize, RECORDS as usize),
            "{table:?}"
        );
    }
    assert_eq!(
        loaded.get(Table::Record, &7_u32.to_be_bytes()).expect("get"),
        Some(&[7; 100][..])
    );
    assert_eq!(
        updated.get(Table::Record, &7_u32.to_be_bytes()).expect("get"),
        Some(&[7; 80][..])
    );
    let (from, to) = ((RECORDS + 10).to_be_bytes(), (RECORDS + 12).to_be_bytes());
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    let last_two = pairs(&*updated, Table::Change, range, Direction::Backward);
    assert_eq!(
        last_two
            .iter()
            .map(|(_, value)| value.as_slice())
            .collect::<Vec<_>>(),
        [[0, 0, 0, 11], [0, 0, 0, 10]]
    );
    assert!(
        kv.health().expect("health").used_bytes > u64::from(RECORDS) * 80,
        "health counts what is stored"
    );
}

fn fill(kv: &dyn Kv, records: u32) {
    let ops: Vec<_> = (0..records)
        .map(|number| put(Table::Record, number.to_be_bytes(), "value"))
        .collect();
    kv.commit(&ops, &[]).expect("fill");
    kv.commit(&[delete(Table::Record, "absent")], &[]).expect("fill");
}
