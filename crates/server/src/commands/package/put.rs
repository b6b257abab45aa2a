//! `dagr package put`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use reqwest::header;

use super::{Set, media, summary};
use crate::{
    cli::Global,
    commands::{Done, Failure, encoded},
};

#[derive(Args)]
pub struct Put {
    #[command(flatten)]
    set: Set,
    /// NDJSON, JSON array or CSV; `.gz` and `.zst` are sent as they are
    file: PathBuf,
    /// The package's id; the same again is the same delivery [default: the time and the file's name]
    #[arg(long)]
    id: Option<String>,
    #[arg(long, default_value = "delta")]
    mode: Mode,
    /// Check and report everything, apply nothing
    #[arg(long)]
    dry_run: bool,
    /// Only if this package was the last applied
    #[arg(long, value_name = "ID")]
    previous: Option<String>,
    /// [default: by the file's name]
    #[arg(long)]
    media_type: Option<String>,
    /// Of a CSV file: utf-8, iso-8859-13, windows-1257, …
    #[arg(long)]
    charset: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// The operations of the file
    Delta,
    /// The whole set as it is now
    Snapshot,
}

pub async fn run(global: &Global, command: Put) -> Done {
    let (by_name, encoding) = media::of(&command.file);
    let Some(mut media_type) = command.media_type.clone().or_else(|| by_name.map(str::to_owned)) else {
        return Err(Failure::Usage(format!(
            "the name {} does not tell what it holds; give --media-type",
            command.file.display()
        )));
    };
    if let Some(charset) = &command.charset {
        media_type.push_str(&format!("; charset={charset}"));
    }
    let file = tokio::fs::File::open(&command.file)
        .await
        .map_err(|error| Failure::file(&command.file, &error))?;
    let session = command.set.session(global)?;
    let id = command.id.clone().unwrap_or_else(|| default_id(&command.file));
    let mut headers = vec![(header::CONTENT_TYPE, media_type.as_str())];
    if let Some(encoding) = encoding {
        headers.push((header::CONTENT_ENCODING, encoding));
    }
    let path = format!("{}?{}", command.set.package(&id), words(&command));
    let view = session.client.put_stream(&path, &headers, file).await?;
    let tried = if command.dry_run {
        "tried, nothing applied: "
    } else {
        ""
    };
    session.out.line(&view, &format!("{tried}{}", summary(&view)));
    Ok(())
}

fn words(command: &Put) -> String {
    let mode = match command.mode {
        Mode::Delta => "delta",
        Mode::Snapshot => "snapshot",
    };
    let mut words = format!("mode={mode}");
    if command.dry_run {
        words.push_str("&dry_run=true");
    }
    if let Some(previous) = &command.previous {
        words.push_str(&format!("&previous={}", encoded(previous)));
    }
    words
}

/// A new id each time: delivering an older file again must not be taken for a repetition.
fn default_id(file: &Path) -> String {
    let stem = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("package");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    let stem: String = stem.chars().take(60).map(plain).collect();
    format!("{}-{stem}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ"))
}
