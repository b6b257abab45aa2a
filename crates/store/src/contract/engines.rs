//! Names, many data sets, removal and copies.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{all, get, is_empty, open, put};
use crate::kv::{Engine, Kv, Table};

pub(super) fn run(engine: &dyn Engine) {
    opening_twice(engine);
    many(engine);
    removal(engine);
    readers_beside_a_writer(engine);
}

fn opening_twice(engine: &dyn Engine) {
    let one = open(engine, "twice");
    let other = engine.open("contract/twice").expect("open again");
    one.commit(&[put(Table::Meta, "a", "1")], &[]).expect("commit");
    assert_eq!(
        get(&*other, Table::Meta, "a").as_deref(),
        Some(&b"1"[..]),
        "the same name gives the same data"
    );
    drop((one, other));
    let again = engine.open("contract/twice").expect("open again");
    assert_eq!(
        get(&*again, Table::Meta, "a").as_deref(),
        Some(&b"1"[..]),
        "and after all have let go of it"
    );
}

fn many(engine: &dyn Engine) {
    const SETS: u32 = 50;
    let name = |number: u32| format!("many/set-{number}");
    let sets: Vec<_> = (0..SETS)
        .map(|number| engine.open(&name(number)).expect("open"))
        .collect();
    for (number, set) in sets.iter().enumerate() {
        set.commit(&[put(Table::Meta, "number", [number as u8])], &[])
            .expect("commit");
    }
    for (number, set) in sets.iter().enumerate() {
        assert_eq!(
            get(&**set, Table::Meta, "number"),
            Some(vec![number as u8]),
            "data sets are apart"
        );
    }
    let names = engine.names().expect("names");
    for number in 0..SETS {
        assert!(
            engine.exists(&name(number)) && names.contains(&name(number)),
            "{} is known",
            name(number)
        );
        engine.remove(&name(number)).expect("remove");
    }
    assert!(
        !engine
            .names()
            .expect("names")
            .iter()
            .any(|name| name.starts_with("many/")),
        "removed names are gone"
    );
}

fn removal(engine: &dyn Engine) {
    engine
        .remove("contract/never-made")
        .expect("removing what does not exist");
    assert!(!engine.exists("contract/never-made"));
    let old = open(engine, "removal");
    old.commit(&[put(Table::Record, "a", "old")], &[])
        .expect("commit");
    let reader = old.snapshot().expect("snapshot");
    engine.remove("contract/removal").expect("remove");
    assert!(!engine.exists("contract/removal"));
    assert_eq!(
        reader.get(Table::Record, b"a").expect("get"),
        Some(&b"old"[..]),
        "a reader finishes undisturbed"
    );
    assert!(
        old.commit(&[put(Table::Record, "b", "lost")], &[]).is_err(),
        "a removed data set takes no writes"
    );
    assert!(old.snapshot().is_err(), "and gives no new views");

    let new = engine.open("contract/removal").expect("open under the same name");
    assert!(is_empty(&*new), "it starts empty");
    new.commit(&[put(Table::Record, "a", "new")], &[])
        .expect("commit");
    assert_eq!(
        reader.get(Table::Record, b"a").expect("get"),
        Some(&b"old"[..]),
        "the reader still sees the old one"
    );
    assert_eq!(get(&*new, Table::Record, "a").as_deref(), Some(&b"new"[..]));
}

/// Two keys always change together: no reader may ever see them differ.
fn readers_beside_a_writer(engine: &dyn Engine) {
    let kv = open(engine, "beside");
    let write = |number: u32| {
        let value = number.to_be_bytes();
        if number.is_multiple_of(2) {
            kv.commit(
                &[put(Table::Record, "a", value), put(Table::Index, "a", value)],
                &[],
            )
        } else {
            kv.bulk(0, &mut |_, sink| {
                sink.put(Table::Record, b"a", &value)?;
                sink.put(Table::Index, b"a", &value)
            })
        }
    };
    write(0).expect("write");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let snapshot = kv.snapshot().expect("snapshot");
                    let one = snapshot.get(Table::Record, b"a").expect("get");
                    assert!(
                        one.is_some() && one == snapshot.get(Table::Index, b"a").expect("get"),
                        "a torn read"
                    );
                }
            });
        }
        for number in 1..100 {
            write(number).expect("write");
        }
        done.store(true, Ordering::Relaxed);
    });
}

pub(super) fn checkpoint(engine: &dyn Engine, dir: &Path, open_copy: &dyn Fn(&Path) -> Arc<dyn Kv>) {
    let kv = open(engine, "checkpoint");
    let ops: Vec<_> = (0..2_000_u32)
        .map(|number| put(Table::Record, number.to_be_bytes(), [7; 300]))
        .collect();
    kv.commit(&ops, &[]).expect("commit");
    kv.commit(&[put(Table::Meta, "head", "1")], &[]).expect("commit");
    let still = dir.join("still").join("copy");
    kv.checkpoint(&still).expect("checkpoint");
    kv.commit(&[put(Table::Meta, "head", "2")], &[]).expect("commit");
    let copy = open_copy(&still);
    assert_eq!(all(&*copy, Table::Record), all(&*kv, Table::Record));
    assert_eq!(
        get(&*copy, Table::Meta, "head").as_deref(),
        Some(&b"1"[..]),
        "a copy does not move"
    );
    copy.commit(&[put(Table::Meta, "head", "3")], &[])
        .expect("a copy is a data set of its own");
    assert_eq!(get(&*kv, Table::Meta, "head").as_deref(), Some(&b"2"[..]));
    assert!(
        kv.checkpoint(&still).is_err(),
        "a copy does not overwrite another"
    );

    // While a writer changes two keys together, the copy has them equal.
    let moving = dir.join("moving").join("copy");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..200_u32 {
                let value = number.to_be_bytes();
                let both = [put(Table::Change, "a", value), put(Table::Index, "a", value)];
                kv.commit(&both, &[]).expect("commit");
            }
        });
        kv.checkpoint(&moving).expect("checkpoint");
    });
    let copy = open_copy(&moving);
    assert_eq!(
        get(&*copy, Table::Change, "a"),
        get(&*copy, Table::Index, "a"),
        "a copy is of one moment"
    );
    assert_eq!(all(&*copy, Table::Record).len(), 2_000);
}
