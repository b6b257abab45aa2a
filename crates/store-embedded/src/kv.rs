//! One data set: an environment behind a gate.
//!
//! The gate is a read-write lock around the environment. Every transaction lives inside a read guard; opening,
//! closing and moving the map take the write guard. So nobody needs to know whether the environment is open.

mod growth;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use dagr_store::kv::{BulkMaker, Health, Kv, KvError, Op, Precondition, Snapshot};
use heed::CompactionOption;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::config::LmdbConfig;
use crate::environment::Environment;
use crate::error::{from_heed, from_io};
use crate::layout;
use crate::open_sets::OpenSets;
use crate::snapshot::{GatedView, View};

const COMPACTED_SUFFIX: &str = "compacted";

pub(crate) struct LmdbKv {
    data_file: PathBuf,
    config: LmdbConfig,
    open_sets: Arc<OpenSets>,
    own: Weak<Self>,
    gate: RwLock<Option<Environment>>,
    /// One writer at a time; also held while the map grows, so that no write transaction is open then.
    writer: Mutex<()>,
    /// Held while the environment opens, so that a removal cannot come between the check and the opening.
    opening: Mutex<()>,
    removed: AtomicBool,
    /// A commit failed: the environment is to be opened anew before it is used again.
    broken: AtomicBool,
    last_used: AtomicU64,
}

type Gate<'g> = RwLockReadGuard<'g, Option<Environment>>;

impl LmdbKv {
    pub fn new(data_file: PathBuf, config: LmdbConfig, open_sets: Arc<OpenSets>) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            data_file,
            config,
            open_sets,
            own: own.clone(),
            gate: RwLock::new(None),
            writer: Mutex::new(()),
            opening: Mutex::new(()),
            removed: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            last_used: AtomicU64::new(0),
        })
    }

    pub fn own(&self) -> Weak<Self> {
        self.own.clone()
    }

    pub fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    /// A set whose gate is held for writing is about to be open.
    pub fn is_open(&self) -> bool {
        self.gate
            .try_read()
            .is_none_or(|environment| environment.is_some())
    }

    /// Closes the environment unless a transaction is open. True when it is closed now.
    pub fn try_close(&self) -> bool {
        self.gate.try_write().is_some_and(|mut gate| {
            *gate = None;
            true
        })
    }

    /// From now on every new operation is refused. Waits for a running write; readers finish undisturbed.
    pub fn retire(&self) {
        let _writer = self.writer.lock();
        let _opening = self.opening.lock();
        self.removed.store(true, Ordering::Release);
        self.try_close();
    }

    fn check_not_removed(&self) -> Result<(), KvError> {
        if self.removed.load(Ordering::Acquire) {
            return Err(KvError::Engine("the data set has been removed".to_owned()));
        }
        Ok(())
    }

    /// Goes through the gate, opening the environment when it is closed.
    fn enter(&self) -> Result<Gate<'_>, KvError> {
        self.check_not_removed()?;
        let now = self.open_sets.now();
        if self.last_used.load(Ordering::Relaxed) != now {
            self.last_used.store(now, Ordering::Relaxed);
        }
        loop {
            let gate = self.gate.read();
            let broken = self.broken.load(Ordering::Acquire);
            if gate.is_some() && !broken {
                return Ok(gate);
            }
            drop(gate);
            // Not `write`: when another thread has opened it meanwhile, that would wait for its readers.
            let alone = if broken {
                self.gate.try_write_for(growth::GATE_TRY)
            } else {
                self.gate.try_write()
            };
            if let Some(mut gate) = alone {
                if self.broken.swap(false, Ordering::AcqRel) {
                    *gate = None;
                }
                if gate.is_none() {
                    *gate = Some(self.open_environment()?);
                }
                return Ok(RwLockWriteGuard::downgrade(gate));
            }
            // Whoever reads the broken environment goes on; whoever comes meanwhile hears that it is broken.
            if broken && let Some(gate) = self.gate.try_read().filter(|gate| gate.is_some()) {
                return Ok(gate);
            }
            std::thread::yield_now();
        }
    }

    fn open_environment(&self) -> Result<Environment, KvError> {
        let _opening = self.opening.lock();
        self.check_not_removed()?;
        self.open_sets.admit(self.own())?;
        match fs::remove_file(self.data_file.with_extension(COMPACTED_SUFFIX)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(from_io(error)),
            _ => {}
        }
        let is_new = !self.data_file.exists();
        let environment = Environment::open(&self.data_file, &self.config).inspect_err(|_| {
            if is_new {
                // Half a first page would be damage to the next opening. The error says what there is to say.
                let _ = fs::remove_file(&self.data_file);
            }
        })?;
        if is_new && let Some(dir) = self.data_file.parent() {
            layout::sync_dir(dir)?;
        }
        Ok(environment)
    }

    fn copy_to(&self, file: &Path) -> Result<(), KvError> {
        let gate = self.enter()?;
        let copied = opened(&gate)?
            .env
            .copy_to_path(file, CompactionOption::Enabled)
            .map_err(from_heed)
            .and_then(|file| file.sync_all().map_err(from_io));
        if copied.is_err() {
            // Nothing to add when this fails too: the first error says it.
            let _ = fs::remove_file(file);
        }
        copied
    }

    /// Rewrites the file without its free pages. Readers go on, writers wait; the switch waits for the readers.
    pub fn compact(&self) -> Result<Health, KvError> {
        {
            let _writer = self.writer.lock();
            let draft = self.data_file.with_extension(COMPACTED_SUFFIX);
            self.copy_to(&draft)?;
            let Some(mut gate) = self.alone() else {
                fs::remove_file(&draft).map_err(from_io)?;
                return Err(KvError::Engine(
                    "a long reader kept the file from being exchanged".to_owned(),
                ));
            };
            *gate = None;
            fs::rename(&draft, &self.data_file).map_err(from_io)?;
            if let Some(dir) = self.data_file.parent() {
                layout::sync_dir(dir)?;
            }
        }
        self.health()
    }
}

/// Behind `enter` the environment is open; said as an error to need no panic.
fn opened<'g>(gate: &'g Gate<'_>) -> Result<&'g Environment, KvError> {
    gate.as_ref()
        .ok_or_else(|| KvError::Engine("the environment is closed".to_owned()))
}

impl Kv for LmdbKv {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, KvError> {
        let gate = self.enter()?;
        let view = View::new(opened(&gate)?)?;
        Ok(Box::new(GatedView::new(view, gate)))
    }

    fn commit(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), KvError> {
        self.commit_growing(ops, preconditions)
    }

    fn bulk(&self, bytes_hint: u64, make: &mut BulkMaker<'_>) -> Result<(), KvError> {
        self.bulk_reserved(bytes_hint, make)
    }

    fn checkpoint(&self, to: &Path) -> Result<(), KvError> {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(from_io)?;
        }
        fs::create_dir(to).map_err(from_io)?;
        self.copy_to(&to.join(layout::DATA_FILE))?;
        layout::write_format(to, layout::DATA_FILE)?;
        layout::sync_dir(to)
    }

    fn health(&self) -> Result<Health, KvError> {
        let gate = self.enter()?;
        opened(&gate)?.health()
    }
}
