//! Threads that read batches of rows. Results come back in the order in which the batches were given.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, Scope},
};

use dagr_store::kv::KvError;
use parking_lot::Mutex;

use super::{
    batch::{Batch, ReadBatch},
    parse::Parser,
};

/// More threads would only wait for the one that decodes and stages.
const THREADS_MAX: usize = 4;
/// Batches given and not yet taken back, for each thread.
const BATCHES_AHEAD: usize = 2;

pub(super) fn threads() -> usize {
    thread::available_parallelism()
        .map_or(1, NonZero::get)
        .clamp(1, THREADS_MAX)
}

struct Job {
    batch: Batch,
    done: SyncSender<ReadBatch>,
}

/// Dropping it ends the threads once they have read what they hold; the scope waits for them.
pub(super) struct Readers {
    jobs: SyncSender<Job>,
    /// The oldest first.
    pending: VecDeque<Receiver<ReadBatch>>,
    pending_max: usize,
}

impl Readers {
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        parser: &'scope Parser<'_>,
        threads: usize,
    ) -> Result<Self, KvError> {
        let pending_max = threads * BATCHES_AHEAD;
        let (jobs, work) = sync_channel::<Job>(pending_max);
        let work = Arc::new(Mutex::new(work));
        for _ in 0..threads {
            let work = Arc::clone(&work);
            let next = move || work.lock().recv();
            thread::Builder::new()
                .name("intake".to_owned())
                .spawn_scoped(scope, move || {
                    while let Ok(Job { batch, done }) = next() {
                        // Nobody waits for it any more: the package was given up.
                        let _ = done.send(parser.read(&batch));
                    }
                })?;
        }
        Ok(Self {
            jobs,
            pending: VecDeque::new(),
            pending_max,
        })
    }

    /// A result must be taken before the next batch can be given.
    pub fn is_full(&self) -> bool {
        self.pending.len() >= self.pending_max
    }

    pub fn give(&mut self, batch: Batch) -> Result<(), KvError> {
        let (done, result) = sync_channel(1);
        self.jobs.send(Job { batch, done }).map_err(|_| broke_off())?;
        self.pending.push_back(result);
        Ok(())
    }

    /// Waits for the result of the oldest batch; `None` = there is none.
    pub fn take(&mut self) -> Result<Option<ReadBatch>, KvError> {
        match self.pending.pop_front() {
            None => Ok(None),
            Some(result) => result.recv().map(Some).map_err(|_| broke_off()),
        }
    }
}

fn broke_off() -> KvError {
    KvError::Engine("reading a package broke off".to_owned())
}
