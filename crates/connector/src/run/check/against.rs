//! What the rows of a source are to what was sent before.

use serde::Serialize;
use serde_json::Value;

use crate::{
    compare::{Ahead, is_more},
    error::{Error, Result},
    feed::Feed,
    run::target::is_sent_anew,
    state::State,
};

/// A row against what was sent of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    New,
    Different,
    Unchanged,
    /// As if the source did not have it.
    Absent,
    /// Refused; its record, which was sent, stays as it is.
    Left,
    /// Refused, and nothing was sent of it.
    Refused,
}

impl Fate {
    pub const COUNT: usize = 6;

    /// Does it keep a record that was sent?
    pub fn is_met(self) -> bool {
        matches!(self, Self::Different | Self::Unchanged | Self::Left)
    }

    pub fn is_refused(self) -> bool {
        matches!(self, Self::Left | Self::Refused)
    }
}

/// What a round would send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub new: u64,
    pub different: u64,
    pub unchanged: u64,
    /// Records that were sent and have no row any more; `None`: not all rows were looked at.
    pub gone: Option<u64>,
    /// Do they stay, because of rows that may be of any record?
    pub kept: bool,
}

pub struct Against {
    state: State,
    ahead: Ahead,
    records: u64,
    /// Did the server decline some?
    declined: bool,
}

impl Against {
    /// `None`: nothing was sent yet to where the feed goes, or the server holds none of it any more. `there`: its state.
    pub fn of(feed: &Feed, there: &Value) -> Result<Option<Self>> {
        let Some(state) = State::beside(&feed.state)? else {
            return Ok(None);
        };
        if state.is_new()? || is_sent_anew(feed, &state, there)? {
            return Ok(None);
        }
        if state.follows()? {
            let text = format!(
                "{}: a package is just being noted there; check again",
                state.dir().display()
            );
            return Err(Error::Passing(text));
        }
        Ok(Some(Self {
            records: state.digest()?.1,
            declined: state.any_declined()?,
            state,
            ahead: Ahead::default(),
        }))
    }

    pub fn fate(&mut self, key: &[u8], digest: &[u8; 32], expired: bool) -> Result<Fate> {
        let sent = self.ahead.get(&self.state, key)?;
        if self.declined && self.state.declined(key)? == Some(*digest) {
            // What the server holds of it stays.
            return Ok(if sent.is_some() {
                Fate::Unchanged
            } else {
                Fate::Absent
            });
        }
        Ok(match sent {
            Some(sent) if sent == *digest => Fate::Unchanged,
            _ if expired => Fate::Absent,
            Some(_) => Fate::Different,
            None => Fate::New,
        })
    }

    /// The record of a refused row stays as it is.
    pub fn refused(&mut self, key: &[u8]) -> Result<Fate> {
        let sent = self.ahead.get(&self.state, key)?;
        Ok(if sent.is_some() { Fate::Left } else { Fate::Refused })
    }

    /// `met`: records that have rows. `guard`: in hundredths of a per cent.
    pub fn gone(&self, met: u64, guard: u32) -> (u64, bool) {
        let gone = self.records.saturating_sub(met);
        (gone, is_more(gone, self.records, guard))
    }
}
