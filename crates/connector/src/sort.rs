//! Sorts more than memory holds: runs sorted in memory, spilled to a file nobody else sees, merged.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    fs::File,
    io::{BufWriter, Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::error::{Error, Result};

/// Bytes sorted at once.
const RUN: usize = 32 << 20;
/// Read ahead of each run.
const AHEAD: usize = 128 << 10;

/// Takes entries in any order. Entries of one key keep the order they came in.
pub struct Sorter {
    dir: PathBuf,
    run_bytes: usize,
    bytes: Vec<u8>,
    /// Where each entry begins in `bytes`.
    starts: Vec<u32>,
    spilled: Option<Spilled>,
}

struct Spilled {
    file: File,
    /// Where each run ends.
    ends: Vec<u64>,
}

/// An entry's bytes: the key's length, the value's, then both.
const HEAD: usize = 8;

fn key_of(bytes: &[u8], start: u32) -> &[u8] {
    let (key, _) = lengths(&bytes[start as usize..]);
    &bytes[start as usize + HEAD..][..key]
}

fn lengths(head: &[u8]) -> (usize, usize) {
    let number =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    (number(0), number(4))
}

impl Sorter {
    /// Spills into `dir`.
    pub fn new(dir: &Path) -> Self {
        Self::with_run(dir, RUN)
    }

    fn with_run(dir: &Path, run_bytes: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            run_bytes,
            bytes: Vec::new(),
            starts: Vec::new(),
            spilled: None,
        }
    }

    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if self.bytes.len() + HEAD + key.len() + value.len() > self.run_bytes && !self.starts.is_empty() {
            self.spill()?;
        }
        self.starts.push(self.bytes.len() as u32);
        self.bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.starts
            .sort_by(|a, b| key_of(bytes, *a).cmp(key_of(bytes, *b)));
    }

    fn spill(&mut self) -> Result<()> {
        self.sort();
        let fault = |error: std::io::Error| Error::file(&self.dir, &error);
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled {
                file: tempfile::tempfile_in(&self.dir).map_err(fault)?,
                ends: Vec::new(),
            }),
        };
        let mut out = BufWriter::with_capacity(1 << 20, &spilled.file);
        for start in &self.starts {
            let entry = &self.bytes[*start as usize..];
            let (key, value) = lengths(entry);
            out.write_all(&entry[..HEAD + key + value]).map_err(fault)?;
        }
        out.flush().map_err(fault)?;
        drop(out);
        let before = spilled.ends.last().copied().unwrap_or(0);
        spilled.ends.push(before + self.bytes.len() as u64);
        self.bytes.clear();
        self.starts.clear();
        Ok(())
    }

    pub fn sorted(mut self) -> Result<Sorted> {
        if self.spilled.is_some() && !self.starts.is_empty() {
            self.spill()?;
        }
        let Some(Spilled { file, ends }) = self.spilled.take() else {
            self.sort();
            return Ok(Sorted::Memory {
                bytes: self.bytes,
                starts: self.starts.into_iter(),
            });
        };
        let file = Arc::new(file);
        let mut heap = BinaryHeap::with_capacity(ends.len());
        let mut start = 0;
        for (number, end) in ends.into_iter().enumerate() {
            let mut run = Run {
                number,
                file: Arc::clone(&file),
                buffer: Vec::new(),
                used: 0,
                at: start,
                end,
                entry: Entry::default(),
            };
            start = end;
            if run.advance()? {
                heap.push(Reverse(run));
            }
        }
        Ok(Sorted::Merge(heap))
    }
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// Entries in the order of their keys.
pub enum Sorted {
    Memory {
        bytes: Vec<u8>,
        starts: std::vec::IntoIter<u32>,
    },
    Merge(BinaryHeap<Reverse<Run>>),
}

impl Sorted {
    pub fn next(&mut self) -> Result<Option<Entry>> {
        match self {
            Self::Memory { bytes, starts } => Ok(starts.next().map(|start| {
                let entry = &bytes[start as usize..];
                let (key, value) = lengths(entry);
                Entry {
                    key: entry[HEAD..HEAD + key].to_vec(),
                    value: entry[HEAD + key..HEAD + key + value].to_vec(),
                }
            })),
            Self::Merge(heap) => {
                let Some(mut first) = heap.peek_mut() else {
                    return Ok(None);
                };
                let entry = std::mem::take(&mut first.0.entry);
                if !first.0.advance()? {
                    std::collections::binary_heap::PeekMut::pop(first);
                }
                Ok(Some(entry))
            }
        }
    }
}

/// One sorted stretch of the file.
pub struct Run {
    number: usize,
    file: Arc<File>,
    buffer: Vec<u8>,
    used: usize,
    at: u64,
    end: u64,
    entry: Entry,
}

impl Run {
    /// Reads the next entry; `false` = there is none.
    fn advance(&mut self) -> Result<bool> {
        if self.used == self.buffer.len() && self.at == self.end {
            return Ok(false);
        }
        let mut head = [0; HEAD];
        let gone = |error: std::io::Error| Error::State(format!("what was sorted: {error}"));
        self.read_exact(&mut head).map_err(gone)?;
        let (key, value) = lengths(&head);
        let mut entry = std::mem::take(&mut self.entry);
        entry.key.resize(key, 0);
        entry.value.resize(value, 0);
        self.read_exact(&mut entry.key).map_err(gone)?;
        self.read_exact(&mut entry.value).map_err(gone)?;
        self.entry = entry;
        Ok(true)
    }
}

impl Read for Run {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.buffer.len() {
            let length = AHEAD.min((self.end - self.at) as usize);
            self.buffer.resize(length, 0);
            self.file.read_exact_at(&mut self.buffer, self.at)?;
            self.at += length as u64;
            self.used = 0;
        }
        let length = out.len().min(self.buffer.len() - self.used);
        out[..length].copy_from_slice(&self.buffer[self.used..self.used + length]);
        self.used += length;
        Ok(length)
    }
}

impl Ord for Run {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.entry.key, self.number).cmp(&(&other.entry.key, other.number))
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_stable_sort_in_memory(
            entries in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..4), prop::collection::vec(any::<u8>(), 0..40)), 0..200),
            run in 1usize..2_000,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::with_run(dir.path(), run);
            for (key, value) in &entries {
                sorter.push(key, value).unwrap();
            }
            let mut sorted = sorter.sorted().unwrap();
            let mut found = Vec::new();
            while let Some(entry) = sorted.next().unwrap() {
                found.push((entry.key, entry.value));
            }
            let mut expected = entries;
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(found, expected);
        }
    }
}
