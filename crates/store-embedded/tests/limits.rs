//! Limits of the engine: open environments, growing maps, full stores, formats, names.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::fs;
use std::path::Path;

use dagr_store::kv::{Engine, Kv, KvError, Op, Table};
use dagr_store_embedded::{FORMAT_VERSION, LmdbConfig, LmdbEngine};

const MIB: u64 = 1 << 20;

fn engine(dir: &Path, config: LmdbConfig) -> LmdbEngine {
    LmdbEngine::new(dir.to_owned(), config).unwrap()
}

fn put(kv: &dyn Kv, key: u64, value: &[u8]) -> Result<(), KvError> {
    kv.commit(
        &[Op::Put {
            table: Table::Record,
            key: key.to_be_bytes().to_vec(),
            value: value.to_vec(),
        }],
        &[],
    )
}

fn get(kv: &dyn Kv, key: u64) -> Option<Vec<u8>> {
    kv.snapshot()
        .unwrap()
        .get(Table::Record, &key.to_be_bytes())
        .unwrap()
        .map(<[u8]>::to_vec)
}

#[test]
fn a_thousand_data_sets_are_open_with_readers() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path(), LmdbConfig::default());
    let sets: Vec<_> = (0..1_000)
        .map(|number| engine.open(&format!("s/{number}")).unwrap())
        .collect();
    assert_eq!(engine.open_count(), 0, "a name alone opens nothing");
    let readers: Vec<_> = sets.iter().map(|set| set.snapshot().unwrap()).collect();
    assert_eq!(engine.open_count(), 1_000);
    assert!(
        readers
            .iter()
            .all(|reader| reader.get(Table::Meta, b"absent").unwrap().is_none())
    );
    assert_eq!(engine.names().unwrap().len(), 1_000);
}

#[test]
fn the_least_recently_used_is_closed_and_none_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(
        dir.path(),
        LmdbConfig {
            open_max: 3,
            ..LmdbConfig::default()
        },
    );
    let sets: Vec<_> = (0..10)
        .map(|number| engine.open(&format!("s/{number}")).unwrap())
        .collect();
    let held = sets[0].snapshot().unwrap();
    for (number, set) in sets.iter().enumerate() {
        put(&**set, 1, &[number as u8]).unwrap();
        assert!(engine.open_count() <= 3);
    }
    for (number, set) in sets.iter().enumerate() {
        assert_eq!(get(&**set, 1), Some(vec![number as u8]), "it opens again on use");
    }
    assert_eq!(
        held.get(Table::Record, &1_u64.to_be_bytes()).unwrap(),
        None,
        "the reader never moved"
    );
    let others = (sets[1].snapshot().unwrap(), sets[2].snapshot().unwrap());
    assert!(
        matches!(sets[3].snapshot(), Err(KvError::Engine(_))),
        "all are in use: refused, not closed"
    );
    drop((held, others));
    assert_eq!(get(&*sets[3], 1), Some(vec![3]));
    assert_eq!(engine.close_idle(), 0, "all have been used since the start");
    assert_eq!(engine.close_idle(), 3, "nobody has used them since");
    assert_eq!(get(&*sets[0], 1), Some(vec![0]));
}

#[test]
fn the_map_grows_for_commits_and_bulks_until_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let config = LmdbConfig {
        map_initial_bytes: MIB,
        map_max_bytes: 64 * MIB,
        growth_wait_ms: 5_000,
        ..LmdbConfig::default()
    };
    let engine = engine(dir.path(), config);
    let kv = engine.open("s/growing").unwrap();
    let value = vec![7; MIB as usize];
    for key in 0..8 {
        put(&*kv, key, &value).unwrap();
    }
    kv.bulk(16 * MIB, &mut |_, sink| {
        (8..24_u64).try_for_each(|key| sink.put(Table::Record, &key.to_be_bytes(), &value))
    })
    .unwrap();
    let too_much = kv.bulk(0, &mut |_, sink| {
        (24..100_u64).try_for_each(|key| sink.put(Table::Record, &key.to_be_bytes(), &value))
    });
    assert!(matches!(too_much, Err(KvError::Full)));
    let full = (24..100).find_map(|key| put(&*kv, key, &value).err());
    assert!(matches!(full, Some(KvError::Full)));
    assert_eq!(get(&*kv, 23), Some(value), "what is stored stays readable");
    kv.commit(
        &[Op::Delete {
            table: Table::Record,
            key: 3_u64.to_be_bytes().to_vec(),
        }],
        &[],
    )
    .unwrap();
}

/// A bulk whose hint was far too small fails, but the next try finds room.
#[test]
fn a_bulk_beyond_its_hint_succeeds_when_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(
        dir.path(),
        LmdbConfig {
            map_initial_bytes: MIB,
            ..LmdbConfig::default()
        },
    );
    let kv = engine.open("s/hint").unwrap();
    let value = vec![7; MIB as usize];
    let tries = (0..5).position(|_| {
        kv.bulk(0, &mut |_, sink| {
            (0..60_u64).try_for_each(|key| sink.put(Table::Record, &key.to_be_bytes(), &value))
        })
        .is_ok()
    });
    assert!(tries.is_some_and(|tries| tries > 0), "{tries:?}");
}

#[test]
fn readers_keep_reading_while_the_map_moves() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(
        dir.path(),
        LmdbConfig {
            map_initial_bytes: MIB,
            ..LmdbConfig::default()
        },
    );
    let kv = engine.open("s/moving").unwrap();
    put(&*kv, 0, b"first").unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..40).for_each(|key| put(&*kv, key, &vec![7; MIB as usize]).unwrap()));
        while !writer.is_finished() {
            assert_eq!(get(&*kv, 0).as_deref(), Some(&b"first"[..]));
        }
    });
    assert!(kv.health().unwrap().file_bytes > 39 * MIB);
}

#[test]
fn compacting_gives_space_back_and_keeps_all() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(
        dir.path(),
        LmdbConfig {
            growth_wait_ms: 10,
            ..LmdbConfig::default()
        },
    );
    let kv = engine.open("s/compact").unwrap();
    (0..20).for_each(|key| put(&*kv, key, &vec![7; MIB as usize]).unwrap());
    let deletes: Vec<_> = (1..20_u64)
        .map(|key| Op::Delete {
            table: Table::Record,
            key: key.to_be_bytes().to_vec(),
        })
        .collect();
    kv.commit(&deletes, &[]).unwrap();
    let reader = kv.snapshot().unwrap();
    assert!(
        engine.compact("s/compact").is_err(),
        "a long reader keeps the file"
    );
    drop(reader);
    let before = kv.health().unwrap();
    let after = engine.compact("s/compact").unwrap();
    assert!(
        before.file_bytes > 20 * MIB && after.file_bytes < 2 * MIB,
        "{before:?} {after:?}"
    );
    assert_eq!((get(&*kv, 0).unwrap().len(), get(&*kv, 1)), (MIB as usize, None));
    put(&*kv, 1, b"again").unwrap();
    assert!(engine.compact("s/absent").is_err());
}

#[test]
fn a_newer_format_is_refused_and_a_broken_one_too() {
    let dir = tempfile::tempdir().unwrap();
    put(
        &*engine(dir.path(), LmdbConfig::default())
            .open("s/format")
            .unwrap(),
        1,
        b"x",
    )
    .unwrap();
    let file = dir.path().join("s/format/FORMAT");
    let good = fs::read_to_string(&file).unwrap();
    assert_eq!(good, format!("dagr-lmdb {FORMAT_VERSION}\ndata.mdb\n"));
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        engine(dir.path(), LmdbConfig::default())
            .open("s/format")
            .err()
            .unwrap()
            .to_string()
    };
    assert!(refused(&format!("dagr-lmdb {}\ndata.mdb\n", FORMAT_VERSION + 1)).contains("newer version"));
    for broken in [
        "",
        "something",
        "dagr-lmdb x\ndata.mdb\n",
        "dagr-lmdb 1\n",
        "dagr-lmdb 1\n../data.mdb\n",
    ] {
        assert!(refused(broken).contains("damaged"), "{broken:?}");
    }
    fs::write(&file, good).unwrap();
    let engine = engine(dir.path(), LmdbConfig::default());
    assert_eq!(
        get(&*engine.open("s/format").unwrap(), 1).as_deref(),
        Some(&b"x"[..])
    );
}

#[test]
fn a_file_that_is_no_database_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    put(
        &*engine(dir.path(), LmdbConfig::default())
            .open("s/damage")
            .unwrap(),
        1,
        b"x",
    )
    .unwrap();
    fs::write(dir.path().join("s/damage/data.mdb"), vec![0xaa; 40_960]).unwrap();
    let engine = engine(dir.path(), LmdbConfig::default());
    let kv = engine.open("s/damage").unwrap();
    assert!(matches!(kv.snapshot(), Err(KvError::Corrupt(_))));
}

#[test]
fn names_cannot_leave_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path(), LmdbConfig::default());
    let long = "n".repeat(129);
    for name in [
        "",
        "/",
        "a//b",
        "../a",
        "a/..",
        "a/.hidden",
        "/etc",
        "a b",
        "a\\b",
        "a\0b",
        "ä",
        "a/b/c/d/e",
        &long,
    ] {
        assert!(engine.open(name).is_err(), "{name:?}");
        assert!(engine.remove(name).is_err(), "{name:?}");
        assert!(!engine.exists(name), "{name:?}");
    }
    assert!(engine.names().unwrap().is_empty());
}

#[test]
fn one_engine_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = engine(dir.path(), LmdbConfig::default());
    let kv = first.open("s/a").unwrap();
    assert!(LmdbEngine::new(dir.path().to_owned(), LmdbConfig::default()).is_err());
    drop(first);
    assert!(
        LmdbEngine::new(dir.path().to_owned(), LmdbConfig::default()).is_err(),
        "its data sets count too"
    );
    put(&*kv, 1, b"x").unwrap();
    drop(kv);
    assert_eq!(
        get(
            &*engine(dir.path(), LmdbConfig::default()).open("s/a").unwrap(),
            1
        )
        .as_deref(),
        Some(&b"x"[..])
    );
}
