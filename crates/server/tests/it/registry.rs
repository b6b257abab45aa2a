//! The registry's conventions: what is made, changed, moved and refused, and how each is told.

use http::Method;
use serde_json::{Value, json};

use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

const DEFINITION: &str = "name: re_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Year int : gads
  - Name : vārds
subject: Code
";

fn is(answer: &Raw, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        answer.text()
    );
}

/// As the operator; a text that is no JSON goes as it stands.
async fn send(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Raw {
    let body = Some(("application/json", body.as_bytes().to_vec()));
    raw::call(&server.operator(), method, path, headers, body).await
}

async fn define(server: &Server, provider: &Party, query: &str, text: &str) -> Raw {
    let path = format!(
        "/registry/datasets/re_person/definition?institution={}{query}",
        provider.institution
    );
    let body = Some(("application/yaml", text.as_bytes().to_vec()));
    raw::call(&server.operator(), Method::PUT, &path, &[], body).await
}

async fn publish(server: &Server) -> Raw {
    raw::call(
        &server.operator(),
        Method::POST,
        "/registry/datasets/re_person/publish",
        &[],
        None,
    )
    .await
}

fn permission(recipient: &Party, over: Value) -> String {
    let mut body = json!({
        "dataset": "re_person", "recipient": recipient.institution, "environment": "main", "purpose": "p",
        "legal_basis": "l", "fields": "all", "ways": ["key"],
    });
    for (name, value) in over.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_told_with_its_place_and_guarded_by_its_version() {
    let server = Server::start();
    let (path, number) = ("/registry/institutions", "90000000011");
    let body = json!({ "registration_number": number, "name": "A" }).to_string();
    let made = send(&server, Method::POST, path, &[], &body).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, "/registry/institutions/90000000011")
    );
    let seen = made.header("etag").to_owned();
    is(
        &send(&server, Method::POST, path, &[], &body).await,
        409,
        "exists",
    );
    let own = format!("{path}/{number}");
    let found = raw::get(&server.operator(), &own).await;
    assert_eq!((found.json(), found.header("etag")), (made.json(), seen.as_str()));

    let changed = send(
        &server,
        Method::PATCH,
        &own,
        &[("if-match", &seen)],
        r#"{"name":"B"}"#,
    )
    .await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("B")));
    assert_ne!(changed.header("etag"), seen);
    is(
        &send(
            &server,
            Method::PATCH,
            &own,
            &[("if-match", &seen)],
            r#"{"name":"C"}"#,
        )
        .await,
        412,
        "precondition_failed",
    );
    is(
        &send(&server, Method::PATCH, &own, &[], r#"{"name":null}"#).await,
        422,
        "invalid",
    );
    is(
        &send(&server, Method::DELETE, &own, &[], "").await,
        405,
        "method_not_allowed",
    );
    is(
        &raw::get(&server.operator(), "/registry/nothing").await,
        404,
        "not_found",
    );
    for query in [
        "limit=10001",
        "limit=0",
        "limit=x",
        "limit=1&limit=1",
        "unknown=1",
    ] {
        is(
            &raw::get(&server.operator(), &format!("{path}?{query}")).await,
            400,
            "query_invalid",
        );
    }
    is(
        &raw::get(&server.operator(), "/registry/audit?after=none").await,
        400,
        "query_invalid",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_judged_whole() {
    let server = Server::start();
    let path = "/registry/institutions";
    for unreadable in ["{", "", "{\"name\":\"\u{1}\"}"] {
        is(
            &send(&server, Method::POST, path, &[], unreadable).await,
            400,
            "body_invalid",
        );
    }
    let wrong = send(
        &server,
        Method::POST,
        path,
        &[],
        r#"{"kind":7,"unknown":1,"other":2}"#,
    )
    .await;
    is(&wrong, 422, "invalid");
    let problem = wrong.json();
    let places: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["place"].clone())
        .collect();
    assert_eq!(
        places,
        ["registration_number", "name", "kind", "unknown", "other"]
    );
    assert_eq!(problem["errors_total"], 5);
    is(
        &send(
            &server,
            Method::POST,
            path,
            &[],
            &format!("\"{}\"", "x".repeat(1 << 20)),
        )
        .await,
        413,
        "body_too_large",
    );
    let text = Some(("text/plain", b"{}".to_vec()));
    is(
        &raw::call(&server.operator(), Method::POST, path, &[], text).await,
        415,
        "media_type",
    );
    let system = json!({ "institution": "90000000099", "code": "X", "name": "X" }).to_string();
    is(
        &send(&server, Method::POST, "/registry/systems", &[], &system).await,
        422,
        "invalid",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_echoed_or_made() {
    let server = Server::start();
    let call = async |id: &str| {
        raw::call(
            &server.anonymous(),
            Method::GET,
            "/nothing",
            &[("x-request-id", id)],
            None,
        )
        .await
    };
    let echoed = call("abc-1").await;
    assert_eq!(
        (echoed.header("x-request-id"), &echoed.json()["request_id"]),
        ("abc-1", &json!("abc-1"))
    );
    let long = "x".repeat(129);
    assert_ne!(call(&long).await.header("x-request-id"), long);
    assert_eq!(echoed.header("content-type"), "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_whole_and_moves_only_where_it_may() {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "re_person", DEFINITION).await;
    let path = "/registry/permissions";
    for (what, over) in [
        ("way", json!({ "ways": ["sideways"] })),
        ("no way", json!({ "ways": [] })),
        ("index", json!({ "ways": ["index:Name"] })),
        ("list", json!({ "ways": ["list:died"] })),
        ("history", json!({ "ways": ["history"] })),
        ("field", json!({ "fields": ["Unknown"] })),
        ("no field", json!({ "fields": [] })),
        ("scope", json!({ "scope": { "when": "record.Unknown == 1" } })),
        (
            "both scopes",
            json!({ "scope": { "when": "true", "keys": [["x"]] } }),
        ),
        ("quota", json!({ "quota": -1 })),
        (
            "dates",
            json!({ "valid_from": "2026-02-01", "valid_to": "2026-01-01" }),
        ),
        ("recipient", json!({ "recipient": "90000000098" })),
        ("data set", json!({ "dataset": "unknown" })),
        ("member", json!({ "unknown": 1 })),
    ] {
        let answer = send(&server, Method::POST, path, &[], &permission(&reader, over)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "invalid"),
            "{what}: {}",
            answer.text()
        );
    }
    let made = send(
        &server,
        Method::POST,
        path,
        &[],
        &permission(&reader, Value::Null),
    )
    .await;
    let view = made.json();
    let number = view["number"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("{path}/{number}"));
    assert_eq!(
        (&view["state"], &view["revision"], &view["quota"]),
        (&json!("active"), &json!(1), &Value::Null)
    );
    let own = format!("{path}/{number}");
    let patch = async |body: Value| {
        send(&server, Method::PATCH, &own, &[], &body.to_string())
            .await
            .json()["revision"]
            .clone()
    };
    assert_eq!(patch(json!({ "purpose": "q", "quota": 5 })).await, 1);
    assert_eq!(patch(json!({ "fields": ["Code", "Name"] })).await, 2);
    assert_eq!(
        patch(json!({ "fields": ["Code", "Name"] })).await,
        2,
        "nothing changed"
    );

    let step =
        async |verb: &str, body: &str| send(&server, Method::POST, &format!("{own}/{verb}"), &[], body).await;
    let why = r#"{"reason":"r"}"#;
    for body in ["{}", r#"{"reason":" "}"#] {
        is(&step("suspend", body).await, 422, "invalid");
    }
    is(&step("resume", why).await, 409, "state_conflict");
    assert_eq!(step("suspend", why).await.json()["state"], "suspended");
    is(&step("suspend", why).await, 409, "state_conflict");
    assert_eq!(step("resume", why).await.json()["state"], "active");
    assert_eq!(step("revoke", why).await.json()["state"], "revoked");
    for verb in ["suspend", "resume", "revoke"] {
        is(&step(verb, why).await, 409, "state_conflict");
    }
    is(
        &send(&server, Method::PATCH, &own, &[], r#"{"purpose":"x"}"#).await,
        409,
        "state_conflict",
    );
    is(
        &raw::get(&server.operator(), &format!("{path}/999999")).await,
        404,
        "permission_unknown",
    );
    let audit = server.operator().get("/registry/audit?limit=1000").await.unwrap();
    let actions: Vec<_> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    for action in [
        "permission_create",
        "permission_update",
        "permission_suspend",
        "permission_resume",
        "permission_revoke",
    ] {
        assert!(actions.contains(&action), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_tried_published_and_kept_from_breaking_permissions() {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    assert_eq!(
        define(&server, &provider, "&dry_run=true", DEFINITION)
            .await
            .status,
        200
    );
    is(
        &raw::get(&server.operator(), "/registry/datasets/re_person").await,
        404,
        "dataset_unknown",
    );
    assert_eq!(define(&server, &provider, "", DEFINITION).await.status, 201);
    assert_eq!(publish(&server).await.status, 200);
    is(&publish(&server).await, 409, "state_conflict");
    let stranger = server.producer().await;
    assert_eq!(define(&server, &stranger, "", DEFINITION).await.status, 409);

    let made = send(
        &server,
        Method::POST,
        "/registry/permissions",
        &[],
        &permission(&reader, Value::Null),
    )
    .await;
    let number = made.json()["number"].as_str().unwrap().to_owned();
    let wider = DEFINITION
        .replace("- Year int", "- Year decimal")
        .replace("subject:", "  - Extra : e\nsubject:");
    let tried = define(&server, &provider, "", &wider).await.json();
    assert_eq!(tried["evolution"]["class"], "compatible", "{tried}");
    assert_eq!(publish(&server).await.status, 200);
    let other = wider.replace("- Year decimal", "- Year date");
    let tried = define(&server, &provider, "", &other).await.json();
    assert_eq!(
        (&tried["evolution"]["class"], &tried["touches"][0]["permission"]),
        (&json!("incompatible"), &json!(number))
    );
    let refused = publish(&server).await;
    is(&refused, 409, "definition_incompatible");
    assert!(refused.text().contains(&reader.institution), "{}", refused.text());
    let main = server
        .operator()
        .get("/registry/datasets/re_person/definition?section=main")
        .await
        .unwrap();
    assert!(main["text"].as_str().unwrap().contains("Year decimal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_is_the_providers_own_and_empties_with_a_new_text() {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    define(&server, &provider, "", DEFINITION).await;
    let permissions = server.operator().get("/registry/permissions").await.unwrap();
    let own = permissions["permissions"][0]["number"].as_str().unwrap();
    assert_eq!(permissions["permissions"][0]["environment"], "sandbox");
    let row = json!({ "op": "upsert", "record": { "Code": "32000000001", "Name": "Anna" } }).to_string();
    let body = Some(("application/x-ndjson", row.into_bytes()));
    let path = "/sandbox/re_person/intake/packages/p1";
    assert_eq!(
        raw::call(&provider.client, Method::PUT, path, &[], body)
            .await
            .status,
        200
    );
    let record = "/sandbox/re_person/records/32000000001";
    assert_eq!(
        raw::get(&provider.client.with_permission(own), record)
            .await
            .status,
        200
    );
    is(
        &raw::get(&provider.client, record).await,
        403,
        "permission_missing",
    );
    is(
        &raw::get(&reader.client.with_permission(own), record).await,
        403,
        "permission_missing",
    );
    is(
        &raw::get(&reader.client, "/data/re_person/records").await,
        404,
        "dataset_unknown",
    );
    let changes = provider
        .client
        .with_permission(own)
        .get("/sandbox/re_person/changes")
        .await
        .unwrap();
    let before = provider
        .client
        .get("/sandbox/re_person/intake/state")
        .await
        .unwrap();
    define(
        &server,
        &provider,
        "",
        &DEFINITION.replace("- Name :", "- Name! :"),
    )
    .await;
    let after = provider
        .client
        .get("/sandbox/re_person/intake/state")
        .await
        .unwrap();
    assert_eq!(after["records"], 0);
    assert!(after["epoch"].as_u64() > before["epoch"].as_u64());
    let stale = format!(
        "/sandbox/re_person/changes?after={}",
        changes["next"].as_str().unwrap()
    );
    is(
        &raw::get(&provider.client.with_permission(own), &stale).await,
        410,
        "cursor_expired",
    );
}

#[tokio::test]
async fn the_whole_registry_is_read_over_http_as_from_its_file() {
    let server = Server::start();
    let reader = server.consumer().await;
    let exported = raw::get(&server.operator(), "/registry/export").await;
    assert_eq!(exported.status, 200, "{}", exported.text());
    let text = exported.text();
    assert!(
        text.starts_with("{\"format\":\"dagr-registry\",\"version\":1}\n"),
        "{text}"
    );
    assert!(text.contains(&reader.institution) && !text.contains("PRIVATE KEY"));
    let file = server.dir().join("export.ndjson");
    let done = server.run(&["registry", "export", file.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(raw::get(&reader.client, "/registry/export").await.status, 403);
    let missing = server.run(&["registry", "import", "nowhere.ndjson"]);
    assert!(!missing.status.success());
    assert!(
        String::from_utf8_lossy(&missing.stderr).contains("nowhere.ndjson"),
        "{missing:?}"
    );
}
