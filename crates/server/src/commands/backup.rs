//! `dagr backup`: the running server copies everything while it answers.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Session, path_of};

const PATH: &str = "/registry/backups";
const POLL: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct Backup {
    /// A new directory on the server's machine
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Also the operator token and the keys: keep such a copy as you keep them
    #[arg(long)]
    with_secrets: bool,
}

pub async fn run(session: &Session, command: Backup) -> Done {
    let directory =
        std::path::absolute(&command.directory).map_err(|error| Failure::file(&command.directory, &error))?;
    let body = json!({ "directory": directory, "with_secrets": command.with_secrets });
    let mut job = session.client.post(PATH, &body).await?;
    let path = path_of(PATH, &job["id"].to_string());
    while job["state"] == "running" {
        tokio::time::sleep(POLL).await;
        job = session.client.get(&path).await?;
    }
    let detail = &job["detail"];
    if job["state"] != "done" {
        let why = detail["error"].as_str().unwrap_or("the server was stopped");
        return Err(Failure::here(format!(
            "no backup: {why}; remove {} and try again",
            directory.display()
        )));
    }
    let line = format!(
        "backup in {}: {} sets, {} files, {} bytes",
        directory.display(),
        detail["sets"],
        detail["files"],
        detail["bytes"]
    );
    session.out.line(&job, &line);
    Ok(())
}
