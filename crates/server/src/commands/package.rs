//! `dagr package`: what a provider does, as its producer connection.

mod media;
mod put;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Done, Paging, Session, path_of};
use crate::cli::Global;

pub use put::Put;

#[derive(Subcommand)]
pub enum Command {
    /// Deliver a file
    Put(Put),
    /// Deliveries so far
    List {
        #[command(flatten)]
        set: Set,
        #[command(flatten)]
        paging: Paging,
    },
    /// One delivery: its progress, or its receipt
    Show(Named),
    /// Apply a held package
    Confirm(Named),
    /// Give a held package up
    Reject(Named),
    /// Rows refused
    Quarantine {
        #[command(flatten)]
        set: Set,
        /// Of this package only
        #[arg(long)]
        package: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Last sequence, records, digest: for reconciliation
    State {
        #[command(flatten)]
        set: Set,
    },
}

/// A data set, and the connection that delivers to it.
#[derive(Args)]
pub struct Set {
    /// The data set
    set: String,
    #[command(flatten)]
    sign_in: super::token::SignIn,
    /// The data set as it is tried
    #[arg(long)]
    sandbox: bool,
}

#[derive(Args)]
pub struct Named {
    #[command(flatten)]
    set: Set,
    /// The package's id
    id: String,
}

impl Set {
    fn session(&self, global: &Global) -> Result<Session, super::Failure> {
        self.sign_in.session(global)
    }

    /// `/intake/{set}` or its twin in the sandbox.
    fn path(&self) -> String {
        let name = super::encoded(&self.set);
        if self.sandbox {
            format!("/sandbox/{name}/intake")
        } else {
            format!("/intake/{name}")
        }
    }

    fn package(&self, id: &str) -> String {
        path_of(&format!("{}/packages", self.path()), id)
    }
}

pub async fn run(global: &Global, command: Command) -> Done {
    match command {
        Command::Put(command) => put::run(global, command).await?,
        Command::List { set, paging } => {
            let session = set.session(global)?;
            let list = session
                .list(&format!("{}/packages", set.path()), paging, vec![])
                .await?;
            session.out.table(
                &list,
                &["package_id", "state", "receipt.received_at", "receipt.accepted"],
            );
        }
        Command::Show(Named { set, id }) => {
            let session = set.session(global)?;
            session.out.object(&session.client.get(&set.package(&id)).await?);
        }
        Command::Confirm(named) => decide(global, named, "confirm").await?,
        Command::Reject(named) => decide(global, named, "reject").await?,
        Command::Quarantine { set, package, paging } => {
            let session = set.session(global)?;
            let query = package.into_iter().map(|id| ("package", id)).collect();
            let list = session
                .list(&format!("{}/quarantine", set.path()), paging, query)
                .await?;
            session
                .out
                .table(&list, &["package", "line", "field", "rule", "reason"]);
        }
        Command::State { set } => {
            let session = set.session(global)?;
            session
                .out
                .object(&session.client.get(&format!("{}/state", set.path())).await?);
        }
    }
    Ok(())
}

async fn decide(global: &Global, Named { set, id }: Named, verb: &str) -> Done {
    let session = set.session(global)?;
    let view = session
        .client
        .post_empty(&format!("{}/{verb}", set.package(&id)))
        .await?;
    session.out.line(&view, &summary(&view));
    Ok(())
}

/// A receipt, or a held package, in a few words.
fn summary(view: &Value) -> String {
    let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or("?");
    let id = text("package_id");
    match view.get("state").and_then(Value::as_str) {
        Some("held") => {
            let deletes = view
                .get("would_delete")
                .map_or_else(String::new, Value::to_string);
            format!("package {id} is held: it would delete {deletes} records; confirm or reject it")
        }
        Some(state) => format!("package {id}: {state}"),
        None => {
            let counts = [
                "received",
                "accepted",
                "unchanged",
                "deleted",
                "duplicates",
                "expired",
                "quarantined",
            ];
            let given = |name: &&str| Some(format!("{name} {}", view.get(*name)?));
            format!(
                "package {id}: {}",
                counts.iter().filter_map(given).collect::<Vec<_>>().join(", ")
            )
        }
    }
}
