//! `dagr bench follow`: rows of a PostgreSQL table changed one by one at a rate, and how long each takes from its
//! statement to a look-up, and to a recipient's own copy in the same database. Source, feed, server and replica share
//! the machine; feed and replica are processes of their own, as their users run them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    psql::{self, Session},
    site::{Grant, Site},
    step,
};
use crate::commands::Failure;

const SET: &str = "bench_follow";
const TABLE: &str = "dagr_bench_follow";
const COPY: &str = "dagr_bench_copy";
/// Sessions that change rows: each commits alone.
const WRITERS: u64 = 16;
/// Changes that are looked for at once, by look-up and in the copy.
const WATCHERS: usize = 4;
/// Longest wait for a change.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Args, Clone)]
pub struct Follow {
    /// Changes a second, each a transaction of its own
    #[arg(long, default_value_t = 1_000)]
    rate: u64,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Rows of the table
    #[arg(long, default_value_t = 100_000)]
    records: u64,
    /// A database with wal_level = logical in which tables may be made and dropped: postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    postgres: String,
    /// Directory on the disk to measure; what is made below it is removed again
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

pub async fn run(bench: &Follow) -> Result<Value, Failure> {
    let url = &bench.postgres;
    if Session::open(url)?.ask("SHOW wal_level")? != "logical" {
        return Err(Failure::here(
            "the database cannot be followed: ALTER SYSTEM SET wal_level = 'logical', and start PostgreSQL anew".to_owned(),
        ));
    }
    let site = Site::open(&bench.dir, false).await?;
    site.set(SET, DEFINITION).await?;
    let fields = ["Id", "N", "Word", "Changed"].map(str::to_owned).to_vec();
    let grant = site.grant_of(SET, 0, fields).await?;
    step(&format!("a table of {} rows", bench.records));
    let _made = Made(url.clone());
    psql::run(url, &table(bench.records))?;
    let dir = site.dir.path();
    let feed = write(dir, "p", &feed_file(&site, url))?;
    let replica = write(dir, "c0", &replica_file(&site, &grant, url))?;
    step("feed and replica load it");
    let services = [
        Running::start(&["connector", "run"], &feed)?,
        Running::start(&["replica", "run"], &replica)?,
    ];
    loaded(url, bench.records).await?;
    step(&format!(
        "{} changes a second for {} s",
        bench.rate, bench.seconds
    ));
    let changes = Arc::new(Changes {
        issued: AtomicU64::new(0),
        over: AtomicBool::new(false),
        records: bench.records,
    });
    let begun = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (bench, changes) = (bench.clone(), Arc::clone(&changes));
            std::thread::spawn(move || change(&bench, number, &changes))
        })
        .collect();
    while !changes.have_begun() && !writers.iter().any(JoinHandle::is_finished) {
        tokio::time::sleep(PAUSE).await;
    }
    let mut looking = JoinSet::new();
    let mut copying = JoinSet::new();
    for _ in 0..WATCHERS {
        let client = grant.client.clone();
        looking.spawn(look_up(client, Arc::clone(&changes)));
        let (url, changes) = (url.clone(), Arc::clone(&changes));
        copying.spawn_blocking(move || look_in_copy(&url, &changes));
    }
    let mut made = 0;
    for writer in writers {
        made += writer
            .join()
            .map_err(|_| Failure::here("a writer ended early".to_owned()))??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    changes.over.store(true, Ordering::Relaxed);
    let looked = gathered(looking.join_all().await)?;
    let copied = gathered(copying.join_all().await)?;
    drop(services);
    site.running.stop().await;
    Ok(json!({
        "changes": made,
        "changes_per_second": made as f64 / seconds,
        "look_up_samples": looked.len(),
        "look_up_p50_ms": share(&looked, 50),
        "look_up_p99_ms": share(&looked, 99),
        "look_up_max_ms": share(&looked, 100),
        "copy_samples": copied.len(),
        "copy_p50_ms": share(&copied, 50),
        "copy_p99_ms": share(&copied, 99),
        "copy_max_ms": share(&copied, 100),
    }))
}

const DEFINITION: &str = "name: bench_follow\nkey: Id\ndata_description: rows to measure with\nclassification: restricted\nfields:\n  - Id int! : key\n  - N int : number of the change\n  - Word : word\n  - Changed timestamp : when the statement ran\n";

fn table(records: u64) -> String {
    format!(
        "SET client_min_messages = 'error'; {GONE};
         CREATE TABLE {TABLE} (id bigint PRIMARY KEY, n bigint, word text, changed timestamptz);
         INSERT INTO {TABLE} SELECT k, 0, 'vārds ' || k, now() FROM generate_series(0, {records} - 1) k; ANALYZE {TABLE}"
    )
}

const GONE: &str = "DROP SCHEMA IF EXISTS dagr_bench_copy CASCADE; DROP TABLE IF EXISTS dagr_bench_follow";

/// What the bench made in the database goes with the value.
struct Made(String);

impl Drop for Made {
    fn drop(&mut self) {
        let slot = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE '%bench_follow%' AND NOT active";
        let publication = "DROP PUBLICATION IF EXISTS dagr_bench_follow";
        // What cannot be dropped is replaced by the next run.
        for text in [GONE, publication, slot] {
            let _ = psql::command(&self.0)
                .args(["--command", text])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

fn feed_file(site: &Site, url: &str) -> String {
    format!(
        "dataset = '{SET}'\n[server]\nurl = '{}'\nclient_id = 'p'\nkey = {{ file = 'p.pem' }}\n[source]\nkind = 'postgres'\nurl = '{url}'\ntable = 'public.{TABLE}'\n[source.follow]\nevery = '20ms'\n",
        site.running.public_url
    )
}

fn replica_file(site: &Site, grant: &Grant, url: &str) -> String {
    format!(
        "dataset = '{SET}'\npermission = '{}'\nwait = '30s'\n[server]\nurl = '{}'\nclient_id = 'c0'\nkey = {{ file = 'c0.pem' }}\n[target]\nkind = 'postgres'\nurl = '{url}'\nschema = '{COPY}'\n",
        grant.permission, site.running.public_url
    )
}

fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = dir.join(format!("{name}.toml"));
    fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    Ok(path)
}

/// This program as a service; killed with the value.
struct Running(Child);

impl Running {
    fn start(words: &[&str], file: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::here(format!("dagr {}: {error}", words.join(" ")));
        let child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(words)
            .arg(file)
            .env("DAGR_LOG__LEVEL", "warn")
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the copy has every row.
async fn loaded(url: &str, records: u64) -> Result<(), Failure> {
    let mut session = Session::open(url)?;
    let begun = Instant::now();
    let is_there = format!("SELECT to_regclass('{COPY}.{SET}') IS NOT NULL");
    let count = format!("SELECT count(*) FROM {COPY}.{SET}");
    loop {
        if session.ask(&is_there)? == "t" && session.ask(&count)? == records.to_string() {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::here("the copy is not there in time".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

struct Changes {
    /// Changes made so far; each row has the number of its last one.
    issued: AtomicU64,
    over: AtomicBool,
    records: u64,
}

impl Changes {
    /// A change that was just made: its number and row. `None` = no more are made.
    fn newest(&self) -> Option<(u64, u64)> {
        let number = self.issued.load(Ordering::Relaxed);
        (!self.over.load(Ordering::Relaxed)).then_some((number, number % self.records))
    }

    /// Nothing to look for before the first.
    fn have_begun(&self) -> bool {
        self.issued.load(Ordering::Relaxed) > 0
    }
}

/// One writer's share, paced; how many it made.
fn change(bench: &Follow, writer: u64, changes: &Changes) -> Result<u64, Failure> {
    let mut session = Session::open(&bench.postgres)?;
    let (begun, mut made) = (Instant::now(), 0);
    let pause = Duration::from_secs_f64(WRITERS as f64 / bench.rate as f64);
    while begun.elapsed() < Duration::from_secs(bench.seconds) {
        let number = 1 + writer + made * WRITERS;
        let row = number % bench.records;
        session.ask(&format!(
            "UPDATE {TABLE} SET n = {number}, changed = clock_timestamp() WHERE id = {row} RETURNING n"
        ))?;
        made += 1;
        changes.issued.store(number, Ordering::Relaxed);
        let due = pause * made as u32;
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    Ok(made)
}

type Samples = Vec<f64>;

/// Milliseconds from a change's statement until a look-up shows it, change after change.
async fn look_up(client: crate::client::Client, changes: Arc<Changes>) -> Result<Samples, Failure> {
    let mut samples = Vec::new();
    while let Some((number, row)) = changes.newest() {
        let begun = Instant::now();
        loop {
            let record = client.get(&format!("/data/{SET}/records/{row}")).await?;
            if record["N"].as_u64() >= Some(number) {
                let changed: Option<Timestamp> =
                    record["Changed"].as_str().and_then(|text| text.parse().ok());
                let changed = changed.ok_or_else(|| Failure::here(format!("no time in {record}")))?;
                samples.push(Timestamp::now().duration_since(changed).as_secs_f64() * 1e3);
                break;
            }
            in_time(begun)?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(samples)
}

/// The same until the recipient's copy has it.
fn look_in_copy(url: &str, changes: &Changes) -> Result<Samples, Failure> {
    let mut session = Session::open(url)?;
    let mut samples = Vec::new();
    while let Some((number, row)) = changes.newest() {
        let query = format!(
            "SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - \"Changed\")::text FROM {COPY}.{SET} WHERE \"Id\" = {row} AND \"N\" >= {number}), '')"
        );
        let begun = Instant::now();
        loop {
            if let Ok(seconds) = session.ask(&query)?.parse::<f64>() {
                samples.push(seconds * 1e3);
                break;
            }
            in_time(begun)?;
            std::thread::sleep(PAUSE);
        }
    }
    Ok(samples)
}

fn in_time(begun: Instant) -> Result<(), Failure> {
    if begun.elapsed() < PATIENCE {
        return Ok(());
    }
    Err(Failure::here("a change did not arrive in time".to_owned()))
}

fn gathered(each: Vec<Result<Samples, Failure>>) -> Result<Samples, Failure> {
    let all: Vec<Samples> = each.into_iter().collect::<Result<_, _>>()?;
    let mut all = all.concat();
    if all.is_empty() {
        return Err(Failure::here("nothing was measured".to_owned()));
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// So many hundredths of the samples are not longer.
fn share(samples: &[f64], hundredths: usize) -> f64 {
    let at = (samples.len() * hundredths).div_ceil(100).saturating_sub(1);
    samples.get(at).copied().unwrap_or_default()
}
