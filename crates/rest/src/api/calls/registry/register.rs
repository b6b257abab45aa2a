//! What is registered beside data sets.

use serde_json::json;

use super::{
    LIST, Noun, Paths, Who, made, path_parameter, query_parameter, schema_ref, shown, technical_name,
};

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

pub(in super::super) fn templates(paths: &mut Paths) {
    let of_set = |name, view, who| Noun {
        name,
        root: "/registry/datasets",
        view,
        id: path_parameter("id", "Name of the data set.", technical_name()),
        who,
    };
    let retired = json!({ "type": "boolean" });
    let read = of_set("template", "Template", Who::SignedIn);
    let call = read
        .one(
            "list",
            "Templates of a data set: what may be applied for, by use case",
        )
        .parameter(query_parameter(
            "retired",
            "Those that are no longer in use, too.",
            retired,
        ))
        .shared(LIST)
        .ok("A page.", schema_ref("TemplateList"))
        .problems(&[422]);
    paths.add("get", &read.path("/templates"), call);
    let call = of_set("template", "Template", Who::Steward)
        .one(
            "create",
            "Offer a template: the provider's head or data manager, or an operator",
        )
        .json_body(schema_ref("TemplatePut"))
        .problems(&[409]);
    paths.add("post", &read.path("/templates"), made(call, "Template"));
    let one = |who| Noun {
        name: "template",
        root: "/registry/templates",
        view: "Template",
        id: path_parameter("id", "Number of the template.", json!({ "type": "integer" })),
        who,
    };
    one(Who::SignedIn).get(paths, "One template, in its present version");
    let own = one(Who::Steward);
    let call = own
        .change(
            "update",
            "The next version of a template; drafts under the one before choose again",
        )
        .json_body(schema_ref("TemplatePut"));
    paths.add("put", &own.path(""), call);
    let call = shown(
        own.one("retire", "Nothing new is applied for under it"),
        "Template",
    )
    .json_body(schema_ref("Reason"))
    .problems(&[409]);
    paths.add("post", &own.path("/retire"), call);
    let fill = of_set("sandbox", "Receipt", Who::Person);
    let call = fill
        .one("fill", "Generated records in the place of whatever the sandbox holds: the provider's head or data manager")
        .json_body(schema_ref("SandboxFill"))
        .ok("The receipt of the generated package.", schema_ref("Receipt"))
        .problems(&[409, 422]);
    paths.add("post", &fill.path("/sandbox/fill"), call);
    let read = of_set("rules", "DatasetRules", Who::SignedIn);
    let call = shown(
        read.one("get", "What the provider decided for a data set beforehand"),
        read.view,
    );
    paths.add("get", &read.path("/rules"), call);
    let call = of_set("rules", "DatasetRules", Who::Steward)
        .change(
            "put",
            "Decide it anew: the provider's head or data manager, or an operator",
        )
        .json_body(schema_ref("DatasetRulesPut"));
    paths.add("put", &read.path("/rules"), call);
}

pub(in super::super) fn registered(paths: &mut Paths) {
    for (name, root, view, one, many) in [
        (
            "registered_resource",
            "/registry/resources",
            "RegisteredResource",
            "An information resource of a system",
            "Information resources",
        ),
        (
            "registered_service",
            "/registry/services",
            "RegisteredService",
            "A service of a system: somebody else's interface",
            "Services",
        ),
    ] {
        let noun = |who| Noun {
            name,
            root,
            view,
            id: path_parameter("id", "Its code.", technical_name()),
            who,
        };
        let read = noun(Who::SignedIn);
        read.list(paths, &format!("{many}, each as it is now"));
        read.get(paths, one);
        let call = noun(Who::Steward)
            .change(
                "put",
                &format!("{one}, described: by an operator, or its institution's head or data manager"),
            )
            .describe(
                "Registers it, or makes the next version; the ones before stay. The system does not change.",
            )
            .json_body(schema_ref(&format!("{view}Put")));
        paths.add("put", &read.path(""), made(call, view));
        let call = read
            .one("versions", "Every version, newest first")
            .shared(LIST)
            .ok("A page.", schema_ref(&format!("{view}Versions")))
            .problems(&[422]);
        paths.add("get", &read.path("/versions"), call);
    }
}

pub(in super::super) fn law(paths: &mut Paths) {
    let act = |name, who| Noun {
        name,
        root: "/registry/acts",
        view: "Act",
        id: path_parameter("id", "Id of the act.", technical_name()),
        who,
    };
    let acts = act("act", Who::SignedIn);
    acts.list(paths, "Legal acts");
    acts.get(paths, "One legal act");
    let call = act("act", Who::Operator)
        .change("put", "Register a legal act, or what it is cited as")
        .json_body(schema_ref("ActPut"));
    paths.add("put", &acts.path(""), made(call, acts.view));
    let articles = act("article", Who::SignedIn);
    let call = articles
        .one("list", "The present version of each article of an act")
        .shared(LIST)
        .ok("A page.", schema_ref("ArticleList"))
        .problems(&[422]);
    paths.add("get", &articles.path("/articles"), call);
    let number = json!({ "type": "string", "pattern": "^[0-9]{1,4}([.][0-9]{1,4})*$", "maxLength": 20 });
    let call = act("article", Who::Operator)
        .one("put", "Register an article, or that it changes or ends")
        .describe(
            "A change or an end flags every permission whose legal basis or asked fields cite the article.",
        )
        .parameter(path_parameter(
            "article",
            "Number of the article; `5.1` for 5.¹",
            number,
        ))
        .json_body(schema_ref("ArticlePut"))
        .ok(
            "As it is now, and how many permissions were flagged.",
            schema_ref("ArticleChanged"),
        );
    paths.add("put", &articles.path("/articles/{article}"), call);
    law_flags(paths);
}

fn law_flags(paths: &mut Paths) {
    let flags = |who| Noun {
        name: "law_flag",
        root: "/registry/law_flags",
        view: "LawFlag",
        id: path_parameter("id", "Number of the flag.", json!({ "type": "integer" })),
        who,
    };
    let open = json!({ "type": "boolean" });
    let call = flags(Who::Steward)
        .call(
            "list",
            "Permissions whose law has changed, newest first; all, or those of one's institution",
        )
        .parameter(query_parameter("open", "Only what is not reviewed yet.", open))
        .shared(LIST)
        .ok("A page.", schema_ref("LawFlagList"))
        .problems(&[422]);
    paths.add("get", "/registry/law_flags", call);
    let review = flags(Who::Person);
    let call = review
        .one("review", "What the provider did about a change of law")
        .json_body(schema_ref("LawFlagReview"))
        .ok("As it is now.", schema_ref("LawFlag"))
        .problems(&[409]);
    paths.add("post", &review.path("/review"), call);
}
