//! Schemas that are the same in every installation: problems, receipts, views of the registry.

mod application;
mod classifier;
mod life;
mod plan;
mod register;

use serde_json::{Map, Value, json};

use super::{dataset::digest_schemas, operation::schema_ref};

/// An object whose members are all there. Answers stay open to new members.
pub(super) fn view(members: Value) -> Value {
    let required: Vec<String> = members
        .as_object()
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": members })
}

/// A body that is read strictly.
pub(super) fn body(required: &[&str], members: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": members })
}

/// `{noun: […], next}`.
pub(super) fn list(noun: &str, item: Value) -> Value {
    view(json!({ noun: { "type": "array", "items": item }, "next": nullable(text()) }))
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

fn long(most: u32) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most })
}

fn count() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0 })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn word(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn many(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

/// The same, or null.
pub(super) fn nullable(mut schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    if let Some(one) = schema.get("type").cloned() {
        schema["type"] = json!([one, "null"]);
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// 11 digits, or a foreign number.
pub(super) fn registration_number() -> Value {
    json!({ "type": "string", "pattern": "^([0-9]{11}|[A-Za-z]{2}[A-Za-z0-9]{1,20})$" })
}

/// A technical name that stands in paths.
pub(super) fn technical_name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" })
}

/// Name → schema.
pub(super) fn fixed() -> Map<String, Value> {
    let groups = [
        general(),
        packages(),
        digest_schemas(),
        actors(),
        datasets(),
        permissions(),
        application::applications(),
        application::people(),
        application::sessions(),
        life::life(),
        plan::plans(),
        register::systems(),
        register::templates(),
        register::registered(),
        register::law(),
        classifier::classifiers(),
        disclosures(),
    ];
    groups
        .into_iter()
        .flat_map(|group| match group {
            Value::Object(members) => members.into_iter(),
            _ => Map::new().into_iter(),
        })
        .collect()
}

fn general() -> Value {
    json!({
        "Problem": {
            "type": "object",
            "description": "RFC 9457. `type` leads to the explanation of the code.",
            "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
            "properties": {
                "type": { "type": "string", "examples": ["/api#problem-key_invalid"] },
                "title": text(),
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "code": text(),
                "detail": { "type": "string", "description": "What to do." },
                "request_id": text(),
                "errors": many(schema_ref("Fault")),
                "errors_total": { "type": "integer", "minimum": 1, "description": "All faults; at most 1 000 are listed." },
                "error": { "type": "string", "description": "RFC 6749; token endpoint only." },
                "error_description": { "type": "string", "description": "RFC 6749; token endpoint only." },
            },
        },
        "Fault": view(json!({ "place": text(), "rule": text(), "message": text() })),
        "Token": view(json!({
            "access_token": text(),
            "token_type": word(&["Bearer"]),
            "expires_in": { "type": "integer", "description": "Seconds." },
        })),
        "TokenRequest": body(&["grant_type", "client_assertion_type", "client_assertion"], json!({
            "grant_type": word(&["client_credentials"]),
            "client_assertion_type": word(&["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]),
            "client_assertion": { "type": "string", "description": "A signed JWT (RFC 7523): RS256, PS256, ES256 or EdDSA." },
            "client_id": text(),
        })),
        "ServerMetadata": view(json!({
            "issuer": text(),
            "token_endpoint": text(),
            "jwks_uri": text(),
            "grant_types_supported": many(text()),
            "response_types_supported": many(text()),
            "token_endpoint_auth_methods_supported": many(text()),
            "token_endpoint_auth_signing_alg_values_supported": many(text()),
        })),
        "KeySet": view(json!({ "keys": many(json!({ "type": "object" })) })),
        "Service": view(json!({
            "name": text(),
            "provider": view(json!({ "registration_number": text(), "name": text() })),
            "description": text(),
            "classification": word(&["open", "restricted", "sensitive"]),
            "key": many(text()),
            "change_lists": many(text()),
            "freshness": nullable(time()),
            "links": { "type": "object", "additionalProperties": text() },
        })),
        "UsablePermission": view(json!({
            "service_name": text(),
            "permission_number": text(),
            "purpose_of_use": text(),
            "use_count": count(),
            "use_count_quota": nullable(count()),
            "valid_from": nullable(json!({ "type": "string", "format": "date" })),
            "valid_to": nullable(json!({ "type": "string", "format": "date" })),
            "access_control_tree": schema_ref("AccessNode"),
        })),
        "AccessNode": view(json!({
            "name": text(),
            "read_access": word(&["full", "partial", "none"]),
            "properties": nullable(many(schema_ref("AccessNode"))),
        })),
    })
}

fn packages() -> Value {
    json!({
        "ReadAs": view(json!({ "media_type": text(), "charset": text(), "delimiter": nullable(text()) })),
        "Receipt": {
            "type": "object",
            "description": "What a delivery did. `signature` is a detached JWS (RFC 7797) over the RFC 8785 form of the rest; a dry run has none.",
            "required": ["package_id", "mode", "read_as", "received", "accepted", "unchanged", "deleted", "duplicates",
                "expired", "quarantined", "first_sequence", "last_sequence", "epoch", "digest", "received_at"],
            "properties": {
                "package_id": text(),
                "mode": word(&["delta", "snapshot"]),
                "read_as": schema_ref("ReadAs"),
                "received": count(),
                "accepted": count(),
                "unchanged": count(),
                "deleted": count(),
                "duplicates": count(),
                "expired": count(),
                "quarantined": count(),
                "first_sequence": nullable(count()),
                "last_sequence": nullable(count()),
                "epoch": count(),
                "digest": { "type": "string", "description": "SHA-256 of the decoded body, hex." },
                "received_at": time(),
                "signature": text(),
            },
        },
        "HeldPackage": view(json!({ "package_id": text(), "state": word(&["held"]), "would_delete": count() })),
        "Package": {
            "type": "object",
            "required": ["package_id", "state"],
            "properties": {
                "package_id": text(),
                "state": word(&["open", "applied", "held", "rejected"]),
                "progress": view(json!({ "rows": count(), "bytes": count() })),
                "receipt": schema_ref("Receipt"),
                "would_delete": count(),
                "outdated": {
                    "type": "boolean",
                    "description": "Of a rejected one: nobody decided against it, other packages were applied while it was held.",
                },
            },
        },
        "PackageList": list("packages", schema_ref("Package")),
        "QuarantinedRow": view(json!({
            "package": text(), "line": nullable(count()), "field": nullable(text()), "rule": text(), "reason": text(),
        })),
        "QuarantineList": list("rows", schema_ref("QuarantinedRow")),
        "SetState": view(json!({
            "last_sequence": count(), "epoch": count(), "records": count(), "digest": text(), "freshness": nullable(time()),
        })),
        "Recipient": view(json!({
            "permission": text(), "recipient": text(), "purpose": text(), "fields": many(text()), "ways": many(text()),
            "state": word(&["active", "suspended", "revoked"]), "last_use": nullable(time()),
        })),
        "RecipientList": list("recipients", schema_ref("Recipient")),
    })
}

fn actors() -> Value {
    let lifetime = json!({ "type": "integer", "minimum": 1, "maximum": 86_400, "description": "Seconds." });
    // The pattern keeps a text from being blank: that is refused.
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 500, "pattern": "\\S" });
    let kind = json!({ "type": "string", "minLength": 1, "maxLength": 100, "pattern": "\\S" });
    json!({
        "Institution": view(json!({ "registration_number": text(), "name": text(), "kind": nullable(text()), "parent": nullable(text()) })),
        "InstitutionList": list("institutions", schema_ref("Institution")),
        "InstitutionCreate": body(&["registration_number", "name"], json!({
            "registration_number": registration_number(), "name": name, "kind": nullable(kind.clone()), "parent": nullable(registration_number()),
        })),
        "InstitutionPatch": body(&[], json!({ "name": name, "kind": nullable(kind), "parent": nullable(registration_number()) })),
        "BackupCreate": body(&["directory"], json!({ "directory": text(), "with_secrets": { "type": "boolean" } })),
        "Backup": view(json!({
            "id": { "type": "integer" }, "kind": text(), "dataset": nullable(text()),
            "state": word(&["running", "done", "failed", "interrupted"]), "detail": { "type": "object" },
            "started": time(), "ended": nullable(time()),
        })),
        "System": view(json!({ "institution": text(), "code": text(), "name": text() })),
        "SystemList": list("systems", schema_ref("System")),
        "SystemCreate": body(&["institution", "code", "name"], json!({
            "institution": registration_number(), "code": technical_name(), "name": name,
        })),
        "SystemPatch": body(&[], json!({ "name": name })),
        "Certificate": view(json!({
            "sha256": text(), "subject": text(), "not_before": time(), "not_after": time(), "pem": text(),
        })),
        "CertificateList": list("certificates", schema_ref("Certificate")),
        "Connection": view(json!({
            "client_id": text(), "institution": text(), "system": text(), "kind": word(&["producer", "consumer"]),
            "token_lifetime_s": { "type": "integer" }, "description": nullable(text()),
            "state": word(&["active", "withdrawn"]), "certificates": many(schema_ref("Certificate")),
        })),
        "ConnectionList": list("connections", schema_ref("Connection")),
        "ConnectionCreate": body(&["client_id", "system", "kind", "token_lifetime_s"], json!({
            "client_id": technical_name(), "system": technical_name(), "kind": word(&["producer", "consumer"]),
            "token_lifetime_s": lifetime, "description": nullable(long(2_000)),
        })),
        "ConnectionPatch": body(&[], json!({ "token_lifetime_s": lifetime, "description": nullable(long(2_000)) })),
    })
}

fn datasets() -> Value {
    json!({
        "DefinitionVersion": view(json!({
            "section": word(&["main", "sandbox"]), "version": count(), "text": text(),
            "leaf_ids": { "type": "object" }, "at": time(), "epoch": count(),
        })),
        "Dataset": view(json!({
            "name": text(), "institution": text(),
            "sandbox": nullable(schema_ref("DefinitionVersion")), "main": nullable(schema_ref("DefinitionVersion")),
            "replaces": nullable(text()), "superseded_by": nullable(text()),
        })),
        "DatasetList": list("datasets", schema_ref("Dataset")),
        "Definition": view(json!({
            "name": text(), "institution": text(), "section": word(&["main", "sandbox"]), "version": count(),
            "text": { "type": "string", "description": "Canonical text." },
            "definition": { "type": "object" },
            "evolution": { "type": ["object", "null"], "description": "Against the published text." },
            "touches": many(view(json!({ "permission": text(), "recipient": text(), "purpose": text() }))),
            "remarks": { "type": "array", "items": schema_ref("Fault"), "description": "What should be known and stops nothing." },
        })),
    })
}

fn permissions() -> Value {
    let date = nullable(json!({ "type": "string", "format": "date" }));
    let unit = nullable(word(&["call", "record"]));
    // None of the three may be 0: that would allow nothing, and is refused.
    let quota = nullable(json!({ "type": "integer", "format": "int64", "minimum": 1 }));
    let rate = nullable(json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }));
    let misses = rate.clone();
    let way = json!({ "type": "string", "pattern": "^(key|changes|bulk|history|index:.+|list:.+)$",
        "examples": ["key", "index:Surname", "list:died"] });
    let ways =
        json!({ "type": "array", "minItems": 1, "maxItems": 1_000, "uniqueItems": true, "items": way });
    let fields = json!({ "oneOf": [
        { "type": "string", "enum": ["all"] },
        { "type": "array", "minItems": 1, "maxItems": 10_000, "items": text() },
    ] });
    let mut terms = json!({
        "purpose": long(2_000), "legal_basis": long(2_000), "fields": fields, "scope": nullable(schema_ref("Scope")),
        "ways": ways, "quota": quota, "quota_unit": unit, "rate_per_second": rate, "misses_per_hour": misses,
        "valid_from": date, "valid_to": date, "case_required": { "type": ["boolean", "null"] },
    });
    let patch = body(&[], terms.clone());
    terms["dataset"] = text();
    terms["recipient"] = registration_number();
    terms["environment"] = word(&["main", "sandbox"]);
    let required = [
        "dataset",
        "recipient",
        "environment",
        "purpose",
        "legal_basis",
        "fields",
        "ways",
    ];
    json!({
        "Scope": { "oneOf": [schema_ref("ScopeKeys"), schema_ref("ScopeWhen")] },
        "ScopeKeys": body(&["keys"], json!({ "keys": {
            "type": "array", "minItems": 1, "maxItems": 10_000,
            "items": { "type": "array", "minItems": 1, "maxItems": 16, "items": {} },
        } })),
        "ScopeWhen": body(&["when"], json!({ "when": { "type": "string", "minLength": 1, "maxLength": 2_000,
            "description": "CEL over `record`." } })),
        "PermissionCreate": body(&required, terms),
        "PermissionPatch": patch,
        "Permission": view(json!({
            "number": text(), "dataset": text(), "recipient": text(), "environment": word(&["main", "sandbox"]),
            "purpose": text(), "legal_basis": text(), "fields": many(text()), "scope": nullable(schema_ref("Scope")),
            "ways": many(text()), "quota": nullable(count()), "quota_unit": word(&["call", "record"]),
            "rate_per_second": nullable(count()), "misses_per_hour": nullable(count()),
            "valid_from": date, "valid_to": date, "case_required": { "type": "boolean" },
            "state": word(&["active", "suspended", "revoked"]), "revision": count(),
        })),
        "PermissionList": list("permissions", schema_ref("Permission")),
        "Reason": body(&["reason"], json!({ "reason": long(2_000) })),
        "Explanation": view(json!({
            "permission": text(), "answer": word(&["allowed", "refused", "depends_on_record"]), "code": nullable(text()),
            "reasons": many(view(json!({
                "rule": text(), "ok": { "type": "boolean" }, "code": nullable(text()), "detail": text(),
            }))),
            "fields": many(text()),
        })),
    })
}

fn disclosures() -> Value {
    json!({
        "Disclosure": view(json!({
            "id": text(), "at": time(), "request_id": text(), "permission": text(), "purpose": text(),
            "legal_basis": text(), "case": nullable(text()), "recipient": text(), "connection": text(), "dataset": text(),
            "section": word(&["main", "sandbox"]), "way": text(), "fields": many(text()), "search": {},
            "subjects": many(text()), "keys": many(json!({ "type": ["object", "null"] })), "count": count(),
            "found": { "type": "boolean" },
        })),
        "DisclosureList": list("disclosures", schema_ref("Disclosure")),
        "DisclosureSearch": body(&["person"], json!({
            "person": text(), "from": nullable(time()), "to": nullable(time()),
        })),
        "SubjectList": view(json!({
            "subjects": many(text()), "keys": many(json!({ "type": ["object", "null"] })), "next": nullable(text()),
        })),
        "AuditEntry": view(json!({
            "at": time(), "actor": text(), "action": text(), "object": text(), "before": {}, "after": {},
        })),
        "AuditList": list("entries", schema_ref("AuditEntry")),
    })
}
