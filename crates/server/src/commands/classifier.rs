//! `dagr classifier`

use std::{fs, path::PathBuf};

use clap::Subcommand;
use dagr_app::classifier::csv;
use serde_json::{Map, Value, json};

use super::{Done, Failure, Paging, Session, path_of};

const PATH: &str = "/registry/classifiers";

#[derive(Subcommand)]
pub enum Command {
    /// Register a classifier, or say otherwise of it
    Put {
        /// JSON: id (the LIST of `code(LIST)`), title, keeper (registration number); title_en, description, url
        file: PathBuf,
    },
    /// Publish its next version
    Publish {
        /// LIST of `code(LIST)`
        list: String,
        /// CSV with the columns code, name; name_en, parent, valid_from, valid_to; or JSON, an array of the same
        file: PathBuf,
        /// Why it changes
        #[arg(long)]
        reason: String,
        /// The first day it judges [default: today]
        #[arg(long, value_name = "DATE")]
        valid_from: Option<String>,
        /// Only say what it would change, and for whom
        #[arg(long)]
        dry_run: bool,
    },
    /// All classifiers
    List(Paging),
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        Command::Put { file } => {
            let mut members: Map<String, Value> = json_of(&file)?;
            let Some(Value::String(id)) = members.remove("id") else {
                let name = file.display();
                return Err(Failure::here(format!(
                    "{name}: name the classifier: \"id\": \"LIST\""
                )));
            };
            let body = Value::Object(members).to_string();
            let view = client.put(&path_of(PATH, &id), "application/json", body).await?;
            out.line(&view, &format!("classifier {id} registered"));
        }
        Command::Publish {
            list,
            file,
            reason,
            valid_from,
            dry_run,
        } => {
            let body = json!({ "values": values(&file)?, "reason": reason, "valid_from": valid_from });
            let path = format!("{}/versions?dry_run={dry_run}", path_of(PATH, &list));
            let view = client.post(&path, &body).await?;
            let line = if dry_run {
                format!("{list} would change: {}", changes(&view))
            } else {
                let (number, from) = (&view["number"], view["valid_from"].as_str().unwrap_or_default());
                format!("version {number} of {list} published, in force from {from}")
            };
            out.line(&view, &line);
        }
        Command::List(paging) => {
            let list = session.list(PATH, paging, vec![]).await?;
            out.table(&list, &["id", "title", "keeper", "latest", "in_force"]);
        }
    }
    Ok(())
}

/// JSON when the name says so, else CSV.
fn values(file: &PathBuf) -> Result<Value, Failure> {
    if file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"))
    {
        return json_of(file);
    }
    let refused = |faults: Vec<_>| Failure::Faults {
        what: format!("{}: not sent", file.display()),
        faults,
    };
    let read = csv::read(&read(file)?).map_err(refused)?;
    let faults = dagr_model::classifier::check(&read.values);
    if !faults.is_empty() {
        return Err(refused(
            faults.into_iter().map(|fault| read.placed(fault)).collect(),
        ));
    }
    serde_json::to_value(read.values).map_err(|error| Failure::here(error.to_string()))
}

fn changes(view: &Value) -> String {
    let count = |kind: &str| view["difference"][kind].as_array().map_or(0, Vec::len);
    let fields = view["used_by"].as_array().map_or(0, Vec::len);
    format!(
        "{} added, {} removed, {} renamed, {} otherwise; {fields} fields use it",
        count("added"),
        count("removed"),
        count("renamed"),
        count("changed")
    )
}

fn json_of<T: serde::de::DeserializeOwned>(file: &PathBuf) -> Result<T, Failure> {
    let text = read(file)?;
    serde_json::from_str(&text).map_err(|error| {
        let name = file.display();
        let (line, column) = (error.line(), error.column());
        Failure::here(format!(
            "{name}: not the JSON wanted (line {line}, column {column})"
        ))
    })
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}
