//! A disk that is in fact full: a small file system of its own, filled to the last page.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use http::Method;
use serde_json::{Value, json};

use crate::{
    durability::entered,
    raw::{self, Raw},
    seen::not_tried,
    server::{Party, Server},
};

const PERSONS: &str = "name: fd_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
subject: Code
";

/// `NAME` is another one each time.
const OPEN: &str = "name: NAME
key: Row
data_description: Rindas
classification: open
fields:
  - Row int : rinda
";

const SETTINGS: &[(&str, &str)] = &[
    ("DAGR_DISCLOSURES__SEGMENT_BYTES", "8388608"),
    // What is tried here is the disk itself.
    ("DAGR_INTAKE__DISK_RESERVE_BYTES", "0"),
];
const PAGE: u64 = 4_096;
/// New data sets, each tried with one page more left on the disk.
const SETS: u64 = 40;

/// A file system over a directory, with a file that takes its space away.
pub struct SmallDisk {
    place: PathBuf,
    ballast: PathBuf,
}

impl SmallDisk {
    /// `None` where nothing may be mounted.
    pub fn mount(place: &Path) -> Option<Self> {
        let words = ["-t", "tmpfs", "-o", "size=48m,mode=0700", "dagr-test"];
        let mounted = Command::new("mount").args(words).arg(place).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            not_tried("A SMALL DISK", "no file system may be mounted here");
            return None;
        }
        Some(Self {
            place: place.to_owned(),
            ballast: place.join("ballast"),
        })
    }

    /// Takes all space but so many pages.
    pub fn fill(&self, pages: u64) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.ballast)
            .unwrap();
        // In the end page by page: a write may be cut short.
        while file.write(&[1; PAGE as usize]).is_ok() {}
        let len = file.metadata().unwrap().len() / PAGE * PAGE;
        file.set_len(len - pages * PAGE).unwrap();
    }

    pub fn empty(&self) {
        std::fs::remove_file(&self.ballast).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still run.
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}

async fn deliver(provider: &Party, set: &str, package: &str, records: &[Value]) -> Raw {
    let rows = records
        .iter()
        .map(|record| json!({ "op": "upsert", "record": record }));
    let body = raw::lines(&rows.collect::<Vec<_>>()).into_bytes();
    let path = format!("/intake/{set}/packages/{package}");
    let body = Some(("application/x-ndjson", body));
    raw::call(&provider.client, Method::PUT, &path, &[], body).await
}

fn people(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers
        .map(|number| json!({ "Code": format!("32{number:09}"), "Name": "x".repeat(300) }))
        .collect()
}

fn is_full(answer: &Raw) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "storage_full"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_finds_no_room_and_leaves_nothing() {
    let mut server = Server::prepared(&[], SETTINGS);
    let Some(disk) = SmallDisk::mount(server.dir()) else {
        return;
    };
    server.launch();
    let provider = server.producer().await;
    server.publish(&provider, "fd_person", PERSONS).await;
    assert_eq!(
        deliver(&provider, "fd_person", "first", &people(0..10))
            .await
            .status,
        200
    );
    let state = provider.client.get("/intake/fd_person/state").await.unwrap();

    disk.fill(0);
    // Too much for the stage, and too much for the set.
    for (package, rows) in [("large", people(10..4_000)), ("small", people(10..11))] {
        is_full(&deliver(&provider, "fd_person", package, &rows).await);
        let path = format!("/intake/fd_person/packages/{package}");
        assert_eq!(raw::get(&provider.client, &path).await.code(), "package_unknown");
    }
    assert_eq!(
        provider.client.get("/intake/fd_person/state").await.unwrap(),
        state
    );
    let stages = std::fs::read_dir(server.dir().join("stage")).unwrap();
    assert_eq!(stages.count(), 0);

    // A new set makes its files: whichever of them finds no room, the server lives.
    for number in 0..SETS {
        disk.fill(number);
        let tried = new_set(&server, &provider, number).await;
        if let Some(refused) = tried {
            assert_eq!(refused.status, 503, "{number} pages: {}", refused.text());
        }
        assert!(server.is_running());
    }

    disk.empty();
    let large = deliver(&provider, "fd_person", "large", &people(10..4_000)).await;
    assert_eq!(large.status, 200, "{}", large.text());
    for number in 0..SETS {
        if let Some(refused) = new_set(&server, &provider, number).await {
            panic!("{number} pages: {}", refused.text());
        }
    }
    let scrubbed = server.scrub();
    assert_eq!(scrubbed.status.code(), Some(0), "{scrubbed:?}");
}

/// Defines, publishes and fills a set of its own, as far as that has not been done; the first refusal.
async fn new_set(server: &Server, provider: &Party, number: u64) -> Option<Raw> {
    let (set, operator) = (format!("fd_open{number}"), server.operator());
    let path = format!(
        "/registry/datasets/{set}/definition?institution={}",
        provider.institution
    );
    let definition = OPEN.replace("NAME", &set).into_bytes();
    let body = Some(("application/yaml", definition));
    let put = raw::call(&operator, Method::PUT, &path, &[], body).await;
    let path = format!("/registry/datasets/{set}/publish");
    let published = raw::call(&operator, Method::POST, &path, &[], None).await;
    let delivered = deliver(provider, &set, "first", &[json!({ "Row": 1 })]).await;
    let known = [
        [200, 201].contains(&put.status),
        [200, 409].contains(&published.status),
        delivered.status == 200,
    ];
    let answers = [put, published, delivered];
    answers
        .into_iter()
        .zip(known)
        .find(|(_, known)| !known)
        .map(|(answer, _)| answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_cannot_be_opened_for_want_of_room_ends_nobody() {
    // One open at a time: whichever is asked for is opened anew.
    let settings = [SETTINGS, &[("DAGR_STORE__OPEN_SETS", "1")]].concat();
    let mut server = Server::prepared(&[], &settings);
    let Some(disk) = SmallDisk::mount(server.dir()) else {
        return;
    };
    server.launch();
    let provider = server.producer().await;
    for number in 0..SETS {
        assert!(new_set(&server, &provider, number).await.is_none());
    }
    let path = |number: u64| format!("/data/fd_open{number}/records/1");
    // The one opened last stays open.
    for number in 0..SETS - 1 {
        // As after a restore: the table of readers is made again.
        let set = server.dir().join(format!("sets/main/fd_open{number}"));
        std::fs::remove_file(set.join("data.mdb-lock")).unwrap();
        disk.fill(number);
        let answer = raw::get(&server.anonymous(), &path(number)).await;
        if answer.status != 200 {
            is_full(&answer);
        }
        assert!(server.is_running(), "{number} pages");
    }
    disk.empty();
    for number in 0..SETS {
        let answer = raw::get(&server.anonymous(), &path(number)).await;
        assert_eq!(answer.status, 200, "{number} pages: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_on_a_full_disk_answers_when_there_is_room() {
    let mut server = Server::prepared(&[], SETTINGS);
    let Some(disk) = SmallDisk::mount(server.dir()) else {
        return;
    };
    server.launch();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "fd_person", PERSONS).await;
    let first = deliver(&provider, "fd_person", "first", &people(1..4_000)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let client = server
        .grant(&reader, "fd_person", &["key", "bulk"], json!({ "quota": 20 }))
        .await;
    let usable = client.get("/current_user_permissions").await.unwrap();
    let number = usable[0]["permission_number"].as_str().unwrap().to_owned();
    assert_eq!(ask(&client, "before").await.status, 200);
    for _ in 0..4 {
        // Long entries: opened again, the log frees what its last segment has not used, and needs more than that.
        let page = raw::get(&client, "/data/fd_person/records?limit=10000").await;
        assert_eq!(page.status, 200);
    }
    let token = client.token().await.unwrap().unwrap();

    assert_eq!(server.terminate(), Some(0));
    // The next segment needs space that is not there.
    let _ = std::fs::remove_file(server.dir().join("disclosures/spare"));
    // The registry's working files are small; they find room.
    disk.fill(16);
    server.launch();
    assert_eq!(server.ready().await.0, 503);
    let client = |server: &Server| {
        dagr_server::client::Client::bearer(&server.data, &token)
            .unwrap()
            .with_permission(&number)
    };
    let refused = ask(&client(&server), "full").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "disclosure_unavailable")
    );
    assert!(!refused.text().contains("xxx"));
    let operator = server.operator();
    disk.fill(0);
    let suspend = format!("/registry/permissions/{number}/suspend");
    let suspended = raw::post(&operator, &suspend, &json!({ "reason": "x".repeat(2_000) })).await;
    let view = operator
        .get(&format!("/registry/permissions/{number}"))
        .await
        .unwrap();
    match suspended.status {
        200 => assert_eq!(view["state"], "suspended"),
        _ => {
            assert_eq!(suspended.code(), "registry_unavailable", "{}", suspended.text());
            assert_eq!(view["state"], "active", "a change that was refused is none");
        }
    }

    disk.empty();
    server.until_ready().await;
    if view["state"] == "suspended" {
        let resume = format!("/registry/permissions/{number}/resume");
        operator.post(&resume, &json!({ "reason": "r" })).await.unwrap();
    }
    assert_eq!(ask(&client(&server), "after").await.status, 200);
    server.kill_and_restart();
    let entries = entered(&server, "fd_person").await;
    assert!(entries.contains("before") && entries.contains("after") && !entries.contains("full"));
    let scrubbed = server.scrub();
    assert_eq!(scrubbed.status.code(), Some(0), "{scrubbed:?}");
}

async fn ask(client: &dagr_server::client::Client, id: &str) -> Raw {
    let path = "/data/fd_person/records/32000000001";
    raw::call(client, Method::GET, path, &[("x-request-id", id)], None).await
}
