//! Classifiers: what `code(LIST)` is judged by.

use serde_json::json;

use super::{LIST, Noun, Paths, Who, made, path_parameter, query_parameter, schema_ref, shown, text};

pub(in super::super) fn classifiers(paths: &mut Paths) {
    let id = json!({ "type": "string", "minLength": 1, "maxLength": 120 });
    let noun = |name, view, who| Noun {
        name,
        root: "/registry/classifiers",
        view,
        id: path_parameter("id", "LIST of `code(LIST)`.", id.clone()),
        who,
    };
    let read = noun("classifier", "Classifier", Who::Anyone);
    read.list(paths, "Classifiers");
    read.get(paths, "One classifier");
    let call = noun("classifier", "Classifier", Who::Steward)
        .change("put", "Register a classifier, or say otherwise of it")
        .describe("A new one: an operator. Later also the head or data manager of its keeper.")
        .json_body(schema_ref("ClassifierPut"));
    paths.add("put", &read.path(""), made(call, read.view));
    versions(paths, noun);
}

fn versions(paths: &mut Paths, noun: impl Fn(&'static str, &'static str, Who) -> Noun) {
    let read = noun("classifier_version", "ClassifierVersion", Who::Anyone);
    let call = read
        .one(
            "list",
            "Versions of a classifier, newest first, without their codes",
        )
        .shared(LIST)
        .ok("A page.", schema_ref("ClassifierVersionList"))
        .problems(&[422]);
    paths.add("get", &read.path("/versions"), call);
    let call = noun("classifier_version", "ClassifierVersion", Who::Steward)
        .one("create", "Publish the next version: an operator, or the head or data manager of the keeper")
        .describe(
            "It judges what is delivered from its first day on. A code it leaves out is taken no more; what is stored stays.",
        )
        .parameter(query_parameter(
            "dry_run",
            "Tell what would change and which fields use it; change nothing.",
            json!({ "type": "boolean" }),
        ))
        .shared(&["IfMatch"])
        .json_body(schema_ref("ClassifierVersionCreate"))
        .ok("What it would change (`dry_run`).", schema_ref("ClassifierCheck"))
        .problems(&[409, 412]);
    paths.add("post", &read.path("/versions"), made(call, read.view));
    let number = json!({ "type": "string", "pattern": "^(current|[0-9]{1,18})$" });
    let number = path_parameter("number", "Number of the version, or `current`.", number);
    let call = read.one("get", "One version").parameter(number.clone());
    paths.add("get", &read.path("/versions/{number}"), shown(call, read.view));
    let values = noun("classifier_value", "ClassifierVersion", Who::Anyone);
    let call = values
        .one("list", "Codes of a version")
        .parameter(number.clone())
        .shared(LIST)
        .ok("A page.", schema_ref("ClassifierValueList"))
        .problems(&[422]);
    paths.add("get", &read.path("/versions/{number}/values"), call);
    let call = values
        .one("export", "All codes of a version as CSV")
        .parameter(number)
        .answer(200, "The codes.", &[("text/csv", text())], &[]);
    paths.add("get", &read.path("/versions/{number}/values.csv"), call);
}
