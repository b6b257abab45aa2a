//! What a package changes in the copy, in the order of keys; on disk where it is much.

use std::{
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tempfile::SpooledTempFile;

use crate::error::{Error, Result};

/// Bytes kept in memory.
const MEMORY: usize = 4 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: Vec<u8>,
    /// `None` = nothing was sent of it.
    pub before: Option<[u8; 32]>,
    /// `None` = it goes.
    pub now: Option<[u8; 32]>,
}

pub struct Changes {
    out: BufWriter<SpooledTempFile>,
    dir: PathBuf,
}

impl Changes {
    /// Spills into `dir`.
    pub fn new(dir: &Path) -> Self {
        let file = tempfile::spooled_tempfile_in(MEMORY, dir);
        Self {
            out: BufWriter::with_capacity(1 << 16, file),
            dir: dir.to_owned(),
        }
    }

    /// Length of the key, which digests there are (1 before, 2 now), key, digests.
    pub fn push(&mut self, change: &Change) -> Result<()> {
        let Change { key, before, now } = change;
        let kind = u8::from(before.is_some()) | u8::from(now.is_some()) << 1;
        let mut head = [0; 5];
        head[..4].copy_from_slice(&(key.len() as u32).to_le_bytes());
        head[4] = kind;
        let digests = before.iter().chain(now).map(<[u8; 32]>::as_slice);
        for part in [head.as_slice(), key].into_iter().chain(digests) {
            self.out
                .write_all(part)
                .map_err(|error| Error::file(&self.dir, &error))?;
        }
        Ok(())
    }

    /// Gives each, from the first.
    pub fn each(&mut self, mut take: impl FnMut(Change) -> Result<()>) -> Result<()> {
        let dir = self.dir.clone();
        let fault = |error: std::io::Error| Error::file(&dir, &error);
        self.out.flush().map_err(fault)?;
        let file = self.out.get_mut();
        let end = file.stream_position().map_err(fault)?;
        file.seek(SeekFrom::Start(0)).map_err(fault)?;
        let mut input = BufReader::with_capacity(1 << 18, file.take(end));
        let mut head = [0; 5];
        while !std::io::BufRead::fill_buf(&mut input).map_err(fault)?.is_empty() {
            input.read_exact(&mut head).map_err(fault)?;
            let mut key = vec![0; u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize];
            input.read_exact(&mut key).map_err(fault)?;
            let mut digest = |there: bool| -> Result<Option<[u8; 32]>> {
                let mut digest = [0; 32];
                if there {
                    input.read_exact(&mut digest).map_err(fault)?;
                }
                Ok(there.then_some(digest))
            };
            let before = digest(head[4] & 1 != 0)?;
            let now = digest(head[4] & 2 != 0)?;
            take(Change { key, before, now })?;
        }
        Ok(())
    }
}
