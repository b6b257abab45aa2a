//! A feed at work: compare, follow, deliver, reconcile; once, or for as long as the process lives.

mod check;
mod decide;
mod definition;
mod followed;
mod forever;
mod lag;
mod packages;
mod round;
mod status;
mod target;

use std::{
    cell::{Cell, RefCell},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_model::{digest::SetDigest, schema::Schema};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub(crate) use check::file as file_of;
pub use check::{Changes, Checked, check};
pub use decide::decide;
pub use forever::forever;
pub use packages::packages;
pub use round::Round;
pub use status::{metrics, status};

use self::{
    definition::{DEFINITION, compile, definition, keep_definition},
    target::goes_to,
};
pub use crate::progress::Progress;
use crate::{
    client::Client,
    collect::{Collect, FILLED},
    compare::{Comparison, Extent, Found},
    deliver::{Delivered, Early, Receipts, Sender},
    error::{Error, Result},
    feed::{Feed, Retry, Server, Source},
    reconcile::{Reconcile, Reconciled},
    source::{Means, Notes, files, http, soap, sql::Db},
    state::State,
};

/// What the server said so short a time ago is good for a reading.
const FRESH: Duration = Duration::from_secs(2);
/// Noted: the digest of what says how the source is read.
const READ_BY: &str = "read_by";

/// A feed with everything it needs.
pub struct Running {
    pub feed: Feed,
    pub state: State,
    pub client: Client,
    schema: RefCell<Arc<Schema>>,
    receipts: Receipts,
    /// A package on its way since before it was whole.
    early: RefCell<Option<Early>>,
    pub progress: Arc<Progress>,
    standing: files::Standing,
    /// When the server was last asked for what may have changed there.
    renewed: Cell<Option<Instant>>,
}

/// What one look at the source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// No new file, the same `ETag`.
    NothingNew,
    /// A new file may still be written: it can be taken after so long.
    Soon(Duration),
    Compared(Found),
}

impl Running {
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, State::open).await
    }

    /// Without what was sent, which may be damaged: for [`Self::resync`] of everything.
    pub async fn open_anew(path: &Path) -> Result<Self> {
        Self::open_with(path, State::open_anew).await
    }

    async fn open_with(path: &Path, open: impl FnOnce(&Path) -> Result<State>) -> Result<Self> {
        let feed = Feed::load(path)?;
        let client = client(&feed.server)?;
        let state = open(&feed.state)?;
        goes_to(&feed, &state)?;
        let schema = match definition(&feed, &client).await {
            Ok(text) => {
                let schema = compile(&feed, &text)?;
                keep_definition(&state, &text)?;
                schema
            }
            // Away is not gone, nor is whoever is refused today: the feed goes on by what it knows, what it makes waits in
            // the spool, and the status says why.
            Err(error @ Error::Call(_)) => match std::fs::read_to_string(state.dir().join(DEFINITION)) {
                Ok(text) => compile(&feed, &text)?,
                Err(_) => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let running = Self {
            feed,
            state,
            client,
            schema: RefCell::new(Arc::new(schema)),
            receipts: Receipts::default(),
            early: RefCell::default(),
            progress: Arc::default(),
            standing: files::Standing::default(),
            renewed: Cell::default(),
        };
        running.read_by_other_rules()?;
        Ok(running)
    }

    /// What was taken by other rules is compared, also where changes are followed.
    fn read_by_other_rules(&self) -> Result<()> {
        let before = self.state.meta(READ_BY)?;
        if before.is_some_and(|before| before != self.read_by()) {
            self.state.set_meta("compare_due", "true")?;
        }
        Ok(())
    }

    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema.borrow())
    }

    /// Asks the server for what may have changed there, unless that was done so short a time ago.
    async fn renew(&self, every: Duration) {
        if self.renewed.get().is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.renewed.set(Some(Instant::now()));
        let renewed = async {
            self.renew_definition().await?;
            self.settle_epoch().await
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, "the definition is the one known before");
        }
    }

    /// The definition may have got a field since.
    async fn renew_definition(&self) -> Result<()> {
        let text = definition(&self.feed, &self.client).await?;
        if std::fs::read_to_string(self.state.dir().join(DEFINITION)).is_ok_and(|known| known == text) {
            return Ok(());
        }
        *self.schema.borrow_mut() = Arc::new(compile(&self.feed, &text)?);
        keep_definition(&self.state, &text)
    }

    /// Reads all of the source and makes a package of what differs.
    pub async fn compare(&self) -> Result<Looked> {
        let room = self.room()?;
        // What began on its way and came to nothing says nothing about what comes now.
        self.early.take();
        let file = match &self.feed.source {
            Source::Files(spec) => {
                match files::next(spec, &self.state, self.reads_otherwise()?, &self.standing)? {
                    Ok(Some(file)) => Some(file),
                    Ok(None) => return Ok(Looked::NothingNew),
                    Err(wait) => return Ok(Looked::Soon(wait)),
                }
            }
            _ => None,
        };
        self.renew(FRESH).await;
        let schema = self.schema();
        // What was followed meanwhile is held against the source, where the first load itself was declined.
        let known = self.state.digest()?.1;
        let snapshot = self.state.is_new()? && known == 0;
        self.progress.begin(known);
        let (read_by, again) = (self.read_by(), self.reads_otherwise()?);
        let extent = if snapshot { Extent::Snapshot } else { Extent::Whole };
        let mut comparison = Comparison::begin(&self.state, &schema, &self.feed.name, extent)?
            .at_most(room)
            .guarded(self.feed.guard_bp);
        let there = if snapshot { self.held_there().await } else { None };
        if snapshot && there.is_none() && self.feed.guard_bp.is_some() {
            return Err(Error::Passing(
                "the feed's guard judges a delivery of everything by what the server holds, and the server does not say".to_owned(),
            ));
        }
        if let Some(there) = there {
            comparison = comparison.onto(there);
        }
        // What a guard may hold does not leave before it was judged.
        let is_judged = self.feed.guard_bp.is_some() && there != Some(0);
        if self.state.unfinished()?.is_empty() && !is_judged {
            comparison = comparison.early(Box::new(|package, body| {
                self.early.replace(Some(Early::start(
                    &self.feed,
                    &self.client,
                    package,
                    body,
                    &self.progress,
                )));
            }));
        }
        let mut collect = Collect::new(&schema, &self.feed.map, &mut comparison)
            .tolerant(!snapshot)
            .after(self.state.meta(FILLED)?)
            .told_to(&self.progress);
        let means = Means {
            csv: &schema.definition.csv,
            dir: self.state.dir(),
        };
        let mut notes: Notes = match (&self.feed.source, file) {
            (Source::Files(spec), Some(file)) => files::read(spec, &file, &mut collect, &means)?,
            (Source::Http(spec), _) => {
                let known = (!again).then_some(&self.state);
                match http::read(spec, known, &mut collect, &means).await? {
                    Some(notes) => notes,
                    None => {
                        drop(collect);
                        drop(comparison);
                        // The same as was compared: it is asked again when the next comparison is due.
                        self.state
                            .set_meta("last_compare", &Timestamp::now().to_string())?;
                        self.state.set_meta("compare_due", "false")?;
                        return Ok(Looked::NothingNew);
                    }
                }
            }
            (Source::Soap(spec), _) => {
                soap::read(spec, &mut collect, None, means.dir).await?;
                Notes::new()
            }
            (Source::Sql(spec), _) => {
                Db::connect(spec, &schema).await?.all(&mut collect).await?;
                Notes::new()
            }
            (Source::Files(_), None) => return Ok(Looked::NothingNew),
        };
        let ended = collect.finish()?;
        self.passed_over(&ended.unwanted)?;
        notes.extend(ended.notes);
        notes.push((READ_BY.to_owned(), read_by));
        notes.push(("last_compare".to_owned(), Timestamp::now().to_string()));
        notes.push(("compare_due".to_owned(), "false".to_owned()));
        let found = comparison.finish(&notes)?;
        if found.unread > 0 {
            tracing::warn!(
                rows = found.unread,
                records = found.kept,
                "rows may be of any record: those that seem to be gone stay until they can be read"
            );
        }
        tracing::info!(
            records = found.records,
            upserts = found.upserts,
            deletes = found.deletes,
            refused = found.refused,
            expired = found.expired,
            "compared"
        );
        Ok(Looked::Compared(found))
    }

    /// What the definition and the feed say of how the source is read, in short.
    fn read_by(&self) -> String {
        let definition = std::fs::read(self.state.dir().join(DEFINITION)).unwrap_or_default();
        let digest = Sha256::new()
            .chain_update(&self.feed.reading)
            .chain_update(definition);
        SetDigest(digest.finalize().into()).hex()
    }

    /// What was taken by other rules is taken again.
    fn reads_otherwise(&self) -> Result<bool> {
        Ok(self.state.meta(READ_BY)?.as_ref() != Some(&self.read_by()))
    }

    /// Records that the server holds; one that is away may hold some.
    async fn held_there(&self) -> Option<u64> {
        let state = self.client.get(&format!("{}/state", self.feed.intake())).await;
        state.ok()?["records"].as_u64()
    }

    pub async fn deliver(&self, give_up: Option<Retry>) -> Result<Delivered> {
        let schema = self.schema();
        let sender = Sender {
            feed: &self.feed,
            state: &self.state,
            client: &self.client,
            schema: &schema,
            receipts: &self.receipts,
            early: &self.early,
            progress: &self.progress,
        };
        match sender.deliver(give_up).await {
            // Not by somebody else, perhaps.
            Err(Error::Decide(_)) if self.settle_epoch().await.unwrap_or(false) => Err(Error::Passing(
                "the server's set was emptied or restored: it is compared, and sent again".to_owned(),
            )),
            delivered => delivered,
        }
    }

    /// Compares with the server. Needs everything delivered.
    pub async fn reconcile(&self) -> Result<Reconciled> {
        let schema = self.schema();
        let reconcile = Reconcile {
            feed: &self.feed,
            state: &self.state,
            schema: &schema,
            client: &self.client,
        };
        let done = reconcile.run().await?;
        self.state
            .set_meta("last_reconcile", &Timestamp::now().to_string())?;
        if done.differing > 0 {
            tracing::warn!(
                differing = done.differing,
                exchanges = done.exchanges,
                "the server held other records than were sent"
            );
        }
        if done.gone > 0 {
            tracing::info!(
                gone = done.gone,
                "records that the server does not hold any more: those that are not past the retention are sent again"
            );
        }
        Ok(done)
    }

    fn reconcile_due(&self) -> Result<bool> {
        let last = self.state.meta("last_reconcile")?;
        Ok(is_past(last.as_deref(), self.feed.schedule.reconcile))
    }

    /// New columns of the source that no field takes: said once, and in the status.
    fn passed_over(&self, columns: &str) -> Result<()> {
        if self.state.meta("passed_over")?.unwrap_or_default() != columns {
            tracing::warn!(columns, "the source has columns that no field takes");
            self.state.set_meta("passed_over", columns)?;
        }
        Ok(())
    }

    /// Bytes that one more package may take.
    fn room(&self) -> Result<u64> {
        let waiting: u64 = self.state.unfinished()?.iter().map(|package| package.bytes).sum();
        if waiting < self.feed.spool_bytes {
            return Ok(self.feed.spool_bytes - waiting);
        }
        Err(Error::Decide(format!(
            "packages that wait for the server take {} MiB, as much as spool_mib allows: the source is not read until they are delivered",
            waiting >> 20
        )))
    }
}

/// Has so much time gone by since `last`?
pub(crate) fn is_past(last: Option<&str>, every: Duration) -> bool {
    let last = last.and_then(|text| text.parse::<Timestamp>().ok());
    last.is_none_or(|last| {
        let passed = Timestamp::now().duration_since(last);
        // In the future: the clock was wrong then, and tells nothing of when it was.
        passed.as_secs() < -60 || passed.as_millis() >= every.as_millis() as i128
    })
}

/// A client that signs in as the feed's connection.
pub fn client(server: &Server) -> Result<Client> {
    let mut client = Client::connection(&server.url, &server.client_id, &server.key.read()?)?;
    if let Some(idle) = server.idle {
        client = client.with_idle(idle);
    }
    match &server.ca {
        None => Ok(client),
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| Error::file(path, &error))?;
            Ok(client.trusting(&pem)?)
        }
    }
}
