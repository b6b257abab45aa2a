//! What a feed and a replica tell of themselves while they work: numbers for Prometheus, a line on a terminal.

use std::process::Command;

use dagr_server::client::Client;
use serde_json::json;

use super::{Desk, until, watched};
use crate::{raw, server::Server};

const DEFINITION: &str = "name: ct_words\nkey: Id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

fn csv(rows: u32) -> String {
    let line = |n| format!("{n},vārds {n}\n");
    format!("Id,Word\n{}", (0..rows).map(line).collect::<String>())
}

/// The service with `--metrics` on a port of its own, and a client of that port.
async fn measured(desk: &Desk) -> (super::Service, Client) {
    let service = desk.service_saying(&["--metrics", "127.0.0.1:0"], &[]);
    let mut address = None;
    until("it says where", async || {
        address = bound(&desk.log());
        address.is_some()
    })
    .await;
    let client = Client::anonymous(&format!("http://{}", address.unwrap())).unwrap();
    (service, client)
}

/// The address in the log's line "metrics".
fn bound(log: &str) -> Option<String> {
    let at = log.find("127.0.0.1:")?;
    let address = log[at..].split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
    address.map(str::to_owned).next()
}

#[tokio::test]
async fn metrics_are_served_beside_a_feed_and_a_replica_also_while_the_server_is_away() {
    let mut server = Server::start();
    let provider = server.producer().await;
    let reader = server.consumer().await;
    server.publish(&provider, "ct_words", DEFINITION).await;
    let (_, number) = server
        .granted(&reader, "ct_words", &["changes", "bulk"], json!({}))
        .await;
    let desk = Desk::watching(&server, &provider, "ct_words");
    let copied = format!(
        "dataset = 'ct_words'\npermission = '{number}'\nwait = '1s'\n[target]\nkind = 'sqlite'\npath = 'copy.db'\n"
    );
    let replica = Desk::replica(&server, &reader, &copied);
    desk.drop_in("1.csv", csv(10).as_bytes());
    let (_feeding, feed) = measured(&desk).await;
    let (_copying, copy) = measured(&replica).await;

    let says = async |client: &Client, sample: &str| {
        let answer = raw::get(client, "/metrics").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
        answer.text().lines().any(|line| line == sample)
    };
    until("the feed has sent", async || {
        says(&feed, "dagr_connector_records{feed=\"ct_words\"} 10").await
    })
    .await;
    until("the copy is there", async || {
        says(&copy, "dagr_replica_current{replica=\"ct_words\"} 1").await
    })
    .await;
    assert!(says(&feed, "dagr_connector_problem{feed=\"ct_words\"} 0").await);
    server.kill();
    desk.drop_in("2.csv", csv(11).as_bytes());
    until("the feed stands still", async || {
        says(&feed, "dagr_connector_problem{feed=\"ct_words\"} 1").await
            && says(&feed, "dagr_connector_waiting_packages{feed=\"ct_words\"} 1").await
    })
    .await;
    until("the replica stands still", async || {
        says(&copy, "dagr_replica_problem{replica=\"ct_words\"} 1").await
    })
    .await;
    assert_eq!(raw::get(&feed, "/").await.status, 404);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ct_words", DEFINITION).await;
    let desk = Desk::feed(&server, &provider, &watched("ct_words"));
    let taken = server.data.trim_start_matches("http://");
    let output = desk.run("run", &["--metrics", taken]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("--metrics {taken}: ")), "{said}");
}

/// What a command shows on a terminal.
fn on_a_terminal(desk: &Desk) -> String {
    let command = format!(
        "{} connector once {}",
        env!("CARGO_BIN_EXE_dagr"),
        desk.file.display()
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .expect("script, of Debian's bsdutils");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_terminal_sees_how_far_it_is_and_a_log_does_not() {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ct_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "ct_words");
    desk.drop_in("1.csv", csv(20_000).as_bytes());
    let shown = on_a_terminal(&desk);
    assert!(shown.contains(" rows read"), "{shown}");
    assert!(shown.contains("20000 records compared"), "{shown}");
    desk.drop_in("2.csv", csv(20_001).as_bytes());
    let output = desk.run("once", &[]);
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{output:?}");
}
