//! A sorted run on disk, and many merged into one.
//!
//! A run is: `FORMAT`, then rows. A row is: key length (varint) · key · body length (varint) · body.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use super::Row;
use crate::{codec::put_varint, kv::KvError};

/// Bytes read ahead of each run; with many runs less, so that memory stays flat.
const READ_AHEAD: usize = 8 << 20;
/// No staged row is longer: the longest record and its spans, with room.
const MAX_BODY: u64 = 16 << 20;

/// Begins every run. A held package waits for its provider across restarts, perhaps of another version of the
/// program: the last byte changes with everything that is written otherwise.
const FORMAT: &[u8; 8] = b"dagrrun\x01";

/// Writes one run.
pub struct Writer {
    out: BufWriter<File>,
    head: Vec<u8>,
}

impl Writer {
    pub fn create(path: PathBuf) -> Result<Self, KvError> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(FORMAT)?;
        let head = Vec::new();
        Ok(Self { out, head })
    }

    /// Rows come in key order.
    pub fn push(&mut self, key: &[u8], body: &[u8]) -> Result<(), KvError> {
        self.head.clear();
        put_varint(&mut self.head, key.len() as u64);
        self.head.extend_from_slice(key);
        put_varint(&mut self.head, body.len() as u64);
        self.out.write_all(&self.head)?;
        self.out.write_all(body)?;
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), KvError> {
        Ok(self.out.flush()?)
    }
}

struct Run {
    file: BufReader<File>,
    key: Vec<u8>,
    body: Vec<u8>,
}

impl Run {
    fn open(path: &Path, ahead: usize) -> Result<Self, KvError> {
        let mut file = BufReader::with_capacity(ahead, File::open(path)?);
        let mut format = [0; FORMAT.len()];
        match file.read_exact(&mut format) {
            Ok(()) if format == *FORMAT => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
            _ => return Err(KvError::Corrupt("staged run of another format".to_owned())),
        }
        let (key, body) = (Vec::new(), Vec::new());
        Ok(Self { file, key, body })
    }

    fn advance(&mut self) -> Result<bool, KvError> {
        let Some(key_len) = self.varint()? else {
            return Ok(false);
        };
        Self::fill(&mut self.file, &mut self.key, key_len)?;
        let Some(body_len) = self.varint()? else {
            return Err(cut_off());
        };
        Self::fill(&mut self.file, &mut self.body, body_len)?;
        Ok(true)
    }

    fn fill(file: &mut BufReader<File>, into: &mut Vec<u8>, len: u64) -> Result<(), KvError> {
        if len > MAX_BODY {
            return Err(KvError::Corrupt("staged row".to_owned()));
        }
        into.resize(len as usize, 0);
        file.read_exact(into)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<Option<u64>, KvError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.file.fill_buf()?.first().copied() else {
                return if shift == 0 { Ok(None) } else { Err(cut_off()) };
            };
            self.file.consume(1);
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Err(cut_off())
    }
}

fn cut_off() -> KvError {
    KvError::Corrupt("staged run is cut off".to_owned())
}

/// Rows of several runs in key order. Runs are in order of arrival, so equal keys are too.
pub struct Merge {
    runs: Vec<Run>,
    heap: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    current: Option<usize>,
    started: bool,
}

impl Merge {
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, KvError> {
        let ahead = (READ_AHEAD / paths.len().max(1)).clamp(16 << 10, 1 << 20);
        let mut merge = Self {
            runs: Vec::new(),
            heap: BinaryHeap::new(),
            current: None,
            started: false,
        };
        for path in paths {
            let mut run = Run::open(path, ahead)?;
            if run.advance()? {
                merge.heap.push(Reverse((run.key.clone(), merge.runs.len())));
                merge.runs.push(run);
            }
        }
        Ok(merge)
    }

    /// The next row: key and body.
    pub(super) fn next(&mut self) -> Result<Option<(&[u8], &[u8])>, KvError> {
        if self.runs.len() == 1 {
            // The usual package fits one run: nothing to merge.
            let more = !std::mem::replace(&mut self.started, true) || self.runs[0].advance()?;
            if !more {
                self.runs.clear();
                self.heap.clear();
            }
            return Ok(self
                .runs
                .first()
                .map(|run| (run.key.as_slice(), run.body.as_slice())));
        }
        if let Some(at) = self.current.take()
            && self.runs[at].advance()?
        {
            self.heap.push(Reverse((self.runs[at].key.clone(), at)));
        }
        let Some(Reverse((_, at))) = self.heap.pop() else {
            return Ok(None);
        };
        self.current = Some(at);
        let run = &self.runs[at];
        Ok(Some((&run.key, &run.body)))
    }

    /// The next row, decoded.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, KvError> {
        match self.next()? {
            None => Ok(None),
            Some((key, body)) => Row::read(key, body)
                .map(Some)
                .ok_or_else(|| KvError::Corrupt("staged row".to_owned())),
        }
    }
}
