//! Threads that read rows while more of them arrive. What comes out is in the order in which it went in. Memory goes round.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use super::{
    Take,
    read::{Batch, Form, Read, Reader},
};
use crate::error::{Error, Result};

/// Most threads.
const THREADS: usize = 4;

struct Job {
    reader: Arc<Reader>,
    batch: Batch,
    read: Read,
    done: SyncSender<Done>,
}

struct Done {
    batch: Batch,
    read: Result<Read>,
}

pub struct Crew {
    jobs: Sender<Job>,
    waiting: VecDeque<Receiver<Done>>,
    threads: usize,
    /// Empty ones.
    batches: Vec<Batch>,
    reads: Vec<Read>,
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
            batches: Vec::new(),
            reads: Vec::new(),
        }
    }

    /// An empty one.
    pub fn batch(&mut self, form: Form) -> Batch {
        match self.batches.pop() {
            Some(batch) => batch.reused(form),
            None => Batch::new(form),
        }
    }

    pub fn give(&mut self, reader: &Arc<Reader>, batch: Batch) -> Result<()> {
        let (done, waiting) = sync_channel(1);
        let job = Job {
            reader: Arc::clone(reader),
            batch,
            read: self.reads.pop().unwrap_or_default(),
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

    /// Gives the first that is on its way; `false`: nothing is.
    pub fn take(&mut self, take: &mut dyn Take) -> Result<bool> {
        let Some(first) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let Done { batch, read } = first.recv().map_err(|_| gone())?;
        let mut read = read?;
        read.give(take)?;
        self.batches.push(batch);
        if read.is_small() {
            self.reads.push(read);
        }
        Ok(true)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok(Job {
            reader,
            batch,
            mut read,
            done,
        }) = job
        else {
            return;
        };
        let read = reader.read(&batch, &mut read).map(|()| read);
        // Nobody waits any more: what was read is of no use.
        let _ = done.send(Done { batch, read });
    }
}

fn gone() -> Error {
    Error::State("a thread that reads rows has ended".to_owned())
}
