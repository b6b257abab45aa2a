use std::sync::Arc;

use super::simulation;
use crate::memory::MemoryKv;

#[test]
fn every_recipient_is_told_what_it_may_see_and_nothing_else() {
    for seed in 0..simulation::cases(120) {
        simulation::run(&|_| Arc::new(MemoryKv::new()), seed);
    }
}
