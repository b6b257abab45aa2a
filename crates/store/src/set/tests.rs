use std::sync::Arc;

use super::simulation;
use crate::memory::MemoryKv;

#[test]
fn every_recipient_is_told_what_it_may_see_and_nothing_else() {
    for seed in 0..simulation::cases(120) {
        simulation::run(&|_| Arc::new(MemoryKv::new()), seed);
    }
}

#[test]
fn a_permission_that_is_amended_takes_back_what_it_gave_and_nothing_else() {
    for seed in 0..simulation::cases(120) {
        simulation::run_amended(&|_| Arc::new(MemoryKv::new()), seed);
    }
}
