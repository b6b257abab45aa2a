//! `dagr bench start`

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use super::{Size, median, site, site::Site, step};
use crate::{commands::Failure, demo::usage};

const RUNS: usize = 3;

pub async fn run(size: &Size) -> Result<Value, Failure> {
    let site = Site::open(&size.dir, true).await?;
    step(&format!("loading {} records", size.records));
    site.load(size.records).await?;
    // The permission and a look-up under it: the start has something to rebuild.
    let grant = site.grant(0, site::all_fields()).await?;
    grant
        .client
        .get(&format!("/data/{}/records/0", site::SET))
        .await?;
    let data = site.running.dir.clone();
    site.running.stop().await;
    let disk = usage::disk_bytes(&data);
    let (mut seconds, mut memory) = (Vec::new(), Vec::new());
    for run in 1..=RUNS {
        step(&format!("start {run} of {RUNS}"));
        let place = data.clone();
        let started = tokio::task::spawn_blocking(move || start(&place))
            .await
            .map_err(|error| Failure::here(error.to_string()))?
            .map_err(|error| Failure::here(format!("the server did not start: {error}")))?;
        seconds.push(started.0);
        memory.push(started.1 as f64 / 1e6);
    }
    Ok(json!({
        "records": size.records,
        "disk_bytes": disk,
        "start_seconds": median(seconds),
        "idle_memory_mb": median(memory),
    }))
}

/// Starts a server of its own process; seconds until it is ready and its anonymous memory then.
fn start(data: &Path) -> io::Result<(f64, u64)> {
    let begun = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve", "--data"])
        .arg(data)
        .env("DAGR_LISTEN__DATA", "127.0.0.1:0")
        .env("DAGR_LISTEN__OPERATIONS", "127.0.0.1:0")
        .env("DAGR_LOG__LEVEL", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let memory = anonymous_memory(child.id()).unwrap_or(0);
    child.kill()?;
    child.wait()?;
    if line.contains("ready") {
        Ok((seconds, memory))
    } else {
        Err(io::Error::other(line))
    }
}

fn anonymous_memory(process: u32) -> Option<u64> {
    usage::anonymous(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}
