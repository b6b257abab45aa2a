//! The byte layer of the disclosure log: an append-only journal with group commit, searched by subject.
//!
//! Entries go into preallocated, checksummed segments through one writer thread, which makes one write and one
//! sync of all that is queued. A full segment is sealed: in the background it gets a run (subject → entries)
//! and the use counts a checkpoint. What an entry means is decided above.

mod background;
mod copy;
mod counters;
mod entry;
mod error;
pub mod fake;
mod find;
mod frame;
pub mod io;
mod names;
mod newest;
mod queue;
mod recover;
mod run;
mod segment;
mod shared;
mod spare;
mod subject;
#[cfg(test)]
mod tests;
mod ticket;
mod window;
mod writer;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::JoinHandle,
};

pub use self::{
    entry::{Counters, EntryId, NewEntry, StoredEntry},
    error::JournalError,
    find::Entries,
    io::{DiskIo, JournalFile, JournalIo},
    subject::MAX_SUBJECT,
    ticket::Ticket,
};
use self::{error::Result, frame::FRAME_HEAD, queue::Pending, shared::Shared};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// At most 4 GiB; room for the largest entry is needed.
    pub segment_bytes: u64,
    pub queue_entries: usize,
    /// Encoded bytes that may wait in the queue.
    pub queue_bytes: usize,
    /// Encoded: payload, subjects and counters.
    pub max_entry_bytes: usize,
    /// An entry that is not urgent is durable after so long; at most 1000.
    pub lazy_sync_ms: u64,
    /// Neighbouring runs that are merged into one.
    pub merge_runs: usize,
    /// The first pause after a failure; it doubles, up to five seconds.
    pub retry_ms: u64,
    /// Attempts after a failure that is no full disk; then only `sync` tries again.
    pub retries: u32,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            queue_entries: 8192,
            queue_bytes: 64 << 20,
            max_entry_bytes: 4 << 20,
            lazy_sync_ms: 500,
            merge_runs: 8,
            retry_ms: 100,
            retries: 20,
        }
    }
}

impl JournalConfig {
    fn check(&self) -> Result<()> {
        let largest = frame::HEADER_BYTES + (FRAME_HEAD + self.max_entry_bytes) as u64;
        if self.segment_bytes > u64::from(u32::MAX) || self.segment_bytes < largest {
            return Err(JournalError::Invalid(
                "segment_bytes must hold the largest entry and be below 4 GiB",
            ));
        }
        if self.lazy_sync_ms > 1000 {
            return Err(JournalError::Invalid("lazy_sync_ms is at most 1000"));
        }
        Ok(())
    }
}

/// `Full`: waits for space. `Failed`: tries again by itself. `Stopped`: has given up; `sync` tries once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Running,
    Full,
    Failed,
    Stopped,
}

#[derive(Debug, Clone, Default)]
pub struct Health {
    pub state: State,
    pub error: Option<JournalError>,
    /// Failed attempts to go on.
    pub attempts: u32,
    /// Why runs, checkpoints or the next segment are not made; appends still work. It is tried again.
    pub background_error: Option<JournalError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    pub entries: u64,
    /// Syncs of entries since the opening.
    pub syncs: u64,
    /// Of segments, without what is only preallocated.
    pub bytes: u64,
    pub segments: u64,
    pub runs: u64,
    pub run_bytes: u64,
    /// Sealed segments without a run.
    pub unindexed: u64,
    pub damaged: u64,
}

/// Share it by `Arc`. Dropping it writes and syncs what is queued.
pub struct Journal {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// One process at a time.
    _lock: Box<dyn Send + Sync>,
}

impl Journal {
    /// Opens or makes the journal in a directory: cuts a torn tail off, sums the counters up. A disk that is
    /// full or failing does not hinder the opening: reads work, appends are refused, `health` tells.
    /// `Corrupt` when the counters cannot be known.
    pub fn open(dir: &Path, config: JournalConfig, io: Arc<dyn JournalIo>) -> Result<Self> {
        config.check()?;
        io.create_dir(dir)?;
        let lock = io.lock(&dir.join(names::LOCK))?;
        let (shared, next_segment) = recover::open(dir, config, io)?;
        let shared = Arc::new(shared);
        let mut journal = Self {
            shared: shared.clone(),
            threads: Vec::new(),
            _lock: lock,
        };
        let mut writer = writer::Writer::new(shared.clone(), next_segment);
        writer.start();
        journal.spawn("journal", move || writer.run())?;
        journal.spawn("journal-runs", move || background::run(&shared))?;
        journal.shared.bell.ring();
        Ok(journal)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        self.threads
            .push(std::thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }

    /// Never waits. A refusal (`Busy`, `Full`, `TooLarge`…) stands in the ticket.
    pub fn append(&self, entry: NewEntry) -> Ticket {
        let NewEntry { at_ms, urgent, .. } = entry;
        let counters = entry.counters.clone();
        let config = &self.shared.config;
        let body = match entry::encode(entry, config.max_entry_bytes) {
            Ok(body) => body,
            Err(error) => return Ticket::refused(error),
        };
        let (resolver, ticket) = ticket::pair();
        let pending = Pending {
            body,
            at_ms,
            counters,
            urgent,
            resolver,
        };
        if let Err((pending, error)) =
            self.shared
                .queue
                .push(pending, config.queue_entries, config.queue_bytes)
        {
            pending.resolver.resolve(Err(error));
        }
        ticket
    }

    /// Returns when everything appended before is durable; after a failure it first tries to go on.
    pub fn sync(&self) -> Result<()> {
        let (answer, outcome) = mpsc::sync_channel(1);
        self.shared.queue.ask_sync(answer)?;
        outcome.recv().unwrap_or(Err(JournalError::Closed))
    }

    /// Returns when no run, merge or checkpoint is under way. For tests and measurements.
    pub fn wait_idle(&self) {
        self.shared.bell.wait_idle();
    }

    /// `None`: no entry has this id, or it has been removed. `Corrupt`: its bytes are damaged.
    pub fn read(&self, id: EntryId) -> Result<Option<StoredEntry>> {
        let Some(segment) = self.shared.segment(id.segment) else {
            return Ok(None);
        };
        let Some(body) = segment.read(id.offset)? else {
            return Ok(None);
        };
        entry::decode(id, &body)
            .map(Some)
            .ok_or_else(|| segment.damaged(id.offset))
    }

    /// Oldest first; `from` inclusive, `to` exclusive. Entries appended meanwhile may or may not come.
    pub fn scan(&self, from: Option<EntryId>, to: Option<EntryId>) -> Entries {
        Entries::new(self.shared.clone(), from, to, i64::MIN..i64::MAX)
    }

    /// As `scan`, entries of `from_ms..to_ms` only; segments of other times are not read.
    pub fn scan_time(&self, from_ms: i64, to_ms: i64, from: Option<EntryId>) -> Entries {
        Entries::new(self.shared.clone(), from, None, from_ms..to_ms)
    }

    /// Entries that name a subject, oldest first, of `from_ms..to_ms`, after `after`, at most `limit`.
    /// It reads: sealed segments by their runs, the open one directly. Blocks: not for an async thread.
    pub fn find_subject(
        &self,
        subject: &[u8],
        from_ms: i64,
        to_ms: i64,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>> {
        find::find(
            &self.shared,
            &find::Search {
                subject,
                from_ms,
                to_ms,
                after,
                limit,
            },
        )
    }

    /// As `find_subject`, newest first: those made before `before`.
    pub fn find_subject_newest(
        &self,
        subject: &[u8],
        from_ms: i64,
        to_ms: i64,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>> {
        newest::find(
            &self.shared,
            &newest::Search {
                subject,
                from_ms,
                to_ms,
                before,
                limit,
            },
        )
    }

    /// The sum of all entries ever acknowledged, removed ones too.
    pub fn counter(&self, counter: u64) -> u64 {
        self.shared.sums.lock().get(&counter).copied().unwrap_or(0)
    }

    pub fn counters(&self) -> HashMap<u64, u64> {
        self.shared.sums.lock().clone()
    }

    /// Removes the oldest whole segments whose entries are all before a time; counters stay. Tells which.
    pub fn remove_before(&self, time_ms: i64) -> Result<Vec<u64>> {
        background::remove_before(&self.shared, time_ms)
    }

    pub fn health(&self) -> Health {
        self.shared.health.lock().clone()
    }

    pub fn stats(&self) -> Stats {
        let catalog = self.shared.catalog.read();
        let unindexed = |segment: &&Arc<segment::Segment>| {
            segment.is_sealed() && catalog.run_of(segment.number).is_none()
        };
        Stats {
            entries: catalog
                .segments
                .values()
                .map(|segment| segment.info().entries)
                .sum(),
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            bytes: catalog.segments.values().map(|segment| segment.end()).sum(),
            segments: catalog.segments.len() as u64,
            runs: catalog.runs.len() as u64,
            run_bytes: catalog.runs.values().map(|run| run.bytes).sum(),
            unindexed: catalog.segments.values().filter(unindexed).count() as u64,
            damaged: catalog.damaged.len() as u64,
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.queue.stop();
        self.shared.bell.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has already told its waiters.
            let _ = thread.join();
        }
    }
}
