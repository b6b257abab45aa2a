//! The receipt: what a delivery did, signed.

use dagr_store::set::{apply::Outcome, head::Head};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::package::Facts;
use crate::{jws, secrets::Secrets};

/// The receipt without its signature, in the order providers read it. `head` is the one the package made.
pub(super) fn unsigned(id: &str, facts: &Facts, outcome: &Outcome, head: &Head) -> Value {
    json!({
        "package_id": id,
        "mode": if facts.snapshot { "snapshot" } else { "delta" },
        "read_as": facts.read_as,
        "received": outcome.received(),
        "accepted": outcome.accepted,
        "unchanged": outcome.unchanged,
        "deleted": outcome.removed(),
        "duplicates": outcome.duplicates,
        "expired": outcome.expired,
        "quarantined": outcome.quarantined,
        "first_sequence": outcome.first_sequence,
        "last_sequence": outcome.last_sequence,
        "epoch": head.epoch,
        "digest": facts.digest,
        "received_at": time_text(facts.received_ms),
    })
}

pub(super) fn signed(secrets: &Secrets, mut receipt: Value) -> Value {
    let signature = jws::sign_detached(secrets, &jws::canonical(&receipt));
    receipt["signature"] = Value::String(signature);
    receipt
}

/// RFC 3339, UTC.
pub(super) fn time_text(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
