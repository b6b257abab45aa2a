//! `dagr dataset`

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use dagr_model::definition::{Definition, check_publish};
use serde_json::json;

use super::{Done, Failure, Paging, Session, members, path_of};
use crate::cli::Global;

const PATH: &str = "/registry/datasets";

#[derive(Subcommand)]
pub enum Command {
    /// Try a definition here, without a server: every fault at once
    Check(Check),
    /// Put a definition into the sandbox, or the next text of a published one
    Put {
        /// The definition (YAML)
        file: PathBuf,
        /// Registration number of the provider
        #[arg(long)]
        institution: Option<String>,
        /// Only say what it would mean
        #[arg(long)]
        dry_run: bool,
    },
    /// From the sandbox to main
    Publish { set: String },
    /// One data set
    Show { set: String },
    /// All data sets
    List(Paging),
}

#[derive(Args)]
pub struct Check {
    /// The definition (YAML)
    file: PathBuf,
    /// Print its canonical form
    #[arg(long)]
    print: bool,
}

/// Needs no server.
pub fn check(global: &Global, command: &Check) -> Done {
    let text = read(&command.file)?;
    let name = command.file.display().to_string();
    let refused = |faults: Vec<_>| {
        let what = format!(
            "{name}: {} fault{}",
            faults.len(),
            if faults.len() == 1 { "" } else { "s" }
        );
        Failure::Faults { what, faults }
    };
    let definition = Definition::parse(&text).map_err(refused)?;
    let faults = check_publish(&definition);
    if !faults.is_empty() {
        return Err(refused(faults));
    }
    let out = super::Output::new(global.json);
    if command.print && !out.is_json() {
        print!("{}", definition.print());
        return Ok(());
    }
    let fields = definition.leaf_paths().len();
    let mut line = format!(
        "{name}: {} is in order: {fields} fields, ready to be published",
        definition.name
    );
    let lists: std::collections::BTreeSet<&str> = definition.classifiers().map(|(list, _)| list).collect();
    if !lists.is_empty() {
        let lists = lists.into_iter().collect::<Vec<_>>().join(", ");
        line.push_str(&format!(
            "\n  note: whether classifiers are registered is known to the server alone: {lists}; \
             `dagr dataset put --dry-run` tells, `dagr classifier list` names them"
        ));
    }
    out.line(
        &json!({ "definition": definition, "canonical": definition.print() }),
        &line,
    );
    Ok(())
}

pub async fn run(session: &Session, command: Command) -> Done {
    let Session { client, out } = session;
    match command {
        // Answered before a session was made.
        Command::Check(_) => {}
        Command::Put {
            file,
            institution,
            dry_run,
        } => {
            let text = read(&file)?;
            let parsed = Definition::parse(&text).map_err(|faults| Failure::Faults {
                what: format!("{}: not sent", file.display()),
                faults,
            })?;
            let mut path = format!(
                "{}/definition?dry_run={dry_run}",
                path_of(PATH, parsed.name.as_str())
            );
            if let Some(institution) = institution {
                path.push_str(&format!("&institution={}", super::encoded(&institution)));
            }
            let view = client.put(&path, "application/yaml", text).await?;
            let verb = if dry_run { "would be accepted" } else { "accepted" };
            out.line(
                &view,
                &format!("definition of {} {verb}{}", parsed.name, evolution(&view)),
            );
            remarks(*out, &view);
        }
        Command::Publish { set } => {
            let view = client
                .post(&format!("{}/publish", path_of(PATH, &set)), &members([]))
                .await?;
            out.line(&view, &format!("{set} published"));
            remarks(*out, &view);
        }
        Command::Show { set } => out.object(&client.get(&path_of(PATH, &set)).await?),
        Command::List(paging) => {
            let list = session.list(PATH, paging, vec![]).await?;
            out.table(&list, &["name", "institution", "sandbox.version", "main.version"]);
        }
    }
    Ok(())
}

/// What the next text means for its recipients, if the answer says so.
fn evolution(view: &serde_json::Value) -> String {
    let class = view
        .pointer("/evolution/class")
        .and_then(serde_json::Value::as_str);
    class.map_or_else(String::new, |class| format!(" ({class})"))
}

/// What stops nothing and should be known. The JSON holds it already.
fn remarks(out: super::Output, view: &serde_json::Value) {
    if out.is_json() {
        return;
    }
    for remark in view["remarks"].as_array().into_iter().flatten() {
        let part = |name: &str| remark[name].as_str().unwrap_or_default();
        println!("  note: {}: {}", part("place"), part("message"));
    }
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}
