//! What is registered beside data sets.

use serde_json::{Value, json};

use super::{body, count, list, long, schema_ref, text, time, view, word};

/// A text somebody reads: not blank.
fn told(most: u32) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": "\\S" })
}

pub(super) fn systems() -> Value {
    json!({
        "SystemFacts": body(
            &["purposes", "content", "controller", "volume", "processing", "conditions_of_access", "legal_acts", "criticality"],
            json!({
                "purposes": told(4_000), "content": told(4_000), "controller": told(4_000), "volume": told(4_000),
                "processing": told(4_000), "conditions_of_access": told(4_000),
                "legal_acts": { "type": "array", "minItems": 1, "maxItems": 50, "items": told(500) },
                "criticality": word(&["ordinary", "important", "critical"]),
            }),
        ),
        "SystemFactsPut": body(&["facts", "reason"], json!({ "facts": schema_ref("SystemFacts"), "reason": long(2_000) })),
        "SystemFactsVersion": view(json!({
            "system": text(), "version": count(), "facts": schema_ref("SystemFacts"), "reason": text(), "by": text(),
            "at": time(),
        })),
        "SystemFactsVersionList": list("versions", schema_ref("SystemFactsVersion")),
    })
}
