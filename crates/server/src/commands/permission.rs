//! `dagr permission`

use std::{fs, io::Read, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Done, Failure, Paging, Query, Session, members, path_of};

const PATH: &str = "/registry/permissions";
const COLUMNS: [&str; 6] = [
    "number",
    "dataset",
    "recipient",
    "environment",
    "state",
    "purpose",
];

#[derive(Subcommand)]
pub enum Command {
    /// Grant a permission
    Create(Box<Create>),
    /// Permissions
    List {
        #[arg(long)]
        dataset: Option<String>,
        /// Registration number
        #[arg(long)]
        recipient: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// One permission
    Show { number: String },
    /// What a call would be answered, and why
    Explain {
        number: String,
        /// The way asked: key, bulk, changes, index:NAME, list:NAME, history
        #[arg(long)]
        way: Option<String>,
        /// Fields asked, with commas
        #[arg(long)]
        fields: Option<String>,
        /// Key parts, with `/`
        #[arg(long)]
        key: Option<String>,
    },
    /// Make a revision: a merge patch from a file (`-` = stdin)
    Amend {
        number: String,
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Stop it for a while
    Suspend(Transition),
    /// Let it go on
    Resume(Transition),
    /// End it for good
    Revoke(Transition),
}

#[derive(Args)]
pub struct Transition {
    number: String,
    #[arg(long)]
    reason: String,
}

#[derive(Args)]
pub struct Create {
    /// The permission as JSON (`-` = stdin); the options below lie over it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[arg(long)]
    dataset: Option<String>,
    /// Registration number
    #[arg(long)]
    recipient: Option<String>,
    /// main or sandbox
    #[arg(long)]
    environment: Option<String>,
    #[arg(long)]
    purpose: Option<String>,
    #[arg(long)]
    legal_basis: Option<String>,
    /// `all`, or paths with commas
    #[arg(long)]
    fields: Option<String>,
    /// Only records for which this CEL expression over `record` holds
    #[arg(long, value_name = "CEL")]
    when: Option<String>,
    /// With commas: key,bulk,changes,index:NAME,list:NAME,history
    #[arg(long)]
    ways: Option<String>,
    #[arg(long)]
    quota: Option<u64>,
    /// call or record
    #[arg(long)]
    quota_unit: Option<String>,
    #[arg(long)]
    rate_per_second: Option<u32>,
    #[arg(long)]
    misses_per_hour: Option<u32>,
    /// A date, inclusive
    #[arg(long)]
    valid_from: Option<String>,
    /// A date, inclusive
    #[arg(long)]
    valid_to: Option<String>,
    /// Every call names the recipient's case
    #[arg(long)]
    case_required: bool,
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        Command::Create(command) => {
            let view = client.post(PATH, &body(*command)?).await?;
            let number = view
                .get("number")
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned();
            out.line(&view, &format!("permission {number} granted"));
        }
        Command::List {
            dataset,
            recipient,
            paging,
        } => {
            let mut list = session.list(PATH, paging, vec![]).await?;
            // The interface lists them all; the choice is made here.
            if let Some(rows) = super::output::rows_mut(&mut list) {
                let fits = |row: &Value, name: &str, wanted: &Option<String>| {
                    wanted
                        .as_ref()
                        .is_none_or(|wanted| row.get(name).and_then(Value::as_str) == Some(wanted))
                };
                rows.retain(|row| fits(row, "dataset", &dataset) && fits(row, "recipient", &recipient));
            }
            out.table(&list, &COLUMNS);
        }
        Command::Show { number } => out.object(&client.get(&path_of(PATH, &number)).await?),
        Command::Explain {
            number,
            way,
            fields,
            key,
        } => {
            let words = [("way", way), ("fields", fields), ("key", key)];
            let query: Query = words
                .into_iter()
                .filter_map(|(word, value)| Some((word, value?)))
                .collect();
            let answer = client
                .get_with(&format!("{}/explain", path_of(PATH, &number)), &query)
                .await?;
            explain(session, &answer);
        }
        Command::Amend { number, file } => {
            let view = client.patch(&path_of(PATH, &number), &read(&file)?).await?;
            out.line(&view, &format!("permission {number} amended"));
        }
        Command::Suspend(transition) => change(session, transition, "suspend", "suspended").await?,
        Command::Resume(transition) => change(session, transition, "resume", "resumed").await?,
        Command::Revoke(transition) => change(session, transition, "revoke", "revoked").await?,
    }
    Ok(())
}

async fn change(session: &Session, transition: Transition, verb: &str, done: &str) -> Done {
    let Transition { number, reason } = transition;
    let path = format!("{}/{verb}", path_of(PATH, &number));
    let view = session.client.post(&path, &json!({ "reason": reason })).await?;
    session.out.line(&view, &format!("permission {number} {done}"));
    Ok(())
}

fn explain(session: &Session, answer: &Value) {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut lines = vec![
        format!("{} {}", text(answer, "answer"), text(answer, "code"))
            .trim_end()
            .to_owned(),
    ];
    for reason in answer
        .get("reasons")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mark = if reason.get("ok") == Some(&Value::Bool(true)) {
            "yes"
        } else {
            "no "
        };
        lines.push(format!(
            "  {mark} {}: {}",
            text(reason, "rule"),
            text(reason, "detail")
        ));
    }
    session.out.line(answer, &lines.join("\n"));
}

/// The options over the file.
fn body(create: Create) -> Result<Value, Failure> {
    let mut body = match &create.file {
        Some(file) => read(file)?,
        None => json!({}),
    };
    let list = |text: String| json!(text.split(',').map(str::trim).collect::<Vec<_>>());
    let given = members([
        ("dataset", create.dataset.map(Value::String)),
        ("recipient", create.recipient.map(Value::String)),
        ("environment", create.environment.map(Value::String)),
        ("purpose", create.purpose.map(Value::String)),
        ("legal_basis", create.legal_basis.map(Value::String)),
        (
            "fields",
            create
                .fields
                .map(|text| if text == "all" { json!(text) } else { list(text) }),
        ),
        ("scope", create.when.map(|when| json!({ "when": when }))),
        ("ways", create.ways.map(list)),
        ("quota", create.quota.map(|quota| json!(quota))),
        ("quota_unit", create.quota_unit.map(Value::String)),
        ("rate_per_second", create.rate_per_second.map(|rate| json!(rate))),
        (
            "misses_per_hour",
            create.misses_per_hour.map(|misses| json!(misses)),
        ),
        ("valid_from", create.valid_from.map(Value::String)),
        ("valid_to", create.valid_to.map(Value::String)),
        ("case_required", create.case_required.then_some(Value::Bool(true))),
    ]);
    let Some(members) = body.as_object_mut() else {
        return Err(Failure::here("the file holds no JSON object".to_owned()));
    };
    for (name, value) in given.as_object().into_iter().flatten() {
        members.insert(name.clone(), value.clone());
    }
    if members.is_empty() {
        return Err(Failure::Usage(
            "give --file FILE.json or the permission's options; see --help".to_owned(),
        ));
    }
    Ok(body)
}

/// JSON of a file, or of stdin for `-`.
fn read(file: &PathBuf) -> Result<Value, Failure> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| Failure::file(file, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::here(format!(
            "{}: not JSON: line {}, column {}",
            file.display(),
            error.line(),
            error.column()
        ))
    })
}
