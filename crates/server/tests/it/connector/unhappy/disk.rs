//! The server's disk is full, or a feed's own.

use std::fs;

use super::super::{Desk, state, until, watched, within};
use super::{DEFINITION, csv};
use crate::{full_disk::SmallDisk, server::Server};

#[tokio::test]
async fn a_full_disk_of_the_server_is_told_and_passes() {
    let settings = [
        ("DAGR_DISCLOSURES__SEGMENT_BYTES", "8388608"),
        ("DAGR_INTAKE__DISK_RESERVE_BYTES", "0"),
    ];
    let mut server = Server::prepared(&[], &settings);
    let Some(disk) = SmallDisk::mount(server.dir()) else {
        return;
    };
    server.launch();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cu_words");
    desk.drop_in("1.csv", &csv(10));
    let service = desk.service();
    until("the first file", async || {
        state(&provider, "cu_words").await["records"] == 10
    })
    .await;
    disk.fill(0);
    desk.drop_in("2.csv", &csv(50_000));
    let problem = desk.until_problem("storage_full").await;
    assert!(problem.contains("no space is left"), "{problem}");
    assert_eq!(state(&provider, "cu_words").await["records"], 10);
    disk.empty();
    // The server asks for a minute.
    within(150, "what waited is there", async || {
        state(&provider, "cu_words").await["records"] == 50_000
    })
    .await;
    desk.until_whole(service, &provider, "cu_words").await;
}

/// The state has no room, and says so where its room was taken before.
#[tokio::test]
async fn a_full_disk_of_the_feed_is_told_and_passes() {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let rest = format!("state = 'small/state'\n{}", watched("cu_words"));
    let desk = Desk::feed(&server, &provider, &rest);
    fs::create_dir(desk.path("in")).unwrap();
    fs::create_dir(desk.path("small")).unwrap();
    let Some(disk) = SmallDisk::mount(&desk.path("small")) else {
        return;
    };
    desk.drop_in("1.csv", &csv(10));
    let service = desk.service();
    until("the first file", async || {
        state(&provider, "cu_words").await["records"] == 10
    })
    .await;
    until("nothing is wrong", async || desk.status()["state"] == "ok").await;
    disk.fill(0);
    desk.drop_in("2.csv", &csv(50_000));
    until("the status says it", async || desk.status()["state"] == "problem").await;
    let status = desk.status();
    let problem = status["problem"].as_str().unwrap();
    assert!(
        ["No space left", "disk is full"]
            .iter()
            .any(|words| problem.contains(words)),
        "{status:#}"
    );
    assert!(status["problem_since"].is_string(), "{status:#}");
    assert_eq!(
        state(&provider, "cu_words").await["records"],
        10,
        "nothing in part"
    );
    disk.empty();
    within(150, "what waited is there", async || {
        state(&provider, "cu_words").await["records"] == 50_000
    })
    .await;
    desk.until_whole(service, &provider, "cu_words").await;
}
