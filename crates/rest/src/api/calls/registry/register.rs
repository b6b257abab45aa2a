//! What is registered beside data sets.

use super::{LIST, Noun, Paths, Who, path_parameter, schema_ref, shown, technical_name};

pub(in super::super) fn system_facts(paths: &mut Paths) {
    let facts = |who| Noun {
        name: "system_facts",
        root: "/registry/systems",
        view: "SystemFactsVersion",
        id: path_parameter("id", "Code of the system.", technical_name()),
        who,
    };
    let read = facts(Who::SignedIn);
    let call = shown(
        read.one("get", "What an information system is for, as it is registered"),
        read.view,
    );
    paths.add("get", &read.path("/facts"), call);
    let call = facts(Who::Steward)
        .change(
            "put",
            "Describe a system: an operator, or its institution's head or data manager",
        )
        .describe("Makes the next version; the ones before stay.")
        .json_body(schema_ref("SystemFactsPut"));
    paths.add("put", &read.path("/facts"), call);
    let call = read
        .one("list", "Every version, newest first")
        .shared(LIST)
        .ok("A page.", schema_ref("SystemFactsVersionList"))
        .problems(&[422]);
    paths.add("get", &read.path("/facts/versions"), call);
}
