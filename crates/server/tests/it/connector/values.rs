//! What the values of databases become, also inside lists.

use serde_json::{Value, json};

use super::{Desk, mariadb, postgres};
use crate::server::Server;

const DEFINITION: &str = "name: cv_values\nkey: Id\ndata_description: Vērtības\ntimezone: Europe/Riga\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Seen timestamp : laiks\n  - Shown timestamp : pulkstenis\n  - Flag bool : karogs\n  - Bits int : biti\n  - Ratio decimal : attiecība\n  - Exact decimal : skaitlis\n  - Price decimal : cena\n  - Bytes : baiti\n  - Lines * :\n      comments: rindas\n      fields:\n        - Seen timestamp : laiks\n        - Flag bool : karogs\n        - Bits int : biti\n        - Price decimal : cena\n        - Bytes : baiti\n";

/// Of a table `inside`, with the columns given.
fn lists(columns: &str) -> String {
    format!(
        "[[source.lists]]\nfield = 'Lines'\nquery = 'SELECT of_id, line, {columns} FROM inside'\nmatch = {{ of_id = 'id' }}\norder = ['line']\n"
    )
}

/// What a check says of the table `outside`.
async fn checked(kind: &str, address: &str, more: &str) -> (Option<i32>, Value) {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cv_values", DEFINITION).await;
    let rest =
        format!("dataset = 'cv_values'\n[source]\nkind = '{kind}'\n{address}\ntable = 'outside'\n{more}");
    Desk::feed(&server, &provider, &rest).answer("check", &[])
}

/// Sixty bytes: more than some databases write on one line.
fn bytes() -> String {
    "/".repeat(80)
}

async fn of_mariadb(mut database: mariadb::Database) {
    let tables = "SET time_zone = '+00:00';
CREATE TABLE outside (id int PRIMARY KEY, seen timestamp(3) NULL, shown datetime, flag bit(1), bits bit(16), ratio float, exact double, bytes varbinary(200)) CHARACTER SET utf8mb4;
CREATE TABLE inside (of_id int, line int, seen timestamp NULL, flag bit(1), bits bit(8), bytes varbinary(200), PRIMARY KEY (of_id, line)) CHARACTER SET utf8mb4;
INSERT INTO outside VALUES (1, '2026-07-01 10:00:00.500', '2026-07-01 13:00:00', b'1', 258, 123456.789, 123456.7890625, REPEAT(x'FF', 60));
INSERT INTO inside VALUES (1, 1, '2026-01-01 10:00:00', b'0', 200, REPEAT(x'FF', 60))";
    database.run(tables).await;
    let more = if database.has_json {
        lists("seen, flag, bits, bytes")
    } else {
        String::new()
    };
    let address = format!("url = '{}'", database.url);
    let (_, checked) = checked("mariadb", &address, &more).await;
    let mut expected = json!({
        "Id": 1, "Seen": "2026-07-01T10:00:00.5Z", "Shown": "2026-07-01T10:00:00Z", "Flag": true, "Bits": 258, "Ratio": 123_456.79,
        "Exact": 123_456.789_062_5, "Bytes": bytes(),
    });
    if database.has_json {
        expected["Lines"] =
            json!([{"Seen": "2026-01-01T10:00:00Z", "Flag": false, "Bits": 200, "Bytes": bytes()}]);
    }
    assert_eq!(checked["first"][0], expected, "{checked:#}");
}

#[tokio::test]
async fn values_of_mariadb_are_what_they_are() {
    if let Some(database) = mariadb::Database::start().await {
        of_mariadb(database).await;
    }
}

#[tokio::test]
async fn values_of_mysql_are_what_they_are() {
    if let Some(database) = mariadb::Database::start_mysql().await {
        of_mariadb(database).await;
    }
}

#[tokio::test]
async fn values_of_postgresql_are_what_they_are() {
    let Some(database) = postgres::Database::start().await else {
        return;
    };
    let tables = "
CREATE TABLE outside (id int PRIMARY KEY, seen timestamptz, shown timestamp, flag boolean, bits smallint, ratio real, exact double precision, price money, bytes bytea);
CREATE TABLE inside (of_id int, line int, seen timestamptz, price money, bytes bytea, PRIMARY KEY (of_id, line));
INSERT INTO outside VALUES (1, '2026-07-01 12:00:00.5+02', '2026-07-01 13:00:00', true, 258, 123456.79, 123456.7890625, 1234.5, decode(repeat('ff', 60), 'hex'));
INSERT INTO inside VALUES (1, 1, '2026-01-01 10:00:00+00', -0.05, decode(repeat('ff', 60), 'hex'));";
    database.run(tables).await;
    let address = format!("url = '{}'", database.url);
    let (_, checked) = checked("postgres", &address, &lists("seen, price, bytes")).await;
    assert_eq!(
        checked["first"][0],
        json!({
            "Id": 1, "Seen": "2026-07-01T10:00:00.5Z", "Shown": "2026-07-01T10:00:00Z", "Flag": true, "Bits": 258,
            "Ratio": 123_456.79, "Exact": 123_456.789_062_5, "Price": 1234.5, "Bytes": bytes(),
            "Lines": [{"Seen": "2026-01-01T10:00:00Z", "Price": -0.05, "Bytes": bytes()}],
        }),
        "{checked:#}"
    );
}

/// A register of the nineties: its bytes are those of Windows-1257, and are not sent as something else.
#[tokio::test]
async fn texts_of_sqlite_that_are_none_refuse_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE outside (id INTEGER PRIMARY KEY, bytes TEXT, word TEXT);
        INSERT INTO outside VALUES (1, 'Rīga', ''), (2, CAST(x'52EE6761' AS TEXT), ''), (3, x'FF', CAST(x'EE' AS TEXT));",
    )
    .unwrap();
    let address = format!("path = '{}'", path.display());
    let (code, checked) = checked("sqlite", &address, "[map]\ndrop = ['word']\n").await;
    assert_eq!(
        (code, &checked["first"]),
        (
            Some(1),
            &json!([{"Id": 1, "Bytes": "Rīga"}, {"Id": 3, "Bytes": "/w=="}])
        ),
        "{checked:#}"
    );
    let refused = &checked["refusals"][0];
    assert_eq!(
        (
            &refused["row"],
            &refused["column"],
            &refused["rule"],
            &refused["record"]
        ),
        (
            &json!(2),
            &json!("bytes"),
            &json!("charset"),
            &json!(r#"{"Id":2}"#)
        ),
        "{checked:#}"
    );
}

async fn without_the_log(mut database: mariadb::Database) {
    database
        .run(
            "CREATE TABLE outside (id int PRIMARY KEY, seen timestamp NULL);
CREATE USER reader@localhost;
GRANT SELECT ON register.* TO reader@localhost;
GRANT REPLICATION CLIENT ON *.* TO reader@localhost",
        )
        .await;
    let address = format!("url = '{}'", database.url.replace("root@", "reader@"));
    let follow = "[source.follow]\n";
    let (code, told) = checked("mariadb", &address, follow).await;
    assert!(
        code == Some(1) && told.to_string().contains("REPLICATION SLAVE"),
        "{told:#}"
    );
    database
        .run("GRANT REPLICATION SLAVE ON *.* TO reader@localhost")
        .await;
    let (code, told) = checked("mariadb", &address, follow).await;
    assert_eq!(code, Some(0), "{told:#}");
}

#[tokio::test]
async fn a_check_finds_that_the_log_of_mariadb_may_not_be_read() {
    if let Some(database) = mariadb::Database::start().await {
        without_the_log(database).await;
    }
}

#[tokio::test]
async fn a_check_finds_that_the_log_of_mysql_may_not_be_read() {
    if let Some(database) = mariadb::Database::start_mysql().await {
        without_the_log(database).await;
    }
}
