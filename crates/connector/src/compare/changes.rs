//! What a package changes in the copy, in the order of keys; on disk where it is much.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Bytes kept in memory.
const MEMORY: usize = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'c> {
    pub key: &'c [u8],
    /// `None` = nothing was sent of it.
    pub before: Option<&'c [u8; 32]>,
    /// `None` = it goes.
    pub now: Option<&'c [u8; 32]>,
}

/// Removes its file when it goes, unless it was kept.
pub struct Changes {
    memory: Vec<u8>,
    most: usize,
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Changes {
    /// In the file `path` where they are many.
    pub fn new(path: &Path) -> Self {
        Self::with_memory(path, MEMORY)
    }

    pub(super) fn with_memory(path: &Path, most: usize) -> Self {
        Self {
            memory: Vec::new(),
            most,
            path: path.to_owned(),
            file: None,
        }
    }

    /// Length of the key, which digests there are (1 before, 2 now), key, digests.
    pub fn push(&mut self, change: &Change<'_>) -> Result<()> {
        let Change { key, before, now } = change;
        let kind = u8::from(before.is_some()) | u8::from(now.is_some()) << 1;
        self.memory.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.memory.push(kind);
        self.memory.extend_from_slice(key);
        for digest in before.iter().chain(now) {
            self.memory.extend_from_slice(&digest[..]);
        }
        if self.memory.len() > self.most {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::with_capacity(
                1 << 18,
                File::create(&self.path).map_err(fault)?,
            )),
        };
        file.write_all(&self.memory).map_err(fault)?;
        self.memory.clear();
        Ok(())
    }

    /// Are they on disk?
    pub fn are_many(&self) -> bool {
        self.file.is_some()
    }

    /// Durable under their name, for [`each_of`].
    pub fn keep(mut self) -> Result<()> {
        self.spill()?;
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| fault(error.into_error()))?;
            file.sync_all().map_err(fault)?;
        }
        if let Some(dir) = self.path.parent() {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
        }
        Ok(())
    }

    /// Gives each, in order; only while they are few.
    pub fn each(&self, take: impl FnMut(Change<'_>) -> Result<()>) -> Result<()> {
        each(self.memory.as_slice(), &self.path, take)
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Swept away at the next start if it does not go now.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Gives each that was kept.
pub fn each_of(path: &Path, take: impl FnMut(Change<'_>) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|error| Error::file(path, &error))?;
    each(BufReader::with_capacity(1 << 18, file), path, take)
}

fn each(
    mut input: impl std::io::BufRead,
    path: &Path,
    mut take: impl FnMut(Change<'_>) -> Result<()>,
) -> Result<()> {
    let fault = |error: std::io::Error| Error::file(path, &error);
    let (mut head, mut key) = ([0; 5], Vec::new());
    while !input.fill_buf().map_err(fault)?.is_empty() {
        input.read_exact(&mut head).map_err(fault)?;
        key.resize(
            u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize,
            0,
        );
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
        take(Change {
            key: &key,
            before: before.as_ref(),
            now: now.as_ref(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (Vec<u8>, Option<[u8; 32]>, Option<[u8; 32]>);

    fn change() -> impl Strategy<Value = Owned> {
        let digest = || prop::option::of(any::<[u8; 32]>());
        (prop::collection::vec(any::<u8>(), 0..9), digest(), digest())
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back(changes in prop::collection::vec(change(), 0..40), most in 0usize..2_000) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("changes");
            let mut given = Changes::with_memory(&path, most);
            for (key, before, now) in &changes {
                given.push(&Change { key, before: before.as_ref(), now: now.as_ref() }).unwrap();
            }
            let mut found = Vec::new();
            let mut take = |Change { key, before, now }: Change<'_>| {
                found.push((key.to_vec(), before.copied(), now.copied()));
                Ok(())
            };
            if given.are_many() {
                given.keep().unwrap();
                each_of(&path, &mut take).unwrap();
            } else {
                given.each(&mut take).unwrap();
                drop(given);
                prop_assert!(!path.exists());
            }
            prop_assert_eq!(found, changes);
        }
    }
}
