//! The clock of the feed's machine is off by an hour, either way.

use std::path::Path;

use super::super::{Desk, not_tried, state, until, write};
use super::{DEFINITION, csv};
use crate::server::Server;

/// Where Debian's `faketime` lies.
const LIBRARY: &str = "faketime/libfaketime.so.1";

fn library() -> Option<String> {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."];
    let paths = places.map(|place| format!("/usr/lib/{place}/{LIBRARY}"));
    let found = paths.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        not_tried("ANOTHER CLOCK", "no libfaketime here (Debian: faketime)");
    }
    found
}

#[tokio::test]
async fn a_clock_that_is_off_by_an_hour_is_told_and_passes() {
    let Some(library) = library() else {
        return;
    };
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cu_words", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cu_words");
    desk.drop_in("0.csv", &csv(10));
    desk.done("once", &[]);
    let file = desk.path("clock");
    let environment = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        // Files were written by another machine.
        ("NO_FAKE_STAT", "1"),
    ];
    for (round, offset, words) in [
        (1, "+3600", "60 minutes ahead of"),
        (2, "-3600", "60 minutes behind"),
    ] {
        write(&file, format!("{offset}\n"));
        let records = 10 + round;
        desk.drop_in(&format!("{round}.csv"), &csv(records));
        let service = desk.service_with(&environment);
        let problem = desk.until_problem("clock").await;
        assert!(problem.contains(words), "{problem}");
        assert_eq!(state(&provider, "cu_words").await["records"], records - 1);
        // Somebody sets it right while the feed runs.
        write(&file, "+0\n");
        until("what waited is there", async || {
            state(&provider, "cu_words").await["records"] == records
        })
        .await;
        desk.until_whole(service, &provider, "cu_words").await;
    }
}
