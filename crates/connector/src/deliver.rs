//! Packages from the spool to the server: in order, again after a break, each with its receipt checked and kept.

mod early;
mod receipt;

use std::{
    cell::RefCell,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::header;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

pub use early::Early;
pub use receipt::Receipts;

use crate::{
    client::{CallError, Client},
    compare::{Lines, each_line},
    error::{Error, Result},
    feed::{Feed, Retry},
    progress::Progress,
    state::{self, Package, PackageState, State},
};

/// Bytes of the spool read at once.
const PIECE: usize = 256 << 10;
/// Shortest pause before a second try.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How delivering ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// Nothing waits any more; so many packages were applied now.
    All(usize),
    /// The guard holds this package, and everything after it waits.
    Held(String),
}

pub struct Sender<'d> {
    pub feed: &'d Feed,
    pub state: &'d State,
    pub client: &'d Client,
    pub schema: &'d dagr_model::schema::Schema,
    pub receipts: &'d Receipts,
    pub early: &'d RefCell<Option<Early>>,
    pub progress: &'d Arc<Progress>,
}

impl Sender<'_> {
    /// Sends what waits. A fault that may pass is tried again until `give_up` (`None`: at once).
    pub async fn deliver(&self, give_up: Option<Retry>) -> Result<Delivered> {
        let mut applied = 0;
        for package in self.state.unfinished()? {
            let sent = match give_up.clone() {
                Some(retry) => again(retry, || self.one(&package)).await?,
                None => self.one(&package).await?,
            };
            match sent {
                Sent::Applied => applied += 1,
                // What was made on top of it is gone with it.
                Sent::Declined => break,
                Sent::Held => return Ok(Delivered::Held(package.id)),
                // What came after it is gone with it.
                Sent::TakenBack(problem) => return Err(Error::Decide(problem)),
            }
        }
        Ok(Delivered::All(applied))
    }

    async fn one(&self, package: &Package) -> Result<Sent> {
        let answer = if package.is_held_here() {
            return Ok(Sent::Held);
        } else if package.is_rejected_here() {
            json!({ "state": "rejected" })
        } else if package.state == PackageState::Held {
            self.look(package).await?
        } else {
            self.put(package).await?
        };
        let word = match answer["state"].as_str().unwrap_or("applied") {
            "rejected" if answer["outdated"] == true => "outdated",
            word => word,
        };
        match word {
            "held" => {
                self.state.held(package, &answer.to_string())?;
                Ok(Sent::Held)
            }
            "declined" => Ok(Sent::Declined),
            // Nobody decided against it: what the source holds now goes instead.
            "outdated" => {
                let problem = format!(
                    "package {} was held until it was out of date; its changes are read again",
                    package.id
                );
                self.state
                    .taken_back(package, PackageState::Rejected, true, &problem)?;
                Ok(Sent::TakenBack(problem))
            }
            "rejected" => {
                let problem = format!("package {} was rejected; its changes were not sent", package.id);
                self.state
                    .taken_back(package, PackageState::Rejected, false, &problem)?;
                Ok(Sent::TakenBack(problem))
            }
            "open" => Err(Error::Passing(format!(
                "package {} is still being read by the server",
                package.id
            ))),
            _ => {
                let receipt = if answer["receipt"].is_object() {
                    &answer["receipt"]
                } else {
                    &answer
                };
                self.applied(package, receipt).await?;
                Ok(Sent::Applied)
            }
        }
    }

    /// Somebody may have decided.
    async fn look(&self, package: &Package) -> Result<Value> {
        match self
            .client
            .get(&format!("{}/packages/{}", self.feed.intake(), package.id))
            .await
        {
            Err(CallError::Refused(refusal)) if refusal.status == 404 => Ok(json!({ "state": "outdated" })),
            other => Ok(other?),
        }
    }

    async fn put(&self, package: &Package) -> Result<Value> {
        let answer = match self.early.take().filter(|early| early.n == package.n) {
            Some(early) => early.answer().await,
            None => None,
        };
        let answer = match answer {
            Some(answer) => Ok(answer),
            None => {
                let path = self.state.body(package.n);
                let file = File::open(&path)
                    .await
                    .map_err(|error| Error::file(&path, &error))?;
                let body = counted(ReaderStream::with_capacity(file, PIECE), self.progress);
                put_body(self.client, &address(self.feed, package), body).await
            }
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(CallError::Refused(refusal)) => self.refused(package, *refusal),
            Err(other) => Err(other.into()),
        }
    }

    fn refused(&self, package: &Package, refusal: crate::client::Refusal) -> Result<Value> {
        match (refusal.status, refusal.code.as_str()) {
            // Nothing of it could be taken: the rows are at fault, not the way. The set stands as it was, and the feed goes on.
            (422, "package_refused") => {
                let problem = format!("the server took no row of package {}: {refusal}", package.id);
                self.state.declined_whole(package, &problem, |decline| {
                    self.each_sent(package, |_| true, decline)
                })?;
                tracing::warn!(
                    problem,
                    "its records are sent again once they are others, or after `dagr connector resync`"
                );
                Ok(json!({ "state": "declined" }))
            }
            (409, "package_order") => Err(Error::Decide(format!(
                "another package than ours was applied last: somebody else delivers to {}, or it was restored. `dagr connector resync` compares and repairs",
                self.feed.dataset
            ))),
            (409, "package_conflict") => Err(Error::Decide(format!(
                "package {} exists with other content: this feed's state is a copy of another's. Give the feed another name, or `dagr connector resync`",
                package.id
            ))),
            _ => Err(CallError::Refused(Box::new(refusal)).into()),
        }
    }

    async fn applied(&self, package: &Package, receipt: &Value) -> Result<()> {
        self.receipts.check(self.client, package, receipt).await?;
        self.take(package, receipt).await
    }

    async fn take(&self, package: &Package, receipt: &Value) -> Result<()> {
        let quarantined = receipt["quarantined"].as_u64().unwrap_or(0);
        let declined = if quarantined > 0 {
            self.declined(package).await?
        } else {
            Lines::default()
        };
        let mut found = 0;
        self.state.applied(package, &receipt.to_string(), |decline| {
            if !declined.any() {
                return Ok(());
            }
            self.each_sent(package, |line| declined.has(line), &mut |sent| {
                found += 1;
                decline(sent)
            })
        })?;
        let untold = quarantined.saturating_sub(found);
        if untold > 0 {
            // Which they are only the server's digests tell.
            self.state.set_meta("last_reconcile", "")?;
            tracing::warn!(
                package = %package.id,
                quarantined,
                untold,
                "the server lists not all that it declined: the next reconciliation finds the others"
            );
        }
        tracing::info!(
            package = %package.id,
            accepted = receipt["accepted"].as_u64(),
            unchanged = receipt["unchanged"].as_u64(),
            deleted = receipt["deleted"].as_u64(),
            quarantined = receipt["quarantined"].as_u64(),
            "applied"
        );
        Ok(())
    }

    /// Lines of the package that the server's quarantine names, from 0.
    async fn declined(&self, package: &Package) -> Result<Lines> {
        let mut lines = Lines::default();
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("package", package.id.clone()), ("limit", "10000".to_owned())];
            query.extend(after.take().map(|after| ("after", after)));
            let path = format!("{}/quarantine", self.feed.intake());
            let page = self.client.get_with(&path, &query).await?;
            for row in page["rows"].as_array().into_iter().flatten() {
                let line = row["line"].as_u64().and_then(|line| line.checked_sub(1));
                // A line is there once for each of its faults, and none is beyond the package.
                lines.mark(line.filter(|line| *line < package.operations));
            }
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(lines),
            }
        }
    }

    /// Gives key and digest of the records in these lines (from 0) of a package, one after another.
    fn each_sent(
        &self,
        package: &Package,
        wanted: impl Fn(u64) -> bool,
        take: &mut dyn FnMut(state::Sent) -> Result<()>,
    ) -> Result<()> {
        let mut lines = 0..;
        each_line(&self.state.body(package.n), |line| {
            let is_wanted = lines.next().is_some_and(&wanted);
            match is_wanted.then(|| self.key_and_digest(line)).flatten() {
                Some(sent) => take(sent),
                None => Ok(()),
            }
        })
    }

    fn key_and_digest(&self, line: &str) -> Option<state::Sent> {
        let json = line
            .strip_prefix("{\"op\":\"upsert\",\"record\":")?
            .strip_suffix('}')?;
        let record = self.schema.read_json(json.as_bytes()).ok()?;
        let key = self.schema.key_of(record.as_ref()).ok()?;
        Some((key, dagr_model::digest::record_digest(&record.json)))
    }
}

fn address(feed: &Feed, package: &Package) -> String {
    let Package {
        id, mode, previous, ..
    } = package;
    let intake = feed.intake();
    match previous {
        Some(previous) => format!("{intake}/packages/{id}?mode={mode}&previous={previous}"),
        None => format!("{intake}/packages/{id}?mode={mode}"),
    }
}

/// A body whose bytes are counted as they go.
fn counted(
    pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    progress: &Arc<Progress>,
) -> reqwest::Body {
    let progress = Arc::clone(progress);
    reqwest::Body::wrap_stream(pieces.inspect_ok(move |piece| {
        progress.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }))
}

async fn put_body(
    client: &Client,
    address: &str,
    body: reqwest::Body,
) -> std::result::Result<Value, CallError> {
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_ENCODING, "zstd"),
    ];
    client.put_stream(address, &headers, body).await
}

enum Sent {
    Applied,
    /// Every record of it lies in the server's quarantine.
    Declined,
    Held,
    TakenBack(String),
}

/// Tries until it works, fails for good, or the limit has passed. Pauses double, with jitter, behind the time that the
/// server asks for.
pub async fn again<T>(retry: Retry, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Err(error) if error.is_passing() => {
                let asked = error.retry_after();
                if began.elapsed().saturating_add(asked).saturating_add(pause) > retry.limit {
                    tracing::error!(%error, limit = ?retry.limit, "given up");
                    return Err(error);
                }
                tracing::warn!(%error, again_in = ?(asked + pause), "not now");
                tokio::time::sleep(asked + jittered(pause)).await;
                pause = (pause * 2).min(retry.pause);
            }
            done => return done,
        }
    }
}

/// Between half of it and all of it, so that many feeds do not come back at once.
pub fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random numbers the pause is whole.
    let share = aws_lc_rs::rand::fill(&mut byte).map_or(255, |()| byte[0]);
    pause / 2 + pause * u32::from(share) / 510
}

#[cfg(test)]
mod tests;
