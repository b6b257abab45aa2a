//! `dagr bench connector`: a table of PostgreSQL through a feed, beside `COPY … TO STDOUT | wc -c` of the same table and
//! beside the server's own intake of the same records from a package that lies ready, before and after.
//!
//! The feed is this program as a process of its own, as its users run it; its memory is its high-water mark (VmHWM), binary
//! and cache included. `check` reads, maps and makes canonical and keeps nothing: the connector into a discarding sink.
//! Processor seconds say more than the clock where others use the machine too.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::{Value, json};

use super::{batch::since, psql, site::Site, step};
use crate::{client::Client, commands::Failure, demo::usage};

const SETS: [&str; 3] = ["bench_intake", "bench_feed", "bench_intake_after"];
const TABLE: &str = "dagr_bench_person";

#[derive(Args, Clone)]
pub struct Connector {
    /// Rows of the table
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// A database in which a table may be made and dropped: postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    postgres: String,
    /// Directory on the disk to measure; what is made below it is removed again
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

pub async fn run(bench: &Connector) -> Result<Value, Failure> {
    let Connector {
        records,
        postgres,
        dir,
    } = bench;
    let site = Site::open(dir, false).await?;
    for set in SETS {
        site.set(set, &definition(set)).await?;
    }
    step(&format!("a table of {records} rows"));
    psql::run(postgres, &table(*records))?;
    let table = Table(postgres.clone());
    // A register was vacuumed long ago; this one would be while it is read.
    psql::run(postgres, &format!("VACUUM ANALYZE {TABLE}"))?;
    step("the same records as a package, delivered");
    let package = site.dir.path().join("package.ndjson.zst");
    write_package(&package, *records).map_err(|error| Failure::file(&package, &error))?;
    let begun = usage::processor_seconds();
    let before = deliver(&site, SETS[0], &package, *records).await?;
    let intake_processor = since(begun);
    step("COPY … TO STDOUT | wc -c");
    let copy = copy(postgres)?;
    let feed = feed_file(&site, postgres)?;
    step("dagr connector check");
    let check = dagr(&["connector", "check"], &feed)?;
    step("dagr connector once: everything");
    let begun = usage::processor_seconds();
    let once = dagr(&["connector", "once"], &feed)?;
    let server_processor = since(begun);
    step("the same records as a package, delivered again, to another set");
    let after = deliver(&site, SETS[2], &package, *records).await?;
    // Whatever else the machine does comes and goes.
    let intake = f64::midpoint(before, after);
    let sent = once.answer["upserts"].as_u64().unwrap_or(0);
    step("dagr connector once: nothing has changed");
    let again = dagr(&["connector", "once"], &feed)?;
    drop(table);
    site.running.stop().await;
    let complete = (&check.answer["records"], sent, &again.answer["upserts"]);
    if complete != (&json!(records), *records, &json!(0)) {
        return Err(Failure::here(format!(
            "not everything was read or sent: {complete:?}"
        )));
    }
    Ok(json!({
        "records": records,
        "intake_before_seconds": before,
        "intake_after_seconds": after,
        "intake_seconds": intake,
        "intake_processor_seconds": intake_processor,
        "copy_seconds": copy,
        "check_seconds": check.seconds,
        "check_memory_mb": check.memory_mb,
        "once_seconds": once.seconds,
        "once_records_per_second": *records as f64 / once.seconds,
        "once_processor_seconds": once.processor,
        "once_server_processor_seconds": server_processor,
        "once_memory_mb": once.memory_mb,
        "unchanged_seconds": again.seconds,
        "unchanged_memory_mb": again.memory_mb,
        "ratio_once_to_intake": intake / once.seconds,
        "ratio_check_to_copy": copy / check.seconds,
    }))
}

fn definition(set: &str) -> String {
    format!(
        "name: {set}\nkey: Id\ndata_description: rows to measure with\nclassification: restricted\nguard: 100%\nfields:\n  \
         - Id int! : key\n  - Name : name\n  - City : city\n  - Born date : born\n  - Height decimal : m\n  \
         - Active bool : active\n  - Changed timestamp : changed\n"
    )
}

fn table(records: u64) -> String {
    format!(
        "SET client_min_messages = 'error'; DROP TABLE IF EXISTS {TABLE};
         CREATE TABLE {TABLE} (id bigint, name text, city text, born date, height numeric(4,2), active boolean, changed timestamptz);
         INSERT INTO {TABLE} SELECT n, 'Jānis Bērziņš ' || n, 'Rīga ' || n % 900, date '1950-01-01' + (n % 20000)::int,
           1.50 + (n % 50) / 100.0, n % 2 = 0, timestamptz '2026-01-01 00:00:00Z' + n % 100000 * interval '1 second'
         FROM generate_series(1, {records}) n;
         ALTER TABLE {TABLE} ADD PRIMARY KEY (id)"
    )
}

/// Dropped with the value.
struct Table(String);

impl Drop for Table {
    fn drop(&mut self) {
        // What cannot be dropped is replaced by the next run.
        let _ = psql::run(&self.0, &format!("DROP TABLE IF EXISTS {TABLE}"));
    }
}

fn copy(url: &str) -> Result<f64, Failure> {
    let failed = |error: std::io::Error| Failure::here(format!("psql | wc: {error}"));
    let begun = Instant::now();
    let mut copying = psql::command(url)
        .args(["--command", &format!("COPY {TABLE} TO STDOUT")])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let from = copying.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let counted = Command::new("wc")
        .arg("-c")
        .stdin(from)
        .output()
        .map_err(failed)?;
    copying.wait().map_err(failed)?;
    let seconds = begun.elapsed().as_secs_f64();
    let bytes: u64 = String::from_utf8_lossy(&counted.stdout)
        .trim()
        .parse()
        .unwrap_or(0);
    if bytes == 0 {
        return Err(Failure::here("COPY gave nothing".to_owned()));
    }
    Ok(seconds)
}

fn feed_file(site: &Site, postgres: &str) -> Result<PathBuf, Failure> {
    let dir = site.dir.path();
    let key = dir.join("feed.pem");
    let path = dir.join("feed.toml");
    fs::copy(dir.join("p.pem"), &key).map_err(|error| Failure::file(&key, &error))?;
    let text = format!(
        "dataset = '{}'\n[server]\nurl = '{}'\nclient_id = 'p'\nkey = {{ file = 'feed.pem' }}\n[source]\nkind = 'postgres'\nurl = '{postgres}'\ntable = '{TABLE}'\n",
        SETS[1], site.running.public_url
    );
    fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    Ok(path)
}

struct Ran {
    seconds: f64,
    processor: f64,
    memory_mb: u64,
    answer: Value,
}

/// This program, with the feed's file.
fn dagr(arguments: &[&str], feed: &Path) -> Result<Ran, Failure> {
    let failed = |error: std::io::Error| Failure::here(format!("dagr {}: {error}", arguments.join(" ")));
    let begun = Instant::now();
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .arg("--json")
        .args(arguments)
        .arg(feed)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let process = child.id().to_string();
    let status = format!("/proc/{process}/status");
    let (mut memory, mut processor) = (0, 0.0f64);
    while child.try_wait().map_err(failed)?.is_none() {
        // Zero once the process has gone.
        memory = memory.max(high_water(&status));
        processor = processor.max(usage::processor_seconds_of(&process).unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(Failure::here(format!("dagr {} failed", arguments.join(" "))));
    }
    Ok(Ran {
        seconds,
        processor,
        memory_mb: memory / 1_000_000,
        answer: serde_json::from_slice(&output.stdout).unwrap_or_default(),
    })
}

/// Most memory a process has held, in bytes.
fn high_water(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}

/// Seconds of a delivery of a package that lies in a file.
async fn deliver(site: &Site, set: &str, package: &Path, records: u64) -> Result<f64, Failure> {
    let key = site.dir.path().join("p.pem");
    let key = fs::read_to_string(&key).map_err(|error| Failure::file(&key, &error))?;
    let client = Client::connection(&site.running.public_url, "p", &key)?;
    let begun = Instant::now();
    let file = tokio::fs::File::open(package)
        .await
        .map_err(|error| Failure::file(package, &error))?;
    let headers = [
        (http::header::CONTENT_TYPE, "application/x-ndjson"),
        (http::header::CONTENT_ENCODING, "zstd"),
    ];
    let path = format!("/intake/{set}/packages/first?mode=snapshot");
    let receipt = client.put_stream(&path, &headers, file).await?;
    if receipt["accepted"].as_u64() != Some(records) {
        return Err(Failure::here(format!("not everything was accepted: {receipt}")));
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// What the table holds, as records.
fn write_package(path: &Path, records: u64) -> std::io::Result<()> {
    let mut out = zstd::stream::write::Encoder::new(fs::File::create(path)?, 1)?;
    let first: jiff::civil::Date = jiff::civil::date(1950, 1, 1);
    let moment: jiff::Timestamp = jiff::Timestamp::constant(1_767_225_600, 0);
    for n in 1..=records {
        let born = first.saturating_add(jiff::Span::new().days((n % 20_000) as i64));
        let changed = moment + Duration::from_secs(n % 100_000);
        let height = 150 + n % 50;
        writeln!(
            out,
            "{{\"op\":\"upsert\",\"record\":{{\"Id\":{n},\"Name\":\"Jānis Bērziņš {n}\",\"City\":\"Rīga {}\",\"Born\":\"{born}\",\"Height\":{}.{:02},\"Active\":{},\"Changed\":\"{changed}\"}}}}",
            n % 900,
            height / 100,
            height % 100,
            n.is_multiple_of(2)
        )?;
    }
    out.finish()?.sync_all()
}
