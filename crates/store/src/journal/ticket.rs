//! The answer to an append, for an async task or for a thread.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::{Condvar, Mutex};

use super::{EntryId, JournalError};

type Outcome = Result<EntryId, JournalError>;

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Cell {
    state: Mutex<State>,
    resolved: Condvar,
}

/// Resolves when the entry is as durable as it was asked to be. Dropping it does not take the entry back.
#[derive(Debug)]
#[must_use = "an entry is durable only when its ticket resolves"]
pub struct Ticket(Arc<Cell>);

/// The writer's end. Dropped without a word, it tells `Closed`: nobody waits forever.
#[derive(Debug)]
pub(super) struct Resolver(Arc<Cell>);

pub(super) fn pair() -> (Resolver, Ticket) {
    let cell = Arc::new(Cell::default());
    (Resolver(cell.clone()), Ticket(cell))
}

impl Ticket {
    pub(super) fn refused(error: JournalError) -> Self {
        let (resolver, ticket) = pair();
        resolver.resolve(Err(error));
        ticket
    }

    /// For threads; never call it on a thread that runs async tasks.
    pub fn wait_blocking(self) -> Outcome {
        let mut state = self.0.state.lock();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            self.0.resolved.wait(&mut state);
        }
    }
}

impl Future for Ticket {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.0.state.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Resolver {
    pub(super) fn resolve(self, outcome: Outcome) {
        self.set(outcome);
    }

    fn set(&self, outcome: Outcome) {
        let mut state = self.0.state.lock();
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        self.0.resolved.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.set(Err(JournalError::Closed));
    }
}
