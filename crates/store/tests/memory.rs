//! The engine in memory keeps the contract.

#![allow(clippy::unwrap_used)] // test code, helpers included

use std::sync::Arc;

use dagr_store::contract;
use dagr_store::faulty::{Faults, FaultyEngine};
use dagr_store::memory::MemoryEngine;

#[test]
fn memory_keeps_the_contract() {
    contract::run(&MemoryEngine::new());
}

#[test]
fn memory_copies_are_equal() {
    let dir = tempfile::tempdir().unwrap();
    let restored = MemoryEngine::new();
    contract::run_checkpoint(&MemoryEngine::new(), dir.path(), &|copy| {
        restored.restore("copy", copy).unwrap()
    });
}

#[test]
fn an_engine_without_planned_faults_keeps_the_contract() {
    contract::run(&FaultyEngine::new(Arc::new(MemoryEngine::new()), Faults::new()));
}
