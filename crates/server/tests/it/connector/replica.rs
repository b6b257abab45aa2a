//! A recipient's own copy: loaded, kept, narrowed, verified, repaired; whatever is killed.

mod postgres;
mod unhappy;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Desk, until, within, write};
use crate::{
    raw,
    server::{Party, Server},
};

const DEFINITION: &str = "name: cr_people\nkey: Code(, Year)\ndata_description: Cilvēki\nclassification: restricted\nfields:\n  - Code : kods\n  - Year int : gads\n  - Name : vārds\n  - Secret : slepens\n  - Score decimal : punkti\n  - Seen timestamp : laiks\n  - Tags * : birkas\n  - Pets * :\n      comments: mājdzīvnieki\n      fields:\n        - Name : vārds\n        - Toys * :\n            comments: rotaļlietas\n            fields:\n              - What : kas\n";

struct Site {
    server: Server,
    provider: Party,
    reader: Party,
    number: String,
    packages: u32,
}

async fn site() -> Site {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "cr_people", DEFINITION).await;
    let ways = ["key", "changes", "bulk"];
    let (_, number) = server.granted(&reader, "cr_people", &ways, json!({})).await;
    Site {
        server,
        provider,
        reader,
        number,
        packages: 0,
    }
}

fn person(n: u32, version: u32) -> Value {
    json!({
        "Code": format!("k{n:05}"), "Year": 2000 + n % 3, "Name": format!("Vārds {n}.{version}"), "Secret": format!("s{n}.{version}"),
        "Score": f64::from(n) / 4.0, "Seen": format!("2026-01-01T10:00:{:02}.25Z", n % 60), "Tags": ["a", format!("t{version}")],
        "Pets": [{"Name": "Rekss", "Toys": [{"What": "bumba"}, {"What": format!("kauls {version}")}]}, {"Name": format!("Muris {n}")}],
    })
}

impl Site {
    async fn deliver(&mut self, operations: &[Value]) {
        self.packages += 1;
        let path = format!("/intake/cr_people/packages/r{}", self.packages);
        self.provider
            .client
            .put(&path, "application/x-ndjson", raw::lines(operations))
            .await
            .unwrap();
    }

    async fn upserts(&mut self, people: std::ops::Range<u32>, version: u32) {
        let operations: Vec<Value> = people
            .map(|n| json!({"op": "upsert", "record": person(n, version)}))
            .collect();
        self.deliver(&operations).await;
    }

    fn rest(&self, target: &str) -> String {
        format!(
            "dataset = 'cr_people'\npermission = '{}'\nwait = '5s'\n[target]\n{target}",
            self.number
        )
    }

    fn desk(&self, target: &str) -> Desk {
        Desk::replica(&self.server, &self.reader, &self.rest(target))
    }

    async fn amend(&self, change: Value) {
        self.server
            .operator()
            .patch(&format!("/registry/permissions/{}", self.number), &change)
            .await
            .unwrap();
    }
}

const SQLITE: &str = "kind = 'sqlite'\npath = 'copy.db'\n";

fn ask(desk: &Desk, query: &str) -> Vec<String> {
    let db = Connection::open(desk.path("copy.db")).unwrap();
    let mut statement = db.prepare(query).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, rusqlite::types::Value>(0))
        .unwrap();
    rows.map(|value| match value.unwrap() {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    })
    .collect()
}

#[tokio::test]
async fn a_copy_in_tables_follows_changes_and_deletes() {
    let mut site = site().await;
    site.upserts(0..300, 1).await;
    let desk = site.desk(SQLITE);
    let done = desk.done("once", &[]);
    assert_eq!(done["state"], "current", "{done:#}");
    assert_eq!(ask(&desk, "SELECT count(*) FROM cr_people"), ["300"]);
    assert_eq!(
        ask(&desk, "SELECT Name FROM cr_people WHERE Code = 'k00007'"),
        ["Vārds 7.1"]
    );
    assert_eq!(
        ask(
            &desk,
            "SELECT What FROM cr_people_pets_toys t JOIN cr_people p USING (_key) WHERE Code = 'k00007' ORDER BY _n, _n2"
        ),
        ["bumba", "kauls 1"]
    );
    site.upserts(290..310, 2).await;
    site.deliver(&[json!({"op": "delete", "key": {"Code": "k00000", "Year": 2000}})])
        .await;
    desk.done("once", &[]);
    assert_eq!(ask(&desk, "SELECT count(*) FROM cr_people"), ["309"]);
    assert_eq!(
        ask(
            &desk,
            "SELECT value FROM cr_people_tags t JOIN cr_people p USING (_key) WHERE Code = 'k00291' ORDER BY _n"
        ),
        ["a", "t2"]
    );
    let verified = desk.done("verify", &[]);
    assert_eq!(
        (&verified["records"], &verified["repaired"]),
        (&json!(309), &json!(0)),
        "{verified:#}"
    );
    // Somebody writes in the copy: it is found, and put right.
    let db = Connection::open(desk.path("copy.db")).unwrap();
    db.execute_batch("UPDATE cr_people SET Score = '9.75' WHERE Code = 'k00100'; DELETE FROM cr_people WHERE Code = 'k00101';
        DELETE FROM cr_people_tags WHERE _key = (SELECT _key FROM cr_people WHERE Code = 'k00102');
        INSERT INTO cr_people (_key, Code, Year) VALUES (x'ff', 'z', 1)").unwrap();
    drop(db);
    let verified = desk.done("verify", &[]);
    assert_eq!(verified["records"], 309, "{verified:#}");
    assert!(
        verified["repaired"].as_u64().unwrap() >= 3 || verified["reloaded"] == true,
        "{verified:#}"
    );
    assert_eq!(
        ask(&desk, "SELECT Score FROM cr_people WHERE Code = 'k00100'"),
        ["25"]
    );
    let state = site.provider.client.get("/intake/cr_people/state").await.unwrap();
    assert_eq!(
        state["digest"],
        desk.done("verify", &[])["digest"],
        "everything is shown, so both digests are one"
    );
}

fn has_column(desk: &Desk, column: &str) -> bool {
    let query = format!("SELECT count(*) FROM pragma_table_info('cr_people') WHERE name = '{column}'");
    ask(desk, &query) == ["1"]
}

#[tokio::test]
async fn a_narrowed_permission_takes_back_fields_and_records_also_while_nobody_looked() {
    let mut site = site().await;
    site.upserts(0..100, 1).await;
    let desk = site.desk(SQLITE);
    let years = || ask(&desk, "SELECT DISTINCT Year FROM cr_people ORDER BY Year");
    let mut service = desk.service();
    until("the copy is loaded", async || desk.status()["state"] == "current").await;
    assert_eq!(years(), ["2000", "2001", "2002"]);
    // While it runs.
    site.amend(json!({"fields": ["Code", "Year", "Name", "Score", "Seen", "Tags", "Pets"]}))
        .await;
    within(20, "the field is gone", async || !has_column(&desk, "Secret")).await;
    site.amend(json!({"scope": {"when": "record.Year != 2002"}}))
        .await;
    within(20, "its records are gone", async || years() == ["2000", "2001"]).await;
    assert_eq!(service.stop(), Some(0));
    // While it is stopped.
    site.amend(json!({"fields": ["Code", "Year", "Name", "Seen", "Tags", "Pets"]}))
        .await;
    site.amend(json!({"scope": {"when": "record.Year == 2000"}}))
        .await;
    site.upserts(100..103, 1).await;
    let mut service = desk.service();
    within(20, "both are gone", async || {
        !has_column(&desk, "Score") && years() == ["2000"]
    })
    .await;
    until("it goes on", async || {
        ask(&desk, "SELECT count(*) FROM cr_people") == ["35"]
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    let verified = desk.done("verify", &[]);
    assert_eq!(
        (&verified["records"], &verified["repaired"]),
        (&json!(35), &json!(0)),
        "{verified:#}"
    );
}

#[tokio::test]
async fn a_replica_that_is_killed_while_it_works_is_right_in_the_end() {
    let mut site = site().await;
    let desk = site.desk(SQLITE);
    let path = desk.path("copy.db");
    let cursor = async || {
        let db = rusqlite::Connection::open(&path).ok()?;
        let query = "SELECT value FROM dagr_replica WHERE name = 'cursor' AND value <> ''";
        db.query_row(query, [], |row| row.get::<_, String>(0)).ok()
    };
    killed(&mut site, &desk, cursor).await;
}

/// Killed again and again while it applies pages; `cursor` says that it does.
async fn killed(site: &mut Site, desk: &Desk, cursor: impl AsyncFn() -> Option<String>) {
    site.upserts(0..2_000, 1).await;
    for version in 2..8 {
        let before = cursor().await;
        let mut service = desk.service();
        site.upserts(version * 100..version * 250, version).await;
        until("it is at work", async || {
            let now = cursor().await;
            now.is_some() && now != before
        })
        .await;
        service.kill();
    }
    desk.done("once", &[]);
    let verified = desk.done("verify", &[]);
    assert_eq!(
        (&verified["records"], &verified["repaired"]),
        (&json!(2_000), &json!(0)),
        "{verified:#}"
    );
    let state = site.provider.client.get("/intake/cr_people/state").await.unwrap();
    assert_eq!(state["digest"], verified["digest"]);
}

/// What is new is there long before a call that waits for it would have ended.
#[tokio::test]
async fn a_copy_does_not_wait_for_the_end_of_a_wait() {
    let mut site = site().await;
    site.upserts(0..10, 1).await;
    let rest = site.rest(SQLITE).replace("wait = '5s'", "wait = '60s'");
    let desk = Desk::replica(&site.server, &site.reader, &rest);
    let mut service = desk.service();
    until("the copy is loaded", async || desk.status()["state"] == "current").await;
    for n in 10..15 {
        site.upserts(n..n + 1, 1).await;
        within(15, "one more", async || {
            ask(&desk, "SELECT count(*) FROM cr_people") == [(n + 1).to_string()]
        })
        .await;
    }
    assert_eq!(service.stop(), Some(0));
}

/// A definition gets a field, and later another key: the first is followed, the second stops the replica with a message.
#[tokio::test]
async fn a_definition_that_changes_is_followed_or_stops_the_copy() {
    let site = site().await;
    let open = "name: cr_streets\nkey: Code\ndata_description: Ielas\nclassification: open\nfields:\n  - Code : kods\n  - Name : vārds\n";
    site.server.publish(&site.provider, "cr_streets", open).await;
    let put = async |package: &str, record: Value| {
        let line = json!({ "op": "upsert", "record": record }).to_string();
        let path = format!("/intake/cr_streets/packages/{package}");
        let client = &site.provider.client;
        client.put(&path, "application/x-ndjson", line).await.unwrap();
    };
    put("one", json!({"Code": "1", "Name": "Brīvības iela"})).await;
    let rest = format!("dataset = 'cr_streets'\nwait = '1s'\n[target]\n{SQLITE}");
    let desk = Desk::replica(&site.server, &site.reader, &rest);
    let mut service = desk.service();
    until("it is loaded", async || desk.status()["state"] == "current").await;
    let wider = format!("{open}  - Length decimal : garums\n");
    site.server.publish(&site.provider, "cr_streets", &wider).await;
    put(
        "two",
        json!({"Code": "2", "Name": "Ķengaraga iela", "Length": 1.5}),
    )
    .await;
    until("the new field is there", async || {
        let db = Connection::open(desk.path("copy.db")).unwrap();
        let query = "SELECT Length FROM cr_streets WHERE Code = '2'";
        db.query_row(query, [], |row| row.get::<_, String>(0))
            .is_ok_and(|length| length == "1.5")
    })
    .await;
    let other = wider.replace("key: Code", "key: Name");
    site.server.publish(&site.provider, "cr_streets", &other).await;
    let problem = desk.until_problem("the key is Name").await;
    assert!(problem.contains("Code"), "{problem}");
    assert_eq!(service.ended().await, Some(1));
    // The copy stands as it was.
    assert_eq!(
        ask(&desk, "SELECT Name FROM cr_streets ORDER BY Code"),
        ["Brīvības iela", "Ķengaraga iela"]
    );
}

#[tokio::test]
async fn a_copy_as_files_is_written_whole() {
    let mut site = site().await;
    site.upserts(0..50, 1).await;
    for (name, lines) in [("copy.ndjson", 50), ("copy.csv", 51)] {
        let desk = site.desk(&format!("kind = 'files'\npath = '{name}'\n"));
        desk.done("once", &[]);
        let text = std::fs::read_to_string(desk.path(name)).unwrap();
        assert_eq!(text.lines().count(), lines, "{name}");
    }
    let desk = site.desk("kind = 'files'\npath = 'copy.ndjson'\n");
    desk.done("once", &[]);
    let text = std::fs::read_to_string(desk.path("copy.ndjson")).unwrap();
    let second: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second, person(1, 1));
    write(&desk.path("copy.ndjson"), "");
    site.upserts(50..51, 1).await;
    desk.done("once", &[]);
    assert_eq!(
        std::fs::read_to_string(desk.path("copy.ndjson"))
            .unwrap()
            .lines()
            .count(),
        51
    );
}

#[tokio::test]
async fn a_copy_in_postgresql_is_the_same() {
    let Some(database) = super::postgres::Database::start().await else {
        return;
    };
    let mut site = site().await;
    site.upserts(0..300, 1).await;
    let desk = site.desk(&format!(
        "kind = 'postgres'\nurl = '{}'\nschema = 'kopija'\n",
        database.url
    ));
    desk.done("once", &[]);
    site.upserts(250..320, 2).await;
    site.deliver(&[json!({"op": "delete", "key": {"Code": "k00000", "Year": 2000}})])
        .await;
    desk.done("once", &[]);
    let verified = desk.done("verify", &[]);
    let state = site.provider.client.get("/intake/cr_people/state").await.unwrap();
    assert_eq!(
        (&verified["records"], &verified["repaired"], &verified["digest"]),
        (&json!(319), &json!(0), &state["digest"]),
        "{verified:#}"
    );
    let row = database
        .client
        .query_one(
            "SELECT \"Name\", \"Seen\"::text FROM kopija.cr_people WHERE \"Code\" = 'k00251'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "Vārds 251.2");
}

#[tokio::test]
async fn a_field_of_a_wider_type_is_loaded_anew_beside_the_copy() {
    let site = site().await;
    let numbers = |definition: &str| definition.replace("Score decimal", "Score int");
    let other = |name: &str, definition: &str| definition.replace("cr_people", name);
    let narrow = numbers(&other("cr_scores", DEFINITION));
    site.server.publish(&site.provider, "cr_scores", &narrow).await;
    let put = async |package: &str, n: u32, score: serde_json::Value| {
        let record = json!({ "Code": format!("k{n}"), "Year": 2000, "Score": score });
        let line = json!({ "op": "upsert", "record": record }).to_string();
        let path = format!("/intake/cr_scores/packages/{package}");
        let sent = site
            .provider
            .client
            .put(&path, "application/x-ndjson", line)
            .await;
        sent.unwrap();
    };
    put("one", 1, json!(7)).await;
    let (_, number) = site
        .server
        .granted(&site.reader, "cr_scores", &["changes", "bulk"], json!({}))
        .await;
    let rest = format!("dataset = 'cr_scores'\npermission = '{number}'\nwait = '1s'\n[target]\n{SQLITE}");
    let desk = Desk::replica(&site.server, &site.reader, &rest);
    let mut service = desk.service();
    until("it is loaded", async || desk.status()["state"] == "current").await;
    let kind = "SELECT type FROM pragma_table_info('cr_scores') WHERE name = 'Score'";
    let before = ask(&desk, kind);
    let wide = other("cr_scores", DEFINITION);
    site.server.publish(&site.provider, "cr_scores", &wide).await;
    put("two", 2, json!(7.5)).await;
    until("both stand in a column of the new type", async || {
        ask(&desk, kind) != before && ask(&desk, "SELECT count(*) FROM cr_scores") == ["2"]
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    assert!(desk.log().contains("loaded anew beside the present one"));
    let verified = desk.done("verify", &[]);
    let held = super::state(&site.provider, "cr_scores").await;
    assert_eq!(
        (&verified["digest"], &verified["repaired"]),
        (&held["digest"], &json!(0)),
        "{verified:#}"
    );
    assert_eq!(
        ask(
            &desk,
            "SELECT count(*) FROM sqlite_master WHERE name LIKE '%loading%'"
        ),
        ["0"]
    );
}
