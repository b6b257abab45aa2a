//! A package that the guard holds: applied or dropped.

use std::path::Path;

use rusqlite::Connection;

use super::{Running, client};
use crate::{
    client::Client,
    error::{Error, Result},
    feed::Feed,
    state::{self, Package, PackageState, State},
};

/// Applies or drops the package that the guard holds, also while a service works on the feed: that finds it out itself.
pub async fn decide(path: &Path, confirm: bool) -> Result<String> {
    let feed = Feed::load(path)?;
    if !State::is_worked_on(&feed.state) {
        if State::peek(&feed.state)?.is_none() {
            return Err(no_state(&feed));
        }
        return Running::open(path).await?.decide(confirm).await;
    }
    let package = match State::peek(&feed.state)? {
        Some(db) => held(&db)?,
        None => return Err(no_state(&feed)),
    };
    tell(&feed, &client(&feed.server)?, &package, confirm).await?;
    Ok(package.id)
}

fn no_state(feed: &Feed) -> Error {
    Error::Decide(format!(
        "{}: no state of this feed lies there; `state` in its file says where it is, and a service of systemd has it in STATE_DIRECTORY",
        feed.state.display()
    ))
}

fn held(db: &Connection) -> Result<Package> {
    let held = state::unfinished(db)?
        .into_iter()
        .find(|package| package.state == PackageState::Held && !package.is_rejected_here());
    held.ok_or_else(not_held)
}

fn not_held() -> Error {
    Error::Decide("no package of this feed is held".to_owned())
}

async fn tell(feed: &Feed, client: &Client, package: &Package, confirm: bool) -> Result<()> {
    if package.is_held_here() {
        let is_decided = State::decide_here(&feed.state, package, confirm)?;
        return is_decided.then_some(()).ok_or_else(not_held);
    }
    let verb = if confirm { "confirm" } else { "reject" };
    let path = format!("{}/packages/{}/{verb}", feed.intake(), package.id);
    client.post_empty(&path).await?;
    Ok(())
}

impl Running {
    /// Applies or drops the package that the guard holds.
    async fn decide(&self, confirm: bool) -> Result<String> {
        let package = held(&self.state.db)?;
        let answered = tell(&self.feed, &self.client, &package, confirm).await;
        // Whatever came of it, the package's state now is the server's.
        let delivered = self.deliver(None).await;
        match delivered {
            Err(Error::Decide(_)) if !confirm => {}
            // What became of it says more than the answer.
            other => {
                other?;
            }
        }
        answered?;
        Ok(package.id)
    }
}
