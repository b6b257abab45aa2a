//! Directories and the `FORMAT` file of a data set.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dagr_store::kv::KvError;

use crate::error::from_io;

/// The version this code writes. It reads all up to it.
pub const FORMAT_VERSION: u32 = 1;

pub(crate) const FORMAT_FILE: &str = "FORMAT";
pub(crate) const DATA_FILE: &str = "data.mdb";
const FORMAT_TAG: &str = "dagr-lmdb";
const REMOVED_PREFIX: &str = ".removed-";
const NAME_PARTS_MAX: usize = 4;
const NAME_PART_MAX_BYTES: usize = 128;

/// Where a name lies below `root`. Refuses what is not safe as a relative path.
pub(crate) fn set_dir(root: &Path, name: &str) -> Result<PathBuf, KvError> {
    let safe = |part: &str| {
        !part.is_empty()
            && part.len() <= NAME_PART_MAX_BYTES
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if name.split('/').count() > NAME_PARTS_MAX || !name.split('/').all(safe) {
        return Err(KvError::Engine(
            "the name of the data set is not usable as a path".to_owned(),
        ));
    }
    Ok(name.split('/').fold(root.to_owned(), |dir, part| dir.join(part)))
}

pub(crate) fn is_set(dir: &Path) -> bool {
    dir.join(FORMAT_FILE).is_file()
}

/// The data file of an existing data set, after the check of its version.
pub(crate) fn read_format(dir: &Path) -> Result<PathBuf, KvError> {
    let text = fs::read_to_string(dir.join(FORMAT_FILE)).map_err(from_io)?;
    let mut lines = text.lines();
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix(FORMAT_TAG))
        .and_then(|version| version.trim().parse::<u32>().ok())
        .ok_or_else(|| KvError::Corrupt("the FORMAT file is not one".to_owned()))?;
    if version > FORMAT_VERSION {
        return Err(KvError::Engine(format!(
            "the data was written by a newer version (format {version}, known up to {FORMAT_VERSION})"
        )));
    }
    match lines.next() {
        Some(file) if !file.contains('/') && !file.starts_with('.') && !file.is_empty() => Ok(dir.join(file)),
        _ => Err(KvError::Corrupt("the FORMAT file names no data file".to_owned())),
    }
}

/// Makes the directory and its `FORMAT`. `data_file` is a plain file name. The directory's own entries become
/// durable with the data file, which is synced into it when the environment is first made.
pub(crate) fn create_set(root: &Path, dir: &Path, data_file: &str) -> Result<PathBuf, KvError> {
    let changed: Vec<_> = dir
        .ancestors()
        .take_while(|made| made.starts_with(root) && !made.exists())
        .filter_map(Path::parent)
        .collect();
    fs::create_dir_all(dir).map_err(from_io)?;
    write_format(dir, data_file)?;
    changed.into_iter().try_for_each(sync_dir)?;
    Ok(dir.join(data_file))
}

pub(crate) fn write_format(dir: &Path, data_file: &str) -> Result<(), KvError> {
    let draft = dir.join(".FORMAT.new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&draft)?;
        writeln!(file, "{FORMAT_TAG} {FORMAT_VERSION}\n{data_file}")?;
        file.sync_all()?;
        fs::rename(&draft, dir.join(FORMAT_FILE))
    };
    write().map_err(from_io)
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), KvError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(from_io)
}

/// Takes a data set away under a name that `names` does not list, durably. Its files are left to be deleted.
pub(crate) fn set_aside(root: &Path, dir: &Path, number: u64) -> Result<Option<PathBuf>, KvError> {
    let aside = root.join(format!("{REMOVED_PREFIX}{number}"));
    match fs::rename(dir, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(from_io(error)),
    }
    if let Some(parent) = dir.parent() {
        sync_dir(parent)?;
    }
    sync_dir(root)?;
    Ok(Some(aside))
}

/// Finishes removals that a crash cut short.
pub(crate) fn finish_removals(root: &Path) -> Result<(), KvError> {
    for entry in fs::read_dir(root).map_err(from_io)? {
        let entry = entry.map_err(from_io)?;
        if entry.file_name().to_string_lossy().starts_with(REMOVED_PREFIX) {
            fs::remove_dir_all(entry.path()).map_err(from_io)?;
        }
    }
    Ok(())
}

/// Names of all data sets below `root`, sorted.
pub(crate) fn names(root: &Path) -> Result<Vec<String>, KvError> {
    let mut found = Vec::new();
    collect_names(root, "", NAME_PARTS_MAX, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect_names(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) -> Result<(), KvError> {
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(from_io)? {
        let entry = entry.map_err(from_io)?;
        let part = entry.file_name().to_string_lossy().into_owned();
        if part.starts_with('.') || !entry.file_type().map_err(from_io)?.is_dir() {
            continue;
        }
        let name = if prefix.is_empty() {
            part
        } else {
            format!("{prefix}/{part}")
        };
        if is_set(&entry.path()) {
            found.push(name);
        } else {
            collect_names(&entry.path(), &name, depth - 1, found)?;
        }
    }
    Ok(())
}
