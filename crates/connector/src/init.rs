//! Proposes definitions and feeds: from what a database says of itself, or from what the rows of a file look like.

mod files;
mod tables;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

pub use self::{
    files::{Hints, propose_of_file},
    tables::propose,
};
use dagr_model::{fault::Fault, value::nfc};

use crate::{
    error::{Error, Result},
    source::files::format_of,
};

/// A data set proposed: its name and two texts.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub name: String,
    pub definition: String,
    pub feed: String,
}

/// What cannot be proposed, and why.
pub type Left = (String, String);

/// How a SQLite database begins. <https://www.sqlite.org/fileformat.html>
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The file or directory that is meant; `None`: a database.
pub fn file(source: &str) -> Result<Option<PathBuf>> {
    if source.contains("://") {
        return Ok(None);
    }
    let path = PathBuf::from(source);
    let away = |error: std::io::Error| Error::away(&path, &error);
    if path.is_dir() {
        return Ok(Some(path));
    }
    let mut head = Vec::new();
    let opened = File::open(&path).map_err(away)?;
    opened
        .take(SQLITE.len() as u64)
        .read_to_end(&mut head)
        .map_err(away)?;
    // A database without a table has no bytes.
    let is_database = head == SQLITE || head.is_empty() && format_of(source).is_none();
    Ok((!is_database).then_some(path))
}

/// Latvian letters and what is written where only plain ones may stand.
const LETTERS: [(char, char); 13] = [
    ('ā', 'a'),
    ('č', 'c'),
    ('ē', 'e'),
    ('ģ', 'g'),
    ('ī', 'i'),
    ('ķ', 'k'),
    ('ļ', 'l'),
    ('ņ', 'n'),
    ('ō', 'o'),
    ('ŗ', 'r'),
    ('š', 's'),
    ('ū', 'u'),
    ('ž', 'z'),
];

fn dataset(prefix: &str, table: &str) -> String {
    let plain: String = nfc(table)
        .to_lowercase()
        .chars()
        .map(|c| match LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, plain)) => *plain,
            None if c.is_ascii_alphanumeric() => c,
            None => '_',
        })
        .collect();
    match plain.trim_matches('_') {
        "" => format!("{prefix}_data"),
        plain => format!("{prefix}_{plain}"),
    }
}

/// `a` or `a(, b)`.
fn key(columns: &[String]) -> String {
    match columns.split_first() {
        None => String::new(),
        Some((first, [])) => first.clone(),
        Some((first, rest)) => format!("{first}(, {})", rest.join(", ")),
    }
}

/// What the source says of it on one line, or the name until somebody writes more.
fn described(comment: &str, name: &str) -> String {
    // YAML has no control characters.
    let plain: String = comment
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let comment = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if comment.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", comment.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// What a feed's file begins with.
fn begins(name: &str) -> String {
    format!(
        "# The feed of {name}. `dagr connector check` tries it and sends nothing; `dagr connector run` is the service.\n\
         dataset = \"{name}\"\n# section = \"sandbox\"          # while the data set is tried\n# state = \"{name}.state\"     # what the feed remembers\n# guard = \"5%\"                # more of its records no package removes before somebody decides\n\n\
         [server]\nurl = \"https://dagr.example.lv\"    # where DAGR is\nclient_id = \"…\"                   # the producer connection\nkey = {{ file = \"key.pem\" }}         # its private key; or {{ env = \"NAME\" }}\n"
    )
}

/// What it ends with.
const SCHEDULE: &str = "\n# [schedule]\n# compare = \"15m\"                # everything, against what was sent\n# reconcile = \"24h\"              # what was sent, against the server's digest\n";

/// What may stand in a map.
const MAP: &str = "# Field = \"column\"\n# Field = { column = \"st\", codes = { \"1\" = \"alive\" } }\n";

/// What is proposed must be readable; the faults in one line.
fn readable(definition: &str) -> std::result::Result<(), String> {
    let read = definition.parse::<dagr_model::definition::Definition>();
    read.map(|_| ()).map_err(|faults| told_of(&faults))
}

fn told_of(faults: &[Fault]) -> String {
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.place, fault.message))
        .collect();
    told.join("; ")
}

/// The feed stands in another directory: its paths begin there.
fn absolute(path: &Path) -> String {
    let whole = std::path::absolute(path);
    whole.as_deref().unwrap_or(path).display().to_string()
}
