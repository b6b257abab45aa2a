//! `dagr disclosures`

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Done, Failure, Paging, Query, Session};

const PATH: &str = "/registry/disclosures";
const COLUMNS: [&str; 8] = [
    "at",
    "recipient",
    "permission",
    "dataset",
    "way",
    "purpose",
    "fields",
    "count",
];

#[derive(Subcommand)]
pub enum Command {
    /// Disclosures, by what they were made under
    List {
        #[arg(long)]
        permission: Option<String>,
        /// Registration number
        #[arg(long)]
        recipient: Option<String>,
        #[arg(long)]
        dataset: Option<String>,
        #[command(flatten)]
        period: Period,
        #[command(flatten)]
        paging: Paging,
    },
    /// What was disclosed about one person
    Search {
        /// Person code; without it one line of stdin is read, which no list of processes shows
        person: Option<String>,
        #[command(flatten)]
        period: Period,
    },
}

#[derive(Args)]
pub struct Period {
    /// RFC 3339 time, inclusive
    #[arg(long)]
    from: Option<String>,
    /// RFC 3339 time, exclusive
    #[arg(long)]
    to: Option<String>,
}

pub async fn run(session: &Session, command: Command) -> Done {
    match command {
        Command::List {
            permission,
            recipient,
            dataset,
            period,
            paging,
        } => {
            let words = [
                ("permission", permission),
                ("recipient", recipient),
                ("dataset", dataset),
                ("from", period.from),
                ("to", period.to),
            ];
            let query: Query = words
                .into_iter()
                .filter_map(|(word, value)| Some((word, value?)))
                .collect();
            session
                .out
                .table(&session.list(PATH, paging, query).await?, &COLUMNS);
        }
        Command::Search { person, period } => {
            let person = match person {
                Some(person) => person,
                None => ask()?,
            };
            let mut body = json!({ "person": person });
            for (name, value) in [("from", period.from), ("to", period.to)] {
                if let Some(value) = value {
                    body[name] = json!(value);
                }
            }
            session.out.table(&search(session, &body).await?, &COLUMNS);
        }
    }
    Ok(())
}

/// All pages: a person's list is short enough to be read whole.
async fn search(session: &Session, body: &Value) -> Result<Value, Failure> {
    let path = format!("{PATH}/search");
    let mut all = session.client.post(&path, body).await?;
    while let Some(next) = all.get("next").and_then(Value::as_str) {
        let mut page = session
            .client
            .post(&format!("{path}?after={}", super::encoded(next)), body)
            .await?;
        let rows = page
            .get_mut("disclosures")
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .unwrap_or_default();
        if let Some(disclosures) = all.get_mut("disclosures").and_then(Value::as_array_mut) {
            disclosures.extend(rows);
        }
        all["next"] = page["next"].take();
    }
    Ok(all)
}

fn ask() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("person code: ");
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::here(format!("stdin: {error}")))?;
    match line.trim() {
        "" => Err(Failure::Usage(
            "give a person code, as an argument or on stdin".to_owned(),
        )),
        person => Ok(person.to_owned()),
    }
}
