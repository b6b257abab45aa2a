//! Copying a running server, putting the copy in place, and finding damage.

use std::{fs, path::Path, process::Output};

use dagr_server::client::{CallError, Client};
use serde_json::{Value, json};

use crate::server::{Party, Server, dagr};

const DEFINITION: &str = "\
name: tst_people
key: Code
data_description: People
classification: restricted
subject: [Code]
fields:
  - Code : Personal code
  - Town : Where they live
";

fn row(code: &str, town: &str) -> String {
    json!({ "op": "upsert", "record": { "Code": code, "Town": town } }).to_string() + "\n"
}

async fn deliver(provider: &Party, id: &str, body: String) {
    let path = format!("/intake/tst_people/packages/{id}");
    provider
        .client
        .put(&path, "application/x-ndjson", body)
        .await
        .unwrap();
}

async fn record(client: &Client, code: &str) -> Result<Value, CallError> {
    client.get(&format!("/data/tst_people/records/{code}")).await
}

fn code(answer: Result<Value, CallError>) -> String {
    match answer {
        Err(CallError::Refused(refusal)) => refusal.code,
        other => format!("{other:?}"),
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn restore(backup: &Path, data: &Path, more: &[&str]) -> Output {
    let mut command = dagr();
    command
        .arg("restore")
        .arg(backup)
        .arg("--data")
        .arg(data)
        .args(more);
    command.output().unwrap()
}

fn scrub(data: &Path) -> Output {
    dagr().arg("scrub").arg("--data").arg(data).output().unwrap()
}

/// A server with three people, a reader of them, and their permission's client.
async fn people() -> (Server, Party, Party, Client) {
    let server = Server::start();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "tst_people", DEFINITION).await;
    deliver(
        &provider,
        "first",
        row("a", "Cēsis") + &row("b", "Ogre") + &row("c", "Talsi"),
    )
    .await;
    let reader = server
        .grant(
            &recipient,
            "tst_people",
            &["key", "changes"],
            json!({ "quota": 50 }),
        )
        .await;
    (server, provider, recipient, reader)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_with_what_was_erased_since_left_out() {
    let (mut server, provider, recipient, reader) = people().await;
    let number = reader.get("/current_user_permissions").await.unwrap()[0]["permission_number"].clone();
    record(&reader, "a").await.unwrap();
    let page = reader.get("/data/tst_people/changes").await.unwrap();
    let parent = tempfile::tempdir().unwrap();
    let backup = parent.path().join("backup");
    let made = server.run(&["backup", path(&backup)]);
    assert!(made.status.success(), "{}", text(&made));
    assert!(!backup.join("secrets").exists());
    assert!(
        !server.run(&["backup", path(&backup)]).status.success(),
        "the directory exists"
    );

    // After the backup: one erased, one new, one look-up.
    let erase = json!({ "op": "erase", "key": { "Code": "b" } }).to_string() + "\n" + &row("d", "Saldus");
    let body = provider
        .client
        .put(
            "/intake/tst_people/packages/second",
            "application/x-ndjson",
            erase,
        )
        .await
        .unwrap();
    if body["state"] == "held" {
        provider
            .client
            .post_empty("/intake/tst_people/packages/second/confirm")
            .await
            .unwrap();
    }
    record(&reader, "c").await.unwrap();
    assert!(
        !restore(&backup, server.dir(), &[]).status.success(),
        "a server runs on it"
    );
    assert!(!scrub(server.dir()).status.success(), "a server runs on it");
    assert_eq!(server.terminate(), Some(0));

    let refused = restore(&backup, server.dir(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("--accept-lost-uses"),
        "{}",
        text(&refused)
    );
    let restored = restore(&backup, server.dir(), &["--accept-lost-uses"]);
    assert!(restored.status.success(), "{}", text(&restored));
    for said in [
        "main/tst_people: 2 records",
        "last package first",
        "1 records were erased again",
    ] {
        assert!(text(&restored).contains(said), "{said}: {}", text(&restored));
    }

    server.kill_and_restart();
    let reader = server.again(&recipient).with_permission(number.as_str().unwrap());
    let uses = reader.get("/current_user_permissions").await.unwrap()[0]["use_count"].clone();
    assert_eq!(uses, 2, "the uses of the backup");
    assert_eq!(record(&reader, "c").await.unwrap()["Town"], "Talsi");
    assert_eq!(code(record(&reader, "b").await), "record_unknown", "erased since");
    assert_eq!(
        code(record(&reader, "d").await),
        "record_unknown",
        "delivered since"
    );
    let cursor = page["next"].as_str().unwrap();
    let old = reader
        .get_with("/data/tst_people/changes", &[("after", cursor.to_owned())])
        .await;
    assert_eq!(code(old), "cursor_expired");
    let log = server.operator().get("/registry/disclosures").await.unwrap();
    assert_eq!(log["disclosures"][0]["subjects"], json!(["a"]));
    assert_eq!(server.terminate(), Some(0));
    let whole = scrub(server.dir());
    assert!(whole.status.success(), "{}", text(&whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_makes_a_new_installation_and_a_damaged_one_none() {
    let (server, _, _, reader) = people().await;
    record(&reader, "a").await.unwrap();
    let parent = tempfile::tempdir().unwrap();
    let (backup, data) = (parent.path().join("backup"), parent.path().join("data"));
    let made = server.run(&["backup", path(&backup), "--with-secrets"]);
    assert!(made.status.success(), "{}", text(&made));

    let token = backup.join("secrets/operator-token");
    let whole = fs::read(&token).unwrap();
    fs::write(&token, "something else of no length to speak of").unwrap();
    let refused = restore(&backup, &data, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("secrets/operator-token"),
        "{}",
        text(&refused)
    );
    fs::write(&token, whole).unwrap();

    let restored = restore(&backup, &data, &[]);
    assert!(restored.status.success(), "{}", text(&restored));
    assert_eq!(
        fs::read_to_string(data.join("secrets/operator-token")).unwrap(),
        server.operator_token()
    );
    assert!(scrub(&data).status.success());
    assert!(!restore(parent.path(), &data, &[]).status.success(), "no backup");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_lies_outside_and_is_the_operators() {
    let server = Server::start();
    let inside = server.dir().join("backup");
    assert!(!server.run(&["backup", path(&inside)]).status.success());
    let asked = json!({ "directory": "relative" });
    assert_eq!(
        code(server.operator().post("/registry/backups", &asked).await),
        "invalid"
    );
    let consumer = server.consumer().await;
    assert_eq!(
        code(consumer.client.post("/registry/backups", &asked).await),
        "role_required"
    );
    assert_eq!(
        code(server.operator().get("/registry/backups/77").await),
        "not_found"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_record_is_found() {
    let (mut server, ..) = people().await;
    assert_eq!(server.terminate(), Some(0));
    assert!(scrub(server.dir()).status.success());
    let file = server.dir().join("sets/main/tst_people/data.mdb");
    let mut bytes = fs::read(&file).unwrap();
    let wanted = "Talsi".as_bytes();
    let places: Vec<usize> = (0..bytes.len() - wanted.len())
        .filter(|at| bytes[*at..].starts_with(wanted))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] = b'V';
    }
    fs::write(&file, bytes).unwrap();
    let found = scrub(server.dir());
    assert_eq!(found.status.code(), Some(1));
    assert!(
        text(&found).contains("main/tst_people: DAMAGED: 1 of 3"),
        "{}",
        text(&found)
    );
}

/// A definition whose text differs by `round`, into the sandbox; gives the epoch it begins.
async fn redefine(server: &Server, provider: &Party, round: u32) -> u64 {
    let path = format!(
        "/registry/datasets/tst_people/definition?institution={}",
        provider.institution
    );
    let text = DEFINITION.replace(
        "data_description: People",
        &format!("data_description: People {round}"),
    );
    server
        .operator()
        .put(&path, "application/yaml", text)
        .await
        .unwrap();
    let client = server.again(provider);
    let state = client.get("/sandbox/tst_people/intake/state").await.unwrap();
    state["epoch"].as_u64().unwrap()
}

async fn fill(server: &Server, provider: &Party, id: &str) {
    let path = format!("/sandbox/tst_people/intake/packages/{id}");
    let body = row("a", "Cēsis") + &row("b", "Ogre");
    let client = server.again(provider);
    client.put(&path, "application/x-ndjson", body).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_before_a_restore_is_never_valid_again() {
    let (mut server, provider, ..) = people().await;
    let parent = tempfile::tempdir().unwrap();
    let backup = parent.path().join("backup");
    let made = server.run(&["backup", path(&backup)]);
    assert!(made.status.success(), "{}", text(&made));

    // The backup knows epoch 1 of the sandbox only.
    assert_eq!(redefine(&server, &provider, 2).await, 2);
    assert_eq!(redefine(&server, &provider, 3).await, 3);
    fill(&server, &provider, "before").await;
    let permissions = server.operator().get("/registry/permissions").await.unwrap();
    let own = permissions["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|permission| permission["environment"] == "sandbox");
    let number = own.unwrap()["number"].as_str().unwrap().to_owned();
    let page = server
        .again(&provider)
        .with_permission(&number)
        .get("/sandbox/tst_people/changes?limit=1")
        .await
        .unwrap();
    let cursor = page["next"].as_str().unwrap().to_owned();
    assert_eq!(server.terminate(), Some(0));
    // What damage leaves: only the registry still knows the epoch.
    fs::write(server.dir().join("sets/sandbox/tst_people/FORMAT"), "damaged").unwrap();
    let restored = restore(&backup, server.dir(), &["--accept-lost-uses"]);
    assert!(restored.status.success(), "{}", text(&restored));
    server.launch();

    let mut last = 3;
    for round in [4, 5] {
        let client = server.again(&provider).with_permission(&number);
        let old = client
            .get_with("/sandbox/tst_people/changes", &[("after", cursor.clone())])
            .await;
        assert_eq!(code(old), "cursor_expired");
        let epoch = redefine(&server, &provider, round).await;
        assert!(epoch > last, "{epoch}");
        last = epoch;
        fill(&server, &provider, &format!("after-{round}")).await;
    }
}
