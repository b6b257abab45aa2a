//! Keys and digests of a whole set in one file: blocks of one size, each of whole entries, in the order of keys. Written
//! once, read in order or by key.
//!
//! An entry: the key's length (one byte, from 1), the key, the digest. A block is filled up with zeros.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Sent;
use crate::error::{Error, Result};

const BLOCK: usize = 16 << 10;
/// Most blocks read at once.
const MOST: u64 = 16;
const DIGEST: usize = 32;
/// What a block begins with: its first key is in it.
const HEAD: usize = 256;

/// Removes the file when it goes, unless it was kept.
pub struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    block: Vec<u8>,
    kept: bool,
}

impl Writer {
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| Error::file(path, &error))?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 20, file),
            path: path.to_owned(),
            block: Vec::with_capacity(BLOCK),
            kept: false,
        })
    }

    /// Keys must rise.
    pub fn push(&mut self, key: &[u8], digest: &[u8; DIGEST]) -> Result<()> {
        let Ok(length @ 1..) = u8::try_from(key.len()) else {
            return Err(Error::State("a key has 1 to 255 bytes".to_owned()));
        };
        if self.block.len() + 1 + key.len() + DIGEST > BLOCK {
            self.end_block()?;
        }
        self.block.push(length);
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(digest);
        Ok(())
    }

    fn end_block(&mut self) -> Result<()> {
        self.block.resize(BLOCK, 0);
        self.out
            .write_all(&self.block)
            .map_err(|error| Error::file(&self.path, &error))?;
        self.block.clear();
        Ok(())
    }

    /// Durable under its name.
    pub fn keep(mut self) -> Result<Base> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let fault = |error: std::io::Error| Error::file(&self.path, &error);
        self.out.flush().map_err(fault)?;
        self.out.get_ref().sync_all().map_err(fault)?;
        if let Some(dir) = self.path.parent() {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fault)?;
        }
        let base = Base::open(&self.path)?;
        self.kept = true;
        Ok(base)
    }
}

impl Writer {
    /// What was written so far, read from the beginning. The file goes with what reads it.
    pub fn read_back(mut self) -> Result<Rows> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.out
            .flush()
            .map_err(|error| Error::file(&self.path, &error))?;
        Base::open(&self.path)?.from(None)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.kept {
            // Swept away at the next start if it does not go now.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[derive(Clone)]
pub struct Base {
    file: Arc<File>,
    path: PathBuf,
    blocks: u64,
}

impl Base {
    pub fn open(path: &Path) -> Result<Self> {
        let fault = |error: std::io::Error| Error::file(path, &error);
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => damaged(path),
            _ => fault(error),
        })?;
        let length = file.metadata().map_err(fault)?.len();
        if length % BLOCK as u64 != 0 {
            return Err(damaged(path));
        }
        Ok(Self {
            file: Arc::new(file),
            path: path.to_owned(),
            blocks: length / BLOCK as u64,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<[u8; DIGEST]>> {
        let mut rows = self.from(Some(key))?;
        Ok(rows.next()?.filter(|found| found.0 == key).map(|found| found.1))
    }

    /// Every entry from this key on.
    pub fn from(&self, key: Option<&[u8]>) -> Result<Rows> {
        let mut rows = Rows {
            base: self.clone(),
            next: 0,
            at_once: 1,
            blocks: Vec::new(),
            used: 0,
        };
        let Some(key) = key else { return Ok(rows) };
        rows.next = self.block_of(key)?;
        while let Some((found, _)) = rows.peek()? {
            if found >= key {
                break;
            }
            rows.used += 1 + found.len() + DIGEST;
        }
        Ok(rows)
    }

    /// The last block whose first key is not greater; else the first.
    fn block_of(&self, key: &[u8]) -> Result<u64> {
        let (mut low, mut high) = (0, self.blocks);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let mut head = [0; HEAD];
            self.read(&mut head, middle)?;
            let first = entry(&head, 0).ok_or_else(|| damaged(&self.path))?;
            if first <= key {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn read(&self, out: &mut [u8], block: u64) -> Result<()> {
        self.file
            .read_exact_at(out, block * BLOCK as u64)
            .map_err(|error| Error::file(&self.path, &error))
    }
}

/// The key of the entry at this place; `None` = the block has no more.
fn entry(bytes: &[u8], at: usize) -> Option<&[u8]> {
    match bytes.get(at).copied() {
        None | Some(0) => None,
        Some(length) => bytes.get(at + 1..at + 1 + length as usize),
    }
}

fn damaged(path: &Path) -> Error {
    Error::State(format!(
        "{} is damaged or gone; `dagr connector resync --all` sends everything anew",
        path.display()
    ))
}

/// Entries in the order of keys. Reads more at once the more is asked for.
pub struct Rows {
    base: Base,
    /// The next block to be read.
    next: u64,
    at_once: u64,
    blocks: Vec<u8>,
    used: usize,
}

impl Rows {
    fn peek(&mut self) -> Result<Option<(&[u8], usize)>> {
        // A block's rest is zeros.
        if self.used < self.blocks.len() && self.blocks[self.used] == 0 {
            self.used = self.used.next_multiple_of(BLOCK);
        }
        if self.used >= self.blocks.len() {
            let count = self.at_once.min(self.base.blocks.saturating_sub(self.next));
            if count == 0 {
                return Ok(None);
            }
            self.blocks.resize(count as usize * BLOCK, 0);
            self.base.read(&mut self.blocks, self.next)?;
            self.next += count;
            self.at_once = (2 * self.at_once).min(MOST);
            self.used = 0;
        }
        let key = entry(&self.blocks, self.used).ok_or_else(|| damaged(&self.base.path))?;
        Ok(Some((key, self.used + 1 + key.len())))
    }

    pub fn next(&mut self) -> Result<Option<Sent>> {
        let Some((key, digest)) = self.peek()? else {
            return Ok(None);
        };
        let key = key.to_vec();
        let digest: Option<[u8; DIGEST]> = self
            .blocks
            .get(digest..digest + DIGEST)
            .and_then(|digest| digest.try_into().ok());
        let digest = digest.ok_or_else(|| damaged(&self.base.path))?;
        self.used += 1 + key.len() + DIGEST;
        Ok(Some((key, digest)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<Vec<u8>, [u8; DIGEST]>;

    fn written(dir: &Path, model: &Model) -> Base {
        let mut writer = Writer::create(&dir.join("base")).unwrap();
        for (key, digest) in model {
            writer.push(key, digest).unwrap();
        }
        writer.keep().unwrap()
    }

    fn read(mut rows: Rows) -> Vec<Sent> {
        std::iter::from_fn(|| rows.next().unwrap()).collect()
    }

    /// Keys of every length, so many that there are several blocks.
    fn model() -> impl Strategy<Value = Model> {
        let key = prop_oneof![
            prop::collection::vec(any::<u8>(), 1..4),
            prop::collection::vec(any::<u8>(), 200..256),
        ];
        prop::collection::btree_map(key, any::<[u8; DIGEST]>(), 0..400)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_written_is_found_in_order_and_by_key(model in model(), asked in prop::collection::vec(any::<u8>(), 1..3)) {
            let dir = tempfile::tempdir().unwrap();
            let base = written(dir.path(), &model);
            let all: Vec<Sent> = model.clone().into_iter().collect();
            prop_assert_eq!(read(base.from(None).unwrap()), all.clone());
            for (key, digest) in &all {
                prop_assert_eq!(base.get(key).unwrap(), Some(*digest));
            }
            prop_assert_eq!(base.get(&asked).unwrap(), model.get(&asked).copied());
            let from: Vec<Sent> = all.into_iter().filter(|sent| sent.0 >= asked).collect();
            prop_assert_eq!(read(base.from(Some(&asked)).unwrap()), from);
        }

        #[test]
        fn a_damaged_file_is_an_error_or_other_entries_and_never_a_panic(model in model(), at: prop::sample::Index, byte: u8) {
            let dir = tempfile::tempdir().unwrap();
            let base = written(dir.path(), &model);
            let mut bytes = fs::read(base.path()).unwrap();
            prop_assume!(!bytes.is_empty());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            fs::write(base.path(), &bytes).unwrap();
            let base = Base::open(base.path()).unwrap();
            let mut rows = base.from(None).unwrap();
            while let Ok(Some(_)) = rows.next() {}
            let _ = base.get(&[byte]);
        }
    }

    #[test]
    fn what_is_not_kept_goes_and_what_is_cut_off_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("base");
        let mut writer = Writer::create(&path).unwrap();
        writer.push(b"a", &[1; 32]).unwrap();
        assert!(writer.push(b"", &[1; 32]).is_err());
        assert!(writer.push(&[1; 256], &[1; 32]).is_err());
        drop(writer);
        assert!(!path.exists());
        written(dir.path(), &[(b"a".to_vec(), [1; 32])].into());
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(100)
            .unwrap();
        assert!(Base::open(&path).is_err());
    }
}
