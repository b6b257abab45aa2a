//! What the commands of a feed print.

use std::sync::Arc;

use dagr_connector::run;
use serde_json::{Value, json};

use super::{Check, Packages, Status};
use crate::commands::{Done, Failure, Output, progress::Line};

pub async fn check(out: Output, command: Check) -> Done {
    let progress = Arc::default();
    let line = Line::show(&progress, "rows read");
    let checked = run::check(&command.file.feed, command.rows, &progress).await?;
    drop(line);
    let view = json!(checked);
    if out.is_json() {
        out.line(&view, "");
    } else {
        let expired = match checked.expired {
            0 => String::new(),
            rows => format!(", {rows} are past the retention"),
        };
        println!(
            "{}: {} records{}, {} rows refused{expired}",
            checked.source,
            checked.records,
            would_be_sent(&checked),
            checked.refused
        );
        for record in &checked.first {
            println!("  {record}");
        }
        for refused in &checked.refusals {
            println!("{}", told(&json!(refused)));
        }
        if checked.is_cut {
            println!("  … the first {} are told", checked.refusals.len());
        }
        if checked.unheld > 0 {
            println!(
                "  whether the keys of the last {} rows are given twice was not looked at",
                checked.unheld
            );
        }
    }
    if checked.refused > 0 {
        return Err(Failure::here(format!(
            "{} rows would be refused",
            checked.refused
        )));
    }
    Ok(())
}

/// Of the records of a check.
fn would_be_sent(checked: &run::Checked) -> String {
    let mut line = match &checked.changes {
        None => " would be sent".to_owned(),
        Some(changes) => differences(changes),
    };
    if checked.held {
        line.push_str(" (it would remove more than a guard allows: the package would be held)");
    }
    line
}

fn differences(changes: &run::Changes) -> String {
    let mut line = format!(
        ": {} new and {} different would be sent, {} are unchanged",
        changes.new, changes.different, changes.unchanged
    );
    match changes.gone {
        None => line.push_str("; what is gone is not known, not all rows were looked at"),
        Some(0) => {}
        Some(gone) if changes.kept => line.push_str(&format!(
            "; {gone} seem to be gone and would stay, because rows that cannot be read may be theirs"
        )),
        Some(gone) => line.push_str(&format!("; {gone} are gone and would be deleted")),
    }
    line
}

/// A row that is not sent.
fn told(refused: &Value) -> String {
    let text = |member: &str| refused[member].as_str().unwrap_or_default();
    let record = match text("record") {
        "" => String::new(),
        record => format!(", record {record}"),
    };
    format!(
        "  row {}{record}, {}: {} ({}); looks like {:?}",
        refused["row"],
        text("column"),
        text("message"),
        text("rule"),
        text("shape")
    )
}

pub fn status(out: Output, command: &Status) -> Done {
    let mut view = run::status(&command.file.feed)?;
    if command.metrics {
        print!("{}", run::metrics(&view));
        return Ok(());
    }
    if !out.is_json() {
        let refusals = view["refusals"].take();
        if let Some(members) = view.as_object_mut() {
            members.remove("refusals");
        }
        out.object(&view);
        for refused in refusals.as_array().into_iter().flatten() {
            println!("{}", told(refused));
        }
        return Ok(());
    }
    out.line(&view, "");
    Ok(())
}

pub fn packages(out: Output, command: &Packages) -> Done {
    let view = run::packages(&command.file.feed, command.limit)?;
    if out.is_json() {
        out.line(&view, "");
        return Ok(());
    }
    let listed = view.as_array().map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        println!("nothing was sent yet");
    }
    for package in listed {
        let receipt = if package["receipt"].is_object() {
            "receipt signed by the server"
        } else {
            "no receipt"
        };
        println!(
            "{}  {}  {}  {} operations, {} of them deletes; {receipt}",
            package["made_at"].as_str().unwrap_or_default(),
            package["id"].as_str().unwrap_or_default(),
            package["state"].as_str().unwrap_or_default(),
            package["operations"],
            package["deletes"],
        );
    }
    Ok(())
}
