//! What a backup consists of, file by file. Written last: a directory without one is no backup.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;
const BLOCK: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// Version of the program that made it.
    pub program: String,
    pub made: Timestamp,
    pub with_secrets: bool,
    pub files: Vec<FileSum>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Relative to the backup, with `/`.
    pub path: String,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

impl Manifest {
    /// Reads every file below `dir`.
    pub fn of(dir: &Path, with_secrets: bool, made: Timestamp) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in paths(dir)? {
            let (bytes, sha256) = sum(&dir.join(&path))?;
            files.push(FileSum { path, bytes, sha256 });
        }
        Ok(Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made,
            with_secrets,
            files,
        })
    }

    /// Durable when this returns.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let aside = dir.join("manifest.draft");
        let mut file = File::create(&aside)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(aside, dir.join(MANIFEST))?;
        File::open(dir)?.sync_all()
    }

    /// An error says what to do about it.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let bytes = fs::read(dir.join(MANIFEST)).map_err(|error| {
            let place = dir.display();
            io::Error::new(
                error.kind(),
                format!("{place} holds no {MANIFEST}: no backup, or one that was broken off"),
            )
        })?;
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|error| io::Error::other(format!("{MANIFEST} is damaged: {error}")))?;
        if manifest.format > FORMAT {
            let text = format!(
                "backup format {} is newer than this program's {FORMAT}; use a newer dagr",
                manifest.format
            );
            return Err(io::Error::other(text));
        }
        Ok(manifest)
    }

    /// What of `dir` is not as it was written, every file read: empty = all is well.
    pub fn faults(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut faults = Vec::new();
        let mut present: BTreeSet<String> = paths(dir)?.into_iter().collect();
        for file in &self.files {
            if !present.remove(&file.path) {
                faults.push(format!("{} is missing", file.path));
                continue;
            }
            let (bytes, sha256) = sum(&dir.join(&file.path))?;
            if bytes != file.bytes {
                faults.push(format!("{} has {bytes} bytes, not {}", file.path, file.bytes));
            } else if sha256 != file.sha256 {
                faults.push(format!("{} was altered: its SHA-256 differs", file.path));
            }
        }
        faults.extend(
            present
                .into_iter()
                .map(|path| format!("{path} does not belong to the backup")),
        );
        Ok(faults)
    }
}

/// Every file below `dir` but the manifest, in order.
fn paths(dir: &Path) -> io::Result<Vec<String>> {
    fn walk(dir: &Path, before: &str, out: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if before.is_empty() {
                name
            } else {
                format!("{before}/{name}")
            };
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &path, out)?;
            } else if path != MANIFEST {
                out.push(path);
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    walk(dir, "", &mut out)?;
    out.sort();
    Ok(out)
}

fn sum(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut bytes = 0;
    loop {
        match file.read(&mut block)? {
            0 => break,
            read => {
                hash.update(&block[..read]);
                bytes += read as u64;
            }
        }
    }
    let hex = crate::intake::hex(&hash.finalize());
    Ok((bytes, hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("sets")).unwrap();
        for name in ["a", "b", "sets/c"] {
            fs::write(at(name), name).unwrap();
        }
        assert!(Manifest::read(dir.path()).is_err());
        Manifest::of(dir.path(), false, Timestamp::UNIX_EPOCH)
            .unwrap()
            .write(dir.path())
            .unwrap();
        let manifest = Manifest::read(dir.path()).unwrap();
        assert_eq!(manifest.faults(dir.path()).unwrap(), Vec::<String>::new());
        fs::write(at("a"), "x").unwrap();
        fs::remove_file(at("b")).unwrap();
        fs::write(at("sets/c"), "longer than before").unwrap();
        fs::write(at("d"), "").unwrap();
        assert_eq!(manifest.faults(dir.path()).unwrap().len(), 4);
    }
}
