//! Files: CSV, JSON, NDJSON, XML and Parquet, packed or not; one, or the newest of a directory that is watched.

#[cfg(test)]
mod tests;
pub mod unpack;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, Metadata},
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use dagr_model::fault::Fault;

use super::{
    Means, Notes,
    document::{Document, Input},
};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Files, Format, Order},
    state::{LAST_FILE, State},
};

/// New files of a directory that are kept in mind: those that come first.
const NEW: usize = 100_000;
/// Late files told by name.
const TOLD: usize = 3;
/// Noted: the directory, or the file, that was read last.
const PLACE: &str = "place";
/// Noted: files that are older than the one taken last, and new or changed.
pub const LATE: &str = "late";
/// Noted: how many they are.
pub const LATE_FILES: &str = "late_files";
/// Noted: when the file that was taken last was last changed, in nanoseconds.
const LAST_CHANGED: &str = "last_changed";
/// Begins the note of a file.
const FILE: &str = "file ";

/// A file to read, and how it stood when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    stamp: String,
    note: String,
    /// When it was last changed, in nanoseconds since 1970.
    changed: u128,
}

/// New files by their turns: how each stands, and since when as far as was seen here. The clock of a file server says nothing.
#[derive(Debug, Default)]
pub struct Standing(RefCell<BTreeMap<Turn, (String, Instant)>>);

/// Where a file comes among others: when it was changed, where that is the order, and its note.
type Turn = (u128, String);

/// The next file that was not taken yet, in the feed's order. `Err(wait)`: one is there and may still be written. `again`: what
/// was taken last is taken again where nothing newer is there.
pub fn next(
    files: &Files,
    state: &State,
    again: bool,
    standing: &Standing,
) -> Result<std::result::Result<Option<Found>, Duration>> {
    let new = if files.watch {
        watched(files, state, again)?
    } else {
        single(files, state, again)?
    };
    let now = Instant::now();
    let mut standing = standing.0.borrow_mut();
    standing.retain(|turn, (stamp, _)| new.get(turn).is_some_and(|found| found.stamp == *stamp));
    for (turn, found) in &new {
        standing
            .entry(turn.clone())
            .or_insert_with(|| (found.stamp.clone(), now));
    }
    // The order of files is the order of states: a later file does not go before this one.
    let Some((turn, found)) = new.into_iter().next() else {
        return Ok(Ok(None));
    };
    let since = standing.get(&turn).map_or(now, |(_, since)| *since);
    let left = files.settle.saturating_sub(now.duration_since(since));
    Ok(if left.is_zero() {
        Ok(Some(found))
    } else {
        Err(left)
    })
}

type New = BTreeMap<Turn, Found>;

fn single(files: &Files, state: &State, again: bool) -> Result<New> {
    let metadata = fs::metadata(&files.path).map_err(|error| Error::away(&files.path, &error))?;
    let found = found(&files.path, &metadata);
    let is_new = again || !is_taken(&found, state)?;
    Ok(is_new.then(|| (turn(files, &found), found)).into_iter().collect())
}

/// Was it taken as it stands?
fn is_taken(found: &Found, state: &State) -> Result<bool> {
    Ok(state.meta(&found.note)?.as_ref() == Some(&found.stamp))
}

fn turn(files: &Files, found: &Found) -> Turn {
    let changed = match files.order {
        Order::Name => 0,
        Order::Time => found.changed,
    };
    (changed, found.note.clone())
}

/// Files of a directory after the one that was taken last, and that one where it changed; those that were taken stay so. One
/// before it, new or changed, is not the present state: it is told.
fn watched(files: &Files, state: &State, again: bool) -> Result<New> {
    let away = |error: std::io::Error| Error::away(&files.path, &error);
    let last = last(files, state)?;
    let is_last = |found: &Found| last.as_ref().is_some_and(|(_, note)| *note == found.note);
    let (mut new, mut newest, mut late) = (New::new(), None, Late::default());
    for entry in fs::read_dir(&files.path).map_err(away)? {
        let path = entry.map_err(away)?.path();
        if is_unfinished(&path) {
            continue;
        }
        let metadata = match fs::metadata(&path) {
            // Gone since, or a link that leads nowhere.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            read => read.map_err(|error| Error::away(&path, &error))?,
        };
        if !metadata.is_file() {
            continue;
        }
        let found = found(&path, &metadata);
        let turn = turn(files, &found);
        if is_taken(&found, state)? {
            if again && is_last(&found) {
                newest = Some((turn, found));
            }
        } else if last.as_ref().is_some_and(|last| turn < *last) {
            late.add(&found.note);
        } else {
            new.insert(turn, found);
            if new.len() > NEW {
                new.pop_last();
            }
        }
    }
    late.tell(state)?;
    if new.is_empty() {
        new.extend(newest);
    }
    Ok(new)
}

/// The turn of the file that was taken last; of another place it says nothing.
fn last(files: &Files, state: &State) -> Result<Option<Turn>> {
    let same = state.meta(PLACE)?.is_none_or(|before| before == place(files));
    let last = state.meta(LAST_FILE)?.filter(|note| {
        let name = note.strip_prefix(FILE).unwrap_or(note);
        same || files.path.join(name).exists()
    });
    let Some(note) = last else { return Ok(None) };
    let changed = match files.order {
        Order::Name => 0,
        Order::Time => last_changed(&note, state)?,
    };
    Ok(Some((changed, note)))
}

/// When the file of this note, which was taken last, was last changed; older states have it in its stamp alone.
fn last_changed(note: &str, state: &State) -> Result<u128> {
    let noted = state.meta(LAST_CHANGED)?;
    let by_stamp = || {
        let stamp = state.meta(note)?;
        let changed = stamp.as_deref().and_then(|stamp| stamp.split_once(' '));
        Ok::<_, Error>(changed.map(|(_, changed)| changed.to_owned()))
    };
    let text = noted.map_or_else(by_stamp, |noted| Ok(Some(noted)))?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn place(files: &Files) -> String {
    let path = fs::canonicalize(&files.path);
    path.as_ref().unwrap_or(&files.path).display().to_string()
}

#[derive(Default)]
struct Late {
    names: BTreeSet<String>,
    more: usize,
}

impl Late {
    fn add(&mut self, note: &str) {
        self.names
            .insert(note.strip_prefix(FILE).unwrap_or(note).to_owned());
        if self.names.len() > TOLD {
            self.names.pop_last();
            self.more += 1;
        }
    }

    /// Said once, and in the status.
    fn tell(self, state: &State) -> Result<()> {
        let count = (self.names.len() + self.more).to_string();
        let mut told = self.names.into_iter().collect::<Vec<_>>().join(", ");
        if self.more > 0 {
            told.push_str(&format!(" and {} more", self.more));
        }
        let noted = |name: &str| state.meta(name).map(Option::unwrap_or_default);
        if noted(LATE)? == told && noted(LATE_FILES)? == count {
            return Ok(());
        }
        if !told.is_empty() {
            tracing::warn!(
                files = told,
                "files come before the one that was taken last, and are new or changed: they are not read; where one is the present state give it a later name (source.order = \"time\": a later time), else take it away"
            );
        }
        state.set_meta(LATE_FILES, &count)?;
        state.set_meta(LATE, &told)
    }
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
    let changed = modified.unwrap_or_default().as_nanos();
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Found {
        path: path.to_owned(),
        stamp: format!("{} {changed}", metadata.len()),
        note: format!("{FILE}{name}"),
        changed,
    }
}

/// Reads a file to its end; a file that changed meanwhile is not taken.
pub fn read(files: &Files, file: &Found, rows: &mut Collect<'_>, means: &Means<'_>) -> Result<Notes> {
    let opened = File::open(&file.path).map_err(|error| Error::away(&file.path, &error))?;
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let shown = file.path.display().to_string();
    unpack::unpack(&shown, &name, opened, files.member.as_deref(), |plain, input| {
        read_inside(files, &shown, plain, input, rows, means)
    })?;
    let metadata = fs::metadata(&file.path).map_err(|error| Error::away(&file.path, &error))?;
    if found(&file.path, &metadata).stamp != file.stamp {
        return Err(Error::Source(format!(
            "{} changed while it was read; it is not taken",
            file.path.display()
        )));
    }
    Ok(taken(files, file))
}

fn taken(files: &Files, file: &Found) -> Notes {
    vec![
        (file.note.clone(), file.stamp.clone()),
        (LAST_FILE.to_owned(), file.note.clone()),
        (LAST_CHANGED.to_owned(), file.changed.to_string()),
        (PLACE.to_owned(), place(files)),
    ]
}

fn read_inside(
    files: &Files,
    name: &str,
    plain: &str,
    input: Input<'_>,
    rows: &mut Collect<'_>,
    means: &Means<'_>,
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
        may_be_empty: files.may_be_empty,
        name,
        means,
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
