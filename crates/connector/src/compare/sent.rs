//! What was sent before, key by key.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::{error::Result, state::State};

pub type Sent = (Vec<u8>, [u8; 32]);

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
    pub fn get(&mut self, db: &Connection, key: &[u8]) -> Result<Option<[u8; 32]>> {
        let inside = self
            .window
            .first()
            .zip(self.window.last())
            .is_some_and(|(first, last)| *first.0 <= *key && *key <= *last.0);
        if !inside {
            self.read(db, key)?;
        }
        self.used += 1;
        let found = self.window.binary_search_by(|(sent, _)| sent.as_slice().cmp(key));
        Ok(found.ok().map(|at| self.window[at].1))
    }

    fn read(&mut self, db: &Connection, key: &[u8]) -> Result<()> {
        self.limit = if 2 * self.used >= self.window.len() {
            (2 * self.limit).min(AHEAD)
        } else {
            (self.limit / 2).max(1)
        };
        self.used = 0;
        self.window.clear();
        let mut statement =
            db.prepare_cached("SELECT key, digest FROM copy WHERE key >= ?1 ORDER BY key LIMIT ?2")?;
        let mut rows = statement.query(params![key, self.limit as i64])?;
        while let Some(sent) = next(&mut rows)? {
            self.window.push(sent);
        }
        Ok(())
    }
}

/// Goes over what was sent beside the source's keys, both in order.
pub enum Passing<'p> {
    Nothing,
    All {
        rows: rusqlite::Rows<'p>,
        ahead: Option<Sent>,
    },
    /// Only of these keys.
    Touched(&'p State, BTreeSet<Vec<u8>>),
}

impl<'p> Passing<'p> {
    pub fn all(mut rows: rusqlite::Rows<'p>) -> Result<Self> {
        let ahead = next(&mut rows)?;
        Ok(Self::All { rows, ahead })
    }

    /// What was sent of this key; what was passed over on the way is `gone`.
    pub fn up_to(&mut self, key: &[u8], gone: &mut Vec<Sent>) -> Result<Option<[u8; 32]>> {
        match self {
            Self::Nothing => Ok(None),
            Self::All { rows, ahead } => {
                while let Some(sent) = ahead.take_if(|sent| *sent.0 < *key) {
                    gone.push(sent);
                    *ahead = next(rows)?;
                }
                let found = ahead.take_if(|sent| *sent.0 == *key);
                if found.is_some() {
                    *ahead = next(rows)?;
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
            Self::All { rows, ahead } => {
                let Some(sent) = ahead.take() else {
                    return Ok(false);
                };
                gone.push(sent);
                *ahead = next(rows)?;
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

fn next(rows: &mut rusqlite::Rows<'_>) -> Result<Option<Sent>> {
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
        None => Ok(None),
    }
}
