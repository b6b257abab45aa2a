//! Classifiers, their versions and codes.

use serde_json::{Value, json};

use super::{body, count, list, many, nullable, registration_number, schema_ref, text, time, view, word};

pub(super) fn classifiers() -> Value {
    let day = || json!({ "type": "string", "format": "date" });
    let told = |most: u32| json!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": "\\S" });
    let url = nullable(json!({ "type": "string", "maxLength": 500, "pattern": "^https?://[^\\s]*$" }));
    let pair =
        || json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": schema_ref("ClassifierValue") });
    json!({
        "Classifier": view(json!({
            "id": text(), "title": text(), "title_en": nullable(text()), "description": nullable(text()),
            "keeper": registration_number(), "keeper_name": text(), "url": nullable(text()),
            "latest": { "type": ["integer", "null"], "description": "Its newest version." },
            "in_force": { "type": ["integer", "null"], "description": "The version that judges today." },
        })),
        "ClassifierList": list("classifiers", schema_ref("Classifier")),
        "ClassifierPut": body(&["title", "keeper"], json!({
            "title": told(500), "title_en": nullable(told(500)), "description": nullable(told(4_000)),
            "keeper": registration_number(), "url": url,
        })),
        "ClassifierValue": body(&["code", "name"], json!({
            "code": told(100), "name": told(500), "name_en": nullable(told(500)),
            "parent": { "type": ["string", "null"], "description": "The code it stands under." },
            "valid_from": nullable(day()), "valid_to": nullable(day()),
        })),
        "ClassifierValueList": list("values", schema_ref("ClassifierValue")),
        "ClassifierVersion": view(json!({
            "classifier": text(), "number": count(), "valid_from": day(), "codes": count(), "reason": text(),
            "by": text(), "published_at": time(),
        })),
        "ClassifierVersionList": list("versions", schema_ref("ClassifierVersion")),
        "ClassifierVersionCreate": body(&["reason", "values"], json!({
            "valid_from": nullable(json!({ "type": "string", "format": "date", "description": "Its first day; without it today." })),
            "reason": told(2_000),
            "values": { "type": "array", "minItems": 1, "maxItems": 50_000, "items": schema_ref("ClassifierValue") },
        })),
        "ClassifierCheck": view(json!({
            "difference": view(json!({
                "added": many(schema_ref("ClassifierValue")), "removed": many(schema_ref("ClassifierValue")),
                "renamed": many(pair()), "changed": many(pair()),
            })),
            "used_by": many(view(json!({ "dataset": text(), "section": word(&["main", "sandbox"]), "field": text() }))),
        })),
    })
}
