//! Packages whose bodies are coming in: one at a time under an id, and how far each is.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{problem::Problem, set::SetRuntime};

/// Packages of one data set that may be open at once: each holds a sort buffer.
pub const MAX_OPEN: usize = 16;

/// The open packages of one data set.
#[derive(Debug, Default)]
pub struct OpenPackages(Mutex<BTreeMap<String, Arc<Progress>>>);

#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub rows: AtomicU64,
    pub bytes: AtomicU64,
}

impl Progress {
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub fn view(&self) -> Value {
        json!({ "rows": self.rows.load(Ordering::Relaxed), "bytes": self.bytes.load(Ordering::Relaxed) })
    }
}

impl OpenPackages {
    /// Nothing is on its way in.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    pub(super) fn progress(&self, id: &str) -> Option<Arc<Progress>> {
        self.0.lock().get(id).cloned()
    }

    /// Ids and progress, by id.
    pub(super) fn list(&self) -> Vec<(String, Arc<Progress>)> {
        self.0
            .lock()
            .iter()
            .map(|(id, progress)| (id.clone(), Arc::clone(progress)))
            .collect()
    }
}

/// An id is taken while this lives.
pub(super) struct OpenPackage {
    runtime: Arc<SetRuntime>,
    id: String,
    pub progress: Arc<Progress>,
}

impl OpenPackage {
    pub fn new(runtime: &Arc<SetRuntime>, id: &str) -> Result<Self, Problem> {
        let mut open = runtime.packages.0.lock();
        if open.contains_key(id) {
            let detail = "a package with this id is being received or applied; ask again when it has ended";
            return Err(Problem::new(409, "package_open", detail).retry_after(5));
        }
        if open.len() >= MAX_OPEN {
            let detail =
                format!("{MAX_OPEN} packages of this data set are coming in already; send this one later");
            return Err(Problem::new(503, "packages_busy", detail).retry_after(30));
        }
        let progress = Arc::new(Progress::default());
        open.insert(id.to_owned(), Arc::clone(&progress));
        drop(open);
        Ok(Self {
            runtime: Arc::clone(runtime),
            id: id.to_owned(),
            progress,
        })
    }
}

impl Drop for OpenPackage {
    fn drop(&mut self) {
        self.runtime.packages.0.lock().remove(&self.id);
    }
}
