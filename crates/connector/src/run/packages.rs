//! What a feed has sent, with the server's receipts, read beside it while it runs.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    error::Result,
    feed::Feed,
    state::{self, Package, State},
};

/// The newest packages, newest first: a JSON array. `receipt` is as the server signed it (RFC 7515 over RFC 8785), and was checked when it came.
pub fn packages(path: &Path, limit: u32) -> Result<Value> {
    let feed = Feed::load(path)?;
    let Some(db) = State::peek(&feed.state)? else {
        return Ok(json!([]));
    };
    Ok(state::newest(&db, limit)?.iter().map(told).collect())
}

fn told(package: &Package) -> Value {
    let receipt = package.receipt.as_deref();
    let mut told = of(package);
    told["previous"] = json!(package.previous);
    told["sha256"] = json!(package.sha256);
    told["receipt"] = receipt
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    told
}

/// What is told of a package in the status.
pub(super) fn of(package: &Package) -> Value {
    json!({
        "id": package.id,
        "state": package.state.as_str(),
        "mode": package.mode,
        "operations": package.operations,
        "deletes": package.deletes,
        "made_at": package.made_at,
        "ended_at": package.ended_at,
        "problem": package.problem,
    })
}
