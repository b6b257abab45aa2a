//! What writer, background and readers have in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Condvar, Mutex, RwLock};

use super::{
    Health, JournalConfig,
    counters::Sums,
    error::{JournalError, Result},
    io::JournalIo,
    names,
    queue::Queue,
    run::Run,
    segment::Segment,
    spare::Spare,
};

#[derive(Clone, Default)]
pub(super) struct Catalog {
    pub segments: BTreeMap<u64, Arc<Segment>>,
    /// By their first segment; their ranges do not overlap.
    pub runs: BTreeMap<u64, Arc<Run>>,
    /// Segments no run can be made of.
    pub damaged: BTreeSet<u64>,
}

impl Catalog {
    pub(super) fn run_of(&self, segment: u64) -> Option<&Arc<Run>> {
        let (_, run) = self.runs.range(..=segment).next_back()?;
        (run.meta.last >= segment).then_some(run)
    }

    pub(super) fn floor(&self) -> u64 {
        self.segments.keys().next().copied().unwrap_or(0)
    }
}

/// A doorbell for the background thread.
#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<BellState>,
    changed: Condvar,
}

#[derive(Default)]
struct BellState {
    rung: bool,
    working: bool,
    stop: bool,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.state.lock().rung = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    pub(super) fn stopped(&self) -> bool {
        self.state.lock().stop
    }

    /// Waits for a ring, or for the time of a retry; false = stop.
    pub(super) fn wait(&self, retry: Option<std::time::Instant>) -> bool {
        let mut state = self.state.lock();
        state.working = false;
        self.changed.notify_all();
        while !state.rung && !state.stop {
            match retry {
                None => self.changed.wait(&mut state),
                Some(at) if self.changed.wait_until(&mut state, at).timed_out() => break,
                Some(_) => {}
            }
        }
        state.rung = false;
        state.working = !state.stop;
        !state.stop
    }

    /// Returns when all rings have been answered.
    pub(super) fn wait_idle(&self) {
        let mut state = self.state.lock();
        while (state.rung || state.working) && !state.stop {
            self.changed.wait(&mut state);
        }
    }
}

pub(super) struct Shared {
    pub dir: PathBuf,
    pub config: JournalConfig,
    pub io: Arc<dyn JournalIo>,
    pub queue: Queue,
    pub catalog: RwLock<Catalog>,
    pub sums: Mutex<Sums>,
    /// The sums up to the end of the newest sealed segment.
    pub sealed_sums: Mutex<(u64, Arc<Sums>)>,
    /// Segment of the newest checkpoint on disk; 0 = none.
    pub checkpointed: Mutex<u64>,
    pub spare: Spare,
    pub bell: Bell,
    /// Held by whoever adds or removes files of runs and segments.
    pub structure: Mutex<()>,
    pub health: Mutex<Health>,
    pub syncs: AtomicU64,
}

impl Shared {
    pub(super) fn count_sync(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the newest sums of a seal down, unless they are.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let mut on_disk = self.checkpointed.lock();
        let (segment, sums) = self.sealed_sums.lock().clone();
        if segment > *on_disk {
            super::counters::write(&*self.io, &self.dir, segment, &sums)?;
            *on_disk = segment;
        }
        Ok(())
    }

    /// A run that cannot be read is made anew from its segments.
    pub(super) fn drop_run(&self, run: &Run) {
        let mut catalog = self.catalog.write();
        if catalog
            .runs
            .get(&run.meta.first)
            .is_some_and(|known| known.name == run.name)
        {
            catalog.runs.remove(&run.meta.first);
            drop(catalog);
            // A file that stays is replaced by the new run, or dropped as damaged at the next opening.
            let _ = self.io.remove(&self.dir.join(&run.name));
            self.bell.ring();
        }
    }

    pub(super) fn segment(&self, number: u64) -> Option<Arc<Segment>> {
        self.catalog.read().segments.get(&number).cloned()
    }

    pub(super) fn remove_file(&self, name: &str) -> Result<()> {
        match self.io.remove(&self.dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(JournalError::from(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn remove_segment(&self, number: u64) -> Result<()> {
        self.remove_file(&names::segment(number))
    }
}
