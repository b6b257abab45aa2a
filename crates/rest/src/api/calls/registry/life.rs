//! The life of permissions, stops of data sets, attachments.

use serde_json::{Value, json};

use super::{LIST, Noun, Operation, Paths, Who, path_parameter, query_parameter, schema_ref, text};

fn number() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,19}$" })
}

pub(in super::super) fn life(paths: &mut Paths) {
    let permissions = Noun {
        name: "permission",
        root: "/registry/permissions",
        view: "Permission",
        id: path_parameter("id", "Number of the permission.", number()),
        who: Who::Steward,
    };
    let call = permissions
        .one("use", "What it was used for, by day and field, without persons")
        .describe(
            "Counted from the disclosure log, a minute behind at most; `counted_to` says how far. A call is `narrowed` \
             when it gave fewer fields than permitted: it named them. Refused calls leave no entry and are not counted.",
        )
        .ok("The last 90 days.", schema_ref("PermissionUse"));
    paths.add("get", &permissions.path("/use"), call);
    let call = permissions
        .change(
            "narrow",
            "Give up fields or ways: nothing is added, so no decision is needed",
        )
        .json_body(schema_ref("Narrowing"));
    paths.add("post", &permissions.path("/narrow"), call);
    let call = permissions
        .one("odrl", "The permission and its decision as an ODRL 2.2 agreement")
        .answer(
            200,
            "JSON-LD.",
            &[("application/ld+json", json!({ "type": "object" }))],
            &[],
        );
    paths.add("get", &permissions.path("/odrl"), call);
    let holder = Noun {
        who: Who::Person,
        id: permissions.id.clone(),
        ..permissions
    };
    let call = holder
        .one(
            "amend",
            "Begin an application that asks for what the permission gives now",
        )
        .answer(
            201,
            "The draft.",
            &[("application/json", schema_ref("Application"))],
            &["ETag", "Location"],
        )
        .problems(&[409, 422]);
    paths.add("post", &holder.path("/amend"), call);
    unused(paths);
    stops(paths);
    attachments(paths);
}

fn unused(paths: &mut Paths) {
    let filter = |name: &str| query_parameter(name, "Only of this.", text());
    let days = json!({ "type": "integer", "minimum": 7, "maximum": 365, "default": 90 });
    let call = Operation::new(
        "unused_permission_list",
        "registry",
        Who::Steward,
        "Active permissions of which something was not used, to be narrowed or revoked",
    )
    .describe(
        "Of permissions granted before these days. A page looks at 100 permissions at most and may be short.",
    )
    .shared(LIST)
    .parameter(query_parameter("days", "Days looked back on.", days))
    .parameter(filter("dataset"))
    .parameter(filter("recipient"))
    .parameter(filter("provider"))
    .parameter(query_parameter(
        "environment",
        "Only of this.",
        json!({ "type": "string", "enum": ["main", "sandbox"] }),
    ))
    .ok("A page.", schema_ref("UnusedPermissionList"))
    .problems(&[400, 422]);
    paths.add("get", "/registry/unused_permissions", call);
}

fn stops(paths: &mut Paths) {
    let datasets = Noun {
        name: "dataset",
        root: "/registry/datasets",
        view: "Stop",
        id: path_parameter(
            "id",
            "Name of the data set.",
            json!({ "type": "string", "minLength": 1 }),
        ),
        who: Who::Steward,
    };
    for (verb, summary) in [
        ("stop", "Emergency: suspend every permission of the set at once"),
        ("resume", "End the stop: what it suspended is active again"),
    ] {
        let call = datasets
            .one(verb, summary)
            .json_body(schema_ref("Reason"))
            .ok("The stop.", schema_ref("Stop"))
            .problems(&[409]);
        paths.add("post", &datasets.path(&format!("/{verb}")), call);
    }
    let stops = Noun {
        name: "stop",
        ..datasets
    };
    let call = stops
        .one("list", "Stops of the set, newest first; one without an end lasts")
        .shared(LIST)
        .ok("A page.", schema_ref("StopList"));
    paths.add("get", &stops.path("/stops"), call.problems(&[422]));
}

fn attachments(paths: &mut Paths) {
    let attachments = Noun {
        name: "attachment",
        root: "/registry/applications",
        view: "Attachment",
        id: path_parameter("id", "Number of the application.", number()),
        who: Who::Steward,
    };
    let file = || json!({ "type": "string", "format": "binary" });
    let call = attachments
        .one("list", "Attachments, in the order they came")
        .ok("All of them.", schema_ref("AttachmentList"));
    paths.add("get", &attachments.path("/attachments"), call);
    let call = attachments
        .one("get", "The file as it came")
        .parameter(path_parameter("attachment", "Id of the attachment.", number()))
        .answer(200, "To be saved.", &[("*/*", file())], &["ETag"]);
    paths.add("get", &attachments.path("/attachments/{attachment}"), call);
    let sent = Noun {
        who: Who::Person,
        id: attachments.id.clone(),
        ..attachments
    };
    let media = [
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/plain",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.etsi.asic-e+zip",
    ]
    .map(|media| (media, file()));
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
    let kind = json!({ "type": "string", "enum": ["document", "signature"], "default": "document" });
    let mut name = query_parameter("name", "Name of the file.", name);
    name["required"] = json!(true);
    let call = sent
        .one("create", "Attach a file of 5 MiB at most")
        .describe(
            "`signature` is an ASiC-E container. It is judged whether it is whole and holds signatures; whether these \
             are valid and qualified is not verified here.",
        )
        .parameter(name)
        .parameter(query_parameter("kind", "What it is.", kind))
        .body(&media)
        .answer(
            201,
            "Attached.",
            &[("application/json", schema_ref("Attachment"))],
            &["Location"],
        )
        .problems(&[409, 422]);
    paths.add("post", &sent.path("/attachments"), call);
}
