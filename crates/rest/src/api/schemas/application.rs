//! Applications, people, roles.

use serde_json::{Value, json};

use super::{
    body, count, list, long, many, nullable, registration_number, schema_ref, technical_name, text, time,
    view, word,
};

pub(super) const ROLES: [&str; 7] = [
    "head",
    "data_manager",
    "legal_reviewer",
    "technical_contact",
    "operator",
    "data_protection_officer",
    "auditor",
];

pub(super) fn people() -> Value {
    let person = || json!({ "type": "integer", "description": "Number of the person." });
    json!({
        "Person": view(json!({ "id": person(), "name": text() })),
        "PersonList": list("people", schema_ref("Person")),
        "PersonCreate": body(&["code", "name"], json!({
            "code": { "type": "string", "pattern": "^[0-9]{6}-?[0-9]{5}$", "description": "Taken, never shown." },
            "name": long(200),
        })),
        "Role": view(json!({
            "id": count(), "person": person(), "institution": text(), "role": word(&ROLES),
            "state": word(&["proposed", "active", "ended"]), "proposed_by": text(),
            "from": nullable(time()), "to": nullable(time()),
        })),
        "Proposal": view(json!({
            "id": count(), "institution": text(),
            "proposed": { "type": "object", "description": "`connection` or `certificate`, and what would be made." },
            "state": word(&["proposed", "confirmed", "rejected"]), "proposed_by": text(), "proposed_at": time(),
            "decided_by": nullable(text()), "decided_at": nullable(time()), "reason": nullable(text()),
        })),
        "ProposalList": list("proposals", schema_ref("Proposal")),
        "ProposalCreate": json!({ "oneOf": [schema_ref("ProposedConnection"), schema_ref("ProposedCertificate")] }),
        "ProposedConnection": body(&["connection"], json!({ "connection": schema_ref("ConnectionCreate") })),
        "ProposedCertificate": body(&["certificate"], json!({ "certificate": body(&["client_id", "pem"], json!({
            "client_id": technical_name(), "pem": long(65_536),
        })) })),
        "RoleList": list("roles", schema_ref("Role")),
        "RoleCreate": body(&["institution", "role"], json!({
            "institution": registration_number(), "role": word(&ROLES),
        })),
    })
}

pub(super) fn sessions() -> Value {
    let place = || view(json!({ "institution": text(), "name": text(), "roles": many(word(&ROLES)) }));
    let mut acting_for = place();
    acting_for["type"] = json!(["object", "null"]);
    let person = || json!({ "type": ["integer", "null"] });
    json!({
        "Session": view(json!({
            "person": { "type": "integer" }, "name": text(), "acting_for": acting_for, "may_act_for": many(place()),
            "signed_in_by": text(), "signed_in_at": time(), "ends": time(),
        })),
        "SessionUpdate": body(&["institution"], json!({ "institution": nullable(registration_number()) })),
        "MailAddress": body(&["address", "language"], json!({
            "address": { "type": "string", "format": "email", "maxLength": 254 }, "language": word(&["lv", "en"]),
        })),
        "Notification": view(json!({
            "id": count(), "at": time(), "institution": nullable(text()), "person": person(), "kind": text(),
            "object": text(), "read_at": nullable(time()), "read_by": person(),
        })),
        "NotificationList": list("notifications", schema_ref("Notification")),
    })
}

pub(super) fn applications() -> Value {
    let person = || json!({ "type": "integer", "description": "Number of the person." });
    let stage = json!({
        "type": "object",
        "description": "`name` and what belongs to it: submission (by, at, due, seal), remarks, note, decision, reason.",
        "required": ["name"],
        "properties": { "name": word(&["draft", "submitted", "returned", "resubmitted", "legal_review", "decided", "withdrawn"]) },
    });
    let asked = asked();
    let mut patch = asked.clone();
    patch["required"] = json!([]);
    json!({
        "ApplicationCreate": asked,
        "ApplicationPatch": patch,
        "Application": view(json!({
            "number": text(), "applicant": text(), "provider": nullable(text()),
            "asked": { "type": "object", "description": "As in ApplicationCreate, every member." },
            "stage": stage,
            "due": nullable(json!({ "type": "string", "format": "date" })),
            "permissions": many(text()),
            "possible": many(word(&["amend", "submit", "return", "review", "decide", "withdraw"])),
        })),
        "ApplicationList": list("applications", schema_ref("Application")),
        "ApplicationCheck": view(json!({
            "errors": many(view(json!({ "place": text(), "rule": text(), "message": text() }))),
        })),
        "ApplicationEvent": view(json!({
            "number": count(), "at": time(), "person": person(), "person_name": text(), "institution": text(),
            "role": word(&ROLES), "kind": text(), "event": {}, "application": { "type": "object" },
            "sealed": { "description": "What the person accepted; null where nothing is accepted." },
            "seal": { "type": ["string", "null"],
                "description": "Detached JWS (RFC 7797) over the RFC 8785 form of `sealed`; the key is in the JWKS." },
        })),
        "ApplicationEventList": list("events", schema_ref("ApplicationEvent")),
        "ApplicationFacts": facts(),
        "Preview": view(json!({
            "generated": { "type": "boolean", "enum": [true] }, "dataset": text(), "section": word(&["main", "sandbox"]),
            "seed": count(), "fields": many(text()), "records": many(json!({ "type": "object" })),
        })),
        "Remarks": body(&["remarks"], json!({ "remarks": {
            "type": "array", "minItems": 1, "maxItems": 200,
            "items": body(&["text"], json!({ "place": nullable(text()), "text": long(4_000) })),
        } })),
        "Note": body(&[], json!({ "note": nullable(long(4_000)) })),
        "Verdict": body(&["result"], json!({
            "result": word(&["approve", "partial", "refuse"]),
            "reason": long(4_000),
            "refused": many(body(&["field", "reason"], json!({ "field": text(), "reason": long(4_000) }))),
        })),
        "Comment": view(json!({
            "id": count(), "at": time(), "person": person(), "person_name": text(), "institution": text(), "text": text(),
        })),
        "CommentList": list("comments", schema_ref("Comment")),
        "CommentCreate": body(&["text"], json!({ "text": long(4_000) })),
    })
}

fn asked() -> Value {
    let date = nullable(json!({ "type": "string", "format": "date" }));
    let words = json!({ "type": "string", "maxLength": 2_000 });
    let rate = nullable(json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }));
    let members = json!({
        "kind": word(&["data", "role"]),
        "dataset": text(),
        "amends": { "type": ["string", "null"], "description": "The permission that shall be as asked here." },
        "template": nullable(body(&["number", "version"], json!({ "number": count(), "version": count() }))),
        "environments": many(word(&["main", "sandbox"])), "purpose": words, "legal_basis": words,
        "use_case": words,
        "fields": many(body(&["field"], json!({ "field": text(), "law": words }))),
        "scope": nullable(schema_ref("Scope")), "ways": many(text()), "quota": nullable(count()),
        "quota_unit": word(&["call", "record"]), "rate_per_second": rate, "misses_per_hour": rate,
        "valid_from": date, "valid_to": date, "case_required": { "type": "boolean" },
        "processor": nullable(registration_number()),
        "role": word(&["provider", "recipient"]), "grounds": words,
    });
    let mut schema = body(&["kind"], members);
    schema["description"] = json!(
        "`data`: a permission for `dataset`; it may be incomplete until submitted. `role`: to be a provider or a recipient."
    );
    schema
}

fn facts() -> Value {
    let mut amendment = view(json!({
        "permission": text(), "state": word(&["active", "suspended", "revoked"]), "added": many(text()),
        "removed": many(text()), "ways_added": many(text()),
        "valid_to": nullable(json!({ "type": "string", "format": "date" })),
    }));
    amendment["type"] = json!(["object", "null"]);
    view(json!({
        "dataset": text(), "classification": word(&["open", "restricted", "sensitive"]),
        "fields": many(view(json!({
            "field": text(), "law": text(), "comments": text(), "type": text(),
            "personal": nullable(word(&["subject", "identifying", "sensitive"])),
            "is_key": { "type": "boolean" }, "known": { "type": "boolean" }, "held_by": count(),
        }))),
        "not_asked": count(),
        "records": { "type": ["integer", "null"], "description": "Live records; for the provider." },
        "scope": word(&["all", "keys", "predicate"]),
        "others": many(view(json!({
            "permission": text(), "recipient": text(), "name": text(), "purpose": text(), "legal_basis": text(),
            "fields": many(text()), "shared": count(),
        }))),
        "others_total": count(),
        "joinable": many(view(json!({
            "dataset": text(), "permission": text(), "by": word(&["person_code", "org_code"]), "fields": many(text()),
        }))),
        "amends": amendment,
        "processor": nullable(text()), "bulk_ways": many(text()),
    }))
}
