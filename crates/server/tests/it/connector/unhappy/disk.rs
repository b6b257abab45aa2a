//! The server's disk is full.

use super::super::{Desk, state, until, within};
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
