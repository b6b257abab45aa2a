//! LMDB keeps the contract.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::path::Path;

use dagr_store::contract;
use dagr_store::kv::Engine;
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

#[test]
fn lmdb_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::run(&LmdbEngine::new(dir.path().to_owned(), LmdbConfig::default()).unwrap());
}

#[test]
fn lmdb_keeps_the_contract_with_maps_that_grow_and_few_open() {
    let dir = tempfile::tempdir().unwrap();
    // The suite holds snapshots over bulks: growing gives up soon and the bulk does with the room there is.
    let config = LmdbConfig {
        map_initial_bytes: 1 << 20,
        open_max: 3,
        growth_wait_ms: 100,
        ..LmdbConfig::default()
    };
    contract::run(&LmdbEngine::new(dir.path().to_owned(), config).unwrap());
}

#[test]
fn a_copy_put_in_place_is_a_data_set() {
    let dir = tempfile::tempdir().unwrap();
    let engine = LmdbEngine::new(dir.path().join("data"), LmdbConfig::default()).unwrap();
    contract::run_checkpoint(&engine, &dir.path().join("data"), &|copy: &Path| {
        let name = copy
            .strip_prefix(dir.path().join("data"))
            .unwrap()
            .to_str()
            .unwrap();
        engine.open(name).unwrap()
    });
}
