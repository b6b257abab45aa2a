//! Which environments are open, and which to close when one more is needed.

use std::fs::File;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use dagr_store::kv::KvError;
use parking_lot::Mutex;

use crate::kv::LmdbKv;

pub(crate) struct OpenSets {
    limit: usize,
    open: Mutex<Vec<Weak<LmdbKv>>>,
    /// Ticks at each opening: enough to tell recently used sets from others, and cheap to read.
    clock: AtomicU64,
    /// The clock at the last `close_idle`.
    idle_mark: AtomicU64,
    /// Held as long as any data set of the engine is.
    _lock: File,
}

impl OpenSets {
    pub fn new(limit: usize, lock: File) -> Self {
        Self {
            limit: limit.max(1),
            open: Mutex::default(),
            clock: AtomicU64::new(1),
            idle_mark: AtomicU64::new(0),
            _lock: lock,
        }
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Makes room for one more environment and counts it. An environment in use is never closed.
    pub fn admit(&self, newcomer: Weak<LmdbKv>) -> Result<(), KvError> {
        let mut open = self.open.lock();
        open.retain(|set| {
            set.upgrade()
                .is_some_and(|set| set.is_open() && !Weak::ptr_eq(&newcomer, &set.own()))
        });
        if open.len() >= self.limit && !close_oldest(&mut open) {
            return Err(KvError::Engine(format!(
                "all {} environments are in use",
                self.limit
            )));
        }
        open.push(newcomer);
        self.clock.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Closes what nobody has used since the last call. Returns how many.
    pub fn close_idle(&self) -> usize {
        let mut open = self.open.lock();
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        let mark = self.idle_mark.swap(now, Ordering::Relaxed);
        open.retain(|set| set.upgrade().is_some_and(|set| set.is_open()));
        let before = open.len();
        open.retain(|set| {
            set.upgrade()
                .is_some_and(|set| set.last_used() >= mark || !set.try_close())
        });
        before - open.len()
    }

    /// Environments that are open or being opened.
    pub fn count(&self) -> usize {
        self.open
            .lock()
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|set| set.is_open())
            .count()
    }
}

fn close_oldest(open: &mut Vec<Weak<LmdbKv>>) -> bool {
    let mut by_use: Vec<_> = open.iter().filter_map(Weak::upgrade).collect();
    by_use.sort_by_key(|set| set.last_used());
    for set in by_use {
        if set.try_close() {
            open.retain(|other| !Weak::ptr_eq(other, &set.own()));
            return true;
        }
    }
    false
}
