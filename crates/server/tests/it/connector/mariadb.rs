//! A MariaDB source: compared, and followed by its binary log.

use mysql_async::{Conn, Opts, prelude::Queryable};
use serde_json::json;

use super::{Desk, state, until};
use crate::{
    server::{Party, Server},
    throwaway::Cluster,
};

pub const SCRIPT: &str = include_str!("../mariadb.sh");

const DEFINITION: &str = "name: cm_orders\nkey: Id\ndata_description: Pasūtījumi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Customer : klients\n  - Total decimal : summa\n  - Placed timestamp : laiks\n  - Due date : termiņš\n  - Paid bool : samaksāts\n  - Lines * :\n      comments: rindas\n      fields:\n        - Line int : rinda\n        - Item : prece\n        - Price decimal : cena\n";

const TABLES: &str = "
CREATE TABLE orders (id bigint PRIMARY KEY, customer varchar(100), total decimal(12,2), placed datetime(3), due date, paid tinyint(1)) CHARACTER SET utf8mb4;
CREATE TABLE `lines` (order_id bigint, line int, item varchar(100), price decimal(10,2), PRIMARY KEY (order_id, line)) CHARACTER SET utf8mb4;
";

const SOURCE: &str = "
[[source.lists]]
field = 'Lines'
table = 'lines'
match = { order_id = 'id' }
order = ['line']
[source.follow]
every = '20ms'
";

pub const REGISTER: &str = "CREATE DATABASE register CHARACTER SET utf8mb4;\nUSE register";

pub struct Database {
    pub cluster: Cluster,
    pub conn: Conn,
    pub url: String,
    /// MySQL has it since 5.7.
    pub has_json: bool,
}

impl Database {
    pub async fn start() -> Option<Self> {
        let mut database = Self::start_empty().await?;
        database.run(REGISTER).await;
        Some(database)
    }

    /// Nothing is in it, nor in its log.
    pub async fn start_empty() -> Option<Self> {
        let cluster = match Cluster::start_script(SCRIPT) {
            Ok(cluster) => cluster,
            Err(why) => {
                super::not_tried("MARIADB", &why);
                return None;
            }
        };
        Some(Self::of(cluster).await)
    }

    pub async fn of(cluster: Cluster) -> Self {
        let at = format!("socket={}/socket", cluster.dir);
        let mut conn = Conn::new(Opts::from_url(&format!("mysql://root@localhost/mysql?{at}")).unwrap())
            .await
            .unwrap();
        conn.query_drop("SET NAMES utf8mb4").await.unwrap();
        Self {
            url: format!("mysql://root@localhost/register?{at}"),
            conn,
            cluster,
            has_json: true,
        }
    }

    /// Another session.
    pub async fn again(&self) -> Conn {
        Conn::new(Opts::from_url(&self.url).unwrap()).await.unwrap()
    }

    /// Statements apart by `;` at the end of a line.
    pub async fn run(&mut self, text: &str) {
        for statement in text.split(";\n").filter(|text| !text.trim().is_empty()) {
            self.conn.query_drop(statement).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_committed_is_there_in_a_moment_whatever_is_killed() {
    let Some(mut database) = Database::start().await else {
        return;
    };
    database.run(TABLES).await;
    let mut server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cm_orders", DEFINITION).await;
    let rest = format!(
        "dataset = 'cm_orders'\n[source]\nkind = 'mariadb'\nurl = '{}'\ntable = 'orders'\n{SOURCE}",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    database
        .run("INSERT INTO orders SELECT seq, concat('Klients ', seq), seq * 1.10, '2026-01-01 10:00:00.500', '2026-01-01' + INTERVAL seq DAY, seq % 2 FROM seq_1_to_200;\nINSERT INTO `lines` VALUES (2, 1, 'Ābols', 1.5), (2, 2, 'Bumbieris', 2)")
        .await;
    let checked = desk.done("check", &[]);
    assert_eq!(
        (&checked["records"], &checked["refused"]),
        (&json!(200), &json!(0)),
        "{checked:#}"
    );
    let mut service = desk.service();
    until("the first load", async || {
        state(&provider, "cm_orders").await["records"] == 200
    })
    .await;
    let reader = server.consumer().await;
    let client = server.grant(&reader, "cm_orders", &["key"], json!({})).await;
    assert_eq!(
        client.get("/data/cm_orders/records/2").await.unwrap(),
        json!({
            "Id": 2, "Customer": "Klients 2", "Total": 2.2, "Placed": "2026-01-01T10:00:00.5Z", "Due": "2026-01-03", "Paid": false,
            "Lines": [{"Line": 1, "Item": "Ābols", "Price": 1.5}, {"Line": 2, "Item": "Bumbieris", "Price": 2}],
        })
    );
    database.run("START TRANSACTION;\nUPDATE orders SET id = 1001 WHERE id = 1;\nDELETE FROM orders WHERE id = 3;\nUPDATE `lines` SET order_id = 4 WHERE line = 2;\nCOMMIT").await;
    until("the change", async || {
        state(&provider, "cm_orders").await["records"] == 199
    })
    .await;
    database
        .run("START TRANSACTION;\nDELETE FROM orders;\nROLLBACK")
        .await;
    service.kill();
    database.run("INSERT INTO orders (id) SELECT seq FROM seq_2001_to_2100;\nALTER TABLE orders ADD COLUMN more text").await;
    server.kill();
    service = desk.service();
    database
        .run("FLUSH BINARY LOGS;\nDELETE FROM orders WHERE id = 5")
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
        state(&provider, "cm_orders").await["records"] == 298
    })
    .await;
    // The log is thrown away behind our back, while it is followed.
    database
        .run("INSERT INTO orders (id) VALUES (3001);\nRESET MASTER;\nINSERT INTO orders (id) VALUES (3002)")
        .await;
    until("a change behind a log that is gone", async || {
        state(&provider, "cm_orders").await["records"] == 300
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
}

#[tokio::test]
async fn keys_are_asked_for_as_they_are_written() {
    let Some(mut database) = Database::start().await else {
        return;
    };
    database
        .run("CREATE TABLE codes (code varchar(40) PRIMARY KEY, word varchar(40)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        .await;
    let server = Server::start();
    let provider = server.producer().await;
    let definition = "name: cm_codes\nkey: Code\ndata_description: Kodi\nclassification: restricted\nguard: 100%\nfields:\n  - Code : kods\n  - Word : vārds\n";
    server.publish(&provider, "cm_codes", definition).await;
    let rest = format!(
        "dataset = 'cm_codes'\n[source]\nkind = 'mariadb'\nurl = '{}'\ntable = 'codes'\n[source.follow]\nevery = '20ms'\n",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let codes = [
        "?",
        "a\u{1}b",
        "it's",
        "back\\slash",
        "\"'`",
        "ā?ž",
        "%_",
        "'); DROP TABLE codes; --",
    ];
    for code in codes {
        database
            .conn
            .exec_drop("INSERT INTO codes VALUES (?, 'a')", (code,))
            .await
            .unwrap();
    }
    let _service = desk.service();
    until("the first load", async || {
        state(&provider, "cm_codes").await["records"] == codes.len()
    })
    .await;
    let before = state(&provider, "cm_codes").await["digest"].clone();
    // Every record is read again by its key; one that is not found would be deleted.
    database.run("UPDATE codes SET word = 'b'").await;
    until("the change", async || {
        state(&provider, "cm_codes").await["digest"] != before
    })
    .await;
    assert_eq!(state(&provider, "cm_codes").await["records"], codes.len());
    assert_eq!(desk.status()["refused"], json!(0));
}

#[tokio::test]
async fn an_emptied_table_is_compared_once() {
    let Some(mut database) = Database::start().await else {
        return;
    };
    database.run(TABLES).await;
    let server = Server::start();
    let provider = server.producer().await;
    let definition = DEFINITION.replace("key: Id\n", "key: Id\nguard: 100%\n");
    server.publish(&provider, "cm_orders", &definition).await;
    let rest = format!(
        "dataset = 'cm_orders'\n[source]\nkind = 'mariadb'\nurl = '{}'\ntable = 'orders'\n{SOURCE}",
        database.url
    );
    database
        .run("INSERT INTO orders (id) SELECT seq FROM seq_1_to_200")
        .await;
    let desk = Desk::feed(&server, &provider, &rest);
    let service = desk.service();
    for (statements, records) in [
        ("SELECT 1", 200),
        ("TRUNCATE orders", 0),
        (
            "INSERT INTO orders (id) VALUES (1);\nTRUNCATE TABLE orders;\nINSERT INTO orders (id) SELECT seq FROM seq_5_to_9",
            5,
        ),
    ] {
        database.run(statements).await;
        until(statements, async || {
            state(&provider, "cm_orders").await["records"] == records
        })
        .await;
    }
    desk.until_whole(service, &provider, "cm_orders").await;
    let compared = desk.log().matches("everything is compared").count();
    assert!((1..=2).contains(&compared), "{}", desk.log());
}
