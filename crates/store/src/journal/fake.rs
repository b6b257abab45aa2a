//! A disk for tests: it forgets at a crash what was not synced, and can be full or failing.
//!
//! A crash keeps any part of what was written since the last sync, in pieces of 512 bytes, as a disk may; names
//! fare likewise until their directory is synced. All by a seed.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use super::io::{JournalFile, JournalIo};

const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Len(usize),
}

#[derive(Debug, Default)]
struct Contents {
    /// What reads see.
    live: Vec<u8>,
    /// What a crash leaves for sure.
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

type Inode = Arc<Mutex<Contents>>;

#[derive(Debug, Default)]
struct Disk {
    /// Raised by a crash: handles of before are dead.
    generation: u64,
    live: BTreeMap<PathBuf, Inode>,
    durable: BTreeMap<PathBuf, Inode>,
    /// Bytes all files may have together; `None` = endless.
    capacity: Option<u64>,
    /// The syncs, counted from now, that fail.
    failing_syncs: std::ops::Range<u64>,
    syncs: u64,
    random: u64,
}

impl Disk {
    fn next(&mut self) -> u64 {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn used(&self) -> u64 {
        self.live
            .values()
            .map(|inode| inode.lock().live.len() as u64)
            .sum()
    }
}

/// The disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct FakeDisk(Arc<Mutex<Disk>>);

impl FakeDisk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk {
            random: seed | 1,
            ..Disk::default()
        })))
    }

    /// What a process holds; dead after the next crash.
    pub fn io(&self) -> Arc<dyn JournalIo> {
        Arc::new(FakeIo {
            disk: self.clone(),
            generation: self.0.lock().generation,
        })
    }

    /// Power is lost.
    pub fn crash(&self) {
        let mut disk = self.0.lock();
        disk.generation += 1;
        if disk.next().is_multiple_of(2) {
            disk.live = disk.durable.clone();
        } else {
            disk.durable = disk.live.clone();
        }
        let inodes: Vec<Inode> = disk.live.values().cloned().collect();
        for inode in inodes {
            let mut contents = inode.lock();
            // Some crashes lose all that was not synced, others any part of it.
            let loses_all = disk.next().is_multiple_of(3);
            let mut survivor = std::mem::take(&mut contents.durable);
            for change in std::mem::take(&mut contents.unsynced) {
                if !loses_all {
                    apply_torn(&mut survivor, &change, || disk.next().is_multiple_of(2));
                }
            }
            contents.live.clone_from(&survivor);
            contents.durable = survivor;
        }
        disk.failing_syncs = 0..0;
    }

    /// Room for so many bytes more than are used now; `None` = endless.
    pub fn set_room(&self, bytes: Option<u64>) {
        let mut disk = self.0.lock();
        disk.capacity = bytes.map(|bytes| disk.used() + bytes);
    }

    /// After `after` more syncs, `count` of them fail and lose the pages.
    pub fn fail_syncs(&self, after: u64, count: u64) {
        let mut disk = self.0.lock();
        let from = disk.syncs + after;
        disk.failing_syncs = from..from + count;
    }

    /// Flips a bit, durably: what a disk does in a bad hour.
    pub fn flip(&self, path: &Path, at: usize) {
        if let Some(inode) = self.0.lock().live.get(path) {
            let mut contents = inode.lock();
            let contents = &mut *contents;
            for bytes in [&mut contents.live, &mut contents.durable] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x10;
                }
            }
        }
    }

    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().live.keys().cloned().collect()
    }

    fn check(&self, generation: u64) -> io::Result<parking_lot::MutexGuard<'_, Disk>> {
        let disk = self.0.lock();
        if disk.generation == generation {
            Ok(disk)
        } else {
            Err(io::Error::other("the power is off"))
        }
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Len(len) => bytes.resize(*len, 0),
        Change::Write { at, bytes: new } => {
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(new);
        }
    }
}

/// Applies some sectors of a write.
fn apply_torn(bytes: &mut Vec<u8>, change: &Change, mut keep: impl FnMut() -> bool) {
    let Change::Write { at, bytes: new } = change else {
        if keep() {
            apply(bytes, change);
        }
        return;
    };
    let mut from = *at;
    let end = at + new.len();
    while from < end {
        let to = ((from / SECTOR + 1) * SECTOR).min(end);
        if keep() {
            apply(
                bytes,
                &Change::Write {
                    at: from,
                    bytes: new[from - at..to - at].to_vec(),
                },
            );
        }
        from = to;
    }
}

struct FakeIo {
    disk: FakeDisk,
    generation: u64,
}

struct FakeFile {
    disk: FakeDisk,
    generation: u64,
    inode: Inode,
}

impl FakeIo {
    fn disk(&self) -> io::Result<parking_lot::MutexGuard<'_, Disk>> {
        self.disk.check(self.generation)
    }

    fn file(&self, inode: Inode) -> Box<dyn JournalFile> {
        Box::new(FakeFile {
            disk: self.disk.clone(),
            generation: self.generation,
            inode,
        })
    }
}

fn absent() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl JournalIo for FakeIo {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.disk().map(|_| ())
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.disk().map(|_| Box::new(()) as Box<dyn Send + Sync>)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let inode = Inode::default();
        self.disk()?.live.insert(path.to_owned(), inode.clone());
        Ok(self.file(inode))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let inode = self.disk()?.live.get(path).cloned().ok_or_else(absent)?;
        Ok(self.file(inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk()?;
        let inode = disk.live.remove(from).ok_or_else(absent)?;
        disk.live.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk()?.live.remove(path).map(|_| ()).ok_or_else(absent)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk()?;
        let names = disk
            .live
            .keys()
            .filter(|path| path.parent() == Some(dir))
            .filter_map(|path| path.file_name());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut disk = self.disk()?;
        disk.durable = disk.live.clone();
        Ok(())
    }
}

impl FakeFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let disk = self.disk.check(self.generation)?;
        let end = match &change {
            Change::Len(len) => *len,
            Change::Write { at, bytes } => at + bytes.len(),
        };
        let growth = end.saturating_sub(self.inode.lock().live.len()) as u64;
        if growth > 0
            && disk
                .capacity
                .is_some_and(|capacity| disk.used() + growth > capacity)
        {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let mut contents = self.inode.lock();
        apply(&mut contents.live, &change);
        contents.unsynced.push(change);
        Ok(())
    }
}

impl JournalFile for FakeFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write {
            at: offset as usize,
            bytes: bytes.to_vec(),
        })
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let _disk = self.disk.check(self.generation)?;
        let contents = self.inode.lock();
        let from = contents.live.get(offset as usize..).unwrap_or_default();
        let len = from.len().min(into.len());
        into[..len].copy_from_slice(&from[..len]);
        Ok(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let have = self.len()?;
        if have < len {
            self.change(Change::Len(len as usize))
        } else {
            Ok(())
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Len(len as usize))
    }

    fn len(&self) -> io::Result<u64> {
        let _disk = self.disk.check(self.generation)?;
        Ok(self.inode.lock().live.len() as u64)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.check(self.generation)?;
        let at = disk.syncs;
        disk.syncs += 1;
        let mut contents = self.inode.lock();
        if disk.failing_syncs.contains(&at) {
            // As Linux does: the pages count as clean, what of them arrived is unknown.
            let lost = std::mem::take(&mut contents.unsynced);
            for change in lost {
                let contents = &mut *contents;
                apply_torn(&mut contents.durable, &change, || disk.next().is_multiple_of(2));
            }
            return Err(io::Error::other("sync failed"));
        }
        // Only what was written since: pages that a failed sync lost stay lost unless written again.
        let contents = &mut *contents;
        for change in contents.unsynced.drain(..) {
            apply(&mut contents.durable, &change);
        }
        Ok(())
    }

    fn evict(&self) -> io::Result<()> {
        let _disk = self.disk.check(self.generation)?;
        let mut contents = self.inode.lock();
        let mut live = contents.durable.clone();
        contents
            .unsynced
            .iter()
            .for_each(|change| apply(&mut live, change));
        contents.live = live;
        Ok(())
    }
}
