//! `dagr replica`: a recipient's own copy, kept from the feed of one permission.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use dagr_connector::replica::{self, Replica, Verified};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{Done, Output, progress::Line, told_to_stop};
use crate::cli::Global;

#[derive(Subcommand)]
pub enum Command {
    /// Load or catch up, and stop; for cron
    Once(File),
    /// Until it is told to stop: wait for changes and apply them, verify on schedule
    Run(Run),
    /// Compare the whole copy with the server and repair it
    Verify(File),
    /// How the copy stands; also while it is kept
    Status(File),
}

/// The file that describes the replica.
#[derive(Args)]
pub struct File {
    replica: PathBuf,
}

#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    file: File,
    /// Serve Prometheus text at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

pub async fn run(global: &Global, command: Command) -> Done {
    let out = Output::new(global.json);
    if !matches!(command, Command::Run(_)) {
        super::connector::warnings(global)?;
    }
    match command {
        Command::Once(file) => {
            let mut replica = Replica::open(&file.replica).await?;
            let line = Line::show(&replica.progress, "changes taken in");
            replica.catch_up().await?;
            drop(line);
            let view = replica::status(&file.replica).await?;
            out.line(
                &view,
                &format!("{} is {}", text(&view["dataset"]), text(&view["state"])),
            );
        }
        Command::Run(command) => service(global, command).await?,
        Command::Verify(file) => {
            let Verified {
                records,
                digest,
                repaired,
                exchanges,
                reloaded,
            } = Replica::open(&file.replica).await?.verify().await?;
            let how = match (reloaded, repaired) {
                (true, _) => "loaded anew; ".to_owned(),
                (false, 0) => String::new(),
                (false, repaired) => format!("{repaired} records repaired; "),
            };
            let view = json!({ "records": records, "digest": digest, "repaired": repaired, "exchanges": exchanges, "reloaded": reloaded });
            out.line(
                &view,
                &format!(
                    "{how}equal to the server: {records} records, digest {digest}, {exchanges} exchanges"
                ),
            );
        }
        Command::Status(file) => out.object(&replica::status(&file.replica).await?),
    }
    Ok(())
}

async fn service(global: &Global, Run { file, metrics }: Run) -> Done {
    let log = super::configuration(global)?.log;
    crate::serve::log::init(&log).map_err(super::Failure::here)?;
    let stop = told_to_stop()?;
    let mut replica = Replica::open(&file.replica).await?;
    if let Some(address) = metrics {
        let looks = Handle::current();
        super::metrics::listen(address, move || {
            let status = looks.block_on(replica::status(&file.replica))?;
            Ok(replica::metrics(&status))
        })
        .await?;
    }
    tracing::info!("the replica runs");
    replica::forever(&mut replica, stop).await?;
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
