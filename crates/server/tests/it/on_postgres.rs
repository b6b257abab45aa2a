//! The program with its registry on PostgreSQL. Each test passes where there is none; `Cluster::shared` says so.

use std::path::Path;

use dagr_server::client::{CallError, Client};
use serde_json::{Value, json};

use crate::{
    server::{Party, Server, dagr},
    throwaway::Cluster,
};

const DEFINITION: &str = "\
name: pg_people
key: Code
data_description: People
classification: restricted
subject: [Code]
fields:
  - Code : Personal code
  - Town : Where they live
";

/// A schema of its own, and a password that no trust asks for but no log may show.
fn url() -> Option<String> {
    let cluster = Cluster::shared()?;
    let schema = Cluster::schema();
    cluster.create(&schema);
    Some(cluster.url(&schema).replace("dagr@", "dagr:hidden@"))
}

async fn deliver(provider: &Party, code: &str) {
    let row = json!({ "op": "upsert", "record": { "Code": code, "Town": "Ogre" } }).to_string() + "\n";
    let path = format!("/intake/pg_people/packages/{code}");
    provider
        .client
        .put(&path, "application/x-ndjson", row)
        .await
        .unwrap();
}

async fn record(client: &Client, code: &str) -> Result<Value, CallError> {
    client.get(&format!("/data/pg_people/records/{code}")).await
}

fn run(words: &[&str], data: &Path, url: &str) -> (bool, String) {
    let output = dagr()
        .args(words)
        .arg("--data")
        .arg(data)
        .env("DAGR_REGISTRY__URL", url)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Publishes, grants, delivers and looks up.
async fn people(server: &Server) -> (Party, Party, String) {
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "pg_people", DEFINITION).await;
    deliver(&provider, "a").await;
    let reader = server.grant(&recipient, "pg_people", &["key"], json!({})).await;
    assert_eq!(record(&reader, "a").await.unwrap()["Town"], "Ogre");
    let held = reader.get("/current_user_permissions").await.unwrap();
    let permission = held[0]["permission_number"].as_str().unwrap().to_owned();
    (provider, recipient, permission)
}

#[tokio::test]
async fn published_granted_read_revoked_and_all_of_it_after_kills() {
    let Some(url) = url() else { return };
    let mut server = Server::start_with(&[("DAGR_REGISTRY__URL", &url), ("DAGR_LOG__LEVEL", "debug")]);
    let (_, recipient, permission) = people(&server).await;
    assert!(!server.dir().join("registry.sqlite").exists());

    server.kill_and_restart();
    let reader = server.again(&recipient).with_permission(&permission);
    assert_eq!(record(&reader, "a").await.unwrap()["Town"], "Ogre");
    let path = format!("/registry/permissions/{permission}/revoke");
    let revoked = server.operator().post(&path, &json!({ "reason": "over" })).await;
    assert_eq!(revoked.unwrap()["state"], "revoked");
    assert!(record(&reader, "a").await.is_err());

    // Acknowledged before the kill, so in force after it.
    server.kill_and_restart();
    let reader = server.again(&recipient).with_permission(&permission);
    assert!(record(&reader, "a").await.is_err());
    let shown = server
        .operator()
        .get(&format!("/registry/permissions/{permission}"))
        .await
        .unwrap();
    assert_eq!(shown["state"], "revoked");
    assert!(!server.logged().contains("hidden"), "{}", server.logged());
}

#[tokio::test]
async fn changes_acknowledged_before_a_kill_are_there_after_it() {
    let Some(url) = url() else { return };
    let mut server = Server::start_with(&[("DAGR_REGISTRY__URL", &url)]);
    for round in 0..3 {
        let operator = server.operator();
        let writing = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0.. {
                let number = format!("9{round}{n:09}");
                let body = json!({ "registration_number": number, "name": "Iestāde" });
                if operator.post("/registry/institutions", &body).await.is_err() {
                    break;
                }
                acknowledged.push(number);
            }
            acknowledged
        });
        // Some are through when the kill comes.
        let client = server.operator();
        let path = format!("/registry/institutions/9{round}{:09}", 10);
        while client.get(&path).await.is_err() {
            tokio::task::yield_now().await;
        }
        server.kill();
        let acknowledged = writing.await.unwrap();
        assert!(acknowledged.len() >= 10);
        server.launch();
        let operator = server.operator();
        for number in acknowledged {
            let found = operator.get(&format!("/registry/institutions/{number}")).await;
            assert_eq!(found.unwrap()["registration_number"], number);
        }
    }
}

#[tokio::test]
async fn backed_up_restored_and_exported_to_a_file_of_its_own() {
    let Some(url) = url() else { return };
    let mut server = Server::start_with(&[("DAGR_REGISTRY__URL", &url)]);
    let (_, recipient, permission) = people(&server).await;
    let outside = tempfile::tempdir().unwrap();
    let backup = outside.path().join("backup");
    let made = dagr()
        .args(["backup", "--server", &server.data, "--data"])
        .arg(server.dir())
        .arg(&backup)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let path = format!("/registry/permissions/{permission}/revoke");
    let revoked = server.operator().post(&path, &json!({ "reason": "over" })).await;
    revoked.unwrap();
    server.kill();

    let words = ["restore", backup.to_str().unwrap()];
    let (done, told) = run(&words, server.dir(), &url);
    assert!(done && !told.contains("hidden"), "{told}");
    server.launch();
    let reader = server.again(&recipient).with_permission(&permission);
    assert_eq!(record(&reader, "a").await.unwrap()["Town"], "Ogre");

    // Out of PostgreSQL, into an empty SQLite, and out again: the same bytes.
    let [one, two] = ["one", "two"].map(|name| outside.path().join(name));
    let empty = outside.path().join("empty");
    let (done, told) = run(&["registry", "export", one.to_str().unwrap()], server.dir(), &url);
    assert!(done, "{told}");
    for words in [
        ["import", one.to_str().unwrap()],
        ["export", two.to_str().unwrap()],
    ] {
        let told = dagr()
            .arg("registry")
            .args(words)
            .arg("--data")
            .arg(&empty)
            .output()
            .unwrap();
        assert!(told.status.success(), "{told:?}");
    }
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let (done, told) = run(
        &["serve"],
        dir.path(),
        "postgres://dagr:hidden@127.0.0.1:1/registry",
    );
    assert!(!done && told.contains("127.0.0.1:1/registry"), "{told}");
    assert!(!told.contains("hidden"), "{told}");
}

#[tokio::test]
async fn over_tls_the_server_is_known_by_its_authority_and_name() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let cluster = Cluster::start_with_tls(port, &made.cert.pem(), &made.signing_key.serialize_pem());
    // Missing altogether: `Cluster::shared` says so.
    let (Some(_), Ok(_cluster)) = (Cluster::shared(), cluster) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let authority = |name: &str, pem: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let own = authority("own.pem", made.cert.pem());
    let stranger = authority("stranger.pem", other.cert.pem());
    let connect = async |host: &str, mode: &str, root: &str| {
        let url = format!("postgres://dagr@{host}:{port}/postgres?sslmode={mode}&sslrootcert={root}");
        dagr_registry::Registry::connect(&url).await
    };
    for (host, mode, root, fits) in [
        ("localhost", "verify-full", &own, true),
        ("127.0.0.1", "verify-full", &own, false),
        ("127.0.0.1", "verify-ca", &own, true),
        ("localhost", "verify-full", &stranger, false),
        ("localhost", "verify-ca", &stranger, false),
        ("127.0.0.1", "require", &own, true),
        ("127.0.0.1", "disable", &own, true),
    ] {
        let connected = connect(host, mode, root).await;
        assert_eq!(connected.is_ok(), fits, "{host} {mode} {connected:?}");
    }
}
