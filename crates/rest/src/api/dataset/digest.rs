//! Digests of ranges, as a reader asks for them.

use serde_json::{Value, json};

use super::SetCalls;
use crate::api::{
    operation::schema_ref,
    schemas::{body, nullable, text, view},
};

/// `from`, `to` and `parts` of a body, and `records`, `digest` and `parts` of its answer, of keys like this.
fn range(key: &Value) -> (Value, Value) {
    let count = json!({ "type": "integer", "minimum": 0 });
    let described = |text: &str| {
        let mut schema = nullable(key.clone());
        schema["description"] = text.into();
        schema
    };
    let asked = json!({
        "from": described("The first key in the range, whole; absent: open."),
        "to": described("The first key behind it, whole; absent: open."),
        "parts": { "type": ["integer", "null"], "minimum": 1, "maximum": 256, "default": 16 },
    });
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$",
        "description": "Sum modulo 2^256 of the SHA-256 of each canonical record." });
    let part = view(json!({
        "from": described("Its first key; of the first piece as asked."),
        "to": described("The first key behind it; of the last piece as asked."),
        "key": described("Of the one record, where it holds one."),
        "records": count, "digest": digest,
    }));
    let told = json!({
        "records": count, "digest": digest,
        "parts": { "type": "array", "minItems": 1, "maxItems": 256, "items": part,
            "description": "In key order, each beginning where the one before ends, of about as many records each." },
    });
    (asked, told)
}

/// What a provider sends and gets.
pub(in crate::api) fn schemas() -> Value {
    let key = json!({ "type": "object", "description": "Every field of the key." });
    let (asked, told) = range(&key);
    let mut members = json!({ "epoch": { "type": "integer" }, "last_sequence": { "type": "integer" } });
    for (name, schema) in told.as_object().into_iter().flatten() {
        members[name] = schema.clone();
    }
    json!({ "DigestRange": body(&[], asked), "SetDigest": view(members) })
}

impl SetCalls<'_> {
    pub(super) fn digest(&mut self) {
        let (mut asked, mut told) = range(&schema_ref(&self.key));
        asked["after"] =
            json!({ "type": "string", "description": "A cursor of `changes`, behind the first load." });
        asked["fields"] = nullable(json!({ "type": "array", "items": text() }));
        let body = self.schema("DigestQuery", body(&["after"], asked));
        told["changed"] = json!({ "type": "boolean", "description": "`changes` has yet to tell something of the range: follow it first." });
        let answer = self.schema("Digest", view(told));
        let call = self
            .call("digest", "Digest of what `changes` has told up to a cursor")
            .describe(
                "Over the records as the permission shows them, or `fields` of it. Needs the way `changes`; entered as \
                 `digest`, one use. Shows no more than the feed: 409 `cursor_fields` where `changes` has not given these \
                 fields of every record up to the cursor. 409 `state_conflict` while the first load is under way.",
            );
        let call = call
            .json_body(schema_ref(&body))
            .ok("The digest, whole and in pieces.", schema_ref(&answer))
            .problems(&[409, 410, 429]);
        let path = format!("{}/digest", self.root);
        self.paths.add("post", &path, call);
    }
}
