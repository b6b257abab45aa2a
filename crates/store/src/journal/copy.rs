//! A copy for a backup, and how far a journal reaches.

use std::{path::Path, sync::Arc};

use super::{
    EntryId, Journal,
    error::Result,
    frame::HEADER_BYTES,
    io::{JournalFile, JournalIo},
    names::{self, Name},
    segment::Segment,
};

/// Bytes copied at once.
const BLOCK: usize = 1 << 20;

impl Journal {
    /// Copies all that was appended before the call into a new directory, durably, while appends go on. What can be
    /// made again (runs) stays behind. `to` must be empty or absent.
    pub fn copy_to(&self, to: &Path) -> Result<()> {
        self.sync()?;
        let shared = &self.shared;
        // No segment and no checkpoint of use counts goes while this is held.
        let structure = shared.structure.lock();
        shared.checkpoint()?;
        let io = &*shared.io;
        let mut checkpoints = Vec::new();
        for name in io.list(&shared.dir)? {
            if matches!(names::parse(&name), Some(Name::Checkpoint(_))) {
                checkpoints.push((io.open(&shared.dir.join(&name))?, name));
            }
        }
        // After the checkpoints: they sum up segments that are sealed, and copied whole.
        let segments: Vec<(Arc<Segment>, u64)> = {
            let catalog = shared.catalog.read();
            catalog
                .segments
                .values()
                .map(|segment| (Arc::clone(segment), segment.end()))
                .collect()
        };
        drop(structure);
        io.create_dir(to)?;
        for (file, name) in checkpoints {
            let len = file.len()?;
            copy(io, &*file, len, len, &to.join(name))?;
        }
        for (segment, end) in segments {
            let len = segment.file.len()?;
            copy(
                io,
                &*segment.file,
                end,
                len,
                &to.join(names::segment(segment.number)),
            )?;
        }
        Ok(io.sync_dir(to)?)
    }

    /// The newest entry; `None` = the journal holds none. Reads one segment.
    pub fn last_id(&self) -> Result<Option<EntryId>> {
        let newest = {
            let catalog = self.shared.catalog.read();
            let filled = catalog
                .segments
                .values()
                .rev()
                .find(|segment| segment.info().entries > 0);
            filled.map(|segment| segment.number)
        };
        let Some(segment) = newest else { return Ok(None) };
        let from = EntryId {
            segment,
            offset: HEADER_BYTES as u32,
        };
        let mut last = None;
        for entry in self.scan(Some(from), None) {
            last = Some(entry?.id);
        }
        Ok(last)
    }
}

/// `end` bytes, then nothing up to `len`: what was written after the copy began is left out, in whatever state it is.
fn copy(io: &dyn JournalIo, from: &dyn JournalFile, end: u64, len: u64, to: &Path) -> Result<()> {
    let file = io.create(to)?;
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    while at < end {
        let wanted = (end - at).min(BLOCK as u64) as usize;
        let read = from.read_at(&mut block[..wanted], at)?;
        if read == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        file.write_at(&block[..read], at)?;
        at += read as u64;
    }
    file.set_len(len.max(end))?;
    Ok(file.sync()?)
}

#[cfg(test)]
mod tests {
    use crate::journal::{DiskIo, Journal, JournalConfig, NewEntry};
    use std::sync::Arc;

    fn entry(number: u64) -> NewEntry {
        NewEntry {
            payload: number.to_be_bytes().repeat(100),
            subjects: vec![b"someone".to_vec()],
            counters: smallvec::smallvec![(7, 1)],
            at_ms: number as i64,
            urgent: true,
        }
    }

    #[test]
    fn a_copy_holds_what_was_appended_before_and_its_counts() {
        let dir = tempfile::tempdir().unwrap();
        let config = JournalConfig {
            segment_bytes: 64 << 10,
            max_entry_bytes: 16 << 10,
            ..JournalConfig::default()
        };
        let open =
            |name: &str| Journal::open(&dir.path().join(name), config.clone(), Arc::new(DiskIo)).unwrap();
        let journal = open("live");
        assert_eq!(journal.last_id().unwrap(), None);
        let append = |number| journal.append(entry(number)).wait_blocking().unwrap();
        let ids: Vec<_> = (0..300).map(append).collect();
        journal.remove_before(100).unwrap();
        journal.copy_to(&dir.path().join("copy")).unwrap();
        append(300);
        let copy = open("copy");
        assert_eq!(copy.counter(7), 300);
        assert_eq!(copy.last_id().unwrap(), ids.last().copied());
        assert!(journal.last_id().unwrap() > copy.last_id().unwrap());
        let kept = |journal: &Journal| {
            journal
                .scan(None, None)
                .map(|entry| entry.unwrap().id)
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&copy)[..], kept(&journal)[..kept(&copy).len()]);
        assert!(!kept(&copy).is_empty() && kept(&copy).len() < 300);
        // The copy goes on as a journal of its own.
        copy.append(entry(301)).wait_blocking().unwrap();
        assert_eq!(copy.counter(7), 301);
    }
}
