//! The data directory: made, private, and used by one process.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{StartError, in_dir};

/// Directories under the data directory that exist before anything asks for them.
const PARTS: [&str; 5] = ["secrets", "sets", "disclosures", "stage", "public"];

/// Holds the directory until it is dropped.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    pub fn open(dir: &Path) -> Result<Self, StartError> {
        let made = make(dir).and_then(|()| fs::canonicalize(dir));
        let path = made.map_err(|error| in_dir(dir, &error))?;
        let lock = File::create(path.join("lock")).map_err(|error| in_dir(dir, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(in_dir(dir, &error)),
        }
        for part in PARTS {
            make(&path.join(part)).map_err(|error| in_dir(dir, &error))?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Personal data lie in it: only its owner gets in.
fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_a_directory() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let held = DataDir::open(&dir).unwrap();
        assert!(matches!(DataDir::open(&dir), Err(StartError::InUse(_))));
        drop(held);
        assert!(DataDir::open(&dir).is_ok());
        fs::write(parent.path().join("file"), "").unwrap();
        assert!(matches!(
            DataDir::open(&parent.path().join("file")),
            Err(StartError::Directory { .. })
        ));
    }
}
