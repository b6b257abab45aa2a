//! `dagr bench intake`: one package through the interface, beside the engine's own bulk load of the same entries.
//!
//! `ratio_to_raw` holds it against the puts in the order in which the package gives them, `ratio_to_raw_sorted` against
//! each table's entries in its own order (see `batch::Order`). The package lies in a file before the clock starts:
//! making rows is no part of an intake. Sending them is, and this process is also the client.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Size,
    batch::{self, Batch, Order, since},
    site::Site,
    step,
};
use crate::{commands::Failure, demo::usage};

pub async fn run(size: &Size) -> Result<Value, Failure> {
    let site = Site::open(&size.dir, true).await?;
    step(&format!("a package of {} records", size.records));
    let package = site.package(size.records).await?;
    step("delivering it");
    let idle = usage::own_memory().unwrap_or(0);
    let watch = MemoryWatch::start();
    let processor = usage::processor_seconds();
    let loaded = site.deliver(&package, size.records).await?;
    let processor = since(processor);
    let peak = watch.end().await;
    let sets = site.running.dir.join("sets");
    site.running.stop().await;
    step("the engine's own bulk load of the same entries, record by record");
    let raw = raw(sets.clone(), site.dir.path().join("raw"), Order::ByRecord).await?;
    step("the same, table by table");
    let raw_sorted = self::raw(sets, site.dir.path().join("raw-sorted"), Order::ByTable).await?;
    let per_second = |seconds: f64| size.records as f64 / seconds;
    Ok(json!({
        "records": size.records,
        "package_bytes": loaded.bytes,
        "seconds": loaded.seconds,
        "records_per_second": per_second(loaded.seconds),
        "processor_seconds": processor,
        "entries": raw.entries,
        "raw_seconds": raw.seconds,
        "raw_processor_seconds": raw.processor,
        "raw_records_per_second": per_second(raw.seconds),
        "raw_sorted_seconds": raw_sorted.seconds,
        "raw_sorted_processor_seconds": raw_sorted.processor,
        "raw_sorted_records_per_second": per_second(raw_sorted.seconds),
        "ratio_to_raw": raw.seconds / loaded.seconds,
        "ratio_to_raw_sorted": raw_sorted.seconds / loaded.seconds,
        "memory_idle_mb": idle / 1_000_000,
        "memory_peak_mb": peak / 1_000_000,
        "accepted": loaded.receipt["accepted"],
    }))
}

async fn raw(from: PathBuf, to: PathBuf, order: Order) -> Result<Batch, Failure> {
    tokio::task::spawn_blocking(move || batch::load(&from, &to, order))
        .await
        .map_err(|error| Failure::here(error.to_string()))?
        .map_err(|error| Failure::here(error.to_string()))
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
