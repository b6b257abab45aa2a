//! Files: CSV, JSON, NDJSON, XML and Parquet, packed or not; one, or the newest of a directory that is watched.

pub mod unpack;

use std::{
    fs::{self, File, Metadata},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use dagr_model::{definition::CsvOptions, fault::Fault};

use super::{
    Notes,
    document::{Document, Input},
};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Files, Format},
    state::{LAST_FILE, State},
};

/// Files of a directory looked at.
const DIRECTORY: usize = 100_000;
/// Clocks of a file server and of this machine differ by less.
const FUTURE: Duration = Duration::from_mins(1);

/// A file to read, and how it stood when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    stamp: String,
    note: String,
}

/// The next file that was not taken yet, oldest name first. `Err(wait)`: one is there and may still be written.
pub fn next(files: &Files, state: &State) -> Result<std::result::Result<Option<Found>, Duration>> {
    let mut wait = None;
    for path in candidates(files)? {
        let metadata = fs::metadata(&path).map_err(|error| Error::file(&path, &error))?;
        let found = found(&path, &metadata);
        if state.meta(&found.note)?.as_ref() == Some(&found.stamp) {
            continue;
        }
        let left = files.settle.saturating_sub(age(&metadata));
        if left.is_zero() {
            return Ok(Ok(Some(found)));
        }
        // The order of names is the order of states: a later file does not go before this one.
        wait = Some(left);
        break;
    }
    Ok(wait.map_or(Ok(None), Err))
}

/// How long ago it changed. A time far in the future is of a clock that was wrong: it says nothing, and whoever waited
/// for it would wait as long.
fn age(metadata: &fs::Metadata) -> Duration {
    let since = metadata.modified().map(|at| SystemTime::now().duration_since(at));
    match since {
        Ok(Ok(age)) => age,
        Ok(Err(ahead)) if ahead.duration() > FUTURE => Duration::MAX,
        _ => Duration::ZERO,
    }
}

fn candidates(files: &Files) -> Result<Vec<PathBuf>> {
    if !files.watch {
        return Ok(vec![files.path.clone()]);
    }
    let entries = fs::read_dir(&files.path).map_err(|error| Error::file(&files.path, &error))?;
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .take(DIRECTORY)
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && !is_unfinished(path))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Names that programs give to what they are still writing.
fn is_unfinished(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.starts_with('.')
        || name.ends_with('~')
        || [".part", ".tmp", ".filepart", ".crdownload"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn found(path: &Path, metadata: &Metadata) -> Found {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Found {
        path: path.to_owned(),
        stamp: format!("{} {}", metadata.len(), modified.unwrap_or_default().as_nanos()),
        note: format!("file {name}"),
    }
}

/// Reads a file to its end; a file that changed meanwhile is not taken.
pub fn read(files: &Files, file: &Found, rows: &mut Collect<'_>, csv: &CsvOptions) -> Result<Notes> {
    let opened = File::open(&file.path).map_err(|error| Error::file(&file.path, &error))?;
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let shown = file.path.display().to_string();
    unpack::unpack(&shown, &name, opened, files.member.as_deref(), |plain, input| {
        read_inside(files, &shown, plain, input, rows, csv)
    })?;
    let metadata = fs::metadata(&file.path).map_err(|error| Error::file(&file.path, &error))?;
    if found(&file.path, &metadata).stamp != file.stamp {
        return Err(Error::Source(format!(
            "{} changed while it was read; it is not taken",
            file.path.display()
        )));
    }
    Ok(vec![
        (file.note.clone(), file.stamp.clone()),
        (LAST_FILE.to_owned(), file.note.clone()),
    ])
}

fn read_inside(
    files: &Files,
    name: &str,
    plain: &str,
    input: Input<'_>,
    rows: &mut Collect<'_>,
    csv: &CsvOptions,
) -> Result<()> {
    let Some(format) = files.format.or_else(|| format_of(plain)) else {
        return Err(Error::Faults {
            what: format!("the name {plain} does not tell what {name} holds"),
            faults: vec![Fault::new(
                "source.format",
                "required",
                format!("say format = {}", Format::offered()),
            )],
        });
    };
    let document = Document {
        format,
        charset: files.charset.as_deref(),
        records: files.records.as_deref(),
        name,
        csv,
    };
    document.read(input, rows)
}

/// What the end of a name tells.
pub fn format_of(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1 {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::NdJson),
        "xml" => Some(Format::Xml),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}
