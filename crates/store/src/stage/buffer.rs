//! Rows in memory, sorted and written as a run once there are enough.

use std::{path::PathBuf, thread::JoinHandle};

use super::{Row, run};
use crate::{key_head::key_head, kv::KvError};

/// Where a row stands in the buffer.
#[derive(Clone, Copy)]
struct Place {
    head: u64,
    start: u32,
    body_len: u32,
    key_len: u16,
}

#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// In order of arrival until it is written.
    rows: Vec<Place>,
}

impl Buffer {
    /// Memory in use.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.rows.len() * size_of::<Place>()
    }

    /// Gives how many bytes the row takes.
    pub fn push(&mut self, row: &Row<'_>) -> u64 {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(row.key);
        let body = self.bytes.len();
        row.write(&mut self.bytes);
        self.rows.push(Place {
            head: key_head(row.key),
            start: start as u32,
            body_len: (self.bytes.len() - body) as u32,
            key_len: row.key.len() as u16,
        });
        (self.bytes.len() - start) as u64
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |row: &Place| &bytes[row.start as usize..row.start as usize + usize::from(row.key_len)];
        let by_key = |a: &Place, b: &Place| a.head.cmp(&b.head).then_with(|| key(a).cmp(key(b)));
        if !self.rows.is_sorted_by(|a, b| by_key(a, b).is_le()) {
            // The start grows with arrival: rows of one key stay in that order.
            self.rows
                .sort_unstable_by(|a, b| by_key(a, b).then(a.start.cmp(&b.start)));
        }
    }

    /// Sorts and writes; what is left is empty.
    pub fn write(&mut self, path: PathBuf) -> Result<(), KvError> {
        self.sort();
        let mut run = run::Writer::create(path)?;
        for row in &self.rows {
            let body = row.start as usize + usize::from(row.key_len);
            run.push(
                &self.bytes[row.start as usize..body],
                &self.bytes[body..body + row.body_len as usize],
            )?;
        }
        run.finish()?;
        self.rows.clear();
        self.bytes.clear();
        Ok(())
    }
}

/// At most one full buffer, being written while the next one fills.
#[derive(Default)]
pub(super) struct Spill(Option<JoinHandle<Result<Buffer, KvError>>>);

impl Spill {
    /// Waits for the one before, then writes `buffer` to `path` aside. Gives an empty buffer.
    pub fn write(&mut self, mut buffer: Buffer, path: PathBuf) -> Result<Buffer, KvError> {
        let empty = self.wait()?;
        let thread = std::thread::Builder::new().name("stage".to_owned());
        self.0 = Some(thread.spawn(move || buffer.write(path).map(|()| buffer))?);
        Ok(empty)
    }

    /// Waits until nothing is being written; an error of the writing comes out here.
    pub fn wait(&mut self) -> Result<Buffer, KvError> {
        match self.0.take().map(JoinHandle::join) {
            None => Ok(Buffer::default()),
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(KvError::Engine("writing a stage broke off".to_owned())),
        }
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // The directory may be removed next: nothing may come into it any more. The error has no reader left.
        let _ = self.wait();
    }
}
