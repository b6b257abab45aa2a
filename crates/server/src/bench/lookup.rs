//! `dagr bench lookup`

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Args;
use dagr_store::journal::Stats;
use http::Method;
use serde_json::{Value, json};

use super::{
    Size,
    bare::Bare,
    median,
    site::{self, Grant, SET, Site},
    step, wrk,
};
use crate::commands::Failure;

const GRANTS: usize = 50;
/// Alternating runs; the median counts.
const RUNS: usize = 3;
/// Within a second every entry is durable.
const SETTLE: Duration = Duration::from_millis(1_100);

#[derive(Args)]
pub struct Lookup {
    #[command(flatten)]
    size: Size,
    /// Of each run
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Records of persons: every answer waits until its entry is durable
    #[arg(long)]
    personal: bool,
}

pub async fn run(lookup: &Lookup) -> Result<Value, Failure> {
    let Size { records, dir } = &lookup.size;
    let site = Site::open(dir, lookup.personal).await?;
    step(&format!("loading {records} records"));
    site.load(*records).await?;
    let mut grants = Vec::new();
    for number in 0..GRANTS {
        grants.push(site.grant(number, site::mask(number)).await?);
    }
    let script = site.dir.path().join("lookup.lua");
    wrk::write_script(&script, &grants, *records)?;
    let bare = Bare::start(bodies(&grants, *records / 2).await?, Bytes::new())?;
    let bare_url = format!("http://{}", bare.address);
    let url = &site.running.public_url;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut answers, mut refused, mut broken) = (0, 0, 0);
    let before = settled(&site).await;
    for run in 1..=RUNS {
        step(&format!("run {run} of {RUNS}, {} s each", lookup.seconds));
        theirs.push(
            wrk::run(&script, &bare_url, lookup.seconds, 0.0)
                .await?
                .per_second(),
        );
        let report = wrk::run(&script, url, lookup.seconds, 0.0).await?;
        answers += report.requests;
        refused += report.refused;
        broken += report.broken;
        ours.push(report.per_second());
    }
    let after = settled(&site).await;
    let (ours, theirs) = (median(ours), median(theirs));
    step("half load");
    let bare_half = half(&script, &bare_url, lookup.seconds, theirs).await?;
    let our_half = half(&script, url, lookup.seconds, ours).await?;
    let sync = sync_ms(site.dir.path())?;
    let figures = json!({
        "records": records,
        "personal": lookup.personal,
        "permissions": GRANTS,
        "requests_per_second": ours,
        "bare_requests_per_second": theirs,
        "ratio": ours / theirs,
        "answers": answers,
        "refused": refused,
        "broken": broken,
        "entries_written": after.entries - before.entries,
        "syncs": after.syncs - before.syncs,
        "sync_4k_median_ms": sync.0,
        "sync_4k_p99_ms": sync.1,
        "sync_bound_requests_per_second": f64::from(wrk::CONNECTIONS) / (2.0 * sync.0 / 1e3),
        "half_load_requests_per_second": our_half.per_second(),
        "half_load_p50_ms": our_half.p50_us / 1e3,
        "half_load_p99_ms": our_half.p99_us / 1e3,
        "bare_half_load_p99_ms": bare_half.p99_us / 1e3,
    });
    bare.stop().await;
    site.running.stop().await;
    Ok(figures)
}

/// The log when no more entries come: those that nobody waits for are written a moment after their answers.
async fn settled(site: &Site) -> Stats {
    loop {
        let before = site.running.app.journal_stats();
        tokio::time::sleep(SETTLE).await;
        let after = site.running.app.journal_stats();
        if after.entries == before.entries {
            return after;
        }
    }
}

/// The connections pause so that half of what was reached is asked for.
async fn half(script: &Path, url: &str, seconds: u64, reached: f64) -> Result<wrk::Report, Failure> {
    let period_ms = f64::from(wrk::CONNECTIONS) / (reached / 2.0) * 1e3;
    wrk::run(script, url, seconds, period_ms).await
}

/// Each permission's answer for one record.
async fn bodies(grants: &[Grant], key: u64) -> Result<HashMap<String, Bytes>, Failure> {
    let mut bodies = HashMap::new();
    for Grant {
        client,
        permission,
        fields,
        ..
    } in grants
    {
        let request = client
            .request(Method::GET, &format!("/data/{SET}/records/{key}"))
            .await?;
        let answer = client.send(request).await?;
        let shown = answer.json()?;
        if shown.as_object().map(serde_json::Map::len) != Some(fields.len()) {
            return Err(Failure::here(format!(
                "permission {permission} shows other fields than granted: {shown}"
            )));
        }
        bodies.insert(permission.clone(), answer.body.into());
    }
    Ok(bodies)
}

/// Median and p99 of writing 4 KiB and syncing it, in milliseconds.
fn sync_ms(dir: &Path) -> Result<(f64, f64), Failure> {
    const TIMES: usize = 300;
    let path = dir.join("sync");
    let measured = || -> io::Result<Vec<f64>> {
        let file = File::create(&path)?;
        file.set_len(4_096 * TIMES as u64)?;
        file.sync_all()?;
        (0..TIMES)
            .map(|at| {
                let begun = Instant::now();
                file.write_all_at(&[7; 4_096], 4_096 * at as u64)?;
                file.sync_data()?;
                Ok(begun.elapsed().as_secs_f64() * 1e3)
            })
            .collect()
    };
    let mut times = measured().map_err(|error| Failure::file(&path, &error))?;
    times.sort_by(f64::total_cmp);
    Ok((times[TIMES / 2], times[TIMES * 99 / 100]))
}
