//! Data sets by name in one directory.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use dagr_store::kv::{Engine, Health, Kv, KvError};
use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::LmdbConfig;
use crate::error::from_io;
use crate::kv::LmdbKv;
use crate::layout;
use crate::open_sets::OpenSets;

const LOCK_FILE: &str = "LOCK";
const DESCRIPTORS_PER_SET: u64 = 3;
/// Left to the rest of the process: connections, logs, stages.
const DESCRIPTORS_ELSEWHERE: u64 = 1_024;

pub struct LmdbEngine {
    dir: PathBuf,
    config: LmdbConfig,
    open_sets: Arc<OpenSets>,
    sets: Mutex<Sets>,
}

#[derive(Default)]
struct Sets {
    by_name: HashMap<String, Arc<LmdbKv>>,
    /// Counts removals. A name made again gets a data file of another name while readers may hold the old one:
    /// LMDB must not see one path opened twice in a process.
    removals: u64,
}

impl LmdbEngine {
    /// Uses `dir`, making it when absent. One process at a time.
    ///
    /// # Errors
    /// `Engine` when another process uses the directory or few descriptors are allowed, `Io` when it is unusable.
    pub fn new(dir: PathBuf, config: LmdbConfig) -> Result<Self, KvError> {
        fs::create_dir_all(&dir).map_err(from_io)?;
        let lock = File::create(dir.join(LOCK_FILE)).map_err(from_io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(KvError::Engine(
                    "another process uses the directory of the store".to_owned(),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(from_io(error)),
        }
        layout::finish_removals(&dir)?;
        let open_max = allow_descriptors(config.open_max);
        Ok(Self {
            dir,
            config,
            open_sets: Arc::new(OpenSets::new(open_max, lock)),
            sets: Mutex::default(),
        })
    }

    /// Environments open now.
    pub fn open_count(&self) -> usize {
        self.open_sets.count()
    }

    /// Closes the environments that nobody has used since the last call; they open again on use. Returns how many.
    pub fn close_idle(&self) -> usize {
        self.open_sets.close_idle()
    }

    /// Rewrites a data set's file without its free pages: the file never shrinks by itself. Needs the space of
    /// the new file; writers of the data set wait, readers do not.
    ///
    /// # Errors
    /// `Engine` when there is no such data set or a long reader keeps the old file in use, `Full`, `Io`.
    pub fn compact(&self, name: &str) -> Result<Health, KvError> {
        if !self.exists(name) {
            return Err(KvError::Engine("there is no such data set".to_owned()));
        }
        self.set(name)?.compact()
    }

    fn set(&self, name: &str) -> Result<Arc<LmdbKv>, KvError> {
        let mut sets = self.sets.lock();
        if let Some(set) = sets.by_name.get(name) {
            return Ok(Arc::clone(set));
        }
        let dir = layout::set_dir(&self.dir, name)?;
        let data_file = if layout::is_set(&dir) {
            layout::read_format(&dir)?
        } else {
            let file = match sets.removals {
                0 => layout::DATA_FILE.to_owned(),
                removals => format!("data-{removals}.mdb"),
            };
            layout::create_set(&self.dir, &dir, &file)?
        };
        let set = LmdbKv::new(data_file, self.config, Arc::clone(&self.open_sets));
        sets.by_name.insert(name.to_owned(), Arc::clone(&set));
        Ok(set)
    }
}

impl Engine for LmdbEngine {
    fn open(&self, name: &str) -> Result<Arc<dyn Kv>, KvError> {
        Ok(self.set(name)?)
    }

    fn exists(&self, name: &str) -> bool {
        layout::set_dir(&self.dir, name).is_ok_and(|dir| layout::is_set(&dir))
    }

    fn remove(&self, name: &str) -> Result<(), KvError> {
        let dir = layout::set_dir(&self.dir, name)?;
        if !layout::is_set(&dir) {
            return Ok(());
        }
        let aside = loop {
            let known = self.sets.lock().by_name.get(name).cloned();
            // Outside the lock: this waits for a running write, and the other data sets must not.
            if let Some(set) = &known {
                set.retire();
            }
            let mut sets = self.sets.lock();
            if sets.by_name.get(name).map(Arc::as_ptr) == known.as_ref().map(Arc::as_ptr) {
                sets.by_name.remove(name);
                sets.removals += 1;
                break layout::set_aside(&self.dir, &dir, sets.removals)?;
            }
        };
        aside.map_or(Ok(()), |aside| fs::remove_dir_all(aside).map_err(from_io))
    }

    fn names(&self) -> Result<Vec<String>, KvError> {
        layout::names(&self.dir)
    }
}

/// Raises the soft limit of descriptors as far as allowed. Returns how many environments may be open with it.
fn allow_descriptors(open_max: usize) -> usize {
    let needed = open_max as u64 * DESCRIPTORS_PER_SET + DESCRIPTORS_ELSEWHERE;
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < needed) else {
        return open_max;
    };
    let raised = limit
        .maximum
        .map_or(needed, |maximum| maximum.min(needed))
        .max(current);
    let allowed = match setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(raised),
            maximum: limit.maximum,
        },
    ) {
        Ok(()) => raised,
        Err(_) => current,
    };
    let for_sets = allowed.saturating_sub(DESCRIPTORS_ELSEWHERE).max(allowed / 2);
    open_max.min((for_sets / DESCRIPTORS_PER_SET) as usize)
}
