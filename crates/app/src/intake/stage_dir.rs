//! Where one package is staged: a directory that goes with its owner unless it is kept for a held package.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use dagr_store::kv::KvError;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Names the held package a directory belongs to.
const HELD: &str = "held";

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct HeldMark {
    /// `section/dataset`.
    pub store: String,
    pub package: String,
}

#[derive(Debug)]
pub(super) struct StageDir {
    path: PathBuf,
    kept: bool,
}

impl StageDir {
    pub fn create(root: &Path, name: &str) -> Result<Self, KvError> {
        let path = root.join(name);
        fs::create_dir_all(&path)?;
        Ok(Self { path, kept: false })
    }

    /// The directory of a held package: it stays unless `remove` is called.
    pub fn held(root: &Path, name: &str) -> Self {
        Self {
            path: root.join(name),
            kept: true,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Keeps the directory, durably, for a package that is held.
    pub fn keep(&mut self, mark: &HeldMark) -> Result<(), KvError> {
        let mut file = File::create(self.path.join(HELD))?;
        file.write_all(&serde_json::to_vec(mark).map_err(io::Error::other)?)?;
        file.sync_all()?;
        File::open(&self.path)?.sync_all()?;
        if let Some(root) = self.path.parent() {
            File::open(root)?.sync_all()?;
        }
        self.kept = true;
        Ok(())
    }

    pub fn remove(mut self) {
        self.kept = false;
    }

    /// The names of all stages under `root`, with the held package each belongs to.
    pub fn list(root: &Path) -> Result<Vec<(String, Option<HeldMark>)>, KvError> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let mark = fs::read(entry.path().join(HELD)).ok();
            let mark = mark.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            found.push((entry.file_name().to_string_lossy().into_owned(), mark));
        }
        Ok(found)
    }
}

impl Drop for StageDir {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "a stage could not be removed; the next start removes it");
        }
    }
}

/// 503 when fewer than `reserve` bytes would stay free on the disk of `dir`.
pub(super) fn check_space(dir: &Path, reserve: u64) -> Result<(), Problem> {
    let stat = rustix::fs::statvfs(dir).map_err(Problem::internal)?;
    if stat.f_bavail.saturating_mul(stat.f_frsize) < reserve {
        return Err(full());
    }
    Ok(())
}

fn full() -> Problem {
    tracing::error!("the disk of stages is full but for its reserve; packages are refused");
    Problem::new(
        503,
        "storage_full",
        "no space is left for packages; nothing was changed; try again later",
    )
    .retry_after(60)
}

/// A failure to read or write a stage.
pub(super) fn stage_problem(error: KvError) -> Problem {
    match error {
        KvError::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            full()
        }
        other => other.into(),
    }
}
