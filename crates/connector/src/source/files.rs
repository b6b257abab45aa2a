//! Files: CSV, JSON and NDJSON, packed or not; one, or the newest of a directory that is watched.

use std::{
    fs::{self, File, Metadata},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use dagr_formats::{Decoder, Limits, MediaType};
use dagr_model::definition::CsvOptions;

use super::{Notes, WHOLE_BYTES};
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
    let (format, mut input) = open(files, &file.path)?;
    match format {
        Format::NdJson => lines(&mut input, &file.path, rows)?,
        _ => whole(
            files.charset.as_deref(),
            files.records.as_deref(),
            format,
            &mut input,
            &file.path,
            rows,
            csv,
        )?,
    }
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

fn open(files: &Files, path: &Path) -> Result<(Format, Box<dyn BufRead>)> {
    let file = File::open(path).map_err(|error| Error::file(path, &error))?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_lowercase();
    let (plain, input): (&str, Box<dyn BufRead>) = if let Some(plain) = name.strip_suffix(".gz") {
        (
            plain,
            Box::new(BufReader::with_capacity(
                1 << 18,
                flate2::read::MultiGzDecoder::new(file),
            )),
        )
    } else if let Some(plain) = name.strip_suffix(".zst") {
        let decoder = zstd::stream::read::Decoder::new(file).map_err(|error| Error::file(path, &error))?;
        (plain, Box::new(BufReader::with_capacity(1 << 18, decoder)))
    } else {
        (&name, Box::new(BufReader::with_capacity(1 << 18, file)))
    };
    let format = files
        .format
        .or_else(|| format_of(plain))
        .ok_or_else(|| Error::Faults {
            what: format!("the name {} does not tell what the file holds", path.display()),
            faults: vec![dagr_model::fault::Fault::new(
                "source.format",
                "required",
                "say format = \"csv\", \"json\" or \"ndjson\"",
            )],
        })?;
    Ok((format, input))
}

fn format_of(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1 {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::NdJson),
        _ => None,
    }
}

/// CSV and JSON, by the decoders of the intake.
pub fn whole(
    charset: Option<&str>,
    records: Option<&str>,
    format: Format,
    input: &mut dyn Read,
    path: &Path,
    rows: &mut Collect<'_>,
    csv: &CsvOptions,
) -> Result<()> {
    if let Some(records) = records.filter(|_| format == Format::Json) {
        return under(input, records, path, rows);
    }
    let media = if format == Format::Csv {
        MediaType::Csv
    } else {
        MediaType::JsonArray
    };
    let mut decoder = match Decoder::new(media, charset, csv, Limits::default()) {
        Ok(decoder) => decoder,
        Err(error) => return Err(rows.stopped(error)),
    };
    let mut buffer = vec![0; 1 << 18];
    loop {
        let length = input.read(&mut buffer).map_err(|error| cut_off(path, &error))?;
        if length == 0 {
            break;
        }
        decoder
            .feed(&buffer[..length], rows)
            .map_err(|error| rows.stopped(error))?;
    }
    decoder
        .finish(rows)
        .map(|_| ())
        .map_err(|error| rows.stopped(error))
}

fn cut_off(path: &Path, error: &std::io::Error) -> Error {
    Error::Source(format!("{}: {error}; it is not taken", path.display()))
}

/// One record a line.
fn lines(input: &mut dyn BufRead, path: &Path, rows: &mut Collect<'_>) -> Result<()> {
    let limit = Limits::default().max_row_bytes as u64;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = input
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|error| cut_off(path, &error))?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 == limit && line.last() != Some(&b'\n') {
            return Err(Error::Source(format!(
                "{}: line {number} is longer than 8 MiB",
                path.display()
            )));
        }
        let record = line.trim_ascii();
        if !record.is_empty() {
            rows.json(number, record)?;
        }
    }
    Ok(())
}

/// The records of an array inside a JSON document, at a dotted path.
fn under(input: &mut dyn Read, place: &str, path: &Path, rows: &mut Collect<'_>) -> Result<()> {
    let mut text = Vec::new();
    input
        .take(WHOLE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| cut_off(path, &error))?;
    if text.len() as u64 > WHOLE_BYTES {
        return Err(Error::Source(format!(
            "{}: a document with source.records may be 256 MiB at most",
            path.display()
        )));
    }
    let document: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| Error::Source(format!("{}: {error}", path.display())))?;
    let found = place
        .split('.')
        .try_fold(&document, |value, name| value.get(name));
    let Some(records) = found.and_then(serde_json::Value::as_array) else {
        return Err(Error::Source(format!(
            "{}: there is no list at {place} (source.records)",
            path.display()
        )));
    };
    for (at, record) in records.iter().enumerate() {
        rows.json(at as u64 + 1, record.to_string().as_bytes())?;
    }
    Ok(())
}
