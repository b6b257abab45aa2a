//! Plans of transition.

use serde_json::{Value, json};

use super::{
    application::ROLES, body, count, list, long, many, nullable, registration_number, schema_ref, text, time,
    view, word,
};

const KINDS: [&str; 12] = [
    "plan_integration",
    "consult_recipients",
    "set_transition_period",
    "build_feed",
    "connect_api_manager",
    "describe",
    "grant_permissions",
    "close_historic_interface",
    "plan_retrieval",
    "state_needs",
    "build_retrieval",
    "apply_for_permission",
];
const EVIDENCE: [&str; 5] = [
    "note",
    "definition_published",
    "first_package_received",
    "permission_granted",
    "first_look_up",
];

fn date() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn person() -> Value {
    json!({ "type": "integer", "description": "Number of the person." })
}

fn period() -> Value {
    nullable(body(&["from", "to"], json!({ "from": date(), "to": date() })))
}

fn scenario() -> Value {
    word(&["new_dataset", "move_to_dagr", "behind_api_manager"])
}

pub(super) fn plans() -> Value {
    let description = || json!({ "type": "string", "maxLength": 4_000 });
    let invited = json!({ "type": "array", "maxItems": 200, "items": registration_number() });
    let subject = json!({
        "type": "object", "additionalProperties": false, "required": ["kind"],
        "description": "`dataset`: by the name it has or will have. `service`: by the name its people use.",
        "properties": { "kind": word(&["dataset", "service"]), "dataset": text(), "service": long(200) },
    });
    json!({
        "PlanCreate": body(&["scenario", "subject", "title"], json!({
            "scenario": scenario(), "subject": subject, "title": long(200), "description": description(),
            "recipients": invited, "period": period(),
        })),
        "PlanPatch": body(&[], json!({ "title": long(200), "description": description(), "period": period() })),
        "PlanInvite": body(&["institutions"], json!({ "institutions": invited })),
        "PlanStepPatch": body(&[], json!({ "person": nullable(person()), "due": nullable(date()) })),
        "PlanHead": view(head()),
        "Plan": plan(),
        "PlanList": list("plans", schema_ref("PlanHead")),
        "PlanStep": step(),
        "PlanDraft": draft(),
        "PlanEvent": view(json!({
            "number": count(), "at": time(), "person": person(), "person_name": text(), "institution": text(),
            "role": word(&ROLES), "kind": text(),
            "event": { "description": "With what it carried; null: the plan was made." },
            "plan": { "type": "object", "description": "As it was afterwards." },
        })),
        "PlanEventList": list("events", schema_ref("PlanEvent")),
    })
}

fn head() -> Value {
    json!({
        "number": text(), "scenario": scenario(), "subject": { "type": "object" }, "title": text(),
        "description": text(), "provider": text(), "provider_name": text(), "recipients": many(text()),
        "period": period(),
        "stage": {
            "type": "object", "description": "`name`; of a closed one also `by`, `at` and `note`.",
            "required": ["name"], "properties": { "name": word(&["open", "closed"]) },
        },
        "due": nullable(date()), "late": { "type": "boolean" },
        "steps_total": count(), "steps_open": count(), "steps_late": count(),
        "possible": many(word(&["update", "invite", "close"])),
    })
}

fn plan() -> Value {
    let mut members = head();
    members["steps"] = many(schema_ref("PlanStep"));
    view(members)
}

fn step() -> Value {
    let evidence = view(json!({
        "kind": word(&EVIDENCE), "at": time(), "by": nullable(person()),
        "text": { "type": "string", "description": "A person's words, or what the system found." },
    }));
    view(json!({
        "number": count(), "kind": word(&KINDS), "side": word(&["provider", "recipient"]), "institution": text(),
        "institution_name": text(), "person": nullable(person()), "due": nullable(date()),
        "due_by": nullable(date()), "late": { "type": "boolean" },
        "state": {
            "type": "object", "description": "`name`; once settled also `by`, `at`, and `reason` of what is not applicable.",
            "required": ["name"], "properties": { "name": word(&["open", "done", "not_applicable"]) },
        },
        "evidence": many(evidence),
        "possible": many(word(&["step_assign", "step_done", "step_not_applicable", "step_reopen", "step_note"])),
    }))
}

fn draft() -> Value {
    let kept = || nullable(view(json!({ "version": count(), "at": time(), "text": text() })));
    let change = view(json!({ "place": text(), "what": text(), "compatible": { "type": "boolean" } }));
    view(json!({
        "dataset": text(), "draft": kept(), "published": kept(),
        "evolution": nullable(view(json!({
            "class": word(&["identical", "compatible", "incompatible"]), "changes": many(change),
        }))),
    }))
}
