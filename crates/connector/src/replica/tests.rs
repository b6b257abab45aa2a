//! A copy in SQLite of what a server gives that says what the test wants.

mod files;
mod verify;

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Spec,
    pull::{Replica, rest},
};
use crate::{
    client::{CallError, Client, Refusal},
    error::{Error, Result},
    lock::Lock,
};

const WHOLE: &str = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Secret : s\n  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n";
const NARROW: &str = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n";

#[derive(Default)]
struct Given {
    definition: String,
    pages: VecDeque<(u16, Value)>,
    /// The definition is not given so many times.
    refused: u32,
    /// Calls are taken and never answered.
    silent: Option<Vec<TcpStream>>,
    asked: Vec<String>,
}

impl Given {
    fn answer(&mut self, path: &str) -> (u16, String) {
        self.asked.push(path.to_owned());
        if !path.ends_with("/definition") {
            let (status, body) = self.pages.pop_front().unwrap();
            return (status, body.to_string());
        }
        if self.refused > 0 {
            self.refused -= 1;
            return (429, json!({"status": 429, "code": "rate_limited"}).to_string());
        }
        (200, self.definition.clone())
    }
}

struct Site {
    dir: TempDir,
    url: String,
    given: Arc<Mutex<Given>>,
}

impl Site {
    fn new(definition: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let given = Arc::new(Mutex::new(Given::default()));
        let shared = Arc::clone(&given);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shared);
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let site = Self { dir, url, given };
        site.defines(definition);
        site
    }

    fn defines(&self, definition: &str) {
        definition.clone_into(&mut self.given.lock().unwrap().definition);
    }

    fn page(&self, codes: &[&str], next: &str, end: bool) {
        let change = |code: &&str| json!({"operation": "upsert", "key": {"Code": code}, "record": {"Code": code, "Secret": "s", "Pets": [{"Name": "Rekss"}]}});
        let changes: Vec<Value> = codes.iter().map(change).collect();
        self.gives(200, json!({"changes": changes, "next": next, "end": end}));
    }

    fn gives(&self, status: u16, body: Value) {
        self.given.lock().unwrap().pages.push_back((status, body));
    }

    fn last_asked(&self) -> String {
        let given = self.given.lock().unwrap();
        let mut pages = given.asked.iter().filter(|path| path.contains("/changes"));
        pages.next_back().unwrap().clone()
    }

    fn pages_asked(&self) -> usize {
        let given = self.given.lock().unwrap();
        given
            .asked
            .iter()
            .filter(|path| path.contains("/changes"))
            .count()
    }

    async fn replica(&self, rest: &str) -> Result<Replica> {
        self.replica_in("kind = 'sqlite'\npath = 'copy.db'", rest).await
    }

    async fn replica_in(&self, target: &str, rest: &str) -> Result<Replica> {
        crate::client::install_provider();
        let text = format!(
            "{rest}\n[server]\nurl = '{}'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[target]\n{target}\n",
            self.url
        );
        let spec = Spec::parse(&text, self.dir.path()).unwrap();
        Replica::begin(spec, Client::bearer(&self.url, "t").unwrap()).await
    }

    /// Whole, with two records.
    async fn loaded(&self) -> Replica {
        self.page(&["a", "b"], "c1", true);
        let mut replica = self.replica(PEOPLE).await.unwrap();
        assert!(step(&mut replica).await.unwrap());
        replica
    }

    fn db(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn path(&self) -> std::path::PathBuf {
        Path::new(self.dir.path()).join("copy.db")
    }

    fn ask(&self, query: &str) -> Vec<String> {
        let db = self.db();
        let mut statement = db.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn tables(&self) -> Vec<String> {
        self.ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'x%' ORDER BY name")
    }

    fn columns(&self, table: &str) -> Vec<String> {
        self.ask(&format!("SELECT name FROM pragma_table_info('{table}')"))
    }

    /// What is said beside the copy.
    fn problem(&self) -> String {
        let path = self.dir.path().join("copy.db.x_people.lock");
        Lock::problem(&path).map_or_else(String::new, |problem| problem.text)
    }

    fn note(&self, name: &str) -> String {
        let query = format!("SELECT value FROM dagr_replica WHERE name = '{name}'");
        self.ask(&query).pop().unwrap_or_default()
    }
}

const PEOPLE: &str = "dataset = 'x_people'";

fn answer(mut stream: TcpStream, given: &Mutex<Given>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let path = first.split(' ').nth(1)?;
    if let Some(calls) = &mut given.lock().unwrap().silent {
        calls.push(stream);
        return None;
    }
    let (status, body) = given.lock().unwrap().answer(path);
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

async fn step(replica: &mut Replica) -> Result<bool> {
    replica.step(Duration::ZERO).await
}

fn decided<T>(done: Result<T>) -> String {
    match done {
        Err(Error::Decide(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it went well"),
    }
}

#[tokio::test]
async fn a_table_that_is_not_the_replicas_own_stays_as_it_is() {
    let site = Site::new(WHOLE);
    let theirs = "CREATE TABLE x_people_pets (own TEXT); INSERT INTO x_people_pets VALUES ('mine')";
    site.db().execute_batch(theirs).unwrap();
    let told = decided(site.replica(PEOPLE).await);
    assert!(told.contains("x_people_pets is there"), "{told}");
    assert_eq!(site.ask("SELECT own FROM x_people_pets"), ["mine"]);
    // It comes while the copy is loaded.
    site.db().execute_batch("DROP TABLE x_people_pets").unwrap();
    let mut replica = site.replica(PEOPLE).await.unwrap();
    site.db().execute_batch(theirs).unwrap();
    site.page(&["a"], "c1", true);
    decided(step(&mut replica).await);
    assert_eq!(site.ask("SELECT own FROM x_people_pets"), ["mine"]);
}

#[tokio::test]
async fn two_replicas_do_not_write_one_table() {
    let site = Site::new(WHOLE);
    let first = site.loaded().await;
    let told = decided(site.replica("dataset = 'x_people'\nname = 'other'").await);
    assert!(
        told.contains("x_people is the table of the replica x_people"),
        "{told}"
    );
    let told = decided(site.replica("dataset = 'x_people'\nsection = 'sandbox'").await);
    assert!(told.contains("the replica x_people"), "{told}");
    // A list's table, and a set of that name.
    site.defines(&WHOLE.replace("x_people", "x_people_pets"));
    let told = decided(site.replica("dataset = 'x_people_pets'").await);
    assert!(told.contains("x_people_pets is the table"), "{told}");
    // A set's notes under the name of another's.
    drop(first);
    let told = decided(site.replica("dataset = 'x_people_pets'\nname = 'x_people'").await);
    assert!(told.contains("a copy of x_people"), "{told}");
    assert_eq!(site.tables(), ["x_people", "x_people_pets"]);
}

#[tokio::test]
async fn a_take_back_that_fails_is_done_later() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.db()
        .execute_batch("CREATE VIEW looks AS SELECT Secret FROM x_people")
        .unwrap();
    site.defines(NARROW);
    site.page(&[], "c2", true);
    let told = decided(step(&mut replica).await);
    assert!(told.contains("view looks"), "{told}");
    assert_eq!(
        site.tables(),
        ["x_people", "x_people_pets"],
        "all of it or nothing"
    );
    site.db().execute_batch("DROP VIEW looks").unwrap();
    site.page(&[], "c2", true);
    assert!(step(&mut replica).await.unwrap());
    assert_eq!(site.tables(), ["x_people"]);
    assert_eq!(site.columns("x_people"), ["_key", "Code"]);
}

#[tokio::test]
async fn what_is_taken_back_while_the_copy_is_loaded_anew_is_gone_at_once() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.gives(410, json!({"status": 410, "code": "cursor_expired"}));
    assert!(!step(&mut replica).await.unwrap());
    site.page(&["a"], "c2", false);
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(site.tables().len(), 4);
    let gone = json!({"operation": "delete", "key": {"Code": "b"}});
    site.gives(200, json!({"changes": [gone], "next": "c3", "end": false}));
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a"]);
    site.defines(NARROW);
    site.page(&[], "c4", true);
    assert!(!step(&mut replica).await.unwrap());
    assert_eq!(site.tables(), ["x_people", "x_people__loading"]);
    assert_eq!(site.columns("x_people"), ["_key", "Code"]);
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a"]);
}

#[tokio::test]
async fn after_a_cursor_of_another_permission_the_copy_is_loaded_anew_and_what_hangs_on_it_stays() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.db()
        .execute_batch(
            "CREATE INDEX own ON x_people (Secret); CREATE VIEW looks AS SELECT Code FROM x_people",
        )
        .unwrap();
    site.gives(400, json!({"status": 400, "code": "cursor_invalid"}));
    assert!(!step(&mut replica).await.unwrap());
    assert!(site.last_asked().contains("after="), "{}", site.last_asked());
    assert_eq!(site.ask("SELECT Code FROM looks"), ["a", "b"]);
    site.page(&["c"], "d1", true);
    assert!(step(&mut replica).await.unwrap());
    assert!(!site.last_asked().contains("after="), "{}", site.last_asked());
    assert_eq!(site.ask("SELECT Code FROM looks"), ["c"]);
    assert_eq!(
        site.ask("SELECT name FROM sqlite_schema WHERE name = 'own'"),
        ["own"]
    );
    assert_eq!(site.tables(), ["x_people", "x_people_pets"]);
    assert_eq!(site.note("cursor"), "d1");
}

#[tokio::test]
async fn one_process_keeps_a_copy() {
    let site = Site::new(WHOLE);
    let replica = site.loaded().await;
    let told = decided(site.replica(PEOPLE).await);
    assert!(
        told.contains(&format!("process {}", std::process::id())),
        "{told}"
    );
    assert_eq!(site.problem(), "");
    drop(replica);
    site.replica(PEOPLE).await.unwrap();
}

#[tokio::test]
async fn a_page_that_could_not_be_applied_is_not_asked_for_again() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.page(&["c"], "c2", true);
    site.given.lock().unwrap().refused = 1;
    assert!(step(&mut replica).await.unwrap_err().is_passing());
    // Somebody else writes.
    replica.target.run("PRAGMA busy_timeout = 0").await.unwrap();
    let other = site.db();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(step(&mut replica).await.unwrap_err().is_passing());
    other.execute_batch("COMMIT").unwrap();
    assert!(step(&mut replica).await.unwrap());
    assert_eq!(site.pages_asked(), 2);
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a", "b", "c"]);
    let moved = replica.target.advance("x_people", "c1", "c9").await;
    assert!(!moved.unwrap(), "it is c2");
}

#[tokio::test]
async fn a_copy_that_cannot_go_on_says_why() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.defines(&WHOLE.replace("key: Code", "key: Secret"));
    site.page(&[], "c2", true);
    let stop = std::future::pending();
    assert!(super::forever(&mut replica, stop).await.is_err());
    let problem = site.problem();
    assert!(problem.contains("the key is Secret"), "{problem}");
    drop(replica);
    std::fs::remove_file(site.dir.path().join("copy.db.x_people.lock")).unwrap();
    assert!(site.replica(PEOPLE).await.is_err());
    assert_eq!(site.problem(), problem);
    site.defines(WHOLE);
    site.page(&[], "c2", true);
    let mut replica = site.replica(PEOPLE).await.unwrap();
    assert!(step(&mut replica).await.unwrap());
    assert_eq!(site.problem(), "");
}

#[tokio::test]
async fn a_page_of_a_definition_that_went_is_asked_for_anew() {
    let site = Site::new(WHOLE);
    let mut replica = site.loaded().await;
    site.page(&["c"], "c2", true);
    site.defines(NARROW);
    // The columns go, and the page does not come in.
    site.db()
        .execute_batch("CREATE TRIGGER still BEFORE UPDATE ON dagr_replica BEGIN SELECT RAISE(IGNORE); END")
        .unwrap();
    assert!(step(&mut replica).await.unwrap_err().is_passing());
    assert_eq!(site.columns("x_people"), ["_key", "Code"]);
    site.db().execute_batch("DROP TRIGGER still").unwrap();
    let change = json!({"operation": "upsert", "key": {"Code": "c"}, "record": {"Code": "c"}});
    site.gives(200, json!({"changes": [change], "next": "c2", "end": true}));
    assert!(step(&mut replica).await.unwrap());
    assert_eq!(site.pages_asked(), 3);
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a", "b", "c"]);
}
#[tokio::test]
async fn a_copy_in_an_earlier_form_is_loaded_anew() {
    let again = async |definition: &str| {
        let site = Site::new(definition);
        site.page(&[], "c1", true);
        let mut replica = site.replica(PEOPLE).await.unwrap();
        assert!(step(&mut replica).await.unwrap());
        assert_eq!(site.note("rows"), "2");
        drop(replica);
        drop(site.replica(PEOPLE).await.unwrap());
        assert_eq!(site.note("phase"), "following");
        site.db()
            .execute_batch("DELETE FROM dagr_replica WHERE name = 'rows'")
            .unwrap();
        drop(site.replica(PEOPLE).await.unwrap());
        assert_eq!(site.note("rows"), "2");
        site.note("phase")
    };
    let with_json = format!("{WHOLE}        - Free json : f\n");
    assert_eq!(again(&with_json).await, "loading");
    assert_eq!(again(WHOLE).await, "following", "nothing in it has another form");
}

#[tokio::test]
async fn a_replica_that_is_gone_is_forgotten_by_what_the_message_says() {
    let site = Site::new(WHOLE);
    drop(site.loaded().await);
    let renamed = "dataset = 'x_people'\nname = 'people'";
    let told = decided(site.replica(renamed).await);
    assert!(
        told.contains("of its tables and `DELETE FROM dagr_replica WHERE replica = 'x_people'`"),
        "{told}"
    );
    site.db()
        .execute_batch("DROP TABLE x_people; DROP TABLE x_people_pets")
        .unwrap();
    assert_eq!(decided(site.replica(renamed).await), told);
    site.db()
        .execute_batch("DELETE FROM dagr_replica WHERE replica = 'x_people'")
        .unwrap();
    let mut replica = site.replica(renamed).await.unwrap();
    site.page(&["a"], "c1", true);
    assert!(step(&mut replica).await.unwrap());
    assert_eq!(site.ask("SELECT Code FROM x_people"), ["a"]);
}

#[test]
fn a_replica_rests_as_long_as_the_server_asks() {
    let pause = Duration::from_secs(1);
    let refusal = Refusal {
        status: 429,
        retry_after: Some(Duration::from_secs(20)),
        ..Refusal::default()
    };
    let busy = Error::from(CallError::Refused(Box::new(refusal)));
    assert_eq!(rest(&busy, pause), Duration::from_secs(21));
    assert_eq!(rest(&Error::Source("away".to_owned()), pause), pause);
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let told = Spec::load(Path::new("no.toml")).unwrap_err().to_string();
    assert!(told.contains("no such file; write one"), "{told}");
}
