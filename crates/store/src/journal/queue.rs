//! The bounded queue before the writer.

use std::{
    collections::VecDeque,
    sync::mpsc::SyncSender,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{
    entry::Counters,
    error::{JournalError, Result},
    ticket::Resolver,
};

/// Entries that nobody waits for are gathered this long, or until there are this many bytes of them: a write each
/// would cost more than what it logs.
const GATHER: Duration = Duration::from_millis(20);
const GATHER_BYTES: usize = 256 << 10;
/// While many wait, the writer gives those whose last answer has just left this long at most to join: a sync costs the
/// same for one entry and for fifty.
const JOIN: Duration = Duration::from_micros(500);

/// An encoded entry that waits for the writer.
pub(super) struct Pending {
    pub body: Vec<u8>,
    pub at_ms: i64,
    pub counters: Counters,
    pub urgent: bool,
    pub resolver: Resolver,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Pending>,
    bytes: usize,
    /// Entries among them that somebody waits for.
    urgent: usize,
    syncs: Vec<SyncSender<Result<()>>>,
    stop: bool,
    /// Set while the writer has failed: nobody queues behind a fault.
    refuse: Option<JournalError>,
    /// The writer wants to be told at so many entries; 0 = it is not waiting for more.
    wake_at: usize,
    /// Entries of the group before this one that somebody waited for, and what its sync took.
    last_group: usize,
    last_sync: Duration,
}

impl State {
    /// Only entries that nobody waits for, and few of them.
    fn may_gather(&self) -> bool {
        !self.is_waited_for() && !self.entries.is_empty() && self.bytes < GATHER_BYTES
    }

    /// A crowd: one after another would join if the writer waited a moment.
    fn may_join(&self) -> bool {
        let alone = !self.syncs.is_empty() || self.stop;
        !alone && self.urgent > 0 && self.entries.len() < self.last_group
    }

    fn is_waited_for(&self) -> bool {
        self.urgent > 0 || !self.syncs.is_empty() || self.stop
    }
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
pub(super) struct Work {
    pub entries: Vec<Pending>,
    pub syncs: Vec<SyncSender<Result<()>>>,
    /// Nothing will follow.
    pub last: bool,
}

impl Queue {
    /// Hands the entry back with the reason when it is refused.
    pub(super) fn push(
        &self,
        pending: Pending,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<(), (Pending, JournalError)> {
        let mut state = self.state.lock();
        let refusal = match &state.refuse {
            _ if state.stop => Some(JournalError::Closed),
            Some(error) => Some(error.clone()),
            None if state.entries.len() >= max_entries => Some(JournalError::Busy),
            None if state.bytes > 0 && state.bytes + pending.body.len() > max_bytes => {
                Some(JournalError::Busy)
            }
            None => None,
        };
        if let Some(error) = refusal {
            return Err((pending, error));
        }
        state.bytes += pending.body.len();
        state.urgent += usize::from(pending.urgent);
        let first = pending.urgent && state.urgent == 1;
        state.entries.push_back(pending);
        let enough = state.wake_at > 0 && (first || state.entries.len() >= state.wake_at);
        if enough || state.bytes >= GATHER_BYTES {
            state.wake_at = 0;
            drop(state);
            self.filled.notify_one();
        }
        Ok(())
    }

    /// What the last sync took, and for how many.
    pub(super) fn synced(&self, group: usize, took: Duration) {
        let mut state = self.state.lock();
        state.last_group = group;
        state.last_sync = took;
    }

    /// The answer comes when all that was queued before is durable, or cannot be.
    pub(super) fn ask_sync(&self, answer: SyncSender<Result<()>>) -> Result<()> {
        let mut state = self.state.lock();
        if state.stop {
            return Err(JournalError::Closed);
        }
        state.syncs.push(answer);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until there is something to do or the deadline has come; takes at most about `max_bytes`.
    pub(super) fn take(&self, deadline: Option<Instant>, max_bytes: usize) -> Work {
        let mut state = self.state.lock();
        while state.entries.is_empty() && state.syncs.is_empty() && !state.stop {
            state.wake_at = 1;
            match deadline {
                None => self.filled.wait(&mut state),
                Some(deadline) if self.filled.wait_until(&mut state, deadline).timed_out() => break,
                Some(_) => {}
            }
        }
        let gathered = Instant::now() + GATHER;
        while state.may_gather() {
            state.wake_at = usize::MAX;
            if self.filled.wait_until(&mut state, gathered).timed_out() {
                break;
            }
        }
        let joined = Instant::now() + state.last_sync.min(JOIN);
        while state.may_join() {
            state.wake_at = state.last_group;
            if self.filled.wait_until(&mut state, joined).timed_out() {
                break;
            }
        }
        state.wake_at = 0;
        let mut work = Work::default();
        let mut bytes = 0;
        while bytes < max_bytes
            && let Some(pending) = state.entries.pop_front()
        {
            bytes += pending.body.len();
            state.urgent -= usize::from(pending.urgent);
            work.entries.push(pending);
        }
        state.bytes -= bytes;
        if state.entries.is_empty() {
            work.syncs = std::mem::take(&mut state.syncs);
            work.last = state.stop;
        }
        work
    }

    /// Tells everybody who waits, and everybody who comes until `accept`.
    pub(super) fn refuse(&self, error: &JournalError) {
        let mut state = self.state.lock();
        state.refuse = Some(error.clone());
        state.bytes = 0;
        state.urgent = 0;
        let waiting = std::mem::take(&mut state.entries);
        drop(state);
        for pending in waiting {
            pending.resolver.resolve(Err(error.clone()));
        }
    }

    pub(super) fn accept(&self) {
        self.state.lock().refuse = None;
    }

    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.filled.notify_all();
    }

    /// After the last turn of the writer: whoever still waits hears `Closed`.
    pub(super) fn close(&self) {
        self.stop();
        let mut state = self.state.lock();
        let waiting = (
            std::mem::take(&mut state.entries),
            std::mem::take(&mut state.syncs),
        );
        drop(state);
        drop(waiting);
    }
}
