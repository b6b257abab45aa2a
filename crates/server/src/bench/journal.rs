//! `dagr bench journal`

use std::time::Instant;

use serde_json::{Value, json};

use super::{Size, changes, site, site::Site, step};
use crate::{commands::Failure, demo::usage};

pub async fn run(size: &Size) -> Result<Value, Failure> {
    let site = Site::open(&size.dir, true).await?;
    step(&format!("loading {} records", size.records));
    site.load(size.records).await?;
    let grant = site.grant(0, site::all_fields()).await?;
    let log = site.running.dir.join("disclosures");
    let (bytes, stats) = (usage::disk_bytes(&log), site.running.app.journal_stats());
    step("a first load with its entries");
    let seen = changes::enumerate(&grant).await?;
    let after = site.running.app.journal_stats();
    let written = (after.bytes + after.run_bytes).saturating_sub(stats.bytes + stats.run_bytes);
    step("one search by person");
    let begun = Instant::now();
    let body = json!({ "person": site::person(size.records / 2) });
    let found = site
        .office
        .operator
        .post("/registry/disclosures/search", &body)
        .await?;
    let search = begun.elapsed().as_secs_f64();
    let disk = usage::disk_bytes(&log).saturating_sub(bytes);
    site.running.stop().await;
    Ok(json!({
        "records": seen.records,
        "entries": after.entries - stats.entries,
        "syncs": after.syncs - stats.syncs,
        "records_per_second": seen.records as f64 / seen.seconds,
        "bytes_written": written,
        "bytes_per_record": written as f64 / seen.records.max(1) as f64,
        "bytes_per_page": written as f64 / seen.pages.max(1) as f64,
        "disk_grew_bytes": disk,
        "search_ms": search * 1e3,
        "search_found": found["disclosures"].as_array().map_or(0, Vec::len),
    }))
}
