//! A package on its way in: rows staged to disk while they stream, then read back sorted by key.
//!
//! Memory is two buffers, one filling while the other is written; what is beyond lies in sorted runs that are merged
//! when read.

mod buffer;
pub mod groups;
mod run;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use buffer::{Buffer, Spill};
use dagr_model::{digest::record_digest, record::RecordRef};

use crate::{
    codec::{Reader, put_bytes, put_varint},
    kv::KvError,
};

/// Rows are sorted in memory up to this many bytes, then written as a run.
pub const BUFFER_BYTES: usize = 48 << 20;
/// Of a row without a record.
pub const NO_DIGEST: [u8; 32] = [0; 32];
/// Runs merged at once; more are first merged into longer ones.
const MAX_RUNS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    Upsert = 0,
    Delete = 1,
    Erase = 2,
    /// A row that was quarantined but whose key is readable: its record is not removed by a snapshot.
    Protect = 3,
}

/// One staged row, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub key: &'a [u8],
    /// Order of arrival.
    pub ordinal: u64,
    pub line: u64,
    pub verb: Verb,
    /// SHA-256 of the record; `NO_DIGEST` unless `Upsert`.
    pub digest: &'a [u8; 32],
    /// Empty unless `Upsert`.
    pub record: RecordRef<'a>,
}

impl<'a> Row<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.ordinal);
        put_varint(out, self.line);
        out.push(self.verb as u8);
        if self.verb == Verb::Upsert {
            out.extend_from_slice(self.digest);
        }
        put_bytes(out, self.record.spans);
        out.extend_from_slice(self.record.json);
    }

    fn read(key: &'a [u8], body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let (ordinal, line) = (reader.varint()?, reader.varint()?);
        let verb = match reader.byte()? {
            0 => Verb::Upsert,
            1 => Verb::Delete,
            2 => Verb::Erase,
            3 => Verb::Protect,
            _ => return None,
        };
        let digest = match verb {
            Verb::Upsert => reader.take(32)?.try_into().ok()?,
            _ => &NO_DIGEST,
        };
        let spans = reader.bytes()?;
        Some(Self {
            key,
            ordinal,
            line,
            verb,
            digest,
            record: RecordRef {
                json: reader.0,
                spans,
            },
        })
    }
}

/// Where rows are staged. Dropping it leaves the files: the directory belongs to the caller.
pub struct Stage {
    dir: PathBuf,
    buffer: Buffer,
    buffer_bytes: usize,
    spill: Spill,
    runs: Vec<PathBuf>,
    next_run: usize,
    ordinal: u64,
    bytes: u64,
}

impl Stage {
    /// `dir` must exist and be empty.
    pub fn new(dir: &Path) -> Self {
        Self::with_buffer(dir, BUFFER_BYTES)
    }

    /// With a buffer of another size, at most 1 GiB.
    pub fn with_buffer(dir: &Path, buffer_bytes: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            buffer: Buffer::default(),
            buffer_bytes: buffer_bytes.min(1 << 30),
            spill: Spill::default(),
            runs: Vec::new(),
            next_run: 0,
            ordinal: 0,
            bytes: 0,
        }
    }

    /// Bytes of rows staged so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn push(&mut self, key: &[u8], line: u64, verb: Verb, record: RecordRef<'_>) -> Result<(), KvError> {
        let digest = match verb {
            Verb::Upsert => record_digest(record.json),
            _ => NO_DIGEST,
        };
        self.push_digested(key, line, verb, record, &digest)
    }

    /// The same, when the record's digest is known already.
    pub fn push_digested(
        &mut self,
        key: &[u8],
        line: u64,
        verb: Verb,
        record: RecordRef<'_>,
        digest: &[u8; 32],
    ) -> Result<(), KvError> {
        self.bytes += self.buffer.push(&Row {
            key,
            ordinal: self.ordinal,
            line,
            verb,
            digest,
            record,
        });
        self.ordinal += 1;
        if self.buffer.bytes() >= self.buffer_bytes {
            let (full, path) = (std::mem::take(&mut self.buffer), self.add_run());
            self.buffer = self.spill.write(full, path)?;
        }
        Ok(())
    }

    /// Writes what is buffered; the rows can then be read any number of times, also after a restart.
    pub fn finish(mut self) -> Result<Staged, KvError> {
        if self.buffer.bytes() > 0 {
            let path = self.add_run();
            self.buffer.write(path)?;
        }
        self.spill.wait()?;
        let mut runs = std::mem::take(&mut self.runs);
        while runs.len() > MAX_RUNS {
            let rest = runs.split_off(MAX_RUNS);
            let merged = self.merge(&runs)?;
            // The merged rows came first and stay first, also by name: `Staged::open` goes by it.
            let first = runs[0].clone();
            for run in runs {
                std::fs::remove_file(run)?;
            }
            std::fs::rename(merged, &first)?;
            runs = rest;
            runs.insert(0, first);
        }
        Ok(Staged {
            runs,
            bytes: self.bytes,
        })
    }

    fn run_path(&mut self) -> PathBuf {
        self.next_run += 1;
        self.dir.join(format!("run-{:06}", self.next_run))
    }

    fn add_run(&mut self) -> PathBuf {
        let path = self.run_path();
        self.runs.push(path.clone());
        path
    }

    fn merge(&mut self, runs: &[PathBuf]) -> Result<PathBuf, KvError> {
        let path = self.run_path();
        let mut merged = run::Writer::create(path.clone())?;
        let mut rows = run::Merge::open(runs)?;
        while let Some((key, body)) = rows.next()? {
            merged.push(key, body)?;
        }
        merged.finish()?;
        Ok(path)
    }
}

/// A finished stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    runs: Vec<PathBuf>,
    pub bytes: u64,
}

impl Staged {
    /// The stage that `Stage::finish` left in `dir`: for a held package, after a restart too.
    pub fn open(dir: &Path) -> Result<Self, KvError> {
        let mut runs = Vec::new();
        let mut bytes = 0;
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("run-") {
                bytes += entry.metadata()?.len();
                runs.push(entry.path());
            }
        }
        runs.sort();
        Ok(Self { runs, bytes })
    }

    /// Makes the files durable: a held package must outlive a power cut.
    pub fn sync(&self) -> Result<(), KvError> {
        for run in &self.runs {
            File::open(run)?.sync_all()?;
        }
        Ok(())
    }

    /// Rows in key order, rows of one key in order of arrival.
    pub fn rows(&self) -> Result<run::Merge, KvError> {
        run::Merge::open(&self.runs)
    }
}

pub use run::Merge;
