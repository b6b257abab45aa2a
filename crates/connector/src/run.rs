//! A feed at work: compare, follow, deliver, reconcile; once, or for as long as the process lives.

mod check;
mod followed;
mod forever;
mod status;

use std::{cell::RefCell, fs::File, io::Write, path::Path, sync::Arc, time::Duration};

use dagr_model::{definition::Definition, digest::SetDigest, schema::Schema};
use jiff::Timestamp;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

pub use check::{Checked, check};
pub use forever::forever;
pub use status::{metrics, status};

pub use crate::progress::Progress;

use crate::{
    client::Client,
    collect::{Collect, FILLED},
    compare::{Comparison, Extent, Found},
    deliver::{Delivered, Early, Receipts, Sender, again},
    error::{Error, Result},
    feed::{Feed, Retry, Server, Source},
    reconcile::{Reconcile, Reconciled},
    source::{Means, Notes, files, http, soap, sql::Db},
    state::{self, Package, PackageState, RESYNCED, State},
};

/// The definition a feed last worked by; of use when the server is away.
const DEFINITION: &str = "definition.yaml";
/// Noted: the digest of what says how the source is read.
const READ_BY: &str = "read_by";
/// Noted: where in the server the feed goes, and the server's address.
const SET: &str = "target_set";
const URL: &str = "target_url";
const GIVEN_UP: &str = "given up by resync";

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

    /// The definition may have got a field since.
    pub async fn renew_definition(&self) -> Result<()> {
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
        let schema = self.schema();
        // What was followed meanwhile is held against the source, where the first load itself was declined.
        let snapshot = self.state.is_new()? && self.state.digest()?.1 == 0;
        let read_by = self.read_by();
        // What was taken by other rules is taken again.
        let again = self.state.meta(READ_BY)?.as_ref() != Some(&read_by);
        let file = match &self.feed.source {
            Source::Files(spec) => match files::next(spec, &self.state, again, &self.standing)? {
                Ok(Some(file)) => Some(file),
                Ok(None) => return Ok(Looked::NothingNew),
                Err(wait) => return Ok(Looked::Soon(wait)),
            },
            _ => None,
        };
        let extent = if snapshot { Extent::Snapshot } else { Extent::Whole };
        let mut comparison = Comparison::begin(&self.state, &schema, &self.feed.name, extent)?.at_most(room);
        if snapshot && self.holds_nothing().await {
            comparison = comparison.onto_nothing();
        }
        if self.state.unfinished()?.is_empty() {
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
    fn tell_fresh(&self) -> Result<bool> {
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

    /// Does the server hold no records? One that is away may hold some.
    async fn holds_nothing(&self) -> bool {
        let state = self.client.get(&format!("{}/state", self.feed.intake())).await;
        state.is_ok_and(|state| state["records"] == 0)
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
        sender.deliver(give_up).await
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

    /// One round, for cron: everything new in the source, delivered, and compared with the server when that is due. What
    /// goes wrong is in the status too.
    pub async fn once(&self, reconcile: bool) -> Result<Round> {
        let round = self.round(reconcile).await;
        match &round {
            Ok(_) => self.say("")?,
            Err(error) => self.say(&error.at_once())?,
        }
        round
    }

    /// Notes what keeps the feed from going on; nothing does = "".
    fn say(&self, problem: &str) -> Result<()> {
        if self.state.meta("problem")?.as_deref().unwrap_or_default() == problem {
            return Ok(());
        }
        self.state
            .set_meta("problem_since", &Timestamp::now().to_string())?;
        self.state.set_meta("problem", problem)
    }

    async fn round(&self, reconcile: bool) -> Result<Round> {
        let mut round = Round::default();
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

    /// Puts right what was thought to be sent: the next round compares with what the server holds, the newest file again.
    pub async fn resync(&self, everything: bool) -> Result<()> {
        if !everything {
            for package in self.state.unfinished()? {
                self.state
                    .taken_back(&package, PackageState::Rejected, false, GIVEN_UP)?;
            }
        }
        begin_again(&self.state)?;
        if everything {
            return self.state.forget_copy(GIVEN_UP);
        }
        self.state.set_meta("last_reconcile", "")?;
        self.reconcile().await.map(|_| ())
    }

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
        .find(|package| package.state == PackageState::Held);
    held.ok_or_else(|| Error::Decide("no package of this feed is held".to_owned()))
}

async fn tell(feed: &Feed, client: &Client, package: &Package, confirm: bool) -> Result<()> {
    let verb = if confirm { "confirm" } else { "reject" };
    let path = format!("{}/packages/{}/{verb}", feed.intake(), package.id);
    client.post_empty(&path).await?;
    Ok(())
}

/// What was sent to one section says nothing of another. A server under another address may be another: it is asked what
/// it holds.
fn goes_to(feed: &Feed, state: &State) -> Result<()> {
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

/// Has so much time gone by since `last`?
pub(crate) fn is_past(last: Option<&str>, every: Duration) -> bool {
    let last = last.and_then(|text| text.parse::<Timestamp>().ok());
    last.is_none_or(|last| {
        let passed = Timestamp::now().duration_since(last);
        // In the future: the clock was wrong then, and tells nothing of when it was.
        passed.as_secs() < -60 || passed.as_millis() >= every.as_millis() as i128
    })
}

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

async fn definition(feed: &Feed, client: &Client) -> Result<String> {
    if let Some(path) = &feed.definition {
        return std::fs::read_to_string(path).map_err(|error| Error::file(path, &error));
    }
    let request = client
        .request(reqwest::Method::GET, &format!("{}/definition", feed.intake()))
        .await?;
    Ok(client.send(request).await?.text())
}

fn compile(feed: &Feed, text: &str) -> Result<Schema> {
    let definition: Definition = text.parse().map_err(|faults| Error::Faults {
        what: "the definition cannot be read".to_owned(),
        faults,
    })?;
    if definition.name.as_str() != feed.dataset {
        let message = format!("the definition is of {}", definition.name);
        return Err(Error::Faults {
            what: "feed and definition do not fit together".to_owned(),
            faults: vec![dagr_model::fault::Fault::new("dataset", "name", message)],
        });
    }
    Ok(Schema::compile(Arc::new(definition), None))
}

/// All of it or what was there before: a feed whose server is away begins with what lies there.
fn keep_definition(state: &State, text: &str) -> Result<()> {
    let (path, beside) = (
        state.dir().join(DEFINITION),
        state.dir().join("definition.yaml.part"),
    );
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        File::open(state.dir())?.sync_all()
    };
    write().map_err(|error| Error::file(&path, &error))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_known_definition_is_whole_at_every_moment() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path()).unwrap();
        keep_definition(&state, "name: before").unwrap();
        let mut reading = File::open(dir.path().join(DEFINITION)).unwrap();
        keep_definition(&state, "x").unwrap();
        let mut text = String::new();
        reading.read_to_string(&mut text).unwrap();
        assert_eq!(text, "name: before");
        let now = std::fs::read_to_string(dir.path().join(DEFINITION)).unwrap();
        assert_eq!(now, "x");
    }
}
