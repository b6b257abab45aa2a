//! Definitions and feeds proposed from a database of ten tables.

pub mod file;

use std::{fs, path::Path};

use super::{mariadb, postgres};
use crate::server::{Server, dagr};

/// Two are lists inside another; one has no key.
const TABLES: &str = "
CREATE TABLE person (code char(11) PRIMARY KEY, name varchar(100) NOT NULL, born date, height numeric(5,2));
CREATE TABLE address (person_code char(11) NOT NULL, n int NOT NULL, street varchar(100), PRIMARY KEY (person_code, n), FOREIGN KEY (person_code) REFERENCES person (code));
CREATE TABLE vehicle (id bigint PRIMARY KEY, plate varchar(10) NOT NULL, owner char(11), mass int, FOREIGN KEY (owner) REFERENCES person (code));
CREATE TABLE vehicle_check (vehicle_id bigint NOT NULL, made timestamp NOT NULL, passed boolean NOT NULL, PRIMARY KEY (vehicle_id, made), FOREIGN KEY (vehicle_id) REFERENCES vehicle (id));
CREATE TABLE company (reg bigint PRIMARY KEY, name varchar(200) NOT NULL);
CREATE TABLE licence (kind varchar(8) NOT NULL, number int NOT NULL, holder bigint, PRIMARY KEY (kind, number));
CREATE TABLE court (id int PRIMARY KEY, title varchar(100));
CREATE TABLE judge (id int PRIMARY KEY, court int, name varchar(100));
CREATE TABLE country (iso char(2) PRIMARY KEY, name varchar(80) NOT NULL);
CREATE TABLE log_line (at timestamp, text varchar(200));
";

fn init(address: &str, dir: &Path) -> serde_json::Value {
    let output = dagr()
        .args(["connector", "init", address, "--prefix", "ta", "--json", "--out"])
        .arg(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn judge(address: &str, schema: &str) {
    let dir = tempfile::tempdir().unwrap();
    let view = init(address, dir.path());
    assert_eq!(
        view["proposed"],
        serde_json::json!([
            "ta_company",
            "ta_country",
            "ta_court",
            "ta_judge",
            "ta_licence",
            "ta_person",
            "ta_vehicle"
        ])
    );
    assert_eq!(view["left"][0]["table"], "log_line");
    let person = fs::read_to_string(dir.path().join("ta_person.yaml")).unwrap();
    assert_eq!(
        person,
        "name: ta_person\nkey: code\ndata_description: \"Iedzīvotāji\"\nfields:\n  - code : code\n  - name : \"Vārds, uzvārds\"\n  - born date : born\n  - height decimal : height\n  - address * :\n      comments: address\n      fields:\n        - n int! : n\n        - street : street\n"
    );
    let licence = fs::read_to_string(dir.path().join("ta_licence.yaml")).unwrap();
    assert!(licence.contains("key: kind(, number)\n"), "{licence}");
    let feed = fs::read_to_string(dir.path().join("ta_vehicle.toml")).unwrap();
    assert!(
        feed.contains(&format!("table = \"{schema}vehicle\""))
            && feed.contains("match = { vehicle_id = \"id\" }"),
        "{feed}"
    );
    // What is proposed is a definition that can be published as it is.
    let server = Server::start();
    let provider = server.producer().await;
    for name in view["proposed"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let text = fs::read_to_string(dir.path().join(format!("{name}.yaml"))).unwrap();
        server.publish(&provider, name, &text).await;
    }
    // Nothing is overwritten; what is new is proposed.
    let path = |end: &str| {
        dir.path()
            .join(format!("{}.{end}", view["proposed"][0].as_str().unwrap()))
    };
    fs::write(path("yaml"), "worked on").unwrap();
    fs::remove_file(path("toml")).unwrap();
    let again = dagr()
        .args(["connector", "init", address, "--prefix", "ta", "--out"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0));
    let told = String::from_utf8(again.stdout).unwrap();
    assert!(
        told.contains(", 1 files written") && told.contains("kept as they are"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(path("yaml")).unwrap(), "worked on");
    assert!(path("toml").exists());
}

#[tokio::test]
async fn ten_tables_of_postgresql_need_only_comments() {
    let Some(database) = postgres::Database::start().await else {
        return;
    };
    database.run(TABLES).await;
    database
        .run("COMMENT ON TABLE person IS 'Iedzīvotāji'; COMMENT ON COLUMN person.name IS 'Vārds, uzvārds'")
        .await;
    judge(&database.url, "public.").await;
}

#[tokio::test]
async fn ten_tables_of_mariadb_need_only_comments() {
    if let Some(database) = mariadb::Database::start().await {
        of_mariadb(database).await;
    }
}

#[tokio::test]
async fn ten_tables_of_mysql_need_only_comments() {
    if let Some(database) = mariadb::Database::start_mysql().await {
        of_mariadb(database).await;
    }
}

async fn of_mariadb(mut database: mariadb::Database) {
    database.run(TABLES).await;
    database.run("ALTER TABLE person COMMENT 'Iedzīvotāji';\nALTER TABLE person MODIFY name varchar(100) NOT NULL COMMENT 'Vārds, uzvārds'").await;
    judge(&database.url, "register.").await;
}
