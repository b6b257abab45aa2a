//! The map grows between writes, when no transaction is open: that is what the gate is for.

use std::time::{Duration, Instant};

use dagr_store::kv::KvError;
use parking_lot::RwLockWriteGuard;

use super::{LmdbKv, opened};
use crate::environment::Environment;

/// How long new readers may be held up while those inside leave.
pub(super) const GATE_TRY: Duration = Duration::from_millis(20);
/// How long readers go freely before the next try.
const GATE_PAUSE: Duration = Duration::from_millis(50);
/// Slack for the trees' own pages.
const SLACK_BYTES: u64 = 16 << 20;

impl LmdbKv {
    /// The gate for writing, in short tries: a long reader (a backup) must not hold up the others behind it.
    /// `None` after `growth_wait_ms`.
    pub(super) fn alone(&self) -> Option<RwLockWriteGuard<'_, Option<Environment>>> {
        let deadline = Instant::now() + Duration::from_millis(self.config.growth_wait_ms);
        loop {
            if let Some(gate) = self.gate.try_write_for(GATE_TRY) {
                return Some(gate);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(GATE_PAUSE);
        }
    }

    /// Room for a bulk: every page may be rewritten, old pages stay while readers see them, and pages split.
    /// The writer's lock is held. When readers do not leave in time, the bulk tries with the map as it is.
    pub(super) fn reserve(&self, bytes_hint: u64) -> Result<(), KvError> {
        let (map, file) = self.sizes()?;
        let wanted = file
            .saturating_mul(2)
            .saturating_add(bytes_hint.saturating_mul(3))
            .saturating_add(SLACK_BYTES);
        if wanted > map {
            self.grow_to(wanted.max(map.saturating_mul(2)))?;
        }
        Ok(())
    }

    /// After a full map: at least twice as much. False when the limit is reached or readers do not leave.
    pub(super) fn double(&self, bytes_hint: u64) -> Result<bool, KvError> {
        let (map, _) = self.sizes()?;
        self.grow_to(
            map.saturating_mul(2)
                .max(map.saturating_add(bytes_hint.saturating_mul(3))),
        )
    }

    fn grow_to(&self, wanted: u64) -> Result<bool, KvError> {
        let (map, _) = self.sizes()?;
        let target = wanted.min(self.config.map_max_bytes);
        if target <= map {
            return Ok(false);
        }
        let Some(mut gate) = self.alone() else {
            return Ok(false);
        };
        // Closed meanwhile, being idle: it opens again with twice its file.
        if let Some(environment) = gate.as_mut() {
            environment.resize(target)?;
        }
        Ok(true)
    }

    fn sizes(&self) -> Result<(u64, u64), KvError> {
        let gate = self.enter()?;
        let environment = opened(&gate)?;
        Ok((environment.map_bytes(), environment.file_bytes()?))
    }
}
