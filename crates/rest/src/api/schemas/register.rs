//! What is registered beside data sets.

use serde_json::{Value, json};

use super::{body, count, list, many, nullable, schema_ref, technical_name, text, time, view, word};

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
        "SystemFactsPut": body(&["facts", "reason"], json!({ "facts": schema_ref("SystemFacts"), "reason": told(2_000) })),
        "SystemFactsVersion": view(json!({
            "system": text(), "version": count(), "facts": schema_ref("SystemFacts"), "reason": text(), "by": text(),
            "at": time(),
        })),
        "SystemFactsVersionList": list("versions", schema_ref("SystemFactsVersion")),
    })
}

pub(super) fn templates() -> Value {
    let number = || nullable(json!({ "type": "integer", "minimum": 1 }));
    json!({
        "TemplateBody": body(&["title", "use_case", "purpose", "legal_basis", "fields", "ways"], json!({
            "title": told(200), "use_case": told(2_000), "purpose": told(2_000), "legal_basis": told(2_000),
            "fields": { "type": "array", "minItems": 1, "maxItems": 2_000,
                "items": body(&["field", "law"], json!({ "field": text(), "law": told(2_000) })) },
            "ways": { "type": "array", "minItems": 1, "items": text() }, "scope": nullable(schema_ref("Scope")),
            "quota": number(), "quota_unit": word(&["call", "record"]),
            "days": nullable(json!({ "type": "integer", "minimum": 1, "maximum": 36_500 })),
        })),
        "TemplatePut": body(&["template", "reason"], json!({ "template": schema_ref("TemplateBody"), "reason": told(2_000) })),
        "Template": view(json!({
            "number": count(), "dataset": text(), "state": word(&["active", "retired"]), "version": count(),
            "template": schema_ref("TemplateBody"), "reason": text(), "by": text(), "at": time(),
        })),
        "TemplateList": list("templates", schema_ref("Template")),
        "SandboxFill": body(&["records"], json!({
            "records": { "type": "integer", "minimum": 1, "maximum": 10_000 },
            "seed": { "type": "integer", "minimum": 0, "description": "The same seed makes the same records." },
        })),
        "Rules": body(&["template_only"], json!({
            "template_only": { "type": "boolean" },
            "test_access": { "type": "boolean", "description": "Whoever asks for the sandbox gets it at once, while it holds only generated records." },
        })),
        "DatasetRulesPut": body(&["rules", "reason"], json!({ "rules": schema_ref("Rules"), "reason": told(2_000) })),
        "DatasetRules": view(json!({
            "dataset": text(), "version": count(), "rules": schema_ref("Rules"), "reason": text(), "by": text(),
            "decider": { "type": ["object", "null"], "description": "Who decided for the provider: person, institution, role, the statement and its seal." },
            "at": nullable(time()),
        })),
    })
}

pub(super) fn registered() -> Value {
    let address =
        || json!({ "type": "string", "maxLength": 500, "pattern": "^https://[A-Za-z0-9][^\\s#@]*$" });
    let mut all = json!({
        "ResourceDescribed": body(
            &["system", "title_lv", "title_en", "description", "content", "legal_acts"],
            json!({
                "system": technical_name(), "title_lv": told(500), "title_en": told(500), "description": told(4_000),
                "content": told(4_000),
                "legal_acts": { "type": "array", "minItems": 1, "maxItems": 50, "items": told(500) },
                "datasets": { "type": "array", "maxItems": 200, "items": text() },
            }),
        ),
        "ServiceDescribed": body(
            &["kind", "system", "title_lv", "title_en", "description", "address", "access", "classification", "state"],
            json!({
                "kind": word(&["api"]), "system": technical_name(), "resource": nullable(technical_name()),
                "title_lv": told(500), "title_en": told(500), "description": told(4_000), "address": address(),
                "interface": nullable(address()), "access": told(4_000),
                "classification": word(&["open", "restricted", "sensitive"]), "state": word(&["in_use", "ended"]),
            }),
        ),
    });
    for (described, nouns) in [("Resource", "resources"), ("Service", "services")] {
        let name = format!("Registered{described}");
        let version = view(json!({
            "code": text(), "version": count(), "described": schema_ref(&format!("{described}Described")), "reason": text(), "by": text(),
            "at": time(),
        }));
        let put = body(
            &["described", "reason"],
            json!({ "described": schema_ref(&format!("{described}Described")), "reason": told(2_000) }),
        );
        all[format!("{name}List")] = list(nouns, schema_ref(&name));
        all[format!("{name}Versions")] = list("versions", schema_ref(&name));
        all[format!("{name}Put")] = put;
        all[name] = version;
    }
    all
}

pub(super) fn law() -> Value {
    let day = || nullable(json!({ "type": "string", "format": "date" }));
    let url = || nullable(json!({ "type": "string", "maxLength": 500, "pattern": "^https?://[^\\s]*$" }));
    let name = json!({ "type": "string", "minLength": 2, "maxLength": 200 });
    json!({
        "Act": view(json!({ "id": text(), "title": text(), "url": nullable(text()), "names": many(text()) })),
        "ActList": list("acts", schema_ref("Act")),
        "ActPut": body(&["title"], json!({
            "title": told(500), "url": url(), "names": { "type": "array", "maxItems": 30, "items": name },
        })),
        "Article": view(json!({
            "act": text(), "number": text(), "version": count(), "text": text(), "valid_from": day(), "valid_to": day(),
            "reason": text(), "by": text(), "at": time(),
        })),
        "ArticleList": list("articles", schema_ref("Article")),
        "ArticlePut": body(&["text", "reason"], json!({
            "text": told(20_000), "valid_from": day(), "valid_to": day(), "reason": told(2_000),
        })),
        "ArticleChanged": view(json!({ "article": schema_ref("Article"), "flagged": count() })),
        "LawFlag": view(json!({
            "id": count(), "permission": text(), "provider": text(), "recipient": text(), "act": text(),
            "article": text(), "version": count(), "at": time(), "reviewed_at": nullable(time()),
            "reviewed_by": nullable(text()), "note": nullable(text()),
        })),
        "LawFlagList": list("flags", schema_ref("LawFlag")),
        "LawFlagReview": body(&["note"], json!({ "note": told(2_000) })),
    })
}
