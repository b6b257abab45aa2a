//! A minute of random work at a source while everything is killed at random; in the end all hold the same.
//!
//! `DAGR_STORM_S` says how long (60 s when not said), `DAGR_STORM_SEED` repeats the work and the order of the kills; what meets
//! what is the machine's to say.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::{Desk, figure, mariadb, postgres, state};
use crate::server::{Party, Server};

/// xorshift: the same seed, the same storm.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A variable that holds a number.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    given("DAGR_STORM_SEED").unwrap_or(now | 1)
}

fn length() -> Duration {
    Duration::from_secs(given("DAGR_STORM_S").unwrap_or(60))
}

const FIELDS: &str = "key: Id\nguard: 100%\ndata_description: Vētra\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n  - Amount decimal : summa\n  - Moment timestamp : laiks\n  - Day date : diena\n  - Flag bool : ir\n  - Lines * :\n      comments: rindas\n      fields:\n        - Line int : rinda\n        - Item : prece\n";

/// One transaction.
fn transaction(random: &mut Random) -> Vec<String> {
    let id = random.below(400);
    let other = random.below(400);
    let word = ["Āda", "ķēve''s", "", "tab\tand \\\\ slash", "žņ"][random.below(5) as usize];
    let n = random.below(1_000_000);
    let insert = format!(
        "INSERT INTO storm (id, word, amount, moment, day, flag) VALUES ({id}, '{word}', {n}.{:02}, '2026-0{}-11 10:00:00.25', '2026-01-{:02}', {})",
        n % 100,
        1 + n % 9,
        1 + n % 28,
        ["true", "false", "NULL"][(n % 3) as usize]
    );
    match random.below(12) {
        0..=2 => vec![format!("DELETE FROM storm WHERE id = {id}"), insert],
        3 => vec![format!(
            "UPDATE storm SET word = '{word}', amount = {n}, flag = NULL WHERE id = {id}"
        )],
        4 => vec![format!(
            "UPDATE storm SET moment = '2025-1{}-03 23:59:59.{:03}', day = '2024-02-{:02}', flag = true WHERE id = {id}",
            n % 3,
            n % 1_000,
            1 + n % 29
        )],
        5 => vec![
            format!("DELETE FROM storm WHERE id = {id}"),
            format!("DELETE FROM storm_lines WHERE storm_id = {id}"),
        ],
        // The key moves.
        6 => vec![
            format!("DELETE FROM storm WHERE id = {id}"),
            format!("UPDATE storm SET id = {id} WHERE id = {other}"),
        ],
        7 => vec![
            format!("DELETE FROM storm_lines WHERE storm_id = {id} AND line = 1"),
            format!("INSERT INTO storm_lines VALUES ({id}, 1, 'Prece {n}')"),
        ],
        8 => vec![
            format!("DELETE FROM storm_lines WHERE storm_id = {id}"),
            format!("UPDATE storm_lines SET storm_id = {id} WHERE storm_id = {other}"),
        ],
        9 => vec![format!(
            "UPDATE storm_lines SET item = '{word}' WHERE storm_id = {id}"
        )],
        // A large one.
        10 if random.below(8) == 0 => {
            let base = 1_000 + random.below(4) * 1_000;
            let mut all = vec![format!(
                "DELETE FROM storm WHERE id >= {base} AND id < {}",
                base + 1_000
            )];
            all.extend(
                (0..random.below(900))
                    .map(|at| format!("INSERT INTO storm (id, amount) VALUES ({}, {n})", base + at)),
            );
            all
        }
        _ => vec![format!(
            "UPDATE storm SET amount = coalesce(amount, 0) + 1 WHERE id % 7 = {}",
            random.below(7)
        )],
    }
}

/// Runs the statements of a transaction; `false`: rolled back.
trait Source {
    async fn run(&mut self, statements: &[String]);
}

impl Source for postgres::Database {
    async fn run(&mut self, statements: &[String]) {
        postgres::Database::run(self, &statements.join("; ")).await;
    }
}

impl Source for mariadb::Database {
    async fn run(&mut self, statements: &[String]) {
        for statement in statements {
            mariadb::Database::run(self, statement).await;
        }
    }
}

/// Columns that come behind so many transactions.
const ADDED: [(usize, &str); 2] = [(150, "later varchar(20)"), (400, "latest date")];

async fn storm(mut source: impl Source, dataset: &str, rest: String) {
    let seed = seed();
    figure(&format!("DAGR_STORM_SEED={seed}"));
    // What is killed when depends on the clock; what is done does not.
    let (mut random, mut chance) = (Random(seed), Random(seed.rotate_left(32) | 1));
    let mut server = Server::start();
    // Its clients live on while it is gone.
    server.stays();
    let provider = server.producer().await;
    server
        .publish(&provider, dataset, &format!("name: {dataset}\n{FIELDS}"))
        .await;
    let reader = server.consumer().await;
    let (_, number) = server
        .granted(&reader, dataset, &["changes", "bulk"], json!({}))
        .await;
    let rest = format!("dataset = '{dataset}'\n{rest}");
    let copied = format!(
        "dataset = '{dataset}'\npermission = '{number}'\nwait = '2s'\n[target]\nkind = 'sqlite'\npath = 'copy.db'\n"
    );
    let feed = Desk::feed(&server, &provider, &rest);
    let replica = Desk::replica(&server, &reader, &copied);
    let (mut feeding, mut copying) = (feed.service(), replica.service());
    // A column nobody takes is added later: a first load would not begin with it.
    super::until("the first load", async || {
        feed.status()["last_compare"].is_string()
    })
    .await;
    let (began, mut kills, mut transactions) = (Instant::now(), 0, 0_usize);
    let mut next_kill = Duration::from_secs(3);
    while began.elapsed() < length() {
        let mut statements = transaction(&mut random);
        let end = if random.below(10) == 0 {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        statements.insert(0, "START TRANSACTION".to_owned());
        statements.push(end.to_owned());
        source.run(&statements).await;
        transactions += 1;
        // A busy register, not a benchmark.
        tokio::time::sleep(Duration::from_millis(random.below(8))).await;
        if let Some((_, column)) = ADDED.iter().find(|(at, _)| *at == transactions) {
            source
                .run(&[format!("ALTER TABLE storm ADD COLUMN {column}")])
                .await;
        }
        if began.elapsed() > next_kill {
            next_kill += Duration::from_millis(1_500 + chance.below(3_000));
            kills += 1;
            match chance.below(4) {
                0 => {
                    feeding.kill();
                    feeding = feed.service();
                }
                1 => {
                    copying.kill();
                    copying = replica.service();
                }
                2 => server.kill_and_restart(),
                _ => {
                    server.kill();
                    feeding.kill();
                    copying.kill();
                    server.launch();
                    (feeding, copying) = (feed.service(), replica.service());
                }
            }
        }
    }
    let altered = ADDED.iter().all(|(at, _)| *at < transactions);
    assert!(
        altered && kills > 0,
        "{transactions} transactions, {kills} kills: no storm"
    );
    // Followed to the end, without a comparison of everything: that comes after and must find nothing.
    source
        .run(&["INSERT INTO storm (id, word) VALUES (99999, 'last')".to_owned()])
        .await;
    super::until("the last change is at the recipient", async || {
        let db = rusqlite::Connection::open(replica.path("copy.db")).unwrap();
        db.query_row(
            &format!("SELECT count(*) FROM {dataset} WHERE Id = 99999"),
            [],
            |row| row.get::<_, i64>(0),
        )
        .unwrap_or(0)
            == 1
    })
    .await;
    assert_eq!((feeding.stop(), copying.stop()), (Some(0), Some(0)));
    let done = feed.done("once", &["--reconcile"]);
    assert_eq!(
        (
            &done["upserts"],
            &done["deletes"],
            &done["refused"],
            &done["reconciled"]["differing"]
        ),
        (&json!(0), &json!(0), &json!(0), &json!(0)),
        "seed {seed}: {done:#}\n{}",
        feed.log()
    );
    replica.done("once", &[]);
    let verified = replica.done("verify", &[]);
    let held = state(&provider, dataset).await;
    assert_eq!(
        (&verified["digest"], &verified["repaired"]),
        (&held["digest"], &json!(0)),
        "seed {seed}: {verified:#}"
    );
    assert_eq!(done["reconciled"]["digest"], held["digest"], "seed {seed}");
    let packages = gap_free(&provider, dataset).await;
    figure(&format!(
        "{dataset}: {transactions} transactions, {packages} packages, {kills} kills, {} records",
        held["records"]
    ));
}

/// Every sequence belongs to one package, none is missing.
async fn gap_free(provider: &Party, dataset: &str) -> usize {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut query = vec![("limit", "1000".to_owned())];
    loop {
        let page = provider
            .client
            .get_with(&format!("/intake/{dataset}/packages"), &query)
            .await
            .unwrap();
        spans.extend(page["packages"].as_array().unwrap().iter().filter_map(|package| {
            let receipt = &package["receipt"];
            Some((
                receipt["first_sequence"].as_u64()?,
                receipt["last_sequence"].as_u64()?,
            ))
        }));
        match &page["next"] {
            Value::String(next) => query = vec![("limit", "1000".to_owned()), ("after", next.clone())],
            _ => break,
        }
    }
    spans.sort_unstable();
    let mut next = 1;
    for (first, last) in &spans {
        assert_eq!(*first, next, "a gap in the sequence");
        next = last + 1;
    }
    spans.len()
}

const LISTS: &str = "[[source.lists]]\nfield = 'Lines'\ntable = 'storm_lines'\nmatch = { storm_id = 'id' }\norder = ['line']\n[source.follow]\nevery = '20ms'\n";

#[tokio::test]
async fn postgresql_server_and_replica_agree_after_a_storm() {
    let Some(database) = postgres::Database::start().await else {
        return;
    };
    database.run("CREATE TABLE storm (id bigint PRIMARY KEY, word text, amount numeric(12,2), moment timestamp(3), day date, flag boolean);
        CREATE TABLE storm_lines (storm_id bigint, line int, item text, PRIMARY KEY (storm_id, line))").await;
    let rest = format!(
        "[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.storm'\n{}",
        database.url,
        LISTS.replace("'storm_lines'", "'public.storm_lines'")
    );
    storm(database, "cs_postgres", rest).await;
}

#[tokio::test]
async fn mariadb_server_and_replica_agree_after_a_storm() {
    if let Some(database) = mariadb::Database::start().await {
        of_mariadb(database, "cs_mariadb").await;
    }
}

#[tokio::test]
async fn mysql_server_and_replica_agree_after_a_storm() {
    if let Some(database) = mariadb::Database::start_mysql().await {
        of_mariadb(database, "cs_mysql").await;
    }
}

async fn of_mariadb(mut database: mariadb::Database, dataset: &str) {
    mariadb::Database::run(&mut database, "CREATE TABLE storm (id bigint PRIMARY KEY, word varchar(100), amount decimal(12,2), moment datetime(3), day date, flag boolean) CHARACTER SET utf8mb4;\nCREATE TABLE storm_lines (storm_id bigint, line int, item varchar(100), PRIMARY KEY (storm_id, line)) CHARACTER SET utf8mb4").await;
    let rest = format!(
        "[source]\nkind = 'mariadb'\nurl = '{}'\ntable = 'storm'\n{}",
        database.url,
        if database.has_json {
            LISTS
        } else {
            "[source.follow]\nevery = '20ms'\n"
        }
    );
    storm(database, dataset, rest).await;
}
