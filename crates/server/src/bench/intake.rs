//! `dagr bench intake`

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dagr_store::kv::{Direction, Engine, KvError, Range, Table};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};
use serde_json::{Value, json};

use super::{Size, site::Site, step};
use crate::{commands::Failure, demo::usage};

/// What one entry takes beside its bytes, for the hint of a bulk.
const ENTRY_OVERHEAD: u64 = 16;

pub async fn run(size: &Size) -> Result<Value, Failure> {
    let site = Site::open(&size.dir, true).await?;
    step(&format!("delivering {} records", size.records));
    let idle = usage::own_memory().unwrap_or(0);
    let watch = MemoryWatch::start();
    let processor = usage::processor_seconds();
    let loaded = site.load(size.records).await?;
    let processor = since(processor);
    let peak = watch.end().await;
    let sets = site.running.dir.join("sets");
    site.running.stop().await;
    step("the engine's own batch of the same entries");
    let to = site.dir.path().join("raw");
    let raw = tokio::task::spawn_blocking(move || batch(sets, to))
        .await
        .map_err(|error| Failure::here(error.to_string()))?
        .map_err(|error| Failure::here(error.to_string()))?;
    let rate = size.records as f64 / loaded.seconds;
    let raw_rate = size.records as f64 / raw.seconds;
    Ok(json!({
        "records": size.records,
        "package_bytes": loaded.bytes,
        "seconds": loaded.seconds,
        "records_per_second": rate,
        "processor_seconds": processor,
        "entries": raw.entries,
        "raw_seconds": raw.seconds,
        "raw_processor_seconds": raw.processor,
        "raw_records_per_second": raw_rate,
        "ratio": rate / raw_rate,
        "memory_idle_mb": idle / 1_000_000,
        "memory_peak_mb": peak / 1_000_000,
        "accepted": loaded.receipt["accepted"],
    }))
}

struct Raw {
    seconds: f64,
    processor: f64,
    entries: u64,
}

/// Processor seconds of this process since an earlier reading; the client that makes the records is part of it.
fn since(earlier: Option<f64>) -> f64 {
    usage::processor_seconds().unwrap_or(0.0) - earlier.unwrap_or(0.0)
}

/// Copies everything an intake wrote into a new environment in one bulk, as the intake did.
fn batch(from: PathBuf, to: PathBuf) -> Result<Raw, KvError> {
    let source = LmdbEngine::new(from, LmdbConfig::default())?;
    let target = LmdbEngine::new(to, LmdbConfig::default())?;
    let (mut entries, mut seconds, mut processor) = (0, 0.0, 0.0);
    for name in source.names()? {
        let kv = source.open(&name)?;
        let snapshot = kv.snapshot()?;
        let mut pairs = Vec::new();
        let mut bytes = 0;
        for table in Table::ALL {
            for pair in snapshot.scan(table, Range::default(), Direction::Forward)? {
                let (key, value) = pair?;
                bytes += (key.len() + value.len()) as u64 + ENTRY_OVERHEAD;
                pairs.push((table, key.to_vec(), value.to_vec()));
            }
        }
        let into = target.open(&name)?;
        let (begun, before) = (Instant::now(), usage::processor_seconds());
        into.bulk(bytes, &mut |_, sink| {
            pairs
                .iter()
                .try_for_each(|(table, key, value)| sink.put(*table, key, value))
        })?;
        seconds += begun.elapsed().as_secs_f64();
        processor += since(before);
        entries += pairs.len() as u64;
    }
    Ok(Raw {
        seconds,
        processor,
        entries,
    })
}

/// Looks at this process's memory until it is ended.
struct MemoryWatch {
    peak: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: tokio::task::JoinHandle<()>,
}

impl MemoryWatch {
    const EVERY: Duration = Duration::from_millis(20);

    fn start() -> Self {
        let (peak, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, stop) = (peak.clone(), ended.clone());
        let thread = tokio::task::spawn_blocking(move || {
            while !stop.load(Ordering::Relaxed) {
                seen.fetch_max(usage::own_memory().unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(Self::EVERY);
            }
        });
        Self { peak, ended, thread }
    }

    async fn end(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        // It only looks: how it ended says nothing.
        let _ = self.thread.await;
        self.peak.load(Ordering::Relaxed)
    }
}
