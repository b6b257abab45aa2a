//! Every operation of the interface description, called by nobody and by those it is not for.

use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};

use super::{World, holds_no_secret};
use crate::raw::{Raw, call, get};

/// Operations that need no token. A new one is a decision.
const OPEN: [&str; 15] = [
    "get /.well-known/jwks.json",
    "get /.well-known/oauth-authorization-server",
    "get /api",
    "get /api/openapi.json",
    "get /catalogue.jsonld",
    "get /catalogue.rdf",
    "get /catalogue.ttl",
    "get /registry/classifiers",
    "get /registry/classifiers/{id}",
    "get /registry/classifiers/{id}/versions",
    "get /registry/classifiers/{id}/versions/{number}",
    "get /registry/classifiers/{id}/versions/{number}/values",
    "get /registry/classifiers/{id}/versions/{number}/values.csv",
    "get /service_list",
    "post /token",
];
/// What every connection may ask: it is told of its own, and strangers have none; or of the law and of
/// what is offered, which are everybody's to know.
const OWN: [&str; 6] = [
    "get /registry/acts",
    "get /current_user_permissions",
    "get /registry/disclosures",
    "get /registry/resources",
    "get /registry/services",
    "post /registry/disclosures/search",
];

struct Operation {
    /// `get /path/{word}`
    name: String,
    method: Method,
    /// Words filled in.
    path: String,
    open: bool,
}

async fn operations(world: &World, number: &str) -> Vec<Operation> {
    let description = world.server.anonymous().get("/api/openapi.json").await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let shared = methods["security"].as_array();
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(parsed) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            if operation["responses"].is_null() {
                continue;
            }
            let security = operation["security"].as_array().or(shared);
            let id = if path.contains("/permissions/") {
                number
            } else {
                "x"
            };
            let filled = [
                ("{set}", "mx_person"),
                ("{Code}", "36184726051"),
                ("{Year}", "2020"),
                ("{id}", id),
                ("{sha256}", "00"),
                ("{role}", "1"),
                ("{attachment}", "1"),
                ("{step}", "1"),
                ("{article}", "1"),
                ("{number}", "1"),
            ];
            operations.push(Operation {
                name: format!("{method} {path}"),
                method: parsed,
                path: filled
                    .iter()
                    .fold(path.clone(), |path, (word, value)| path.replace(word, value)),
                open: security.is_some_and(Vec::is_empty),
            });
        }
    }
    assert!(operations.len() > 60, "only {} operations", operations.len());
    operations
}

async fn ask(client: &Client, operation: &Operation) -> Raw {
    let search = operation.name.ends_with("/disclosures/search");
    let body = search.then(|| {
        let body = json!({ "person": "36184726051" });
        ("application/json", body.to_string().into_bytes())
    });
    let answer = call(client, operation.method.clone(), &operation.path, &[], body).await;
    holds_no_secret(&operation.name, &answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_everywhere() {
    let world = World::start().await;
    let number = world.permission(json!({})).await;
    // There is something to tell.
    let used = get(&world.under(&number), "/data/mx_person/records/36184726051").await;
    assert_eq!(used.status, 200);
    let before = world.disclosures("dataset=mx_person").await.len();
    let operations = operations(&world, &number).await;
    let mut open: Vec<&str> = operations
        .iter()
        .filter(|operation| operation.open)
        .map(|operation| &*operation.name)
        .collect();
    open.sort_unstable();
    assert_eq!(open, OPEN);

    let anonymous = world.server.anonymous().with_permission(&number);
    let consumer = world.stranger.client.with_permission(&number);
    let other = world.server.producer().await;
    for operation in operations.iter().filter(|operation| !operation.open) {
        let name = &operation.name;
        let answer = ask(&anonymous, operation).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "token_invalid"),
            "{name}"
        );
        for client in [&consumer, &other.client.with_permission(&number)] {
            let answer = ask(client, operation).await;
            if OWN.contains(&&**name) {
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                let told = answer.json();
                let members = told.as_object();
                let told = members
                    .and_then(|members| members.values().find(|value| value.is_array()))
                    .unwrap_or(&told);
                assert_eq!(told, &json!([]), "{name}");
                continue;
            }
            let code = answer.code();
            let expected: &[&str] = match name.split('/').nth(1) {
                Some("intake") => &["connection_kind", "dataset_unknown"],
                Some("data") => &["connection_kind", "permission_missing"],
                Some("sandbox") => &["connection_kind", "dataset_unknown", "permission_missing"],
                _ => &[
                    "role_required",
                    "permission_unknown",
                    "not_found",
                    "dataset_unknown",
                ],
            };
            assert!(
                matches!(answer.status, 403 | 404) && expected.contains(&&*code),
                "{name}: {} {code}",
                answer.status
            );
        }
    }
    assert_eq!(world.disclosures("dataset=mx_person").await.len(), before);
    world.leaves_no_trace().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_of_their_own() {
    let world = World::start().await;
    let number = world.permission(json!({})).await;
    let used = get(&world.under(&number), "/data/mx_person/records/36184726051").await;
    assert_eq!(used.status, 200);
    let path = format!("/registry/permissions/{number}/explain?way=key");
    for (client, status) in [
        (&world.holder.client, 200),
        (&world.provider.client, 200),
        (&world.stranger.client, 404),
    ] {
        assert_eq!(get(client, &path).await.status, status);
    }
    let disclosures = async |client: &Client| -> Value {
        let page = client.get("/registry/disclosures").await.unwrap();
        page["disclosures"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["dataset"] == "mx_person")
            .count()
            .into()
    };
    assert_eq!(disclosures(&world.holder.client).await, 1);
    assert_eq!(disclosures(&world.stranger.client).await, 0);
    let foreign = format!("/registry/disclosures?recipient={}", world.holder.institution);
    assert_eq!(
        get(&world.stranger.client, &foreign).await.code(),
        "role_required"
    );
    let recipients = world
        .provider
        .client
        .get("/intake/mx_person/recipients")
        .await
        .unwrap();
    let recipient = &recipients["recipients"][0];
    assert_eq!(
        (&recipient["permission"], &recipient["recipient"]),
        (&json!(number), &json!(world.holder.institution))
    );
    assert!(recipient["last_use"].is_string(), "{recipients}");
}
