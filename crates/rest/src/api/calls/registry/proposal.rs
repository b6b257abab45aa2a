//! What takes two people.

use serde_json::json;

use super::{LIST, Noun, Paths, Who, path_parameter, query_parameter, schema_ref};

pub(in super::super) fn proposals(paths: &mut Paths) {
    let id = path_parameter("id", "Number of the proposal.", json!({ "type": "integer" }));
    let new = |who| Noun {
        name: "proposal",
        root: "/registry/proposals",
        view: "Proposal",
        id: id.clone(),
        who,
    };
    let proposals = new(Who::Steward);
    let call = proposals
        .call(
            "create",
            "Propose a connection (an operator) or a certificate (also the institution's head or technical contact)",
        )
        .describe("Nothing is made until an operator, not the one who proposed it, confirms.")
        .json_body(schema_ref("ProposalCreate"))
        .answer(
            201,
            "Proposed.",
            &[("application/json", schema_ref("Proposal"))],
            &["Location"],
        )
        .problems(&[404, 409]);
    paths.add("post", proposals.root, call);
    let state = json!({ "type": "string", "enum": ["proposed", "confirmed", "rejected"] });
    let call = proposals
        .call("list", "Proposals, newest first")
        .parameter(query_parameter("state", "Only in this state.", state))
        .shared(LIST)
        .ok("A page.", schema_ref("ProposalList"))
        .problems(&[422]);
    paths.add("get", proposals.root, call);
    let call = proposals
        .one("get", "One proposal")
        .ok("As it is now.", schema_ref("Proposal"));
    paths.add("get", &proposals.path(""), call);
    let call = new(Who::Operator)
        .one("confirm", "Confirm a proposal: an operator who did not make it")
        .ok("Made, and in force.", schema_ref("Proposal"))
        .problems(&[409, 422]);
    paths.add("post", &proposals.path("/confirm"), call);
    let call = proposals
        .one("reject", "Reject a proposal, or take it back")
        .json_body(schema_ref("Reason"))
        .ok("As it is now.", schema_ref("Proposal"))
        .problems(&[409, 422]);
    paths.add("post", &proposals.path("/reject"), call);
}
