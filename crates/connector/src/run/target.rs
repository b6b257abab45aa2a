//! Where in the server a feed goes, and that what was sent may have to be sent again.

use serde_json::Value;

use super::Running;
use crate::{
    error::Result,
    feed::Feed,
    reconcile::Reconciled,
    state::{PackageState, RESYNCED, State},
};

/// Noted: where in the server the feed goes, and the server's address.
const SET: &str = "target_set";
const URL: &str = "target_url";
/// Noted: by which count of the server's the set was sent.
const EPOCH: &str = "target_epoch";
const GIVEN_UP: &str = "given up by resync";

/// What was sent to one section says nothing of another. A server under another address may be another: it is asked what
/// it holds.
pub(super) fn goes_to(feed: &Feed, state: &State) -> Result<()> {
    let (set, url) = (feed.intake(), &feed.server.url);
    let (set_before, url_before) = (state.meta(SET)?, state.meta(URL)?);
    if set_before.is_some_and(|before| before != set) {
        tracing::warn!(%set, "the feed goes to another place than before: everything is sent there");
        begin_again(state)?;
        state.forget_copy("the feed goes to another place")?;
    }
    if url_before.is_some_and(|before| before != *url) {
        tracing::info!(%url, "the server has another address than before: it is asked what it holds");
        state.set_meta(RESYNCED, "true")?;
        state.set_meta("last_reconcile", "")?;
    }
    state.set_meta(SET, &set)?;
    state.set_meta(URL, url)
}

/// Will the next round send everything? `there`: what the server says of the set.
pub(super) fn is_sent_anew(feed: &Feed, state: &State, there: &Value) -> Result<bool> {
    let is_elsewhere = state.meta(SET)?.is_some_and(|before| before != feed.intake());
    let epoch = there["epoch"].to_string();
    let is_other = state.meta(EPOCH)?.is_some_and(|before| before != epoch);
    let is_emptied = is_other && there["records"] == 0;
    Ok(is_elsewhere || is_emptied)
}

/// What was read is read again, and goes on top of whatever the server applied last.
fn begin_again(state: &State) -> Result<()> {
    state.read_again()?;
    // The server may know by now what it did not.
    state.db.execute("DELETE FROM declined", [])?;
    state.set_meta(RESYNCED, "true")?;
    // A state that was restored from a backup would use ids again.
    state.renew_instance()?;
    state.set_meta("compare_due", "true")
}

impl Running {
    /// The server counts anew where the set was emptied, by another definition, or restored: what was sent says little of it
    /// then. `true`: it is looked at anew.
    pub(super) async fn settle_epoch(&self) -> Result<bool> {
        let held = self.client.get(&format!("{}/state", self.feed.intake())).await?;
        let epoch = held["epoch"].to_string();
        let before = self.state.meta(EPOCH)?;
        if before.as_deref() == Some(epoch.as_str()) {
            return Ok(false);
        }
        let is_other = before.is_some();
        if is_other && held["records"] == 0 {
            tracing::warn!(
                "the set was emptied, by another definition or a restore: everything is sent again"
            );
            begin_again(&self.state)?;
            self.state.forget_copy("the set was emptied")?;
        } else if is_other {
            tracing::warn!("the set was restored: the server is asked what it holds");
            if let Some(first) = self.state.unfinished()?.first() {
                // It would follow what is not there any more.
                let problem = "the set was restored, or others filled it; its changes are read again";
                self.state
                    .taken_back(first, PackageState::Rejected, true, problem)?;
            }
            self.state.set_meta(RESYNCED, "true")?;
            self.state.set_meta("last_reconcile", "")?;
        }
        self.state.set_meta(EPOCH, &epoch)?;
        Ok(is_other)
    }

    /// Puts right what was thought to be sent: the next round compares with what the server holds, the newest file again.
    pub async fn resync(&self, everything: bool) -> Result<Reconciled> {
        if !everything {
            for package in self.state.unfinished()? {
                self.state
                    .taken_back(&package, PackageState::Rejected, false, GIVEN_UP)?;
            }
        }
        begin_again(&self.state)?;
        if everything {
            self.state.forget_copy(GIVEN_UP)?;
            return Ok(Reconciled::default());
        }
        self.state.set_meta("last_reconcile", "")?;
        self.reconcile().await
    }
}
