//! Starting, health, metrics, stopping.

use std::os::unix::fs::PermissionsExt;

use crate::server::{Server, dagr};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_ready_when_it_says_so() {
    let server = Server::start();
    let operations = server.operations();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let request = operations.request(http::Method::GET, path).await.unwrap();
        assert_eq!(operations.send(request).await.unwrap().status, 200, "{path}");
    }
    let token = server.dir().join("secrets/operator-token");
    assert_eq!(
        std::fs::metadata(&token).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let metadata = server
        .anonymous()
        .get("/.well-known/oauth-authorization-server")
        .await
        .unwrap();
    assert_eq!(
        metadata["issuer"], server.data,
        "the public URL follows the port in fact taken"
    );
    let institutions = server.operator().get("/registry/institutions").await.unwrap();
    assert_eq!(institutions["next"], serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_calls_by_their_template() {
    let server = Server::start();
    let refused = server
        .anonymous()
        .get("/data/nothing/records/canary-7261")
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("token_invalid"));
    let operations = server.operations();
    let request = operations.request(http::Method::GET, "/metrics").await.unwrap();
    let text = operations.send(request).await.unwrap().text();
    assert!(text.contains("dagr_http_requests_total"), "{text}");
    assert!(text.contains("dagr_disclosure_entries"), "{text}");
    assert!(!text.contains("canary-7261"), "{text}");
}

#[test]
fn sigterm_stops_in_order_and_the_directory_opens_again() {
    let mut server = Server::start();
    let token = server.operator_token();
    assert_eq!(server.terminate(), Some(0));
    server.kill_and_restart();
    assert_eq!(server.operator_token(), token);
}

#[test]
fn one_process_a_directory() {
    let server = Server::start();
    let second = dagr()
        .args(["serve", "--data"])
        .arg(server.dir())
        .env("DAGR_LISTEN__DATA", "127.0.0.1:0")
        .env("DAGR_LISTEN__OPERATIONS", "127.0.0.1:0")
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process uses"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_a_kill() {
    let mut server = Server::start();
    let consumer = server.consumer().await;
    let token = consumer.client.token().await.unwrap().unwrap();
    server.kill_and_restart();
    let client = dagr_server::client::Client::bearer(&server.data, &token).unwrap();
    let permissions = client.get("/current_user_permissions").await.unwrap();
    assert_eq!(permissions, serde_json::json!([]));
}
