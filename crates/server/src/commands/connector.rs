//! `dagr connector`: feeds from a provider's source to a data set.

mod shown;

use std::{
    fs,
    io::{ErrorKind, Write},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, Subcommand};
use dagr_connector::{
    error::Error,
    feed::{Sql, Tls},
    init::{self, Hints},
    run,
};
use serde_json::json;

use super::{Done, Failure, Output, metrics, progress::Line, told_to_stop};
use crate::{cli::Global, config::Log};

#[derive(Subcommand)]
pub enum Command {
    /// Propose definitions and feeds: from what a database says of its tables, or from what a file looks like
    Init(Init),
    /// Try everything, send nothing; print what would be sent and what would be refused
    Check(Check),
    /// One round: read, compare, deliver; for cron
    Once(Once),
    /// Until it is told to stop: follow or compare on schedule, deliver, reconcile
    Run(Run),
    /// How the feed stands; also while it runs
    Status(Status),
    /// The newest packages with the server's signed receipts
    Packages(Packages),
    /// Compare with what the server holds and repair; files are read again
    Resync(Resync),
    /// Apply the package that the guard holds
    Release(FeedFile),
    /// Drop the package that the guard holds
    Reject(FeedFile),
}

#[derive(Args)]
pub struct Init {
    /// postgres://…, mysql://… (without a password), the file of a SQLite database; or a CSV, JSON, NDJSON, XML or Parquet
    /// file, packed or not, or a directory of such files
    source: String,
    /// The provider's abbreviation: begins the name of every data set
    #[arg(long)]
    prefix: String,
    /// The environment variable that holds the password
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
    /// Encrypt the connection and check the server's certificate
    #[arg(long)]
    tls: bool,
    /// PEM file of the authorities to trust instead of the machine's
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,
    /// Of a file: the charset it is written in, where it does not tell
    #[arg(long, value_name = "LABEL")]
    charset: Option<String>,
    /// Of JSON and XML: where the records are, as data.items or Register/Vehicles/Vehicle
    #[arg(long, value_name = "PATH")]
    records: Option<String>,
    /// Of a zip file with several in it: which
    #[arg(long, value_name = "NAME")]
    member: Option<String>,
    /// Where the files go; none is overwritten
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// The file that describes the feed.
#[derive(Args)]
pub struct FeedFile {
    feed: PathBuf,
}

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    file: FeedFile,
    /// Look at so many rows of a query only [default: all]
    #[arg(long)]
    rows: Option<u64>,
}

#[derive(Args)]
pub struct Packages {
    #[command(flatten)]
    file: FeedFile,
    /// So many; receipts of the newest 10 000 are kept
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Args)]
pub struct Once {
    #[command(flatten)]
    file: FeedFile,
    /// Compare with the server's digest, though it is not due
    #[arg(long)]
    reconcile: bool,
}

#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    file: FeedFile,
    /// Serve Prometheus text at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

#[derive(Args)]
pub struct Status {
    #[command(flatten)]
    file: FeedFile,
    /// As Prometheus text
    #[arg(long)]
    metrics: bool,
}

#[derive(Args)]
pub struct Resync {
    #[command(flatten)]
    file: FeedFile,
    /// Forget what was sent: everything goes anew
    #[arg(long)]
    all: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub async fn run(global: &Global, command: Command) -> Done {
    let out = Output::new(global.json);
    match command {
        Command::Init(command) => init(out, command).await,
        Command::Check(command) => shown::check(out, command).await,
        Command::Once(command) => {
            warnings(global)?;
            once(out, command).await
        }
        Command::Run(command) => service(global, command).await,
        Command::Status(command) => shown::status(out, &command),
        Command::Packages(command) => shown::packages(out, &command),
        Command::Resync(command) => {
            warnings(global)?;
            resync(out, command).await
        }
        Command::Release(command) => {
            warnings(global)?;
            decide(out, command, true).await
        }
        Command::Reject(command) => {
            warnings(global)?;
            decide(out, command, false).await
        }
    }
}

async fn init(out: Output, command: Init) -> Done {
    let (proposals, left) = match init::file(&command.source)? {
        Some(_) if command.tls || command.password_env.is_some() => {
            return Err(Failure::Usage(
                "--tls and --password-env are of databases; the source is a file".to_owned(),
            ));
        }
        Some(file) => {
            let hints = Hints {
                charset: command.charset,
                records: command.records,
                member: command.member,
            };
            let progress = Arc::default();
            let _line = Line::show(&progress, "rows looked at");
            init::propose_of_file(&file, &command.prefix, hints, &progress)?
        }
        None if command.charset.is_some() || command.records.is_some() || command.member.is_some() => {
            return Err(Failure::Usage(
                "--charset, --records and --member are of files; the source is a database".to_owned(),
            ));
        }
        None => {
            let tls = command.tls.then_some(Tls { ca: command.ca });
            let sql = Sql::plain(&command.source, command.password_env, tls).map_err(Failure::Usage)?;
            init::propose(&sql, &command.prefix).await?
        }
    };
    fs::create_dir_all(&command.out).map_err(|error| Failure::file(&command.out, &error))?;
    let (mut written, mut kept) = (0, Vec::new());
    for proposal in &proposals {
        for (end, text) in [("yaml", &proposal.definition), ("toml", &proposal.feed)] {
            let name = format!("{}.{end}", proposal.name);
            let path = command.out.join(&name);
            match fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())) {
                Ok(()) => written += 1,
                // Somebody has worked on it.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => kept.push(name),
                Err(error) => return Err(Failure::file(&path, &error)),
            }
        }
    }
    let names: Vec<&str> = proposals.iter().map(|proposal| proposal.name.as_str()).collect();
    let mut line = format!(
        "{} definitions and feeds proposed, {written} files written to {}",
        names.len(),
        command.out.display()
    );
    if !kept.is_empty() {
        line.push_str(&format!("\n  kept as they are: {}", kept.join(", ")));
    }
    for (table, why) in &left {
        line.push_str(&format!("\n  to decide: {table}: {why}"));
    }
    let view = json!({ "proposed": names, "kept": kept, "left": left.iter().map(|(table, why)| json!({ "table": table, "why": why })).collect::<Vec<_>>() });
    out.line(&view, &line);
    if proposals.is_empty() {
        return Err(Failure::here("nothing could be proposed".to_owned()));
    }
    Ok(())
}

/// What a round waits for, and why, is said on stderr.
pub fn warnings(global: &Global) -> Result<(), Failure> {
    log(&Log {
        level: "warn".to_owned(),
        ..super::configuration(global)?.log
    })
}

fn log(config: &Log) -> Result<(), Failure> {
    crate::serve::log::init(config).map_err(Failure::here)
}

async fn once(out: Output, command: Once) -> Done {
    let running = run::Running::open(&command.file.feed).await?;
    let line = Line::show(&running.progress, "rows read");
    let round = running.once(command.reconcile).await?;
    drop(line);
    let found = &round.found;
    let mut line = format!(
        "{} records compared: {} new or different, {} gone, {} refused; {} packages applied",
        found.records, found.upserts, found.deletes, found.refused, round.packages
    );
    if found.expired > 0 {
        line.push_str(&format!("; {} rows are past the retention", found.expired));
    }
    if found.unread > 0 {
        line.push_str(&format!(
            "; {} of them may be of any record, so nothing was deleted ({} records seem to be gone)",
            found.unread, found.kept
        ));
    }
    if let Some(reconciled) = &round.reconciled {
        line.push_str(&match reconciled.differing + reconciled.gone {
            0 => format!(
                "; equal to the server ({} records, digest {})",
                reconciled.records, reconciled.digest
            ),
            differing => format!("; the server differed in {differing} records: run again"),
        });
    }
    let view = json!({
        "records": found.records,
        "upserts": found.upserts,
        "deletes": found.deletes,
        "refused": found.refused,
        "expired": found.expired,
        "unread": found.unread,
        "kept": found.kept,
        "packages": round.packages,
        "held": round.held,
        "reconciled": round.reconciled.as_ref().map(|done| json!({
            "records": done.records, "digest": done.digest, "differing": done.differing, "gone": done.gone, "exchanges": done.exchanges,
        })),
    });
    out.line(&view, &line);
    decided(round.held)
}

/// A package that the guard holds is not the end of a round.
fn decided(held: Option<String>) -> Done {
    match held {
        None => Ok(()),
        Some(id) => Err(Failure::here(format!(
            "package {id} would remove more than the guard allows and is held: `dagr connector release` applies it, `dagr connector reject` drops it"
        ))),
    }
}

async fn service(global: &Global, command: Run) -> Done {
    log(&super::configuration(global)?.log)?;
    let stop = told_to_stop()?;
    let running = run::Running::open(&command.file.feed).await?;
    if let Some(address) = command.metrics {
        let path = command.file.feed.clone();
        metrics::listen(address, move || {
            run::status(&path).map(|status| run::metrics(&status))
        })
        .await?;
    }
    tracing::info!(feed = %running.feed.name, dataset = %running.feed.dataset, "the feed runs");
    run::forever(&running, stop).await?;
    Ok(())
}

async fn resync(out: Output, command: Resync) -> Done {
    let path = &command.file.feed;
    let running = if command.all {
        run::Running::open_anew(path).await?
    } else {
        run::Running::open(path).await?
    };
    if !command.yes && !asked(&running.feed.name, command.all)? {
        return Err(Failure::here("nothing was done".to_owned()));
    }
    let line = Line::show(&running.progress, "rows read");
    let found = running.resync(command.all).await?;
    let round = running.once(true).await?;
    drop(line);
    let view = json!({
        "upserts": round.found.upserts,
        "deletes": round.found.deletes,
        "packages": round.packages,
        "held": round.held,
        "differing": found.differing,
        "exchanges": found.exchanges,
    });
    out.line(
        &view,
        &format!(
            "{} records sent anew, {} removed",
            round.found.upserts, round.found.deletes
        ),
    );
    decided(round.held)
}

fn asked(name: &str, all: bool) -> Result<bool, Failure> {
    let what = if all {
        "sends every record anew"
    } else {
        "compares with the server, drops packages not yet applied and reads files again"
    };
    eprint!("This {what} for the feed {name}. Go on? [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::here(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "j" | "jā"))
}

async fn decide(out: Output, command: FeedFile, confirm: bool) -> Done {
    let id = run::decide(&command.feed, confirm).await?;
    let word = if confirm { "applied" } else { "dropped" };
    out.line(
        &json!({ "package_id": id, "state": word }),
        &format!("{id} {word}"),
    );
    Ok(())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Call(error) => Self::Call(error),
            Error::Faults { what, faults } => Self::Faults { what, faults },
            other => Self::here(other.to_string()),
        }
    }
}
