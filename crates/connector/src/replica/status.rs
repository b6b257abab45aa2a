//! How a replica stands, read beside it while it runs.

use std::path::Path;

use serde_json::{Value, json};

use super::{Spec, TargetSpec, target::Target, verify};
use crate::{error::Result, metrics::Gauges};

/// How a replica stands.
pub async fn status(path: &Path) -> Result<Value> {
    let spec = Spec::load(path)?;
    if let TargetSpec::Sqlite { path } | TargetSpec::Files { state: path, .. } = &spec.target
        && !path.exists()
    {
        return Ok(json!({ "replica": spec.name, "dataset": spec.dataset, "state": "new" }));
    }
    let target = Target::open(&spec.target).await?;
    let note = async |name: &str| -> Result<Option<String>> {
        Ok(target
            .note(&spec.name, name)
            .await?
            .filter(|text| !text.is_empty()))
    };
    let problem = target.problem(&spec.name).await?.or(note(verify::DIFFERS).await?);
    let phase = note("phase").await?;
    let caught_up = note("caught_up").await?.as_deref() == Some("true");
    let state = match (phase.as_deref(), &problem) {
        (_, Some(_)) => "problem",
        (None, _) => "new",
        (Some("loading"), _) => "loading",
        _ if caught_up => "current",
        _ => "following",
    };
    Ok(json!({
        "replica": spec.name,
        "dataset": spec.dataset,
        "state": state,
        "problem": problem,
        "last_page": note("last_page").await?,
        "last_verify": note("last_verify").await?,
        "records": note("records").await?.and_then(|text| text.parse::<u64>().ok()),
        "digest": note("digest").await?,
    }))
}

/// The same as Prometheus text.
pub fn metrics(status: &Value) -> String {
    let mut gauges = Gauges::of("dagr_replica", "replica", &status["replica"]);
    for (name, help, value) in [
        (
            "current",
            "1 while the copy is up to date.",
            &json!(status["state"] == "current"),
        ),
        (
            "problem",
            "1 while the replica stands still.",
            &json!(status["problem"].is_string()),
        ),
        (
            "verified_records",
            "Records of the copy when it was last verified.",
            &status["records"],
        ),
        (
            "last_page_seconds",
            "When the last page was applied.",
            &status["last_page"],
        ),
        (
            "last_verify_seconds",
            "When the copy was last verified.",
            &status["last_verify"],
        ),
    ] {
        gauges.put(name, help, value);
    }
    gauges.text()
}
