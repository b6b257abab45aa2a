//! `dagr registry`: everything the registry holds, out of one instance and into another, on either database.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use dagr_registry::Registry;
use serde_json::json;
use tokio::{fs::OpenOptions, io::BufWriter};

use super::{Done, Failure, Output, configuration};
use crate::{
    cli::Global,
    serve::{data_dir::DataDir, open_registry},
};

#[derive(Subcommand)]
pub enum Command {
    /// Write all of it to a new file, as of one moment; the server may run. It holds personal data
    Export {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Read an export into an empty registry: all of it, or nothing; stop the server first
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub async fn run(global: &Global, command: Command) -> Done {
    crate::tls::install_provider();
    let here = |error: &dyn std::fmt::Display| Failure::here(error.to_string());
    let config = configuration(global)?;
    let out = Output::new(global.json);
    let (rows, line) = match command {
        Command::Export { file } => {
            let dir = global.data_dir();
            if config.registry.url.is_none() && !dir.join("registry.sqlite").exists() {
                return Err(Failure::here(format!(
                    "no registry in {}: give --data DIR of the server",
                    dir.display()
                )));
            }
            let registry = open_registry(&config, &dir).await.map_err(|error| here(&error))?;
            let rows = export(&registry, &file).await?;
            (rows, format!("{rows} rows in {}", file.display()))
        }
        Command::Import { file } => {
            // Before anything is opened or made: a wrong name leaves no empty registry behind.
            std::fs::File::open(&file).map_err(|error| Failure::file(&file, &error))?;
            let lock = DataDir::open(&global.data_dir()).map_err(|error| here(&error))?;
            let registry = open_registry(&config, lock.path()).await;
            let registry = registry.map_err(|error| here(&error))?;
            let rows = registry.import_from(&file).await.map_err(|error| here(&error))?;
            registry.close().await;
            (rows, format!("{rows} rows imported"))
        }
    };
    out.line(&json!({ "rows": rows }), &line);
    Ok(())
}

/// The file appears whole or is removed again.
async fn export(registry: &Registry, file: &Path) -> Result<u64, Failure> {
    let mut options = OpenOptions::new();
    // Only its owner reads it: persons and the whole trail are in it.
    options.write(true).create_new(true).mode(0o600);
    let target = options
        .open(file)
        .await
        .map_err(|error| Failure::file(file, &error))?;
    let mut target = BufWriter::with_capacity(1 << 16, target);
    let written = registry.export_to(&mut target).await;
    let synced: io::Result<()> = target.get_ref().sync_all().await;
    let done = written
        .map_err(|error| Failure::here(error.to_string()))
        .and_then(|rows| synced.map(|()| rows).map_err(|error| Failure::file(file, &error)));
    if done.is_err() {
        // What is cut off would be refused; nothing is better.
        let _ = tokio::fs::remove_file(file).await;
    }
    done
}
