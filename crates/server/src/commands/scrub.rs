//! `dagr scrub`: reads everything a data directory holds and compares it with its checksums.

use clap::Args;
use dagr_store::{kv::Engine, set::scrub};
use serde_json::{Value, json};

use super::{Done, Failure, Output, configuration};
use crate::{
    cli::Global,
    serve::{data_dir::DataDir, open_engine, open_journal},
};

/// Without a server: stop it first.
#[derive(Args)]
pub struct Scrub {}

/// Blocks: the command does nothing else.
pub fn run(global: &Global, _: &Scrub) -> Done {
    let here = |error: &dyn std::fmt::Display| Failure::here(error.to_string());
    let config = configuration(global)?;
    let lock = DataDir::open(&global.data_dir()).map_err(|error| here(&error))?;
    let engine = open_engine(&config, lock.path()).map_err(|error| here(&error))?;
    let mut names = engine.names().map_err(|error| here(&error))?;
    names.sort();
    let sets: Vec<Value> = names.iter().map(|name| set(&engine, name)).collect();
    let journal = open_journal(&config, lock.path()).map_err(|error| here(&error))?;
    let (mut entries, mut damaged) = (0u64, 0u64);
    for entry in journal.scan(None, None) {
        match entry {
            Ok(_) => entries += 1,
            Err(_) => damaged += 1,
        }
    }
    let is_whole = damaged == 0 && sets.iter().all(|set| set["whole"] == true);
    let report = json!({
        "whole": is_whole,
        "sets": sets,
        "disclosures": { "entries": entries, "damaged": damaged },
    });
    show(global, &report);
    if is_whole {
        Ok(())
    } else {
        Err(Failure::here(
            "damage was found: restore a backup, or have the provider deliver a snapshot".to_owned(),
        ))
    }
}

fn set(engine: &dyn Engine, name: &str) -> Value {
    let scrubbed = engine.open(name).and_then(|kv| scrub::scrub(&*kv.snapshot()?));
    match scrubbed {
        Ok(found) => json!({
            "name": name,
            "whole": found.is_whole(),
            "records": found.records,
            "records_expected": found.head.records,
            "damaged": found.damaged,
            "digest_matches": found.sum_matches,
        }),
        Err(error) => json!({ "name": name, "whole": false, "error": error.to_string() }),
    }
}

fn show(global: &Global, report: &Value) {
    if global.json {
        return Output::new(true).object(report);
    }
    for set in report["sets"].as_array().into_iter().flatten() {
        let name = set["name"].as_str().unwrap_or_default();
        if set["whole"] == true {
            println!("{name}: {} records, whole", set["records"]);
        } else if let Some(error) = set["error"].as_str() {
            println!("{name}: cannot be read: {error}");
        } else {
            println!(
                "{name}: DAMAGED: {} of {} records; {} records expected; sum of digests {}",
                set["damaged"],
                set["records"],
                set["records_expected"],
                if set["digest_matches"] == true {
                    "matches"
                } else {
                    "differs"
                }
            );
        }
    }
    let log = &report["disclosures"];
    println!(
        "disclosures: {} entries, {} damaged",
        log["entries"], log["damaged"]
    );
}
