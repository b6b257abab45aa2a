//! Driving with `wrk`: a script of uniformly random keys and tokens, and reading what it reports.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::site::{Grant, SET};
use crate::commands::Failure;

pub const CONNECTIONS: u32 = 64;
const THREADS: u32 = 2;

/// What one run gave. Latency in microseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Report {
    pub requests: u64,
    pub duration_us: f64,
    /// Answers of 400 and above.
    pub refused: u64,
    /// Connections refused, reads and writes that failed, time-outs.
    pub broken: u64,
    pub p50_us: f64,
    pub p99_us: f64,
}

impl Report {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / (self.duration_us / 1e6)
    }
}

/// Writes the script. Keys are uniform over `0..records`, grants over all given.
pub fn write_script(path: &Path, grants: &[Grant], records: u64) -> Result<(), Failure> {
    let mut script = String::from("local heads = {\n");
    for Grant {
        permission, token, ..
    } in grants
    {
        // Writing to a string does not fail.
        let _ = writeln!(
            script,
            "  {{ ['Authorization'] = 'Bearer {token}', ['X-DAGR-Permission'] = '{permission}' }},"
        );
    }
    let _ = write!(
        script,
        "}}\n\
         local period_ms = tonumber(os.getenv('PERIOD_MS') or '0')\n\
         local threads = 0\n\
         function setup(thread) thread:set('seed', threads); threads = threads + 1 end\n\
         function init() math.randomseed(os.time() * 7 + seed) end\n\
         function request()\n\
         \x20 local head = heads[math.random(#heads)]\n\
         \x20 return wrk.format('GET', '/data/{SET}/records/' .. math.random(0, {last}), head)\n\
         end\n\
         if period_ms > 0 then\n\
         \x20 function delay() return math.floor(-math.log(1 - math.random()) * period_ms + 0.5) end\n\
         end\n\
         function done(summary, latency)\n\
         \x20 local e = summary.errors\n\
         \x20 io.write(string.format('REPORT {{\"requests\":%d,\"duration_us\":%d,\"refused\":%d,\"broken\":%d,\"p50_us\":%f,\"p99_us\":%f}}\\n',\n\
         \x20   summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,\n\
         \x20   latency:percentile(50), latency:percentile(99)))\n\
         end\n",
        last = records.saturating_sub(1),
    );
    fs::write(path, script).map_err(|error| Failure::file(path, &error))
}

/// One run. `period_ms` = mean pause of a connection between two calls; 0 = none.
pub async fn run(script: &Path, url: &str, seconds: u64, period_ms: f64) -> Result<Report, Failure> {
    let mut command = Command::new("wrk");
    command
        .args([
            format!("-t{THREADS}"),
            format!("-c{CONNECTIONS}"),
            format!("-d{seconds}s"),
        ])
        .arg("-s")
        .arg(script)
        .arg(url)
        .env("PERIOD_MS", format!("{period_ms}"))
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .map_err(|error| Failure::here(error.to_string()))?
        .map_err(|error| {
            Failure::here(format!(
                "wrk: {error}; install it (Debian: apt install wrk), it makes the load"
            ))
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let report = text.lines().find_map(|line| line.strip_prefix("REPORT "));
    report
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            Failure::here(format!("wrk reported nothing: {error}{text}"))
        })
}
