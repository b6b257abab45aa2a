//! Follows the feed of a permission and applies it, page by page, each with its cursor in one transaction.

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use dagr_model::schema::Schema;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::{
    Spec, TargetSpec, export, plan::Table, reshape::compile, rows, taken_in::TakenIn, target::Target, verify,
};
use crate::{
    client::{CallError, Client},
    deliver::again,
    error::{Error, Result},
    progress::Progress,
    run::{client, is_past},
};

/// Changes of one page.
const PAGE: usize = 5_000;
/// How often the definition is asked for while changes come.
const DEFINITION: Duration = Duration::from_secs(5);
/// How often a file is written anew while more pages come.
const SHOWN: Duration = Duration::from_mins(1);
/// No server is left alone for longer.
const LONGEST: Duration = Duration::from_mins(15);
/// Refusals of a cursor after which everything is asked for: it is too old, or of another permission.
const ANEW: [&str; 2] = ["cursor_expired", "cursor_invalid"];
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub struct Replica {
    pub(super) spec: Spec,
    pub(super) client: Client,
    pub(super) target: Target,
    pub(super) schema: Arc<Schema>,
    pub(super) text: String,
    asked: Option<Instant>,
    /// A page that could not be applied yet.
    kept: Option<Kept>,
    /// Does a file show records that were taken back?
    pub(super) withdrawn: bool,
    /// When they were last taken from it.
    pub(super) shown: Option<Instant>,
    /// What was taken in since a comparison asked for it to be noted.
    pub(super) taken_in: Option<TakenIn>,
    pub progress: Arc<Progress>,
}

/// A page as it came, with the cursor it was asked by and the definition that was known then.
struct Kept {
    after: Option<String>,
    text: String,
    answer: Value,
}

/// One page, read.
struct Page {
    upserts: Vec<(Vec<u8>, Value)>,
    deletes: Vec<Vec<u8>>,
    next: String,
    end: bool,
}

impl Replica {
    pub async fn open(path: &Path) -> Result<Self> {
        let spec = Spec::load(path)?;
        let mut client = client(&spec.server)?;
        if let Some(idle) = spec.server.idle {
            // A call that waits for something new is silent meanwhile.
            client = client.with_idle(idle + spec.wait);
        }
        if let Some(permission) = &spec.permission {
            client = client.with_permission(permission);
        }
        if let Some(case) = &spec.case {
            client = client.with_case(case);
        }
        Self::begin(spec, client).await
    }

    pub(super) async fn begin(spec: Spec, client: Client) -> Result<Self> {
        let mut target = Target::open(&spec.target).await?;
        target.lock(&spec.name).await?;
        export::remove_half(&spec)?;
        let known = target.note(&spec.name, "definition").await?;
        let text = match known.clone().filter(|text| !text.is_empty()) {
            Some(text) => text,
            None => definition(&spec, &client).await?,
        };
        let mut replica = Self {
            spec,
            client,
            target,
            schema: compile(&text)?,
            text,
            asked: None,
            kept: None,
            withdrawn: false,
            shown: None,
            taken_in: None,
            progress: Arc::default(),
        };
        if known.as_ref() == Some(&replica.text) {
            let begun = replica.begin_again().await;
            replica.told(begun).await?;
        }
        replica.asked = Some(Instant::now());
        let settled = replica.settle().await;
        replica.told(settled).await?;
        Ok(replica)
    }

    /// The file of a copy that stands does not wait for the server; then the definition as it is now.
    async fn begin_again(&mut self) -> Result<()> {
        let is_there = matches!(&self.spec.target, TargetSpec::Files { path, .. } if path.exists());
        if is_there
            && self.schema.definition.name.as_str() == self.spec.dataset
            && let Err(error) = self.write_file().await
        {
            tracing::warn!(%error, "the file may show what was taken back");
            self.withdrawn = true;
        }
        self.text = definition(&self.spec, &self.client).await?;
        self.schema = compile(&self.text)?;
        Ok(())
    }

    pub(super) async fn note(&self, name: &str) -> Result<Option<String>> {
        Ok(self
            .target
            .note(&self.spec.name, name)
            .await?
            .filter(|text| !text.is_empty()))
    }

    pub(super) async fn set_note(&self, name: &str, value: &str) -> Result<()> {
        self.target.set_note(&self.spec.name, name, value).await
    }

    /// Is the definition what it was? `true`: it is not, and the copy is loaded anew.
    async fn look_at_definition(&mut self) -> Result<bool> {
        let text = definition(&self.spec, &self.client).await?;
        self.asked = Some(Instant::now());
        if text == self.text {
            Ok(false)
        } else {
            self.adopt(text).await
        }
    }

    /// Applies one page. `true`: nothing more is there now.
    pub async fn step(&mut self, wait: Duration) -> Result<bool> {
        let end = self.page(wait).await;
        if end.is_err() {
            self.show().await;
        }
        end
    }

    async fn page(&mut self, wait: Duration) -> Result<bool> {
        let cursor = self.note("cursor").await?;
        let text = self.text.clone();
        let kept = self.kept.take();
        let answer = match kept.filter(|kept| kept.after == cursor && kept.text == text) {
            Some(kept) => kept.answer,
            None => match self.fetch_or_show(cursor.as_deref(), wait).await {
                Err(Error::Call(CallError::Refused(refusal)))
                    if cursor.is_some() && ANEW.contains(&refusal.code.as_str()) =>
                {
                    tracing::warn!(detail = refusal.detail, "the copy is loaded anew");
                    self.start_over().await?;
                    return Ok(false);
                }
                answer => answer?,
            },
        };
        let end = self.take(&answer, cursor.as_deref()).await;
        if end.as_ref().is_err_and(Error::is_passing) {
            let after = cursor;
            self.kept = Some(Kept { after, text, answer });
        }
        end
    }

    async fn take(&mut self, answer: &Value, cursor: Option<&str>) -> Result<bool> {
        let read = match self.read(answer) {
            Ok(read) => read,
            // The permission or the definition has just changed: by the new one it reads.
            Err(first) => {
                let before = self.text.clone();
                if self.look_at_definition().await? {
                    return Ok(false);
                }
                if before == self.text {
                    return Err(first);
                }
                self.read(answer)?
            }
        };
        let end = read.end;
        // An amended permission tells records anew, and then no more of them come: the end of pages always asks.
        let due = end || self.asked.is_none_or(|at| at.elapsed() > DEFINITION);
        if due && self.look_at_definition().await? {
            return Ok(false);
        }
        self.apply(read, cursor).await?;
        Ok(end)
    }

    /// A server that falls silent does not keep in the file what was taken back.
    async fn fetch_or_show(&mut self, cursor: Option<&str>, wait: Duration) -> Result<Value> {
        if !self.withdrawn {
            return self.fetch(cursor, wait).await;
        }
        let rest = self
            .shown
            .map_or(Duration::ZERO, |at| SHOWN.saturating_sub(at.elapsed()));
        let (answer, written) = {
            let mut fetch = pin!(self.fetch(cursor, wait));
            match tokio::time::timeout(rest, &mut fetch).await {
                Ok(answer) => (answer, None),
                Err(_) => {
                    let written = self.write_file().await;
                    (fetch.await, Some(written))
                }
            }
        };
        if let Some(written) = written {
            self.written(&written);
        }
        answer
    }

    async fn fetch(&self, cursor: Option<&str>, wait: Duration) -> Result<Value> {
        let mut query = vec![("limit", PAGE.to_string()), ("include", "record".to_owned())];
        query.extend(cursor.map(|cursor| ("after", cursor.to_owned())));
        if !wait.is_zero() {
            query.push(("wait", wait.as_secs().to_string()));
        }
        Ok(self
            .client
            .get_with(&format!("{}/changes", self.spec.data()), &query)
            .await?)
    }

    fn read(&self, answer: &Value) -> Result<Page> {
        let wrong = |what: &str| Error::State(format!("a page of the feed cannot be read: {what}"));
        let mut page = Page {
            upserts: Vec::new(),
            deletes: Vec::new(),
            next: answer["next"]
                .as_str()
                .ok_or_else(|| wrong("no next"))?
                .to_owned(),
            end: answer["end"].as_bool().ok_or_else(|| wrong("no end"))?,
        };
        // The last word on a key counts.
        let mut last: BTreeMap<Vec<u8>, Option<&Value>> = BTreeMap::new();
        for change in answer["changes"].as_array().ok_or_else(|| wrong("no changes"))? {
            let key = change["key"].as_object().ok_or_else(|| wrong("no key"))?;
            let key = self
                .schema
                .key_from_object(key, true)
                .map_err(|_| wrong("a key of another definition"))?;
            let record = match change["operation"].as_str() {
                Some("upsert") => Some(&change["record"]),
                Some("delete") => None,
                _ => return Err(wrong("an unknown operation")),
            };
            last.insert(key, record);
        }
        for (key, record) in last {
            match record {
                None => page.deletes.push(key),
                Some(record) => {
                    let text = record.to_string();
                    self.schema
                        .read_json(text.as_bytes())
                        .map_err(|_| wrong("a record of another definition"))?;
                    page.upserts.push((key, record.clone()));
                }
            }
        }
        Ok(page)
    }

    async fn apply(&mut self, page: Page, cursor: Option<&str>) -> Result<()> {
        let loading = self.is_loading().await?;
        self.target.begin().await?;
        let mut done = self.write(&page, cursor, loading).await;
        if done.is_ok() && loading && page.end {
            done = self.whole().await;
        }
        self.target.end(done).await?;
        let changes = page.upserts.len() + page.deletes.len();
        self.progress.rows.fetch_add(changes as u64, Ordering::Relaxed);
        if let Some(taken_in) = &mut self.taken_in {
            taken_in.told(page.upserts.iter().map(|(key, _)| key).chain(&page.deletes));
        }
        self.withdrawn |= !page.deletes.is_empty() && matches!(self.spec.target, TargetSpec::Files { .. });
        if !page.end {
            // What was taken back does not wait for the pages behind it.
            self.show_in_time().await;
        }
        if self.target.problem(&self.spec.name).await?.is_some() {
            self.target.say(&self.spec.name, "").await?;
        }
        Ok(())
    }

    async fn write(&self, page: &Page, cursor: Option<&str>, loading: bool) -> Result<()> {
        let from = cursor.unwrap_or_default();
        if !self.target.advance(&self.spec.name, from, &page.next).await? {
            return Err(Error::Passing(
                "another process has moved the cursor of this copy".to_owned(),
            ));
        }
        let table = self.tables(loading);
        let mut gone: Vec<Vec<u8>> = page.deletes.clone();
        if cursor.is_some() {
            gone.extend(page.upserts.iter().map(|(key, _)| key.clone()));
        }
        if !gone.is_empty() {
            self.target.delete(&table, &gone).await?;
        }
        let is_empty = page.upserts.is_empty() && page.deletes.is_empty();
        let mut is_behind = !loading && !is_empty;
        // What is taken back does not wait for the load.
        if loading
            && !page.deletes.is_empty()
            && let Some(standing) = self.standing().await?
        {
            self.target.delete(&standing, &page.deletes).await?;
            is_behind = true;
        }
        self.put(&table, &page.upserts).await?;
        if is_behind {
            self.set_note(export::FILE, "").await?;
        }
        self.set_note("caught_up", if page.end { "true" } else { "false" })
            .await?;
        self.set_note("last_page", &Timestamp::now().to_string()).await
    }

    /// Inserts records; their keys are not there.
    pub(super) async fn put(&self, table: &Table, records: &[(Vec<u8>, Value)]) -> Result<()> {
        let mut by_table = vec![Vec::new(); table.all().len()];
        for (key, record) in records {
            rows::of_record(table, key, record, &mut |at, row| by_table[at].push(row));
        }
        self.target.insert(table, &by_table).await
    }

    /// Until nothing more is there, and it is in the file too.
    pub async fn catch_up(&mut self) -> Result<()> {
        let done = self.follow_and_export().await;
        self.told(done).await
    }

    async fn follow_and_export(&mut self) -> Result<()> {
        self.follow().await?;
        self.export().await
    }

    /// Takes from the file what was taken back. Why that fails is told again when everything is there.
    pub(super) async fn show(&mut self) {
        if self.withdrawn
            && let Err(error) = self.export().await
        {
            tracing::warn!(%error, "the file still shows what was taken back");
        }
    }

    /// The same, but not again and again.
    pub(super) async fn show_in_time(&mut self) {
        if self.shown.is_none_or(|at| at.elapsed() > SHOWN) {
            self.show().await;
        }
    }

    /// Writes the file, where the target is one and it is not as the copy is.
    pub(super) async fn export(&mut self) -> Result<()> {
        let written = self.write_file().await;
        self.written(&written);
        if let (TargetSpec::Files { path, .. }, true) = (&self.spec.target, self.withdrawn)
            && let Err(Error::Full(_) | Error::State(_) | Error::Decide(_)) = &written
            && path.exists()
        {
            // It shows what was taken back: better nothing at all.
            tracing::warn!(
                "the file cannot be written without what was taken back: it is removed until it can"
            );
            std::fs::remove_file(path).map_err(|error| Error::file(path, &error))?;
        }
        written
    }

    fn written(&mut self, written: &Result<()>) {
        if written.is_ok() && self.withdrawn {
            (self.withdrawn, self.shown) = (false, Some(Instant::now()));
        }
    }

    async fn write_file(&self) -> Result<()> {
        if self.is_loading().await? {
            return match self.standing().await? {
                Some(standing) => self.export_standing(&standing).await,
                None => Ok(()),
            };
        }
        let written = export::write(&self.spec, &self.target, &self.tables(false), &self.schema).await;
        if matches!(written, Err(Error::Decide(_))) {
            // The copy is damaged: it is time to verify it.
            self.set_note("last_verify", "").await?;
        }
        written
    }

    /// Until nothing more is there.
    pub(super) async fn follow(&mut self) -> Result<()> {
        self.take_in().await?;
        self.show().await;
        Ok(())
    }

    /// The same, and the file is behind.
    pub(super) async fn take_in(&mut self) -> Result<()> {
        let retry = self.spec.retry.clone();
        let this = tokio::sync::Mutex::new(self);
        loop {
            let end = again(retry.clone(), async || {
                let mut this = this.lock().await;
                this.reconnect().await?;
                this.step(Duration::ZERO).await
            })
            .await?;
            if end {
                return Ok(());
            }
        }
    }

    /// A connection that broke is made anew.
    async fn reconnect(&mut self) -> Result<()> {
        if self.target.is_closed() {
            let mut target = Target::open(&self.spec.target).await?;
            target.lock(&self.spec.name).await?;
            self.target = target;
        }
        Ok(())
    }

    /// What went wrong stands in the status, until a page is applied.
    async fn told<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done {
            let _ = self.target.say(&self.spec.name, &error.at_once()).await;
        }
        done
    }

    pub async fn verify(&mut self) -> Result<verify::Verified> {
        let done = verify::run(self).await;
        if done.is_err() {
            self.show().await;
        }
        self.told(done).await
    }

    async fn verify_due(&self) -> Result<bool> {
        let last = self.note("last_verify").await?;
        Ok(is_past(last.as_deref(), self.spec.verify))
    }
}

/// Keeps the copy current until it is told to stop.
pub async fn forever(replica: &mut Replica, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    // A verify that has to wait is put off: pages come first.
    replica.spec.retry.limit = Duration::ZERO;
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = replica.spec.wait;
        let round = tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            round = round(replica, wait) => round,
        };
        let Err(error) = replica.told(round).await else {
            pause = FIRST_PAUSE;
            continue;
        };
        if matches!(error, Error::Faults { .. } | Error::State(_)) {
            return Err(error);
        }
        let rest = rest(&error, pause);
        tracing::error!(problem = %error, again_in = ?rest, "the replica stands still");
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(rest) => {}
        }
        pause = (pause * 2).min(replica.spec.retry.pause);
    }
}

/// The pause, behind the time that the server asks for.
pub(super) fn rest(error: &Error, pause: Duration) -> Duration {
    error.retry_after().min(LONGEST).saturating_add(pause)
}

async fn round(replica: &mut Replica, wait: Duration) -> Result<()> {
    replica.reconnect().await?;
    if replica.step(wait).await? {
        // The file does not wait for a verify; and one that mends the copy writes it again.
        let written = replica.export().await;
        if replica.verify_due().await? {
            replica.verify().await?;
        } else {
            written?;
        }
    }
    Ok(())
}

async fn definition(spec: &Spec, client: &Client) -> Result<String> {
    let request = client
        .request(Method::GET, &format!("{}/definition", spec.data()))
        .await?;
    Ok(client.send(request).await?.text())
}
