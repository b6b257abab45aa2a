//! Packages without end, the same for the same seed: for a process that is killed while it applies them.

use std::{collections::BTreeMap, sync::Arc};

use super::{Simulation, Wanted, model::Delivery, random::Random, world};
use crate::{
    kv::Kv,
    set::{apply::Applied, head::Head},
};

/// Only cases of one world: three times this.
const SEED: u64 = 3;
const KEYS_OF_A_PACKAGE: usize = 300;
const KEY_NUMBERS: usize = 400;

/// A data set that takes one package after another.
pub struct Endless {
    simulation: Simulation,
    seed: u64,
    applied: u64,
}

impl Endless {
    /// Goes on with what a data set holds, after looking at every row of it.
    ///
    /// # Panics
    /// When it does not hold the first so many packages, whole.
    pub fn resume(kv: &Arc<dyn Kv>, seed: u64) -> Self {
        let mut simulation = Simulation::new(&|_| Arc::clone(kv), seed * SEED);
        simulation.start_all_scopes();
        let head = Head::read(&*kv.snapshot().expect("snapshot")).expect("head");
        let mut endless = Self {
            simulation,
            seed,
            applied: 0,
        };
        while endless.applied < head.packages {
            let delivery = endless.next();
            let applied = endless.simulation.a.model.deliver(&delivery);
            assert!(matches!(applied, Applied::Done(_)));
        }
        endless.simulation.a.audit();
        endless
    }

    /// Packages applied so far.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Applies the next package.
    ///
    /// # Panics
    /// When the store does anything else than the model.
    pub fn deliver(&mut self) {
        let delivery = self.next();
        self.simulation.a.deliver(&delivery, &mut self.simulation.random);
    }

    fn next(&mut self) -> Delivery {
        self.applied += 1;
        let simulation = &mut self.simulation;
        simulation.random = Random::new(self.seed.wrapping_mul(1_000_003).wrapping_add(self.applied));
        simulation.now_ms += 1_000;
        let wanted: Wanted = (0..KEYS_OF_A_PACKAGE)
            .map(|_| {
                (
                    simulation.random.pick(&world::TEXTS),
                    simulation.random.below(KEY_NUMBERS),
                )
            })
            .map(|(k, j)| ((*k, j), None))
            .collect();
        let wanted: BTreeMap<_, _> = wanted
            .into_keys()
            .map(|key| (key, simulation.another(key)))
            .collect();
        simulation.delivery(simulation.a.model.all(), &wanted)
    }
}
