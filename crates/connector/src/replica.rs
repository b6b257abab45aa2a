//! A recipient's own copy, kept from the feed of one permission: in SQLite, in PostgreSQL, or as files.

mod export;
mod plan;
mod pull;
mod reshape;
mod rows;
mod status;
mod taken_in;
mod target;
#[cfg(test)]
mod tests;
mod verify;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use dagr_model::fault::Fault;
use toml::Table;

pub use pull::{Replica, forever};
pub use status::{metrics, status};
pub use verify::Verified;

use crate::{
    error::{Error, Result},
    feed::{Retry, Secret, Server, Tls, read},
    words::Words,
};

/// A replica as its file describes it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its notes stand under it; of its own, or the data set's with its section.
    pub name: String,
    pub dataset: String,
    pub sandbox: bool,
    /// Number of the permission; an open set needs none.
    pub permission: Option<String>,
    /// The recipient's own case, where the permission asks for one.
    pub case: Option<String>,
    pub server: Server,
    pub target: TargetSpec,
    /// How long a call waits for something new.
    pub wait: Duration,
    /// The whole copy against the server's digest.
    pub verify: Duration,
    pub retry: Retry,
}

#[derive(Debug, Clone)]
pub enum TargetSpec {
    Sqlite {
        path: PathBuf,
    },
    Postgres {
        url: String,
        password: Option<Secret>,
        tls: Option<Tls>,
        schema: String,
    },
    /// The copy lies in `state`, files are written from it whole.
    Files {
        state: PathBuf,
        path: PathBuf,
        format: FileFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    NdJson,
    Csv,
    Parquet,
}

impl Spec {
    /// Reads a replica's file; every fault at once.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::State(format!(
                "{}: there is no such file; write one with dataset, permission, [server] and [target], as docs/CONNECTOR.md shows",
                path.display()
            )),
            _ => Error::file(path, &error),
        })?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base).map_err(|faults| Error::Faults {
            what: format!("{} does not describe a replica", path.display()),
            faults,
        })
    }

    pub fn parse(text: &str, base: &Path) -> std::result::Result<Self, Vec<Fault>> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| vec![read::not_toml(text, &error)])?;
        let mut faults = Vec::new();
        let mut words = Words::new(&table, "");
        for (word, example) in [
            ("dataset", "\"ta_vehicles\""),
            ("server", "(a table: [server])"),
            ("target", "(a table: [target])"),
        ] {
            words.required(&mut faults, word, example);
        }
        let dataset = words.text(&mut faults, "dataset").unwrap_or_default();
        let name = words.text(&mut faults, "name");
        for (word, value) in [("dataset", Some(&dataset)), ("name", name.as_ref())] {
            if value.is_some_and(|value| !value.is_empty() && !read::is_name(value)) {
                faults.push(Fault::new(
                    word,
                    "name",
                    "lower-case letters, digits and _, a letter first",
                ));
            }
        }
        let sandbox = read::section(&mut words, &mut faults);
        let section = if sandbox { ".sandbox" } else { "" };
        let name = name.unwrap_or_else(|| format!("{dataset}{section}"));
        let permission = words.text(&mut faults, "permission");
        let case = words.text(&mut faults, "case");
        let server = words
            .table(&mut faults, "server")
            .and_then(|table| read::server(table, base, &mut faults));
        let target = words
            .table(&mut faults, "target")
            .and_then(|table| target(table, &dataset, base, &mut faults));
        let wait = words
            .duration(&mut faults, "wait")
            .unwrap_or(Duration::from_secs(30));
        if !(Duration::from_secs(1)..=Duration::from_mins(1)).contains(&wait) {
            faults.push(Fault::new("wait", "range", "from \"1s\" to \"60s\""));
        }
        let verify = words
            .duration(&mut faults, "verify")
            .unwrap_or(Duration::from_hours(24));
        let retry = read::retry(words.table(&mut faults, "retry"), &mut faults);
        words.end(&mut faults);
        match (server, target) {
            (Some(server), Some(target)) if faults.is_empty() => Ok(Self {
                name,
                dataset,
                sandbox,
                permission,
                case,
                server,
                target,
                wait,
                verify,
                retry,
            }),
            _ => Err(faults),
        }
    }

    /// `/data/{set}` of its section.
    pub fn data(&self) -> String {
        let section = if self.sandbox { "sandbox" } else { "data" };
        format!("/{section}/{}", self.dataset)
    }
}

fn target(table: &Table, dataset: &str, base: &Path, faults: &mut Vec<Fault>) -> Option<TargetSpec> {
    let mut words = Words::new(table, "target");
    words.required(faults, "kind", "\"sqlite\"");
    let kind = words.text(faults, "kind");
    let target = match kind.as_deref() {
        Some("sqlite") => {
            words.required(faults, "path", "\"copy.db\"");
            words.text(faults, "path").map(|path| TargetSpec::Sqlite {
                path: base.join(path),
            })
        }
        Some("postgres") => {
            words.required(faults, "url", "\"postgres://writer@localhost/registers\"");
            let url = words.text(faults, "url");
            if let Some(url) = &url {
                read::no_password(url, "target.url", faults);
            }
            let password = read::secret(&mut words, "password", base, faults);
            let tls = read::tls(&mut words, base, faults);
            let schema = words
                .text(faults, "schema")
                .unwrap_or_else(|| "public".to_owned());
            url.map(|url| TargetSpec::Postgres {
                url,
                password,
                tls,
                schema,
            })
        }
        Some("files") => {
            words.required(faults, "path", "\"vehicles.ndjson\"");
            let path = words.text(faults, "path");
            let state = read::state_path(
                words.text(faults, "state"),
                base,
                &format!("{dataset}.replica.db"),
            );
            let format = match path
                .as_deref()
                .and_then(|path| path.rsplit_once('.'))
                .map(|(_, end)| end)
            {
                Some("ndjson" | "jsonl") => FileFormat::NdJson,
                Some("csv") => FileFormat::Csv,
                Some("parquet") => FileFormat::Parquet,
                _ => {
                    faults.push(Fault::new(
                        "target.path",
                        "kind",
                        "a name that ends in .ndjson, .csv or .parquet",
                    ));
                    FileFormat::NdJson
                }
            };
            path.map(|path| TargetSpec::Files {
                state,
                path: base.join(path),
                format,
            })
        }
        Some(_) => {
            faults.push(Fault::new(
                "target.kind",
                "kind",
                "expected sqlite, postgres or files",
            ));
            return None;
        }
        None => return None,
    };
    words.end(faults);
    target
}
