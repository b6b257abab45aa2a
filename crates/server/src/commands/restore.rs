//! `dagr restore`: a backup in the place of what a data directory holds.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Output, configuration};
use crate::{cli::Global, restore};

#[derive(Args)]
pub struct Restore {
    /// A directory that `dagr backup` made
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Go on though the directory's disclosure log is newer than the backup: uses since then are not counted
    #[arg(long)]
    accept_lost_uses: bool,
}

pub async fn run(global: &Global, command: Restore) -> Done {
    let config = configuration(global)?;
    let restored = restore::restore(
        &config,
        &command.backup,
        &global.data_dir(),
        command.accept_lost_uses,
    )
    .await;
    let restored = restored.map_err(|error| Failure::here(error.to_string()))?;
    if global.json {
        Output::new(true).object(&json!(restored));
        return Ok(());
    }
    if restored.finished_earlier {
        println!("finished the restore that had been broken off");
    }
    for set in &restored.sets {
        let package = set.last_package.as_deref().unwrap_or("none");
        println!(
            "{}: {} records, epoch {}, last package {package}: deliver what came after it again",
            set.name, set.records, set.epoch
        );
    }
    if restored.erased_again > 0 {
        println!("{} records were erased again", restored.erased_again);
    }
    if restored.erasures_left > 0 {
        println!(
            "{} erasures belong to sets the backup does not know",
            restored.erasures_left
        );
    }
    if let Some(before) = &restored.before {
        println!(
            "what was there before is in {}; remove it when you need it no more",
            before.display()
        );
    }
    Ok(())
}
