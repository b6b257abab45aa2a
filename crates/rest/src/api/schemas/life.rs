//! Use of permissions, stops, attachments.

use serde_json::{Value, json};

use super::{body, count, list, long, many, nullable, schema_ref, text, time, view, word};

pub(super) fn life() -> Value {
    let day = || json!({ "type": "string", "format": "date" });
    let counted = |mut members: Value| {
        for name in ["calls", "narrowed", "records", "misses"] {
            members[name] = count();
        }
        view(members)
    };
    json!({
        "PermissionUse": counted(json!({
            "permission": text(), "from": day(), "to": day(), "counted_to": nullable(time()),
            "last_use": nullable(day()), "taken": count(), "quota": nullable(count()),
            "refusals": { "type": ["integer", "null"], "description": "Null: a refused call leaves no entry, so it is not known." },
            "days": many(counted(json!({ "day": day(), "way": text() }))),
            "fields": many(view(json!({
                "field": text(), "last_given": nullable(day()), "last_named": nullable(day()),
            }))),
        })),
        "UnusedPermission": view(json!({
            "permission": text(), "dataset": text(), "recipient": text(), "since": day(), "granted": nullable(time()),
            "calls": count(), "narrowed": count(), "last_use": nullable(day()), "is_unused": { "type": "boolean" },
            "fields_not_given": many(text()),
            "fields_not_named": { "type": "array", "items": text(),
                "description": "Given only by calls that took everything, while others named their fields." },
            "ways_not_used": many(text()),
        })),
        "UnusedPermissionList": list("permissions", schema_ref("UnusedPermission")),
        "Narrowing": body(&["reason"], json!({
            "fields": { "type": "array", "items": text(), "description": "Given up." },
            "ways": { "type": "array", "items": text(), "description": "Given up." },
            "reason": long(2_000),
        })),
        "Stop": view(json!({
            "id": count(), "dataset": text(), "at": time(), "by": text(), "reason": text(), "permissions": count(),
            "ended": nullable(time()), "ended_by": nullable(text()), "end_reason": nullable(text()),
        })),
        "StopList": list("stops", schema_ref("Stop")),
        "Attachment": view(json!({
            "id": count(), "at": time(), "person": { "type": "integer" }, "person_name": text(),
            "institution": text(), "kind": word(&["document", "signature"]), "name": text(), "media_type": text(), "bytes": count(),
            "sha256": text(), "inspection": inspection(),
        })),
        "AttachmentList": list("attachments", schema_ref("Attachment")),
    })
}

fn inspection() -> Value {
    let mut inspection = view(json!({
        "signatures": many(text()), "files": many(text()), "checksums_compared": count(),
        "signature_verified": { "type": "boolean", "enum": [false] },
    }));
    inspection["type"] = json!(["object", "null"]);
    inspection
}
