//! A SQLite source: compared whole, with lists from tables of their own.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Desk, state, until};
use crate::server::{Party, Server, dagr};

const DEFINITION: &str = "name: cl_cars\nkey: id\ndata_description: Auto\nclassification: restricted\nfields:\n  - id int : numurs\n  - plate : numurzīme\n  - mass decimal : masa\n  - photo : attēls\n  - valid bool : derīgs\n  - since date : no\n  - note : piezīme\n  - Owners * :\n      comments: īpašnieki\n      fields:\n        - name : vārds\n        - share decimal : daļa\n        - main bool : galvenais\n        - n int : vieta\n  - Tags * : birkas\n";

const TABLES: &str = "
CREATE TABLE car (id INTEGER PRIMARY KEY, plate TEXT NOT NULL, mass REAL, photo BLOB, valid BOOLEAN, since DATE, note TEXT);
CREATE TABLE owner (car_id INTEGER NOT NULL REFERENCES car (id), n INTEGER NOT NULL, name TEXT, share REAL, main BOOLEAN, PRIMARY KEY (car_id, n));
CREATE TABLE tag (car_id INTEGER NOT NULL, at INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (car_id, at));
INSERT INTO car VALUES (1, 'ĀB-1234', 1500.5, x'00ff10', 1, '2020-02-29', 'Ņemt vērā: \"ķīla\" & <īre>');
INSERT INTO car VALUES (2, 'CD-1', 0.1, NULL, 0, NULL, NULL);
INSERT INTO car VALUES (3, 'EF-2', NULL, x'', NULL, '1999-12-31', '');
INSERT INTO owner VALUES (1, 2, 'Šķēle', 0.25, 0), (1, 1, 'Bērziņš', 0.75, 1), (3, 1, NULL, NULL, NULL);
WITH RECURSIVE n (n) AS (SELECT 101 UNION ALL SELECT n + 1 FROM n WHERE n < 160) INSERT INTO car (id, plate) SELECT n, 'XY-' || n FROM n;
INSERT INTO tag VALUES (1, 9, 'ņ'), (1, 1, 'ā'), (2, 1, '\"');
";

const REST: &str = "dataset = 'cl_cars'
[schedule]
compare = '50ms'
[source]
kind = 'sqlite'
path = 'cars.db'
table = 'car'
[[source.lists]]
field = 'Owners'
table = 'owner'
match = { car_id = 'id' }
order = ['n']
[[source.lists]]
field = 'Tags'
table = 'tag'
match = { car_id = 'id' }
order = ['at']
";

struct Site {
    server: Server,
    provider: Party,
    desk: Desk,
    db: Connection,
}

async fn site() -> Site {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cl_cars", DEFINITION).await;
    let desk = Desk::feed(&server, &provider, REST);
    let db = Connection::open(desk.path("cars.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .unwrap();
    db.execute_batch(TABLES).unwrap();
    Site {
        server,
        provider,
        desk,
        db,
    }
}

/// What a recipient reads by the key.
async fn record(site: &Site, id: i64) -> Value {
    let reader = site.server.consumer().await;
    let client = site.server.grant(&reader, "cl_cars", &["key"], json!({})).await;
    client.get(&format!("/data/cl_cars/records/{id}")).await.unwrap()
}

#[tokio::test]
async fn nulls_blobs_reals_letters_and_lists_arrive_as_they_are() {
    let site = site().await;
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["refused"]),
        (&json!(63), &json!(0)),
        "{done:#}"
    );
    assert_eq!(done["reconciled"]["differing"], 0);
    let checked = site.desk.done("check", &[]);
    assert_eq!(
        checked["first"],
        json!([
            {"id": 1, "plate": "ĀB-1234", "mass": 1500.5, "photo": "AP8Q", "valid": true, "since": "2020-02-29", "note": "Ņemt vērā: \"ķīla\" & <īre>",
             "Owners": [{"name": "Bērziņš", "share": 0.75, "main": true, "n": 1}, {"name": "Šķēle", "share": 0.25, "main": false, "n": 2}], "Tags": ["ā", "ņ"]},
            {"id": 2, "plate": "CD-1", "mass": 0.1, "valid": false, "Tags": ["\""]},
            {"id": 3, "plate": "EF-2", "since": "1999-12-31", "Owners": [{"n": 1}]},
        ]),
        "{checked:#}"
    );
    assert_eq!(record(&site, 1).await["Owners"][0]["name"], "Bērziņš");
    // Nothing changed, nothing is sent.
    assert_eq!(site.desk.done("once", &[])["packages"], 0);
}

#[tokio::test]
async fn a_service_sends_what_changes_in_the_file_while_others_write() {
    let site = site().await;
    let mut service = site.desk.service();
    until("all is there", async || {
        state(&site.provider, "cl_cars").await["records"] == 63
    })
    .await;
    let first = state(&site.provider, "cl_cars").await["digest"].clone();
    site.db
        .execute_batch("BEGIN; UPDATE owner SET name = 'Kļava' WHERE car_id = 1 AND n = 2; DELETE FROM car WHERE id = 2; INSERT INTO car (id, plate) VALUES (4, 'GH-3'), (5, 'JK-4'); COMMIT")
        .unwrap();
    until("the changes are there", async || {
        state(&site.provider, "cl_cars").await["records"] == 64
    })
    .await;
    assert_ne!(state(&site.provider, "cl_cars").await["digest"], first);
    // A writer in the middle of its work is not seen.
    site.db
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM car WHERE id = 5")
        .unwrap();
    site.db
        .execute_batch("INSERT INTO car (id, plate) VALUES (6, 'LM-5'), (7, 'NO-6'); COMMIT")
        .unwrap();
    until("the rest is there", async || {
        state(&site.provider, "cl_cars").await["records"] == 65
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["packages"], &done["reconciled"]["differing"]),
        (&json!(0), &json!(0)),
        "{done:#}"
    );
    assert_eq!(record(&site, 1).await["Owners"][1]["name"], "Kļava");
}

#[tokio::test]
async fn a_file_that_is_no_database_or_has_no_such_table_is_told() {
    let site = site().await;
    let told = |rest: &str| {
        site.desk.point(&site.server, &site.provider, rest);
        let output = site.desk.run("check", &["--json"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = told(&REST.replace("table = 'car'", "table = 'cra'"));
    assert!(text.contains("no such table: cra"), "{text}");
    let text = told(&REST.replace("cars.db", "gone.db"));
    assert!(text.contains("gone.db"), "{text}");
    let text = told(&REST.replace("cars.db", "it.toml"));
    assert!(text.contains("not a database"), "{text}");
    let text = told(&REST.replace("field = 'Tags'", "field = 'Tagz'"));
    assert!(text.contains("source.lists Tagz"), "{text}");
}

#[tokio::test]
async fn a_definition_and_a_feed_are_proposed_from_a_file() {
    let site = site().await;
    let out = site.desk.path("out");
    let output = dagr()
        .args([
            "connector",
            "init",
            site.desk.path("cars.db").to_str().unwrap(),
            "--prefix",
            "ta",
            "--json",
            "--out",
        ])
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(view["proposed"], json!(["ta_car", "ta_tag"]), "{view:#}");
    let definition = std::fs::read_to_string(out.join("ta_car.yaml")).unwrap();
    assert!(
        definition.contains("  - id int : id\n")
            && definition.contains("  - owner * :\n")
            && definition.contains("  - since date : since\n"),
        "{definition}"
    );
    // What is proposed is published and fed as it is, once the server and its key are written in.
    site.server.publish(&site.provider, "ta_car", &definition).await;
    let feed = std::fs::read_to_string(out.join("ta_car.toml")).unwrap();
    let source = &feed[feed.find("[source]").unwrap()..];
    site.desk.point(
        &site.server,
        &site.provider,
        &format!("dataset = 'ta_car'\n{source}"),
    );
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["refused"]),
        (&json!(63), &json!(0)),
        "{feed}\n{done:#}"
    );
}

const FOLLOW: &str = "[source.follow]\nevery = '20ms'\n";

fn changes(site: &Site) -> i64 {
    let query = "SELECT count(*) FROM dagr_change_cl_cars";
    site.db.query_row(query, [], |row| row.get(0)).unwrap()
}

/// A followed site: everything is compared once and then once a day.
async fn followed() -> Site {
    let site = site().await;
    let rest = format!("{}{FOLLOW}", REST.replace("compare = '50ms'", "compare = '24h'"));
    site.desk.point(&site.server, &site.provider, &rest);
    site
}

async fn holds(site: &Site, records: u64) {
    until(&format!("{records} records are there"), async || {
        state(&site.provider, "cl_cars").await["records"] == records
    })
    .await;
}

#[tokio::test]
async fn triggers_tell_which_records_changed() {
    let site = followed().await;
    let mut service = site.desk.service();
    holds(&site, 63).await;
    let compared = site.desk.status()["last_compare"].clone();
    site.db
        .execute_batch(
            "INSERT INTO car (id, plate) VALUES (4, 'GH-3'), (5, 'JK-4'); DELETE FROM car WHERE id = 2",
        )
        .unwrap();
    holds(&site, 64).await;
    // A child that moves touches both of its parents; a key that changes is two records.
    site.db
        .execute_batch("BEGIN; UPDATE owner SET car_id = 4 WHERE car_id = 1 AND n = 2; UPDATE tag SET tag = 'cits' WHERE car_id = 1 AND at = 9; UPDATE car SET id = 6 WHERE id = 5; INSERT INTO car (id, plate) VALUES (7, 'LM-5'); COMMIT")
        .unwrap();
    holds(&site, 65).await;
    // What is rolled back touches nothing.
    site.db.execute_batch("BEGIN; DELETE FROM car; ROLLBACK").unwrap();
    site.db
        .execute_batch("INSERT INTO car (id, plate) VALUES (8, 'NO-6')")
        .unwrap();
    holds(&site, 66).await;
    until("the touched keys are taken out", async || changes(&site) == 0).await;
    assert_eq!(
        site.desk.status()["last_compare"],
        compared,
        "nothing was compared as a whole"
    );
    assert_eq!(record(&site, 4).await["Owners"][0]["name"], "Šķēle");
    assert_eq!(record(&site, 1).await["Tags"], json!(["ā", "cits"]));
    // What changes while the feed is away waits for it.
    service.kill();
    site.db
        .execute_batch("DELETE FROM car WHERE id IN (7, 8)")
        .unwrap();
    assert_eq!(changes(&site), 2);
    let mut service = site.desk.service();
    holds(&site, 64).await;
    assert_eq!(service.stop(), Some(0));
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (
            &done["upserts"],
            &done["deletes"],
            &done["reconciled"]["differing"]
        ),
        (&json!(0), &json!(0), &json!(0)),
        "{done:#}"
    );
}

#[tokio::test]
async fn a_table_made_anew_gets_its_triggers_back_and_everything_is_compared() {
    let site = followed().await;
    let mut service = site.desk.service();
    holds(&site, 63).await;
    site.db
        .execute_batch("BEGIN; ALTER TABLE car RENAME TO old; CREATE TABLE car AS SELECT * FROM old WHERE id <> 3; DROP TABLE old; COMMIT")
        .unwrap();
    holds(&site, 62).await;
    site.db
        .execute_batch("INSERT INTO car (id, plate) VALUES (9, 'PR-7')")
        .unwrap();
    holds(&site, 63).await;
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test]
async fn a_file_the_feed_may_not_write_is_told_with_the_statements() {
    let site = followed().await;
    // What is tried stays nowhere.
    site.desk.done("check", &[]);
    let own = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'dagr%'";
    let left: i64 = site.db.query_row(own, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    // Somebody holds a table by the name of the feed's own.
    site.db
        .execute_batch("CREATE VIEW dagr_change_cl_cars AS SELECT 1")
        .unwrap();
    let told = site.desk.refused("check");
    assert!(told.contains("CREATE TRIGGER"), "{told}");
    let mut service = site.desk.service();
    until("the status says it", async || {
        site.desk.answer("status", &[]).1["state"] == "problem"
    })
    .await;
    let status = site.desk.status();
    let problem = status["problem"].as_str().unwrap();
    assert!(
        problem.contains("CREATE TRIGGER") && problem.contains("leave [source.follow] out"),
        "{problem}"
    );
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test]
async fn a_column_that_is_not_there_is_told_and_the_file_can_still_be_written() {
    let site = site().await;
    let tables = "[[source.follow.tables]]\ntable = 'car'\nkey = { id = 'id' }\n[[source.follow.tables]]\ntable = 'owner'\nkey = { car = 'id' }\n";
    let rest = format!("{REST}{FOLLOW}{tables}");
    site.desk.point(&site.server, &site.provider, &rest);
    let mut service = site.desk.service();
    let problem = site.desk.until_problem("t.car").await;
    assert!(problem.contains("no such column"), "{problem}");
    assert_eq!(service.stop(), Some(0));
    site.db
        .execute_batch("UPDATE owner SET name = 'Kļava' WHERE car_id = 1; INSERT INTO car (id, plate) VALUES (4, 'GH-3')")
        .unwrap();
    // A part of the key that no pair names is not guessed.
    let rest = rest.replace("{ car = 'id' }", "{ car_id = 'other' }");
    site.desk.point(&site.server, &site.provider, &rest);
    let mut service = site.desk.service();
    site.desk
        .until_problem("owner has no column for the key's id")
        .await;
    assert_eq!(service.stop(), Some(0));
    site.db.execute_batch("DELETE FROM owner").unwrap();
}

#[tokio::test]
async fn keys_that_the_feed_cannot_take_out_are_looked_at_once() {
    let site = followed().await;
    let mut service = site.desk.service();
    holds(&site, 63).await;
    assert_eq!(service.stop(), Some(0));
    // From now on the feed may read the file, and nothing more.
    site.db
        .execute_batch(
            "CREATE TRIGGER kept BEFORE DELETE ON dagr_change_cl_cars BEGIN SELECT RAISE(ABORT, 'kept'); END",
        )
        .unwrap();
    let mut service = site.desk.service();
    for (at, id) in (70..73).enumerate() {
        site.db
            .execute_batch(&format!("INSERT INTO car (id, plate) VALUES ({id}, 'x')"))
            .unwrap();
        holds(&site, 64 + at as u64).await;
    }
    assert_eq!(service.stop(), Some(0));
    assert_eq!(changes(&site), 3);
    let page = site
        .provider
        .client
        .get("/intake/cl_cars/packages")
        .await
        .unwrap();
    let received: u64 = page["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["receipt"]["received"].as_u64())
        .sum();
    assert_eq!(received, 66, "each once: {page:#}");
    // The table is made anew by hand, and counts from 1 again.
    site.db
        .execute_batch("DROP TRIGGER kept; DELETE FROM dagr_change_cl_cars; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'dagr_change_cl_cars'; INSERT INTO car (id, plate) VALUES (80, 'y')")
        .unwrap();
    let mut service = site.desk.service();
    holds(&site, 67).await;
    site.db
        .execute_batch("INSERT INTO car (id, plate) VALUES (81, 'y')")
        .unwrap();
    holds(&site, 68).await;
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test]
async fn a_file_put_in_the_place_of_another_is_followed_in_its_stead() {
    let site = followed().await;
    // No log beside it that would be taken for the new one's.
    site.db.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    let service = site.desk.service();
    holds(&site, 63).await;
    let next = site.desk.path("next.db");
    let db = Connection::open(&next).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(TABLES).unwrap();
    db.execute_batch("DELETE FROM car WHERE id = 3").unwrap();
    std::fs::rename(&next, site.desk.path("cars.db")).unwrap();
    holds(&site, 62).await;
    let db = Connection::open(site.desk.path("cars.db")).unwrap();
    db.execute_batch("INSERT INTO car (id, plate) VALUES (9, 'PR-7')")
        .unwrap();
    holds(&site, 63).await;
    site.desk.until_whole(service, &site.provider, "cl_cars").await;
}

/// An earlier state of the file, with what the feed keeps in it, comes back while nobody looks.
#[tokio::test]
async fn a_file_restored_while_the_feed_is_away_is_compared() {
    let site = followed().await;
    let mut service = site.desk.service();
    holds(&site, 63).await;
    site.db.execute_batch("DELETE FROM car WHERE id > 156").unwrap();
    holds(&site, 59).await;
    let kept = site.desk.path("kept.db");
    site.db
        .execute("VACUUM INTO ?1", [kept.to_str().unwrap()])
        .unwrap();
    site.db.execute_batch("DELETE FROM car WHERE id > 152").unwrap();
    holds(&site, 55).await;
    assert_eq!(service.stop(), Some(0));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.desk.path(&format!("cars.db{end}")));
    }
    std::fs::rename(&kept, site.desk.path("cars.db")).unwrap();
    // It comes past the place that the feed knows before it is looked at.
    Connection::open(site.desk.path("cars.db"))
        .unwrap()
        .execute_batch("UPDATE car SET note = 'x'; UPDATE car SET note = 'y'")
        .unwrap();
    let service = site.desk.service();
    holds(&site, 59).await;
    site.desk.until_whole(service, &site.provider, "cl_cars").await;
}

#[tokio::test]
async fn triggers_of_tables_that_are_no_longer_followed_go() {
    let site = followed().await;
    let mut service = site.desk.service();
    holds(&site, 63).await;
    assert_eq!(service.stop(), Some(0));
    let triggers = || -> i64 {
        let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
        site.db.query_row(query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(triggers(), 9);
    let tables = "[[source.follow.tables]]\ntable = 'car'\nkey = { id = 'id' }\n";
    let rest = format!(
        "{}{FOLLOW}{tables}",
        REST.replace("compare = '50ms'", "compare = '24h'")
    );
    site.desk.point(&site.server, &site.provider, &rest);
    let service = site.desk.service();
    site.db
        .execute_batch("INSERT INTO car (id, plate) VALUES (9, 'PR-7')")
        .unwrap();
    holds(&site, 64).await;
    site.desk.until_whole(service, &site.provider, "cl_cars").await;
    assert_eq!(triggers(), 3);
}

/// The server holds the promise of freshness against packages: where nothing changes, one without rows says so.
#[tokio::test]
async fn a_source_in_which_nothing_changes_keeps_the_promise_of_freshness() {
    let server = Server::start();
    let provider = server.producer().await;
    let text = "name: cs_fresh\nkey: Id\ndata_description: d\nclassification: restricted\nfreshness: 2s\nfields:\n  - Id int : i\n";
    server.publish(&provider, "cs_fresh", text).await;
    let desk = Desk::feed(
        &server,
        &provider,
        "dataset = 'cs_fresh'\n[source]\nkind = 'sqlite'\npath = 'it.db'\ntable = 'fresh'\n",
    );
    let db = rusqlite::Connection::open(desk.path("it.db")).unwrap();
    db.execute_batch("CREATE TABLE fresh (id INTEGER PRIMARY KEY); INSERT INTO fresh VALUES (1)")
        .unwrap();
    desk.done("once", &[]);
    let first = state(&provider, "cs_fresh").await;
    until("it is told that nothing has changed", async || {
        desk.done("once", &[]);
        state(&provider, "cs_fresh").await["freshness"] != first["freshness"]
    })
    .await;
    let now = state(&provider, "cs_fresh").await;
    assert_eq!(
        (&now["last_sequence"], &now["digest"]),
        (&first["last_sequence"], &first["digest"])
    );
}
