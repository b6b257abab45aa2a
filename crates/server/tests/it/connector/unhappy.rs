//! What goes wrong outside a feed ends in a state that says what it is, and passes without loss.

mod certificate;
mod clock;
mod disk;
mod network;

use serde_json::json;

use super::{Desk, state, until};
use crate::server::Server;

const DEFINITION: &str = "name: cu_words\nkey: Id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

/// So many rows; the first column is the key.
fn csv(rows: u32) -> Vec<u8> {
    let mut text = "Id,Word\n".to_owned();
    for n in 0..rows {
        text.push_str(&format!("{n},vārds {n}\n"));
    }
    text.into_bytes()
}

#[tokio::test]
async fn credentials_that_were_withdrawn_are_a_problem_until_they_are_back() {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cu_words");
    desk.drop_in("1.csv", &csv(10));
    desk.done("once", &[]);
    // Signs in while it can.
    assert_eq!(state(&provider, "cu_words").await["records"], 10);
    let operator = server.operator();
    let path = format!("/registry/connections/{}", provider.client_id);
    let view = operator.get(&path).await.unwrap();
    let sha256 = view["certificates"][0]["sha256"].as_str().unwrap().to_owned();
    operator
        .delete(&format!("{path}/certificates/{sha256}"))
        .await
        .unwrap();
    desk.drop_in("2.csv", &csv(11));
    let mut service = desk.service();
    until("the status says it", async || desk.status()["state"] == "problem").await;
    let status = desk.status();
    assert!(
        status["problem"].as_str().unwrap().contains("invalid_client"),
        "{status:#}"
    );
    assert_eq!(state(&provider, "cu_words").await["records"], 10);
    // Another key for the same connection; the feed reads it when it starts.
    let made = dagr_server::keys::generate(&provider.client_id).unwrap();
    operator
        .put(
            &format!("{path}/certificate"),
            "application/x-pem-file",
            made.certificate_pem,
        )
        .await
        .unwrap();
    super::write(&desk.path("key.pem"), &made.key_pem);
    service.kill();
    let mut service = desk.service();
    until("what waited is there", async || {
        state(&provider, "cu_words").await["records"] == 11
    })
    .await;
    until("nothing is wrong any more", async || {
        desk.status()["state"] == "ok"
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    assert_eq!(
        desk.done("once", &["--reconcile"])["reconciled"]["differing"],
        json!(0)
    );
}

#[tokio::test]
async fn a_feed_outlives_a_server_that_is_away() {
    let mut server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cu_words");
    desk.drop_in("1.csv", &csv(10));
    desk.done("once", &[]);
    let address = server.data.clone();
    server.kill();
    desk.drop_in("2.csv", &csv(20));
    let mut service = desk.service();
    until("the status says it", async || desk.status()["state"] == "problem").await;
    let status = desk.status();
    assert!(
        status["problem"].as_str().unwrap().contains("cannot reach"),
        "{status:#}"
    );
    // Killed with the package in its spool: it goes under the same id.
    service.kill();
    server.set("DAGR_LISTEN__DATA", address.trim_start_matches("http://"));
    server.launch();
    let mut service = desk.service();
    let provider = crate::server::Party {
        client: server.again(&provider),
        ..provider
    };
    until("what waited is there", async || {
        state(&provider, "cu_words").await["records"] == 20
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    assert_eq!(
        desk.done("once", &["--reconcile"])["reconciled"]["differing"],
        json!(0)
    );
}
