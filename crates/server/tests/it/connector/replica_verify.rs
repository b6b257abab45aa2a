//! A replica whose copy somebody damaged: verified and repaired, with no more asked of the server than is needed.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dagr_server::client::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Desk, until, write};
use crate::{
    raw,
    server::{Party, Server},
};

const SET: &str = "cv_people";
const DEFINITION: &str = "name: cv_people\nkey: Code\ndata_description: Cilvēki\nclassification: restricted\nfields:\n  - Code : kods\n  - Year int : gads\n  - Name : vārds\n  - Note : piezīme\n  - Free json : jebkas\n  - Pets * :\n      comments: mājdzīvnieki\n      fields:\n        - Name : vārds\n        - Good bool : labs\n        - Toys * :\n            comments: rotaļlietas\n            fields:\n              - What : kas\n";
const SQLITE: &str = "kind = 'sqlite'\npath = 'copy.db'\n";
const NDJSON: &str = "kind = 'files'\npath = 'copy.ndjson'\n";

struct Site {
    server: Server,
    provider: Party,
    reader: Party,
}

async fn site(records: Vec<Value>) -> Site {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, SET, DEFINITION).await;
    let site = Site {
        server,
        provider,
        reader,
    };
    site.deliver("first", records).await;
    site
}

fn person(n: u32) -> Value {
    json!({
        "Code": format!("k{n:05}"), "Year": 2000 + n % 3, "Name": format!("Vārds {n}"), "Free": format!("{n}"),
        "Pets": [{"Name": "Rekss", "Good": true, "Toys": [{"What": "bumba"}, {"What": "kauls"}]}, {"Name": "Muris"}],
    })
}

fn people(count: u32) -> Vec<Value> {
    (0..count).map(person).collect()
}

async fn deliver(provider: &Client, package: &str, records: Vec<Value>) {
    let upserts: Vec<Value> = records
        .into_iter()
        .map(|record| json!({ "op": "upsert", "record": record }))
        .collect();
    let path = format!("/intake/{SET}/packages/{package}");
    let lines = raw::lines(&upserts);
    let sent = provider.put(&path, "application/x-ndjson", lines).await;
    sent.unwrap();
}

impl Site {
    async fn deliver(&self, package: &str, records: Vec<Value>) {
        deliver(&self.provider.client, package, records).await;
    }

    /// A replica under a permission of its own, and the permission's number.
    async fn replica(&self, ways: &[&str], over: Value, target: &str) -> (Desk, String) {
        let (_, number) = self.server.granted(&self.reader, SET, ways, over).await;
        let rest = format!("dataset = '{SET}'\npermission = '{number}'\nwait = '1s'\n[target]\n{target}");
        let desk = Desk::replica(&self.server, &self.reader, &rest);
        desk.done("once", &[]);
        (desk, number)
    }

    async fn copy(&self, ways: &[&str]) -> Desk {
        self.replica(ways, json!({}), SQLITE).await.0
    }

    async fn amend(&self, number: &str, change: Value) {
        let path = format!("/registry/permissions/{number}");
        self.server.operator().patch(&path, &change).await.unwrap();
    }

    /// Verified, the copy holds what the server does.
    async fn verified(&self, desk: &Desk, repaired: u64, reloaded: bool) {
        let verified = desk.done("verify", &[]);
        let held = super::state(&self.provider, SET).await;
        assert_eq!(
            (&verified["digest"], &verified["repaired"], &verified["reloaded"]),
            (&held["digest"], &json!(repaired), &json!(reloaded)),
            "{verified:#}"
        );
    }
}

const ALL: [&str; 3] = ["key", "changes", "bulk"];

fn damage(desk: &Desk, file: &str, text: &str) {
    let db = Connection::open(desk.path(file)).unwrap();
    db.execute_batch(text).unwrap();
}

fn count(desk: &Desk, query: &str) -> i64 {
    let db = Connection::open(desk.path("copy.db")).unwrap();
    db.query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn any_json_stands_in_every_target_as_it_was_given() {
    let free = [
        json!("abc"),
        json!("123"),
        json!("true"),
        json!("\u{0}"),
        json!(5),
        json!(false),
        json!(["a", null, {"b": "1"}]),
        json!({"z": "1", "a": 1}),
    ];
    let records: Vec<Value> = (0..)
        .zip(&free)
        .map(|(n, free)| json!({ "Code": format!("k{n}"), "Free": free }))
        .collect();
    let site = site(records.clone()).await;
    let desk = site.copy(&ALL).await;
    site.verified(&desk, 0, false).await;
    let (desk, _) = site.replica(&ALL, json!({}), NDJSON).await;
    site.verified(&desk, 0, false).await;
    let text = fs::read_to_string(desk.path("copy.ndjson")).unwrap();
    let written: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(written, records);
    let Some(database) = super::postgres::Database::start().await else {
        return;
    };
    let target = format!("kind = 'postgres'\nurl = '{}'\nschema = 'kopija'\n", database.url);
    let (desk, _) = site.replica(&ALL, json!({}), &target).await;
    site.verified(&desk, 0, false).await;
    database
        .run(
            "INSERT INTO kopija.cv_people_pets (_key, _n, \"Name\") VALUES ('\\x77', 1, 'Runcis');
             INSERT INTO kopija.cv_people_pets (_key, _n, \"Name\") SELECT _key, 5, 'Runcis' FROM kopija.cv_people LIMIT 1",
        )
        .await;
    site.verified(&desk, 2, false).await;
    let row = database
        .client
        .query_one("SELECT count(*) FROM kopija.cv_people_pets", &[])
        .await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn rows_of_lists_that_no_record_has_are_removed() {
    let site = site(people(100)).await;
    let desk = site.copy(&ALL).await;
    let of = |n: u32| format!("(SELECT _key FROM cv_people WHERE Code = 'k{n:05}')");
    damage(
        &desk,
        "copy.db",
        &format!(
            "INSERT INTO cv_people_pets (_key, _n, Name) VALUES (x'77', 1, 'of nobody'), ('text', 1, 'of nobody');
             INSERT INTO cv_people_pets_toys (_key, _n, _n2, What) SELECT _key, 9, 1, 'of no pet' FROM cv_people WHERE Code = 'k00010';
             UPDATE cv_people_pets SET _n = 5 WHERE _n = 2 AND _key = {};
             UPDATE cv_people_pets SET Good = 7 WHERE _n = 1 AND _key = {};
             UPDATE cv_people SET Note = x'00' WHERE Code = 'k00040'",
            of(20),
            of(30)
        ),
    );
    site.verified(&desk, 6, false).await;
    site.verified(&desk, 0, false).await;
    assert_eq!(
        count(
            &desk,
            "SELECT count(*) FROM cv_people_pets WHERE Name = 'of nobody' OR _n > 2 OR Good = 7"
        ),
        0
    );
    assert_eq!(count(&desk, "SELECT count(*) FROM cv_people_pets"), 200);
    assert_eq!(count(&desk, "SELECT count(*) FROM cv_people_pets_toys"), 200);
    assert_eq!(
        count(&desk, "SELECT count(*) FROM cv_people WHERE Note IS NOT NULL"),
        0
    );
}

#[tokio::test]
async fn a_file_is_right_after_a_repair_and_after_somebody_edited_it() {
    const STATE: &str = "cv_people.replica.db";
    let site = site(people(100)).await;
    let (desk, _) = site.replica(&ALL, json!({}), NDJSON).await;
    let file = desk.path("copy.ndjson");
    let whole = fs::read(&file).unwrap();
    let is_whole = || fs::read(&file).unwrap_or_default() == whole;

    let edited = String::from_utf8(whole.clone())
        .unwrap()
        .replace("Vārds 7", "Vārds 8");
    for verb in ["once", "verify"] {
        write(&file, &edited);
        desk.done(verb, &[]);
        assert!(is_whole(), "an edited file, {verb}");
    }
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    desk.done("once", &[]);
    assert_eq!(
        fs::metadata(&file).unwrap().modified().unwrap(),
        written,
        "it is not written again"
    );

    // The state is damaged, and the damage has reached the file.
    damage(
        &desk,
        STATE,
        "UPDATE cv_people SET Name = 'Nepareizs' WHERE Code = 'k00050'",
    );
    fs::remove_file(&file).unwrap();
    desk.done("once", &[]);
    assert!(!is_whole());
    site.verified(&desk, 1, false).await;
    assert!(is_whole(), "a repair reaches the file");

    // It cannot even be read.
    let unreadable = "UPDATE cv_people SET Free = '{' WHERE Code = 'k00050'";
    damage(&desk, STATE, unreadable);
    fs::remove_file(&file).unwrap();
    let refused = desk.run("once", &[]);
    assert_ne!(refused.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`dagr replica verify` repairs it"));
    site.verified(&desk, 1, false).await;
    assert!(is_whole());
    damage(&desk, STATE, unreadable);
    fs::remove_file(&file).unwrap();
    let mut service = desk.service();
    until("a replica that runs verifies by itself", async || is_whole()).await;
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test]
async fn what_only_the_copy_has_goes_without_a_question() {
    let site = site(people(90)).await;
    let (desk, number) = site.replica(&ALL, json!({ "misses_per_hour": 1 }), SQLITE).await;
    damage(
        &desk,
        "copy.db",
        "CREATE TABLE kept AS SELECT * FROM cv_people; CREATE TABLE kept_pets AS SELECT * FROM cv_people_pets",
    );
    let strays = "INSERT OR IGNORE INTO cv_people SELECT * FROM kept; INSERT OR IGNORE INTO cv_people_pets SELECT * FROM kept_pets";
    let scopes = [
        (json!({ "when": "record.Year == 2000" }), 30),
        (json!({ "keys": [["k00003"], ["k00006"]] }), 2),
    ];
    for (scope, shown) in scopes {
        site.amend(&number, json!({ "scope": scope })).await;
        desk.done("once", &[]);
        damage(&desk, "copy.db", strays);
        // One that is shown is wrong, too.
        damage(
            &desk,
            "copy.db",
            "UPDATE cv_people SET Name = 'Nepareizs' WHERE Code = 'k00003'",
        );
        for repaired in [90 - shown + 1, 0] {
            let verified = desk.done("verify", &[]);
            assert_eq!(
                (&verified["records"], &verified["repaired"], &verified["reloaded"]),
                (&json!(shown), &json!(repaired), &json!(false)),
                "{verified:#}"
            );
        }
        assert_eq!(count(&desk, "SELECT count(*) FROM cv_people_pets"), 2 * shown);
    }
}

#[tokio::test]
async fn damaged_records_are_asked_for_in_whatever_way_the_permission_has() {
    let site = site(people(100)).await;
    let one = "UPDATE cv_people SET Name = 'Nepareizs' WHERE Code = 'k00050'";
    let three = "UPDATE cv_people SET Name = 'Nepareizs' WHERE Code IN ('k00001', 'k00050', 'k00099')";
    for (ways, reloaded) in [
        (&["changes", "bulk"][..], false),
        (&["key", "changes"][..], false),
        (&["changes"][..], true),
    ] {
        let desk = site.copy(ways).await;
        for (text, repaired) in [(one, 1), (three, 3)] {
            damage(&desk, "copy.db", text);
            let repaired = if reloaded { 0 } else { repaired };
            site.verified(&desk, repaired, reloaded).await;
            site.verified(&desk, 0, false).await;
        }
    }
}

#[tokio::test]
async fn more_than_fits_one_answer_is_asked_for_in_parts() {
    let large = |n: u32| json!({ "Code": format!("k{n:05}"), "Note": "ž".repeat(480_000) });
    let site = site((0..20).map(large).collect()).await;
    site.deliver("second", (20..40).map(large).collect()).await;
    let desk = site.copy(&ALL).await;
    damage(&desk, "copy.db", "UPDATE cv_people SET Year = 1");
    site.verified(&desk, 40, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_repaired_while_the_set_changes() {
    let site = site(people(2_000)).await;
    let desk = site.copy(&ALL).await;
    damage(
        &desk,
        "copy.db",
        "UPDATE cv_people SET Name = 'Nepareizs' WHERE Code IN ('k01500', 'k01501');
         INSERT INTO cv_people (_key, Code) VALUES (x'00', 'of nobody')",
    );
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (stop, provider) = (Arc::clone(&stop), site.provider.client.clone());
        async move {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut record = person(n * 37 % 1_000);
                record["Note"] = json!(n.to_string());
                deliver(&provider, &format!("p{n}"), vec![record]).await;
            }
        }
    });
    let (desk, verified) = tokio::task::spawn_blocking(move || {
        let verified = desk.done("verify", &[]);
        (desk, verified)
    })
    .await
    .unwrap();
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    assert_eq!(verified["repaired"], 3, "{verified:#}");
    assert_eq!(verified["reloaded"], false);
    assert_eq!(
        count(
            &desk,
            "SELECT count(*) FROM cv_people WHERE Name = 'Nepareizs' OR Code = 'of nobody'"
        ),
        0
    );
    site.verified(&desk, 0, false).await;
}

#[tokio::test]
async fn a_copy_whose_cursor_does_not_tell_what_it_was_given_is_loaded_anew() {
    let site = site(people(5)).await;
    let (desk, number) = site.replica(&ALL, json!({}), SQLITE).await;
    let client = site.reader.client.with_permission(&number);
    let page = client.get(&format!("/data/{SET}/changes")).await.unwrap();
    assert_eq!(page["end"], true);
    let keys_only = page["next"].as_str().unwrap();
    damage(
        &desk,
        "copy.db",
        &format!("UPDATE dagr_replica SET value = '{keys_only}' WHERE name = 'cursor'"),
    );
    site.deliver("more", vec![person(7)]).await;
    desk.done("once", &[]);
    site.verified(&desk, 0, true).await;
    site.verified(&desk, 0, false).await;
}
