//! A PostgreSQL source: compared, and followed as it commits.

use std::fs;

use serde_json::json;
use tokio_postgres::{Client, NoTls};

use super::{Desk, state, until, write};
use crate::{
    server::{Party, Server},
    throwaway::Cluster,
};

const DEFINITION: &str = "name: cp_orders\nkey: Id\ndata_description: Pasūtījumi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Customer : klients\n  - Total decimal : summa\n  - Placed timestamp : laiks\n  - Due date : termiņš\n  - Paid bool : samaksāts\n  - Extra json : dati\n  - Note : piezīme\n  - Lines * :\n      comments: rindas\n      fields:\n        - Line int : rinda\n        - Item : prece\n        - Price decimal : cena\n";

const TABLES: &str = "
CREATE TABLE orders (id bigint PRIMARY KEY, customer text, total numeric(12,2), placed timestamptz, due date, paid boolean,
  extra jsonb, note text);
CREATE TABLE lines (order_id bigint, line int, item text, price numeric(10,2), PRIMARY KEY (order_id, line));
";

const SOURCE: &str = "
[[source.lists]]
field = 'Lines'
table = 'public.lines'
match = { order_id = 'id' }
order = ['line']
";

pub struct Database {
    cluster: Cluster,
    pub client: Client,
    pub url: String,
}

impl Database {
    pub async fn start() -> Option<Self> {
        let cluster = match Cluster::start("-c wal_level=logical -c max_replication_slots=8 -c fsync=off") {
            Ok(cluster) => cluster,
            Err(why) => {
                super::not_tried("POSTGRESQL", &why);
                return None;
            }
        };
        let url = format!("postgres://dagr@localhost/postgres?host={}", cluster.dir);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Some(Self { cluster, client, url })
    }

    pub async fn run(&self, text: &str) {
        self.client.batch_execute(text).await.unwrap();
    }

    /// Where the log is now.
    async fn place(&self) -> String {
        let row = self
            .client
            .query_one("SELECT pg_current_wal_lsn()::text", &[])
            .await;
        row.unwrap().get(0)
    }

    /// The feed has told the source that it needs nothing up to there.
    async fn is_past(&self, place: &str) -> bool {
        let query = "SELECT bool_and(confirmed_flush_lsn > $1::text::pg_lsn) FROM pg_replication_slots";
        self.client.query_one(query, &[&place]).await.unwrap().get(0)
    }

    pub fn dir(&self) -> &str {
        &self.cluster.dir
    }
}

struct Site {
    server: Server,
    provider: Party,
    database: Database,
    desk: Desk,
    rest: String,
}

async fn site(follow: &str) -> Option<Site> {
    let database = Database::start().await?;
    database.run(TABLES).await;
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cp_orders", DEFINITION).await;
    let rest = format!(
        "dataset = 'cp_orders'\ndefinition = 'orders.yaml'\n[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.orders'\n{SOURCE}{follow}",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    write(&desk.path("orders.yaml"), DEFINITION);
    Some(Site {
        server,
        provider,
        database,
        desk,
        rest,
    })
}

const FOLLOW: &str = "[source.follow]\nevery = '20ms'\n";

#[tokio::test]
async fn a_table_with_its_lists_is_one_nested_data_set() {
    let Some(Site {
        server,
        provider,
        database,
        desk,
        ..
    }) = site("").await
    else {
        return;
    };
    database.run("INSERT INTO orders SELECT n, 'Klients ' || n, n * 1.10, '2026-01-01 10:00:00.5+02'::timestamptz + n * interval '1 hour', '2026-01-01'::date + n::int, n % 2 = 0, '{\"b\": 1, \"a\": [true, null]}', E'tab\\t back\\\\ new\\nline ' FROM generate_series(1, 500) n").await;
    database.run("INSERT INTO lines SELECT n, l, 'Prece ' || l, l * 2.5 FROM generate_series(1, 500) n, generate_series(1, 3) l WHERE n % 3 > 0").await;
    let checked = desk.done("check", &["--rows", "10"]);
    assert_eq!(
        (&checked["records"], &checked["refused"]),
        (&json!(10), &json!(0)),
        "{checked:#}"
    );
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["reconciled"]["differing"]),
        (&json!(500), &json!(0)),
        "{done:#}"
    );
    let reader = server.consumer().await;
    let client = server.grant(&reader, "cp_orders", &["key"], json!({})).await;
    let record = client.get("/data/cp_orders/records/2").await.unwrap();
    assert_eq!(
        record,
        json!({
            "Id": 2, "Customer": "Klients 2", "Total": 2.2, "Placed": "2026-01-01T10:00:00.5Z", "Due": "2026-01-03", "Paid": true,
            "Extra": {"a": [true, null], "b": 1}, "Note": "tab\t back\\ new\nline ",
            "Lines": [{"Line": 1, "Item": "Prece 1", "Price": 2.5}, {"Line": 2, "Item": "Prece 2", "Price": 5}, {"Line": 3, "Item": "Prece 3", "Price": 7.5}],
        })
    );
    database.run("UPDATE lines SET price = 9 WHERE order_id = 2 AND line = 3; DELETE FROM orders WHERE id = 5; INSERT INTO orders (id) VALUES (501)").await;
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!((&done["upserts"], &done["deletes"]), (&json!(2), &json!(1)));
    assert_eq!(
        state(&provider, "cp_orders").await["digest"],
        done["reconciled"]["digest"]
    );
}

#[tokio::test]
async fn what_is_committed_is_there_in_a_moment_whatever_is_killed() {
    let Some(Site {
        mut server,
        provider,
        database,
        desk,
        rest,
    }) = site(FOLLOW).await
    else {
        return;
    };
    database
        .run("INSERT INTO orders SELECT n, 'Klients ' || n FROM generate_series(1, 200) n")
        .await;
    let mut service = desk.service();
    until("the first load", async || {
        state(&provider, "cp_orders").await["records"] == 200
    })
    .await;
    database.run("BEGIN; UPDATE orders SET id = 1001 WHERE id = 1; INSERT INTO lines VALUES (2, 1, 'Ābols', 1.5); DELETE FROM orders WHERE id = 3; COMMIT").await;
    until("the change", async || {
        state(&provider, "cp_orders").await["records"] == 199
    })
    .await;
    // Rolled back: nobody hears of it.
    database.run("BEGIN; DELETE FROM orders; ROLLBACK").await;
    service.kill();
    database.run("INSERT INTO orders (id) SELECT n FROM generate_series(2001, 2100) n; ALTER TABLE orders ADD COLUMN more text").await;
    server.kill();
    service = desk.service();
    database
        .run("UPDATE lines SET order_id = 4 WHERE order_id = 2")
        .await;
    server.launch();
    service.kill();
    desk.point(&server, &provider, &rest);
    service = desk.service();
    let provider = Party {
        client: server.again(&provider),
        ..provider
    };
    until("everything since", async || {
        state(&provider, "cp_orders").await["records"] == 299
    })
    .await;
    database
        .run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
        .await;
    database.run("INSERT INTO orders (id) VALUES (3001)").await;
    until("a change behind a slot that was dropped", async || {
        state(&provider, "cp_orders").await["records"] == 300
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["reconciled"]["differing"]),
        (&json!(0), &json!(0)),
        "{done:#}\n{}",
        desk.log()
    );
    assert_eq!(
        state(&provider, "cp_orders").await["digest"],
        done["reconciled"]["digest"]
    );
}

/// More than are told by keys.
const MANY: u32 = 200_001;

const WORDS: &str = "name: cp_words\nkey: Id\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

#[tokio::test]
async fn what_touches_too_many_keys_or_empties_the_table_is_compared_once() {
    let Some(database) = Database::start().await else {
        return;
    };
    database.run(&format!("CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words SELECT n, 'v' FROM generate_series(1, {MANY}) n")).await;
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cp_words", WORDS).await;
    let rest = format!(
        "dataset = 'cp_words'\n[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.words'\n{FOLLOW}",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let service = desk.service();
    for (what, statement, records) in [
        ("the first load", String::new(), MANY),
        (
            "one transaction of all",
            format!("UPDATE words SET word = 'w' || id WHERE id <= {MANY}"),
            MANY,
        ),
        ("an emptied table", "TRUNCATE words".to_owned(), 0),
        (
            "emptied and filled at once",
            "BEGIN; INSERT INTO words VALUES (0, 'x'); TRUNCATE words; INSERT INTO words SELECT n, 'z' FROM generate_series(5, 9) n; COMMIT".to_owned(),
            5,
        ),
    ] {
        let before = state(&provider, "cp_words").await["last_sequence"].clone();
        let place = database.place().await;
        database.run(&statement).await;
        until(what, async || {
            let state = state(&provider, "cp_words").await;
            state["records"] == records && state["last_sequence"] != before
        })
        .await;
        // The source keeps nothing more of it for the feed: it was compared once, not again and again.
        until("the slot has moved on", async || {
            statement.is_empty() || database.is_past(&place).await
        })
        .await;
    }
    desk.until_whole(service, &provider, "cp_words").await;
    let compared = desk.log().matches("everything is compared").count();
    assert_eq!(compared, 3, "{}", desk.log());
    let packages = provider.client.get("/intake/cp_words/packages").await.unwrap();
    assert_eq!(packages["packages"].as_array().unwrap().len(), 4);
}

const TYPES: [(&str, &str); 19] = [
    ("a", "smallint"),
    ("b", "integer"),
    ("c", "bigint"),
    ("d", "numeric"),
    ("e", "real"),
    ("f", "double precision"),
    ("g", "text"),
    ("h", "varchar(20)"),
    ("i", "uuid"),
    ("j", "date"),
    ("k", "timestamp"),
    ("l", "timestamptz"),
    ("m", "boolean"),
    ("n", "char(6)"),
    ("o", "bytea"),
    ("p", "interval"),
    ("q", "time"),
    ("r", "jsonb"),
    ("s", "integer[]"),
];

/// The same text whether everything is copied or one record is read by its key.
#[tokio::test]
async fn a_record_read_by_its_key_is_the_one_that_was_copied_whatever_its_types() {
    let Some(database) = Database::start().await else {
        return;
    };
    let columns = TYPES.map(|(name, ty)| format!("{name} {ty}")).join(", ");
    database
        .run(&format!("CREATE TABLE types (id bigint PRIMARY KEY, {columns})"))
        .await;
    database.run(r#"INSERT INTO types VALUES
        (1, -7, 2147483647, -9223372036854775808, 1.50, 0.1, 1e-300, E'Ķ\t\\ \n', 'vārds ', '6F9619FF-8B86-D011-B42D-00C04FC964FF', '2024-02-29', '2026-01-01 10:00:00.5', '2026-01-01 10:00:00.25+02', true, 'ā', '\xff00', '1 month 2 days 03:04:05', '10:00', '{"b": [1, null], "a": "ā"}', '{1,NULL,3}'),
        (2, 0, 0, 0, 'NaN', 'Infinity', '-0', '', '', NULL, 'infinity', '-infinity', 'infinity', false, '', '', '0', '24:00', 'null', '{}'),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (4, 1, 1, 1, -0.000, 123456792, 100000000000000000000, '\N', '+00', NULL, '0001-01-01', '9999-12-31 23:59:59.999999', '0044-03-15 00:00:00+00 BC', NULL, 'x', NULL, '-1 day', '00:00:00.000001', '"+00"', '{-1}')"#).await;
    let fields = TYPES.map(|(name, _)| format!("  - {name} : {name}\n")).concat();
    let definition = format!(
        "name: cp_types\nkey: id\ndata_description: Tipi\nclassification: restricted\nfields:\n  - id int : id\n{fields}"
    );
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cp_types", &definition).await;
    let rest = format!(
        "dataset = 'cp_types'\n[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.types'\n{FOLLOW}",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let service = desk.service();
    until("all of it is there", async || {
        state(&provider, "cp_types").await["records"] == 4
    })
    .await;
    let (copied, said) = (state(&provider, "cp_types").await, desk.status());
    assert_eq!(said["refused"], 0, "{said:#}");
    // Each is read again by its key, and nothing differs.
    database.run("UPDATE types SET id = id").await;
    database.run("INSERT INTO types (id) VALUES (5)").await;
    until("the last one too", async || {
        state(&provider, "cp_types").await["records"] == 5
    })
    .await;
    desk.until_whole(service, &provider, "cp_types").await;
    let packages = provider.client.get("/intake/cp_types/packages").await.unwrap();
    let sent: u64 = packages["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["receipt"]["received"].as_u64())
        .sum();
    assert_eq!(sent, 5, "{packages:#}");
    assert_ne!(copied["digest"], state(&provider, "cp_types").await["digest"]);
}

/// Whoever checks hears of it, not whoever starts the service; and what is tried stays nowhere.
#[tokio::test]
async fn a_check_tries_the_publication() {
    let Some(site) = site(FOLLOW).await else {
        return;
    };
    let (database, desk) = (&site.database, &site.desk);
    database.run("INSERT INTO orders (id) VALUES (1)").await;
    desk.done("check", &[]);
    let made = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots)";
    let made: i64 = database.client.query_one(made, &[]).await.unwrap().get(0);
    assert_eq!(made, 0);
    database
        .run("CREATE ROLE reader LOGIN REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        .await;
    let rest = fs::read_to_string(&desk.file).unwrap();
    fs::write(&desk.file, rest.replace("dagr@", "reader@")).unwrap();
    let told = desk.refused("check");
    assert!(told.contains("CREATE PUBLICATION"), "{told}");
    assert!(told.contains("have it made by the owner"), "{told}");
}

#[tokio::test]
async fn a_source_whose_reader_may_not_follow_it_is_compared_on_schedule() {
    let Some(database) = Database::start().await else {
        return;
    };
    database
        .run("CREATE TABLE words (id int PRIMARY KEY, word text); INSERT INTO words VALUES (1, 'a'); CREATE ROLE reader LOGIN; GRANT SELECT ON words TO reader; CREATE PUBLICATION dagr_cp_words FOR TABLE words")
        .await;
    let server = Server::start();
    let provider = server.producer().await;
    server
        .publish(&provider, "cp_words", "name: cp_words\nkey: id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - id int : numurs\n  - word : vārds\n")
        .await;
    let rest = format!(
        "dataset = 'cp_words'\n[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.words'\n[source.follow]\nevery = '20ms'\n",
        database.url.replace("dagr@", "reader@")
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let told = desk.refused("check");
    assert!(told.contains("ALTER ROLE … REPLICATION"), "{told}");
    let service = desk.service();
    desk.until_problem("replication").await;
    until("it is compared", async || {
        state(&provider, "cp_words").await["records"] == 1
    })
    .await;
    desk.is_compared_once().await;
    // The right is given: from then on it is followed.
    database
        .run("ALTER ROLE reader REPLICATION; INSERT INTO words VALUES (2, 'b')")
        .await;
    until("it is followed", async || {
        state(&provider, "cp_words").await["records"] == 2
    })
    .await;
    desk.until_whole(service, &provider, "cp_words").await;
}
