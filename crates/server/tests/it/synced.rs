//! What an answer promises is on the disk before its first byte leaves: as strace sees the server work.

use http::Method;
use serde_json::{Value, json};

use crate::{
    raw,
    server::Server,
    trace::{self, Call, Promise},
};

const PERSONS: &str = "name: sy_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
subject: Code
";

/// A segment is filled with zeros when it is made: small ones make a short trace.
const SMALL: &[(&str, &str)] = &[("DAGR_DISCLOSURES__SEGMENT_BYTES", "8388608")];
/// Turns of the calls: the first alone, the others all at once.
const TURNS: usize = 3;

struct Traced {
    server: Server,
    dir: tempfile::TempDir,
}

impl Traced {
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("trace");
        trace::is_possible().then(|| Self {
            server: Server::start_under(&trace::words(&file), SMALL),
            dir,
        })
    }

    fn calls(mut self) -> Vec<Call> {
        assert_eq!(self.server.terminate(), Some(0));
        let trace = std::fs::read(self.dir.path().join("trace")).unwrap();
        trace::read(&String::from_utf8_lossy(&trace))
    }
}

fn upsert(number: usize, name: &str) -> String {
    let record = json!({ "Code": format!("32{number:09}"), "Name": name });
    json!({ "op": "upsert", "record": record }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_answer_is_sent_after_its_entry_was_synced() {
    let Some(traced) = Traced::start() else { return };
    let server = &traced.server;
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "sy_person", PERSONS).await;
    let path = "/intake/sy_person/packages/p";
    provider
        .client
        .put(path, "application/x-ndjson", upsert(1, "Anna"))
        .await
        .unwrap();
    let client = server
        .grant(&reader, "sy_person", &["key", "changes", "bulk"], Value::Null)
        .await;
    let lookup = json!({ "keys": [{ "Code": "32000000001" }] }).to_string();
    let calls = [
        (Method::GET, "/data/sy_person/records/32000000001", None),
        (Method::HEAD, "/data/sy_person/records/32000000001", None),
        (Method::GET, "/data/sy_person/records/32000000009", None),
        (Method::GET, "/data/sy_person/records", None),
        (Method::GET, "/data/sy_person/changes?include=record", None),
        (Method::POST, "/data/sy_person/lookup", Some(lookup)),
    ];
    let mut ids = Vec::new();
    for turn in 0..TURNS {
        // Alone, and several at once: group commit must not let one leave with another's sync.
        let asked = calls.iter().enumerate().map(|(place, (method, path, body))| {
            let id = format!("traced-{turn}-{place}.");
            ids.push(id.clone());
            let (client, body) = (client.clone(), body.clone());
            let body = body.map(|body| ("application/json", body.into_bytes()));
            let (method, path) = (method.clone(), *path);
            async move {
                raw::call(&client, method, path, &[("x-request-id", &id)], body)
                    .await
                    .status
            }
        });
        each(turn, asked, &[200, 404]).await;
    }
    let calls = traced.calls();
    for id in &ids {
        let promise = Promise {
            file: ".segment",
            mark: id,
            has_meta: false,
            request_id: id,
        };
        trace::judge(&calls, &promise);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_sent_after_its_package_was_synced() {
    let Some(traced) = Traced::start() else { return };
    let server = &traced.server;
    let provider = server.producer().await;
    server.publish(&provider, "sy_person", PERSONS).await;
    let mut ids = Vec::new();
    for turn in 0..TURNS {
        let sent = (0..4).map(|place| {
            let id = format!("package-{turn}-{place}-end");
            ids.push(id.clone());
            let client = provider.client.clone();
            async move {
                let path = format!("/intake/sy_person/packages/{id}");
                let body = ("application/x-ndjson", upsert(place, &id).into_bytes());
                let headers = [("x-request-id", id.as_str())];
                raw::call(&client, Method::PUT, &path, &headers, Some(body))
                    .await
                    .status
            }
        });
        each(turn, sent, &[200]).await;
    }
    let calls = traced.calls();
    for id in &ids {
        // The package's row is what makes the receipt, the record what it is about: one page each, one commit.
        for mark in [id.clone(), format!("\\\"Name\\\":\\\"{id}\\\"")] {
            let promise = Promise {
                file: "/sets/main/sy_person/data.mdb",
                mark: &mark,
                has_meta: true,
                request_id: id,
            };
            trace::judge(&calls, &promise);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_told_of_after_the_registry_was_synced() {
    let Some(traced) = Traced::start() else { return };
    let server = &traced.server;
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "sy_person", PERSONS).await;
    let operator = server.operator();
    let mut ids = Vec::new();
    for turn in 0..TURNS {
        let changed = (0..3).map(|place| {
            let (granted, revoked) = (
                format!("granted-{turn}-{place}."),
                format!("revoked-{turn}-{place}."),
            );
            ids.extend([granted.clone(), revoked.clone()]);
            let (operator, recipient) = (operator.clone(), reader.institution.clone());
            async move {
                let body = json!({
                    "dataset": "sy_person", "recipient": recipient, "environment": "main", "purpose": granted,
                    "legal_basis": "l", "fields": "all", "ways": ["key"],
                });
                let answer = post(&operator, "/registry/permissions", &granted, &body).await;
                assert_eq!(answer.status, 201, "{}", answer.text());
                let number = answer.json()["number"].as_str().unwrap().to_owned();
                let path = format!("/registry/permissions/{number}/revoke");
                post(&operator, &path, &revoked, &json!({ "reason": revoked }))
                    .await
                    .status
            }
        });
        each(turn, changed, &[200]).await;
    }
    let calls = traced.calls();
    for id in &ids {
        let promise = Promise {
            file: "/registry.sqlite-wal",
            mark: id,
            has_meta: false,
            request_id: id,
        };
        trace::judge(&calls, &promise);
    }
}

async fn post(client: &dagr_server::client::Client, path: &str, id: &str, body: &Value) -> raw::Raw {
    let body = ("application/json", body.to_string().into_bytes());
    raw::call(client, Method::POST, path, &[("x-request-id", id)], Some(body)).await
}

/// The first turn one after another, later ones together; every status is one of these.
async fn each<F>(turn: usize, calls: impl Iterator<Item = F>, statuses: &[u16])
where
    F: Future<Output = u16> + Send + 'static,
{
    if turn == 0 {
        for call in calls {
            let status = call.await;
            assert!(statuses.contains(&status), "{status}");
        }
    } else {
        for call in calls.map(tokio::spawn).collect::<Vec<_>>() {
            let status = call.await.unwrap();
            assert!(statuses.contains(&status), "{status}");
        }
    }
}
