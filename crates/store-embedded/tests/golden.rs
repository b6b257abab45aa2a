//! Files written by released versions load forever.
//!
//! `tests/golden/v1` was written by `write` below through a checkpoint. A new format version gets a new directory;
//! the old ones stay. To write one, set `DAGR_WRITE_GOLDEN` to its directory and run this test.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::fs;
use std::path::Path;

use dagr_store::kv::{Direction, Engine, Kv, Range, Table};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

/// Keys and values of every kind of page: many small entries (a tree with branches) and one value beyond a page.
fn entries(table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    match table {
        Table::Record => (0..60_u32)
            .map(|number| (number.to_be_bytes().to_vec(), vec![number as u8; 200]))
            .collect(),
        Table::Version => vec![(
            vec![0xff; 511],
            (0..9_000_u32).map(|number| (number % 251) as u8).collect(),
        )],
        Table::Quarantine => vec![],
        other => vec![(b"key".to_vec(), vec![other as u8]), (b"key\0".to_vec(), vec![])],
    }
}

fn write(kv: &dyn Kv) {
    kv.bulk(100_000, &mut |_, sink| {
        for table in Table::ALL {
            entries(table)
                .iter()
                .try_for_each(|(key, value)| sink.put(table, key, value))?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn golden_files_load() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let dir = tempfile::tempdir().unwrap();
    let engine = LmdbEngine::new(dir.path().to_owned(), LmdbConfig::default()).unwrap();
    if let Some(to) = std::env::var_os("DAGR_WRITE_GOLDEN") {
        let kv = engine.open("golden/new").unwrap();
        write(&*kv);
        kv.checkpoint(Path::new(&to)).unwrap();
    }
    for version in ["v1"] {
        let place = dir.path().join("golden").join(version);
        fs::create_dir_all(&place).unwrap();
        for file in ["FORMAT", "data.mdb"] {
            fs::copy(golden.join(version).join(file), place.join(file)).unwrap();
        }
        let kv = engine.open(&format!("golden/{version}")).unwrap();
        let snapshot = kv.snapshot().unwrap();
        for table in Table::ALL {
            let found: Vec<_> = snapshot
                .scan(table, Range::default(), Direction::Forward)
                .unwrap()
                .map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap())
                .collect();
            assert_eq!(found, entries(table), "{version} {table:?}");
        }
        drop(snapshot);
        write(&*kv);
    }
}
