//! The file that a replica writes of its copy.

use std::{fs::Permissions, os::unix::fs::PermissionsExt};

use super::*;

const FILES: &str = "kind = 'files'\npath = 'copy.csv'\nstate = 'copy.db'";

#[tokio::test]
async fn a_file_shows_nothing_that_was_taken_back() {
    let site = Site::new(WHOLE);
    let read = || std::fs::read_to_string(site.dir.path().join("copy.csv")).unwrap();
    site.page(&["a"], "c1", true);
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    replica.export().await.unwrap();
    assert!(read().contains("Secret"));
    // Much comes after it, and then everything is loaded anew: the file does not wait for either.
    drop(replica);
    site.defines(NARROW);
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert_eq!(read(), "Code\na\n");
    site.gives(400, json!({"status": 400, "code": "cursor_invalid"}));
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(read(), "Code\na\n");
}

#[tokio::test]
async fn a_file_does_not_wait_for_a_verify_that_fails() {
    let site = Site::new(WHOLE);
    let file = site.dir.path().join("copy.csv");
    site.page(&["a"], "c1", true);
    site.gives(403, json!({"status": 403, "code": "permission_suspended"}));
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    let told = async {
        while site.problem().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    super::super::forever(&mut replica, told).await.unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains("\na,"), "{written}");
}

#[tokio::test]
async fn files_of_one_name_are_written_beside_each_other() {
    let site = Site::new(WHOLE);
    let path = |name: &str| site.dir.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    // One that is being written is nobody else's, and is not overwritten.
    std::fs::create_dir(path("copy.csv.part")).unwrap();
    site.page(&["a"], "c1", true);
    let mut csv = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert!(step(&mut csv).await.unwrap());
    let told = csv.export().await.unwrap_err().to_string();
    assert!(told.contains("copy.csv.part"), "{told}");

    let other = FILES
        .replace("copy.csv", "copy.ndjson")
        .replace("copy.db", "other.db");
    site.page(&["a"], "c1", true);
    let mut ndjson = site.replica_in(&other, PEOPLE).await.unwrap();
    assert!(step(&mut ndjson).await.unwrap());
    ndjson.export().await.unwrap();
    let lines = read("copy.ndjson");
    assert!(
        lines.starts_with("{\"Code\":\"a\"") && !path("copy.csv").exists(),
        "{lines}"
    );

    std::fs::remove_dir(path("copy.csv.part")).unwrap();
    csv.export().await.unwrap();
    assert!(read("copy.csv").contains("\na,") && read("copy.ndjson") == lines);
    assert!(!path("copy.csv.part").exists() && !path("copy.ndjson.part").exists());
}

#[tokio::test]
async fn a_record_that_is_taken_back_during_a_load_leaves_the_file() {
    let site = Site::new(WHOLE);
    let file = site.dir.path().join("copy.csv");
    let read = || {
        let text = std::fs::read_to_string(&file).unwrap();
        let codes = text.lines().skip(1).map(|line| line[..1].to_owned());
        codes.collect::<Vec<_>>()
    };
    let gone = |code: &str, next: &str| {
        let gone = json!({"operation": "delete", "key": {"Code": code}});
        site.gives(200, json!({"changes": [gone], "next": next, "end": false}));
    };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    site.page(&["a", "b"], "c1", true);
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    replica.export().await.unwrap();
    assert_eq!([mode(&file), mode(&site.dir.path().join("copy.db"))], [0o600; 2]);
    // The recipient lets others read it.
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    site.gives(410, json!({"status": 410, "code": "cursor_expired"}));
    assert!(!step(&mut replica).await.unwrap());
    // What is loaded is not in it yet.
    site.page(&["c"], "c2", false);
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(read(), ["a", "b"]);
    gone("b", "c3");
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(read(), ["a"]);
    // It cannot be written, and so nothing is shown until the copy is whole.
    site.page(&["d"], "c4", false);
    assert!(!step(&mut replica).await.unwrap());
    site.db()
        .execute_batch("UPDATE x_people SET Secret = x'00'")
        .unwrap();
    gone("d", "c5");
    // A minute later.
    replica.shown = None;
    assert!(!step(&mut replica).await.unwrap());
    assert!(!file.exists());
    site.page(&["e"], "c6", true);
    assert!(step(&mut replica).await.unwrap());
    replica.export().await.unwrap();
    assert_eq!(read(), ["c", "e"]);
    assert_eq!(mode(&file), 0o644, "they may still");
}

/// A file of two records; the second is taken back, and more is to come.
async fn taking_back(site: &Site) -> Replica {
    site.page(&["a", "b"], "c1", true);
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    replica.export().await.unwrap();
    let gone = json!({"operation": "delete", "key": {"Code": "b"}});
    site.gives(200, json!({"changes": [gone], "next": "c2", "end": false}));
    replica
}

fn shows(site: &Site, code: &str) -> bool {
    let text = std::fs::read_to_string(site.dir.path().join("copy.csv")).unwrap();
    text.contains(&format!("\n{code},"))
}

#[tokio::test]
async fn a_file_does_not_wait_for_the_pages_behind_a_take_back() {
    let site = Site::new(WHOLE);
    let mut replica = taking_back(&site).await;
    assert!(!step(&mut replica).await.unwrap());
    assert!(shows(&site, "a") && !shows(&site, "b"));
}

#[tokio::test]
async fn a_file_does_not_wait_for_a_server_that_fails_behind_a_take_back() {
    for verifies in [false, true] {
        let site = Site::new(WHOLE);
        let mut replica = taking_back(&site).await;
        site.gives(403, json!({"status": 403, "code": "permission_suspended"}));
        // It was written just now.
        replica.shown = Some(std::time::Instant::now());
        if verifies {
            replica.verify().await.unwrap_err();
        } else {
            replica.catch_up().await.unwrap_err();
        }
        assert!(!shows(&site, "b"), "{verifies}");
    }
}

#[tokio::test]
async fn a_file_does_not_wait_for_a_server_that_is_silent_behind_a_take_back() {
    let site = Site::new(WHOLE);
    let mut replica = taking_back(&site).await;
    replica.shown = Some(std::time::Instant::now());
    assert!(!step(&mut replica).await.unwrap());
    assert!(shows(&site, "b"));
    // A minute later.
    replica.shown = None;
    site.given.lock().unwrap().silent = Some(Vec::new());
    let taken = async {
        while shows(&site, "b") {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = step(&mut replica) => panic!("the server answers"),
        () = taken => {}
    }
}

#[tokio::test]
async fn a_file_does_not_wait_for_a_server_that_is_away_at_the_start() {
    let site = Site::new(WHOLE);
    let mut replica = taking_back(&site).await;
    replica.shown = Some(std::time::Instant::now());
    assert!(!step(&mut replica).await.unwrap());
    assert!(shows(&site, "b"));
    // Killed; then the server is not there.
    drop(replica);
    site.given.lock().unwrap().refused = 1;
    assert!(site.replica_in(FILES, PEOPLE).await.is_err());
    assert!(shows(&site, "a") && !shows(&site, "b"));
}

/// Better nothing at all than what was taken back.
#[tokio::test]
async fn a_file_that_cannot_be_written_without_what_was_taken_back_goes() {
    let site = Site::new(WHOLE);
    let mut replica = taking_back(&site).await;
    let (file, beside) = (
        site.dir.path().join("copy.csv"),
        site.dir.path().join("copy.csv.part"),
    );
    std::fs::create_dir(&beside).unwrap();
    assert!(!step(&mut replica).await.unwrap());
    assert!(!file.exists());
    std::fs::remove_dir(&beside).unwrap();
    site.page(&[], "c3", true);
    assert!(step(&mut replica).await.unwrap());
    replica.export().await.unwrap();
    assert!(shows(&site, "a") && !shows(&site, "b"));
}

#[tokio::test]
async fn what_a_kill_left_half_written_goes_at_the_start() {
    let site = Site::new(WHOLE);
    site.page(&["a"], "c1", true);
    let mut replica = site.replica_in(FILES, PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    drop(replica);
    let half = site.dir.path().join("copy.csv.part");
    std::fs::write(&half, "Code,Secret\nb,").unwrap();
    site.given.lock().unwrap().refused = 1;
    assert!(site.replica_in(FILES, PEOPLE).await.is_err());
    assert!(!half.exists());
}
