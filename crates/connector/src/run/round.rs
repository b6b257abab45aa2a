//! One round of a feed.

use std::time::Duration;

use super::{FRESH, Looked, Running, is_past};
use crate::{
    compare::{Comparison, Extent, Found},
    deliver::{Delivered, again},
    error::Result,
    feed::Source,
    reconcile::Reconciled,
    state,
};

/// What `once` did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Round {
    pub found: Found,
    pub packages: usize,
    pub held: Option<String>,
    pub reconciled: Option<Reconciled>,
}

impl Round {
    fn add(&mut self, found: &Found) {
        self.found.records = found.records;
        self.found.upserts += found.upserts;
        self.found.deletes += found.deletes;
        self.found.refused = found.refused;
        self.found.expired = found.expired;
        self.found.unread = found.unread;
        self.found.kept = found.kept;
    }

    fn deliver(&mut self, delivered: Delivered) {
        match delivered {
            Delivered::All(packages) => self.packages += packages,
            Delivered::Held(id) => self.held = Some(id),
        }
    }
}

impl Running {
    /// One round, for cron: everything new in the source, delivered, and compared with the server when that is due. What
    /// goes wrong is in the status too.
    pub async fn once(&self, reconcile: bool) -> Result<Round> {
        let round = self.round(reconcile).await;
        match &round {
            Ok(_) => self.state.say("")?,
            Err(error) => self.state.say(&error.at_once())?,
        }
        round
    }

    async fn round(&self, reconcile: bool) -> Result<Round> {
        let mut round = Round::default();
        self.renew(FRESH).await;
        let retry = Some(self.feed.retry.clone());
        round.deliver(self.deliver(retry.clone()).await?);
        while round.held.is_none() {
            let Looked::Compared(found) = self.compare_settled().await? else {
                break;
            };
            round.add(&found);
            round.deliver(self.deliver(retry.clone()).await?);
            // Files of a directory are states one after another; anything else is read once.
            if !matches!(self.feed.source, Source::Files(_)) {
                break;
            }
        }
        if round.held.is_none() && self.tell_fresh()? {
            round.deliver(self.deliver(retry.clone()).await?);
        }
        if round.held.is_none() && (reconcile || self.reconcile_due()?) {
            let mut done = again(self.feed.retry.clone(), async || self.reconcile().await).await?;
            if done.differing + done.gone > 0 {
                if let Looked::Compared(found) = self.compare_settled().await? {
                    round.add(&found);
                }
                round.deliver(self.deliver(retry).await?);
                if round.held.is_none() {
                    let exchanges = done.exchanges;
                    done = self.reconcile().await?;
                    done.exchanges += exchanges;
                }
            }
            round.reconciled = Some(done);
        }
        Ok(round)
    }

    /// [`Self::compare`], and once more where a file may still be written.
    async fn compare_settled(&self) -> Result<Looked> {
        match self.compare().await? {
            Looked::Soon(wait) => {
                tokio::time::sleep(wait).await;
                self.compare().await
            }
            looked => Ok(looked),
        }
    }

    /// The server holds a definition's promise of freshness against the packages that came: where nothing has changed, a
    /// package without rows says so in time. Only behind a look that found nothing. `true`: one is on its way.
    pub(super) fn tell_fresh(&self) -> Result<bool> {
        let promised = self.schema().definition.freshness_s.map(Duration::from_secs);
        // Of files that did not come nobody knows what has changed.
        let is_told = matches!(self.feed.source, Source::Files(_)) || self.state.is_new()?;
        let Some(promised) = promised.filter(|_| !is_told) else {
            return Ok(false);
        };
        let last = state::newest(&self.state.db, 1)?.pop();
        let is_due = last.is_some_and(|last| is_past(last.ended_at.as_deref(), promised / 2));
        let is_read = self.state.meta("unread")?.is_none_or(|rows| rows == "0");
        if !is_due || !is_read || !self.state.unfinished()?.is_empty() {
            return Ok(false);
        }
        let schema = self.schema();
        Comparison::begin(&self.state, &schema, &self.feed.name, Extent::Touched)?
            .telling()
            .finish(&[])?;
        Ok(true)
    }
}
