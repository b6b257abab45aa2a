//! Plans of transition.

use serde_json::{Value, json};

use super::{LIST, Noun, Operation, Paths, Who, path_parameter, query_parameter, schema_ref, text};

fn number() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,18}$" })
}

pub(in super::super) fn plans(paths: &mut Paths) {
    let read = Noun {
        name: "plan",
        root: "/registry/plans",
        view: "Plan",
        id: path_parameter("id", "Number of the plan.", number()),
        who: Who::Steward,
    };
    list(paths, &read);
    read.get(paths, "One plan with its steps");
    let call = read
        .one("definition", "The draft definition beside the published one")
        .ok("Both, and what differs.", schema_ref("PlanDraft"));
    paths.add("get", &read.path("/definition"), call);
    for (noun, path, summary, schema) in [
        ("plan_event", "/events", "Every version it had", "PlanEventList"),
        ("plan_comment", "/comments", "The consultation", "CommentList"),
    ] {
        let noun = Noun {
            name: noun,
            id: read.id.clone(),
            ..read
        };
        let call = noun
            .one("list", summary)
            .shared(LIST)
            .ok("A page.", schema_ref(schema));
        paths.add("get", &read.path(path), call.problems(&[422]));
    }
    let act = Noun {
        who: Who::Person,
        ..read
    };
    changes(paths, &act);
    steps(paths, &act);
}

fn list(paths: &mut Paths, read: &Noun) {
    let stage = json!({ "type": "string", "enum": ["open", "closed"] });
    let call = read
        .call(
            "list",
            "Plans of the institution acted for: late ones first, closed ones last",
        )
        .shared(LIST)
        .parameter(query_parameter(
            "institution",
            "Of this on either side: for the operator.",
            text(),
        ))
        .parameter(query_parameter("provider", "Only of this provider.", text()))
        .parameter(query_parameter(
            "recipient",
            "Only those this is invited to.",
            text(),
        ))
        .parameter(query_parameter("dataset", "Only about this.", text()))
        .parameter(query_parameter("stage", "Only in this stage.", stage))
        .parameter(query_parameter(
            "late",
            "Only with a step past its date.",
            json!({ "type": "boolean" }),
        ))
        .ok("A page.", schema_ref("PlanList"));
    paths.add("get", read.root, call.problems(&[422]));
}

fn changes(paths: &mut Paths, act: &Noun) {
    act.create(paths, "Make a plan of transition");
    act.update(paths, "Change title, description or period");
    for (verb, summary, body) in [
        ("invite", "Invite recipients: each gets its steps", "PlanInvite"),
        ("close", "Close, when no step is open", "Note"),
    ] {
        let call = act.change(verb, summary).json_body(schema_ref(body));
        paths.add("post", &act.path(&format!("/{verb}")), call);
    }
    let comments = Noun {
        name: "plan_comment",
        id: act.id.clone(),
        ..*act
    };
    let call = comments
        .one("create", "Say something in the consultation")
        .json_body(schema_ref("CommentCreate"))
        .answer(
            201,
            "Said.",
            &[("application/json", schema_ref("Comment"))],
            &["Location"],
        )
        .problems(&[409]);
    paths.add("post", &comments.path("/comments"), call);
}

fn steps(paths: &mut Paths, act: &Noun) {
    let steps = Noun {
        name: "plan_step",
        id: act.id.clone(),
        ..*act
    };
    let one = |verb: &str, summary: &str| -> Operation {
        let step = json!({ "type": "string", "pattern": "^[0-9]{1,9}$" });
        steps
            .change(verb, summary)
            .parameter(path_parameter("step", "Number of the step.", step))
    };
    let patch = schema_ref("PlanStepPatch");
    let media = [
        ("application/merge-patch+json", patch.clone()),
        ("application/json", patch),
    ];
    let call = one("assign", "Who answers for a step, and until when").body(&media);
    paths.add("patch", &steps.path("/steps/{step}"), call);
    for (verb, summary, body) in [
        ("done", "A step is done", "Note"),
        ("not_applicable", "A step is not applicable", "Reason"),
        ("reopen", "A step is open again", "Reason"),
        ("note", "Evidence in words", "CommentCreate"),
    ] {
        let call = one(verb, summary).json_body(schema_ref(body));
        paths.add("post", &steps.path(&format!("/steps/{{step}}/{verb}")), call);
    }
}
