//! The commands: each is a call of the HTTP interface and the few lines a person reads.

pub mod audit;
pub mod backup;
pub mod classifier;
pub mod config;
pub mod connection;
pub mod connector;
pub mod dataset;
pub mod disclosures;
mod failure;
pub mod institution;
mod metrics;
mod output;
pub mod package;
pub mod permission;
mod progress;
pub mod registry;
pub mod replica;
pub mod restore;
pub mod scrub;
pub mod serve;
pub mod system;
pub mod token;

use std::fs;

use clap::Args;
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

pub use failure::Failure;
pub use output::Output;

use crate::{cli::Global, client::Client, config::Config};

pub type Done = Result<(), Failure>;

/// A client and the way to show its answers.
pub struct Session {
    pub client: Client,
    pub out: Output,
}

impl Session {
    /// As the operator, with the token of the data directory.
    pub fn operator(global: &Global) -> Result<Self, Failure> {
        let path = global
            .data_dir()
            .join("secrets")
            .join(dagr_app::secrets::OPERATOR_TOKEN);
        let token = fs::read_to_string(&path).map_err(|error| {
            Failure::here(format!(
                "no operator token in {}: {error}; give --data DIR of the server",
                path.display()
            ))
        })?;
        let client = Client::operator(&server(global)?, &token)?;
        Ok(Self {
            client,
            out: Output::new(global.json),
        })
    }

    /// Follows `next` until `limit` objects were given, or all.
    pub async fn list(&self, path: &str, paging: Paging, mut query: Query) -> Result<Value, Failure> {
        let wanted = paging.limit.unwrap_or(usize::MAX);
        let mut collected: Option<Value> = None;
        if let Some(after) = paging.after {
            query.push(("after", after));
        }
        query.push(("limit", wanted.min(PAGE).to_string()));
        loop {
            let mut page = self.client.get_with(path, &query).await?;
            let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
            let enough = match &mut collected {
                None => {
                    let count = output::rows(&page).len();
                    collected = Some(page);
                    count >= wanted
                }
                Some(all) => {
                    let (Some(all_rows), Some(new_rows)) =
                        (output::rows_mut(all), output::rows_mut(&mut page))
                    else {
                        return Err(Failure::here("the list changed its shape".to_owned()));
                    };
                    all_rows.append(new_rows);
                    let count = all_rows.len();
                    all["next"] = next.clone().map_or(Value::Null, Value::String);
                    count >= wanted
                }
            };
            match next {
                Some(next) if !enough => {
                    query.retain(|(word, _)| *word != "after");
                    query.push(("after", next));
                }
                _ => return Ok(collected.unwrap_or_default()),
            }
        }
    }
}

/// Objects asked for at once.
const PAGE: usize = 1_000;

pub type Query = Vec<(&'static str, String)>;

/// How much of a list.
#[derive(Args, Default)]
pub struct Paging {
    /// At most so many [default: all]
    #[arg(long)]
    pub limit: Option<usize>,
    /// Go on after an earlier answer's `next`
    #[arg(long, value_name = "NEXT")]
    pub after: Option<String>,
}

/// The server to call: `--server`, or where the configuration says it is.
pub fn server(global: &Global) -> Result<String, Failure> {
    match &global.server {
        Some(url) => Ok(url.clone()),
        None => Ok(configuration(global)?.public_url()),
    }
}

/// The configuration: a file named must exist, `dagr.toml` need not.
pub fn configuration(global: &Global) -> Result<Config, Failure> {
    let path = global.config.clone().unwrap_or_else(|| "dagr.toml".into());
    let text = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && global.config.is_none() => None,
        Err(error) => return Err(Failure::file(&path, &error)),
    };
    Config::load(text.as_deref(), std::env::vars_os().filter_map(utf8)).map_err(|faults| {
        let name = path.display();
        Failure::here(format!(
            "the configuration ({name}, and DAGR_… of the environment):\n  {}",
            faults.join("\n  ")
        ))
    })
}

fn utf8((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// Ends when the process is told to stop: SIGTERM or SIGINT.
pub fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let signals =
        signal(SignalKind::terminate()).and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    let (mut terminate, mut interrupt) =
        signals.map_err(|error| Failure::here(format!("no signals: {error}")))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A JSON object of the members that are given.
pub fn members<const N: usize>(given: [(&str, Option<Value>); N]) -> Value {
    let present = given
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// A path of one name below a collection; the name is encoded.
pub fn path_of(collection: &str, name: &str) -> String {
    format!("{collection}/{}", encoded(name))
}

/// One segment of a path.
pub fn encoded(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
