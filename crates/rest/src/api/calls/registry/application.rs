//! Applications, and the people who make and decide them.

use serde_json::{Value, json};

use super::{
    LIST, Noun, Operation, Paths, Who, path_parameter, previewed, query_parameter, schema_ref, text,
};

fn number() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,18}$" })
}

pub(in super::super) fn applications(paths: &mut Paths) {
    let read = Noun {
        name: "application",
        root: "/registry/applications",
        view: "Application",
        id: path_parameter("id", "Number of the application.", number()),
        who: Who::Steward,
    };
    list(paths, &read);
    read.get(paths, "One application");
    let one = |verb: &str, summary: &str, schema: Value| read.one(verb, summary).ok("As it is now.", schema);
    let call = one(
        "check",
        "What is missing before it can be submitted",
        schema_ref("ApplicationCheck"),
    );
    paths.add("get", &read.path("/check"), call);
    let call = previewed(read.one("preview", "Generated records, masked as asked or as decided"));
    paths.add("get", &read.path("/preview"), call);
    let call = one(
        "facts",
        "What a decider sees side by side",
        schema_ref("ApplicationFacts"),
    );
    paths.add("get", &read.path("/facts"), call);
    let call = one(
        "event_list",
        "Every version it had, with seals",
        schema_ref("ApplicationEventList"),
    );
    paths.add("get", &read.path("/events"), call.shared(LIST).problems(&[422]));
    let comments = Noun {
        name: "comment",
        id: read.id.clone(),
        ..read
    };
    let call = comments
        .one("list", "The thread")
        .shared(LIST)
        .ok("A page.", schema_ref("CommentList"));
    paths.add("get", &comments.path("/comments"), call.problems(&[422]));
    steps(paths, &read);
}

fn list(paths: &mut Paths, read: &Noun) {
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    let stages = [
        "draft",
        "submitted",
        "returned",
        "resubmitted",
        "legal_review",
        "decided",
        "withdrawn",
    ];
    let day = json!({ "type": "string", "format": "date" });
    let call = read
        .call("list", "Applications of the institution acted for, newest first")
        .shared(LIST)
        .parameter(query_parameter(
            "side",
            "`operator`: those that operators decide.",
            words(&["applicant", "provider", "operator"]),
        ))
        .parameter(query_parameter(
            "institution",
            "Only of this: for the operator.",
            text(),
        ))
        .parameter(query_parameter("dataset", "Only of this.", text()))
        .parameter(query_parameter("stage", "Only in this stage.", words(&stages)))
        .parameter(query_parameter("due_by", "Due on this day or before.", day))
        .parameter(query_parameter(
            "order",
            "`due`: the earliest due first.",
            words(&["newest", "due"]),
        ))
        .ok("A page.", schema_ref("ApplicationList"));
    paths.add("get", read.root, call.problems(&[422]));
}

fn steps(paths: &mut Paths, read: &Noun) {
    let act = Noun {
        who: Who::Person,
        id: read.id.clone(),
        ..*read
    };
    act.create(paths, "Begin an application");
    act.update(paths, "Change what is asked: a draft, or one that was returned");
    for (verb, summary, body) in [
        ("submit", "Submit: seals what is asked", None),
        ("resubmit", "Submit again what was returned", None),
        ("return", "Return for precision", Some("Remarks")),
        ("review", "Pass on after legal review", Some("Note")),
        (
            "decide",
            "Decide; what is granted is in force when this answers",
            Some("Verdict"),
        ),
        ("withdraw", "Withdraw", Some("Reason")),
    ] {
        let mut call = act.change(verb, summary);
        if let Some(schema) = body {
            call = call.json_body(schema_ref(schema));
        }
        paths.add("post", &act.path(&format!("/{verb}")), call);
    }
    let comments = Noun {
        name: "comment",
        ..act
    };
    let call = comments
        .one("create", "Say something in the thread")
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

pub(in super::super) fn people(paths: &mut Paths) {
    let people = Noun {
        name: "person",
        root: "/registry/people",
        view: "Person",
        id: path_parameter("id", "Number of the person.", number()),
        who: Who::Steward,
    };
    people.create(paths, "Register a person: an operator, or a head");
    people.get(paths, "One person");
    let listed = Noun {
        who: Who::Operator,
        id: people.id.clone(),
        ..people
    };
    let call = listed
        .call("list", "People")
        .shared(LIST)
        .ok("A page.", schema_ref("PersonList"));
    paths.add("get", people.root, call.problems(&[422]));
    let roles = Noun {
        name: "role",
        ..people
    };
    let call = roles
        .one("list", "Roles of a person, ended ones too")
        .shared(LIST)
        .ok("A page.", schema_ref("RoleList"));
    paths.add("get", &roles.path("/roles"), call.problems(&[422]));
    let call = roles
        .one(
            "create",
            "Give a role; the operator's own waits for a second operator",
        )
        .json_body(schema_ref("RoleCreate"))
        .answer(
            201,
            "Given, or proposed.",
            &[("application/json", schema_ref("Role"))],
            &["Location"],
        )
        .problems(&[409]);
    paths.add("post", &roles.path("/roles"), call);
    let role = || path_parameter("role", "Id of the role.", number());
    let call = roles
        .one("end", "End a role: in force with the person's next call")
        .parameter(role())
        .json_body(schema_ref("Reason"))
        .ok("As it is now.", schema_ref("Role"))
        .problems(&[409]);
    paths.add("post", &roles.path("/roles/{role}/end"), call);
    let call: Operation = listed_role(&listed)
        .parameter(role())
        .ok("As it is now.", schema_ref("Role"))
        .problems(&[409]);
    paths.add("post", &roles.path("/roles/{role}/confirm"), call);
}

fn listed_role(listed: &Noun) -> Operation {
    let roles = Noun {
        name: "role",
        id: listed.id.clone(),
        ..*listed
    };
    roles.one(
        "confirm",
        "Confirm a proposed role: an operator who did not propose it",
    )
}
