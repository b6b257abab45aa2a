//! Reads a file forwards in chunks.

use std::{io, ops::Range};

use super::io::JournalFile;

#[derive(Debug)]
pub(super) struct Window {
    bytes: Vec<u8>,
    at: u64,
    ahead: u64,
}

impl Window {
    /// Reads `ahead` bytes at a time, or as many as are asked at once.
    pub(super) fn new(ahead: u64) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            ahead,
        }
    }

    /// Makes `len` bytes at `at` available; `None` when they would go beyond `end` or the file.
    pub(super) fn fill(
        &mut self,
        file: &dyn JournalFile,
        at: u64,
        len: u64,
        end: u64,
    ) -> io::Result<Option<Range<usize>>> {
        if at.checked_add(len).is_none_or(|until| until > end) {
            return Ok(None);
        }
        if at < self.at || at + len > self.at + self.bytes.len() as u64 {
            let want = len.max(self.ahead).min(end - at);
            self.bytes.resize(want as usize, 0);
            let read = file.read_at(&mut self.bytes, at)?;
            self.bytes.truncate(read);
            self.at = at;
            if (read as u64) < len {
                return Ok(None);
            }
        }
        let start = (at - self.at) as usize;
        Ok(Some(start..start + len as usize))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
