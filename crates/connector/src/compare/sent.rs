//! What was sent before, key by key.

use std::collections::BTreeSet;

use crate::{
    error::Result,
    state::{Copy, Sent, State},
};

/// Most keys read ahead.
const AHEAD: usize = 1_024;

/// Single look-ups. Sources mostly come in the order of their keys: then the next ones are read at once.
pub struct Ahead {
    /// Every key sent from the first of these to the last.
    window: Vec<Sent>,
    limit: usize,
    used: usize,
}

impl Default for Ahead {
    fn default() -> Self {
        Self {
            window: Vec::new(),
            limit: 1,
            used: 0,
        }
    }
}

impl Ahead {
    pub fn get(&mut self, state: &State, key: &[u8]) -> Result<Option<[u8; 32]>> {
        let inside = self
            .window
            .first()
            .zip(self.window.last())
            .is_some_and(|(first, last)| *first.0 <= *key && *key <= *last.0);
        if !inside {
            self.read(state, key)?;
        }
        self.used += 1;
        let found = self.window.binary_search_by(|(sent, _)| sent.as_slice().cmp(key));
        Ok(found.ok().map(|at| self.window[at].1))
    }

    fn read(&mut self, state: &State, key: &[u8]) -> Result<()> {
        self.limit = if 2 * self.used >= self.window.len() {
            (2 * self.limit).min(AHEAD)
        } else {
            (self.limit / 2).max(1)
        };
        self.used = 0;
        self.window.clear();
        let mut statement = state.copy_statement()?;
        let mut copy = state.copy(&mut statement, Some(key))?;
        while self.window.len() < self.limit
            && let Some(sent) = copy.next()?
        {
            self.window.push(sent);
        }
        Ok(())
    }
}

/// Goes over what was sent beside the source's keys, both in order.
pub enum Passing<'p> {
    Nothing,
    All {
        copy: Copy<'p>,
        ahead: Option<Sent>,
    },
    /// Only of these keys.
    Touched(&'p State, BTreeSet<Vec<u8>>),
}

impl<'p> Passing<'p> {
    pub fn all(mut copy: Copy<'p>) -> Result<Self> {
        let ahead = copy.next()?;
        Ok(Self::All { copy, ahead })
    }

    /// What was sent of this key; what was passed over on the way is `gone`.
    pub fn up_to(&mut self, key: &[u8], gone: &mut Vec<Sent>) -> Result<Option<[u8; 32]>> {
        match self {
            Self::Nothing => Ok(None),
            Self::All { copy, ahead } => {
                while let Some(sent) = ahead.take_if(|sent| *sent.0 < *key) {
                    gone.push(sent);
                    *ahead = copy.next()?;
                }
                let found = ahead.take_if(|sent| *sent.0 == *key);
                if found.is_some() {
                    *ahead = copy.next()?;
                }
                Ok(found.map(|(_, digest)| digest))
            }
            Self::Touched(state, keys) => {
                keys.remove(key);
                state.sent(key)
            }
        }
    }

    /// One more that has no row any more; `false` = that was all.
    pub fn next(&mut self, gone: &mut Vec<Sent>) -> Result<bool> {
        match self {
            Self::Nothing => Ok(false),
            Self::All { copy, ahead } => {
                let Some(sent) = ahead.take() else {
                    return Ok(false);
                };
                gone.push(sent);
                *ahead = copy.next()?;
                Ok(true)
            }
            Self::Touched(state, keys) => {
                let Some(key) = keys.pop_first() else {
                    return Ok(false);
                };
                if let Some(digest) = state.sent(&key)? {
                    gone.push((key, digest));
                }
                Ok(true)
            }
        }
    }
}
