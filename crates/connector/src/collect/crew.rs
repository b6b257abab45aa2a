//! Threads that read rows while more of them arrive. What comes out is in the order in which it went in.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use super::read::{Batch, Read, Reader};
use crate::error::{Error, Result};

/// Most threads.
const THREADS: usize = 4;

struct Job {
    reader: Arc<Reader>,
    batch: Batch,
    done: SyncSender<Result<Read>>,
}

pub struct Crew {
    jobs: Sender<Job>,
    waiting: VecDeque<Receiver<Result<Read>>>,
    threads: usize,
}

impl Crew {
    pub fn start() -> Self {
        let threads = thread::available_parallelism()
            .map_or(2, NonZero::get)
            .min(THREADS);
        let (jobs, taken) = channel::<Job>();
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..threads {
            let taken = Arc::clone(&taken);
            thread::spawn(move || work(&taken));
        }
        Self {
            jobs,
            waiting: VecDeque::new(),
            threads,
        }
    }

    pub fn give(&mut self, reader: &Arc<Reader>, batch: Batch) -> Result<()> {
        let (done, waiting) = sync_channel(1);
        let job = Job {
            reader: Arc::clone(reader),
            batch,
            done,
        };
        self.jobs.send(job).map_err(|_| gone())?;
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// Is as much on its way as memory should hold?
    pub fn is_full(&self) -> bool {
        self.waiting.len() > 2 * self.threads
    }

    /// The first that is on its way.
    pub fn take(&mut self) -> Option<Result<Read>> {
        let first = self.waiting.pop_front()?;
        Some(first.recv().unwrap_or_else(|_| Err(gone())))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else { return };
        // Nobody waits any more: what was read is of no use.
        let _ = job.done.send(job.reader.read(&job.batch));
    }
}

fn gone() -> Error {
    Error::State("a thread that reads rows has ended".to_owned())
}
