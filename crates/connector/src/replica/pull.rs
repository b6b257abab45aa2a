//! Follows the feed of a permission and applies it, page by page, each with its cursor in one transaction.

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_model::{definition::Definition, fault::Fault, schema::Schema};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Spec, TargetSpec, export, plan::Table, rows, target::Target, verify};
use crate::{
    client::{CallError, Client},
    deliver::again,
    error::{Error, Result},
    metrics::Gauges,
    run::{client, is_past},
};

/// Changes of one page.
const PAGE: usize = 5_000;
/// How often the definition is asked for while changes come.
const DEFINITION: Duration = Duration::from_secs(5);
/// End of the names of tables that are being loaded.
const LOADING: &str = "__loading";
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub struct Replica {
    pub(super) spec: Spec,
    pub(super) client: Client,
    pub(super) target: Target,
    pub(super) schema: Arc<Schema>,
    text: String,
    asked: Option<Instant>,
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
        let target = Target::open(&spec.target).await?;
        let text = definition(&spec, &client).await?;
        let schema = compile(&text)?;
        let mut replica = Self {
            spec,
            client,
            target,
            schema,
            text,
            asked: Some(Instant::now()),
        };
        let known = replica.note("definition").await?;
        match known {
            Some(known) if known != replica.text => {
                let now = replica.text.clone();
                replica.text = known.clone();
                replica.schema = compile(&known)?;
                replica.adopt(now).await?;
            }
            Some(_) => {}
            None => replica.start_over().await?,
        }
        Ok(replica)
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

    /// The tables pages go to now.
    pub(super) async fn table(&self) -> Result<Table> {
        let loading = self.note("phase").await?.as_deref() == Some("loading");
        Ok(self.tables(loading))
    }

    pub(super) fn tables(&self, loading: bool) -> Table {
        Table::of(&self.schema.definition, if loading { LOADING } else { "" })
    }

    /// Loads everything anew into tables beside the copy, which stays until the new one is whole.
    pub(super) async fn start_over(&mut self) -> Result<()> {
        let table = self.tables(true);
        self.target.begin().await?;
        self.target.remove(&table).await?;
        self.target.make(&table).await?;
        for (name, value) in [
            ("definition", self.text.as_str()),
            ("phase", "loading"),
            ("cursor", ""),
        ] {
            self.set_note(name, value).await?;
        }
        self.target.commit().await
    }

    /// The loaded tables take the place of the copy.
    async fn whole(&mut self) -> Result<()> {
        let (loading, own) = (self.tables(true), self.tables(false));
        // The copy before may have had other tables.
        if let Some(before) = self
            .note("tables")
            .await?
            .and_then(|text| serde_json::from_str::<Table>(&text).ok())
        {
            self.target.remove(&before).await?;
        }
        self.target.remove(&own).await?;
        self.target.rename(&loading, &own).await?;
        self.set_note("tables", &json!(own).to_string()).await?;
        self.set_note(export::FILE, "").await?;
        self.set_note("phase", "following").await
    }

    /// A definition that is not the one the tables were made by.
    async fn adopt(&mut self, text: String) -> Result<()> {
        let schema = compile(&text)?;
        let (before, after) = (&self.schema.definition, &schema.definition);
        if key_of(before) != key_of(after) {
            let message = format!(
                "the key is {} now and was {}: a new replica is needed, with a name of its own",
                key_of(after),
                key_of(before)
            );
            return Err(Error::Faults {
                what: "the definition changed in a way that the copy cannot follow".to_owned(),
                faults: vec![Fault::new("key", "definition_incompatible", message)],
            });
        }
        let (old, new) = (Table::of(before, ""), Table::of(after, ""));
        let loading = self.note("phase").await?.as_deref() == Some("loading");
        self.text = text;
        self.schema = schema;
        if loading || !self.alter(&old, &new).await? {
            tracing::info!("the definition changed: the copy is loaded anew beside the present one");
            return self.start_over().await;
        }
        tracing::info!("the copy follows the definition");
        Ok(())
    }

    /// Adds and drops columns and tables, all at once. `false`: it takes more than that.
    async fn alter(&mut self, old: &Table, new: &Table) -> Result<bool> {
        let named = |table: &Table| -> BTreeMap<String, Table> {
            table
                .all()
                .into_iter()
                .map(|table| (table.name.clone(), table.clone()))
                .collect()
        };
        let (old_tables, new_tables) = (named(old), named(new));
        for (name, before) in &old_tables {
            let Some(after) = new_tables.get(name) else {
                continue;
            };
            let changed = before.columns.iter().any(|column| {
                after.columns.iter().any(|now| {
                    now.name == column.name && (now.kind != column.kind || now.path != column.path)
                })
            });
            if changed || before.depth != after.depth || before.path != after.path {
                return Ok(false);
            }
        }
        self.target.begin().await?;
        for (name, before) in &old_tables {
            match new_tables.get(name) {
                None => {
                    let mut alone = before.clone();
                    alone.lists.clear();
                    self.target.remove(&alone).await?;
                }
                Some(after) => {
                    for column in before
                        .columns
                        .iter()
                        .filter(|column| !after.columns.contains(column))
                    {
                        self.target.drop_column(before, column).await?;
                    }
                    for column in after
                        .columns
                        .iter()
                        .filter(|column| !before.columns.contains(column))
                    {
                        self.target.add_column(after, column).await?;
                    }
                }
            }
        }
        for (name, after) in &new_tables {
            if !old_tables.contains_key(name) {
                let mut alone = after.clone();
                alone.lists.clear();
                self.target.make(&alone).await?;
            }
        }
        self.set_note("definition", &self.text).await?;
        self.set_note("tables", &json!(new).to_string()).await?;
        self.set_note(export::FILE, "").await?;
        self.target.commit().await?;
        Ok(true)
    }

    /// Is the definition what it was?
    async fn look_at_definition(&mut self) -> Result<()> {
        let text = definition(&self.spec, &self.client).await?;
        self.asked = Some(Instant::now());
        if text == self.text {
            Ok(())
        } else {
            self.adopt(text).await
        }
    }

    /// Applies one page. `true`: nothing more is there now.
    pub async fn step(&mut self, wait: Duration) -> Result<bool> {
        let cursor = self.note("cursor").await?;
        let page = match self.fetch(cursor.as_deref(), wait).await {
            Err(Error::Call(CallError::Refused(refusal))) if refusal.code == "cursor_expired" => {
                tracing::warn!(detail = refusal.detail, "the copy is loaded anew");
                self.start_over().await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
            Ok(answer) => answer,
        };
        let read = match self.read(&page) {
            Ok(read) => read,
            // The permission or the definition has just changed: by the new one it reads.
            Err(first) => {
                let before = self.text.clone();
                self.look_at_definition().await?;
                if before == self.text {
                    return Err(first);
                }
                if self.note("cursor").await? != cursor {
                    return Ok(false);
                }
                self.read(&page)?
            }
        };
        let end = read.end;
        // An amended permission tells records anew, and then no more of them come: the end of pages always asks.
        if end || self.asked.is_none_or(|at| at.elapsed() > DEFINITION) {
            self.look_at_definition().await?;
            if self.note("cursor").await? != cursor {
                return Ok(false);
            }
        }
        self.apply(read, cursor.is_none()).await?;
        Ok(end)
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

    async fn apply(&mut self, page: Page, first: bool) -> Result<()> {
        let table = self.table().await?;
        let loading = self.note("phase").await?.as_deref() == Some("loading");
        self.target.begin().await?;
        let applied = self.write(&table, &page, first).await;
        let done = match applied {
            Ok(()) if loading && page.end => self.whole().await,
            other => other,
        };
        if let Err(error) = done {
            let _ = self.target.run("ROLLBACK").await;
            return Err(error);
        }
        self.target.commit().await
    }

    async fn write(&self, table: &Table, page: &Page, first: bool) -> Result<()> {
        let mut gone: Vec<Vec<u8>> = page.deletes.clone();
        if !first {
            gone.extend(page.upserts.iter().map(|(key, _)| key.clone()));
        }
        if !gone.is_empty() {
            self.target.delete(table, &gone).await?;
        }
        self.put(table, &page.upserts).await?;
        if !page.upserts.is_empty() || !page.deletes.is_empty() {
            self.set_note(export::FILE, "").await?;
        }
        self.set_note("cursor", &page.next).await?;
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
        self.follow().await?;
        self.export().await
    }

    /// Writes the file, where the target is one and it is not as the copy is.
    pub(super) async fn export(&self) -> Result<()> {
        let written = export::write(&self.spec, &self.target, &self.tables(false), &self.schema).await;
        if matches!(written, Err(Error::Decide(_))) {
            // The copy is damaged: it is time to verify it.
            self.set_note("last_verify", "").await?;
        }
        written
    }

    /// Until nothing more is there.
    pub(super) async fn follow(&mut self) -> Result<()> {
        let retry = self.spec.retry.clone();
        let this = tokio::sync::Mutex::new(self);
        loop {
            let end = again(retry.clone(), async || {
                this.lock().await.step(Duration::ZERO).await
            })
            .await?;
            if end {
                return Ok(());
            }
        }
    }

    pub async fn verify(&mut self) -> Result<verify::Verified> {
        verify::run(self).await
    }

    async fn verify_due(&self) -> Result<bool> {
        let last = self.note("last_verify").await?;
        Ok(is_past(last.as_deref(), self.spec.verify))
    }
}

/// Keeps the copy current until it is told to stop.
pub async fn forever(replica: &mut Replica, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = replica.spec.wait;
        let round = tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            round = round(replica, wait) => round,
        };
        let Err(error) = round else {
            pause = FIRST_PAUSE;
            continue;
        };
        if matches!(error, Error::Faults { .. } | Error::State(_)) {
            return Err(error);
        }
        tracing::error!(problem = %error, again_in = ?pause, "the replica stands still");
        let _ = replica.set_note("problem", &error.to_string()).await;
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(replica.spec.retry.pause);
        // A connection that broke is made anew.
        if let Ok(target) = Target::open(&replica.spec.target).await {
            replica.target = target;
        }
    }
}

async fn round(replica: &mut Replica, wait: Duration) -> Result<()> {
    let end = replica.step(wait).await?;
    if replica.note("problem").await?.is_some() {
        replica.set_note("problem", "").await?;
    }
    if end && replica.verify_due().await? {
        replica.verify().await?;
    } else if end {
        replica.export().await?;
    }
    Ok(())
}

/// How a replica stands.
pub async fn status(path: &Path) -> Result<Value> {
    let spec = Spec::load(path)?;
    if let TargetSpec::Sqlite { path } | TargetSpec::Files { state: path, .. } = &spec.target
        && !path.exists()
    {
        return Ok(json!({ "replica": spec.name, "dataset": spec.dataset, "state": "new" }));
    }
    let target = Target::open(&spec.target).await?;
    let note = async |name: &str| -> Result<Option<String>> {
        Ok(target
            .note(&spec.name, name)
            .await?
            .filter(|text| !text.is_empty()))
    };
    let (phase, problem) = (note("phase").await?, note("problem").await?);
    let caught_up = note("caught_up").await?.as_deref() == Some("true");
    let state = match (phase.as_deref(), &problem) {
        (_, Some(_)) => "problem",
        (None, _) => "new",
        (Some("loading"), _) => "loading",
        _ if caught_up => "current",
        _ => "following",
    };
    Ok(json!({
        "replica": spec.name,
        "dataset": spec.dataset,
        "state": state,
        "problem": problem,
        "last_page": note("last_page").await?,
        "last_verify": note("last_verify").await?,
        "records": note("records").await?.and_then(|text| text.parse::<u64>().ok()),
        "digest": note("digest").await?,
    }))
}

/// The same as Prometheus text.
pub fn metrics(status: &Value) -> String {
    let mut gauges = Gauges::of("dagr_replica", "replica", &status["replica"]);
    for (name, help, value) in [
        (
            "current",
            "1 while the copy is up to date.",
            &json!(status["state"] == "current"),
        ),
        (
            "problem",
            "1 while the replica stands still.",
            &json!(status["problem"].is_string()),
        ),
        (
            "verified_records",
            "Records of the copy when it was last verified.",
            &status["records"],
        ),
        (
            "last_page_seconds",
            "When the last page was applied.",
            &status["last_page"],
        ),
        (
            "last_verify_seconds",
            "When the copy was last verified.",
            &status["last_verify"],
        ),
    ] {
        gauges.put(name, help, value);
    }
    gauges.text()
}

async fn definition(spec: &Spec, client: &Client) -> Result<String> {
    let request = client
        .request(Method::GET, &format!("{}/definition", spec.data()))
        .await?;
    Ok(client.send(request).await?.text())
}

fn compile(text: &str) -> Result<Arc<Schema>> {
    let definition: Definition = text.parse().map_err(|faults| Error::Faults {
        what: "the definition cannot be read".to_owned(),
        faults,
    })?;
    Ok(Arc::new(Schema::compile(Arc::new(definition), None)))
}

fn key_of(definition: &Definition) -> String {
    let typed = |name: &str| match definition.field(name) {
        Some(field) => format!("{name} {}", field.ty),
        None => name.to_owned(),
    };
    definition.key.fields().map(typed).collect::<Vec<_>>().join(", ")
}
