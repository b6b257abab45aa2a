//! What MariaDB and MySQL have in common, and where another log lies than the one that was left.

use mysql_async::prelude::Queryable;

use super::{Desk, free_port, mariadb::Database, state, until};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: cb_orders\nkey: Id\nguard: 100%\ndata_description: Pasūtījumi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Customer : klients\n  - Lines * :\n      comments: rindas\n      fields:\n        - Line int : rinda\n        - Item : prece\n";

const TABLES: &str = "
CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(100)) CHARACTER SET utf8mb4 ENGINE InnoDB;
CREATE TABLE orders (id bigint PRIMARY KEY, customer varchar(100), of_customer bigint, FOREIGN KEY (of_customer) REFERENCES customers (id) ON DELETE CASCADE) CHARACTER SET utf8mb4 ENGINE InnoDB;
CREATE TABLE suppliers (id bigint PRIMARY KEY) ENGINE InnoDB;
CREATE TABLE items (id bigint PRIMARY KEY, supplier bigint, FOREIGN KEY (supplier) REFERENCES suppliers (id) ON DELETE CASCADE) ENGINE InnoDB;
CREATE TABLE `lines` (order_id bigint, line int, item varchar(100), item_id bigint, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE, FOREIGN KEY (item_id) REFERENCES items (id) ON DELETE CASCADE) CHARACTER SET utf8mb4 ENGINE InnoDB;
CREATE USER reader@localhost;
GRANT SELECT ON register.* TO reader@localhost;
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO reader@localhost;
INSERT INTO customers VALUES (1, 'Ā'), (2, 'B');
INSERT INTO suppliers VALUES (1), (2);
INSERT INTO items VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO orders VALUES (1, 'Ā', 1), (2, 'B', 1), (3, 'C', 2);
INSERT INTO `lines` VALUES (1, 1, 'Ābols', NULL), (1, 2, 'Bumbieris', NULL), (2, 1, 'Citrons', 2)
";

/// As somebody who may read, and no more.
fn rest(database: &Database) -> String {
    let lists = "[[source.lists]]\nfield = 'Lines'\nquery = 'SELECT order_id, line, item FROM `lines`'\nmatch = { order_id = 'id' }\norder = ['line']\n";
    format!(
        "dataset = 'cb_orders'\n[source]\nkind = 'mariadb'\nurl = '{}'\nquery = 'SELECT id, customer FROM orders'\n{}
[source.follow]\nevery = '20ms'\ntables = [{{ table = 'orders', key = {{ id = 'id' }} }}, {{ table = 'lines', key = {{ order_id = 'id' }} }}]\n",
        database.url.replace("root@", "reader@"),
        if database.has_json { lists } else { "" },
    )
}

/// A feed that has brought all of a source's records.
struct Followed {
    server: Server,
    provider: Party,
    desk: Desk,
}

impl Followed {
    async fn start(database: &Database) -> (Self, super::Service) {
        let server = Server::start();
        let provider = server.producer().await;
        server.publish(&provider, "cb_orders", DEFINITION).await;
        let desk = Desk::feed(&server, &provider, &rest(database));
        let service = desk.service();
        let followed = Self {
            server,
            provider,
            desk,
        };
        until("the first load", async || {
            followed.desk.status()["last_compare"].is_string()
        })
        .await;
        (followed, service)
    }

    fn point(&self, database: &Database) {
        self.desk.point(&self.server, &self.provider, &rest(database));
    }

    async fn digest(&self) -> serde_json::Value {
        state(&self.provider, "cb_orders").await["digest"].clone()
    }

    async fn holds(&self, what: &str, records: u64) {
        until(what, async || {
            state(&self.provider, "cb_orders").await["records"] == records
        })
        .await;
    }

    async fn whole(&self, service: super::Service) {
        self.desk.until_whole(service, &self.provider, "cb_orders").await;
    }

    fn compared(&self) -> bool {
        self.comparisons() > 0
    }

    /// MySQL's transactions may be looked at twice.
    async fn has_noted_all(&self, database: &mut Database) {
        let gtids = database.executed().await;
        let is_ahead = |moment: &str| {
            let moment: jiff::Timestamp = moment.parse().unwrap();
            moment.duration_since(jiff::Timestamp::now()).as_hours() > 0
        };
        until("all GTIDs are noted, and no comparison is due", async || {
            let status = self.desk.status();
            let place = status["source"]["position"].as_str();
            place.is_some_and(|place| place.ends_with(&gtids))
                && status["next_compare"].as_str().is_some_and(is_ahead)
        })
        .await;
    }

    fn comparisons(&self) -> usize {
        self.desk.log().matches("everything is compared").count()
    }
}

/// Whatever the log does not say by rows of the table is found all the same.
async fn unlogged(mut database: Database) {
    database.run(TABLES).await;
    let (followed, mut service) = Followed::start(&database).await;
    followed.holds("all of it", 3).await;

    // What leads from the rows to the record tells it: a deleted order takes its lines with it.
    let before = followed.digest().await;
    database.run("DELETE FROM orders WHERE id = 1").await;
    followed.holds("an order less", 2).await;
    assert_ne!(followed.digest().await, before);
    assert!(!followed.compared(), "{}", followed.desk.log());
    // The log goes on in another file.
    a_second_later().await;
    database.run("FLUSH BINARY LOGS").await;
    // A name is no key: nothing goes on from it.
    database
        .run("UPDATE customers SET name = 'X' WHERE id = 1;\nINSERT INTO orders VALUES (4, 'D', 2)")
        .await;
    followed.holds("an order more", 3).await;
    assert!(!followed.compared(), "{}", followed.desk.log());
    // The lines that go with a supplier's items are in no log.
    let before = followed.digest().await;
    database.run("DELETE FROM suppliers WHERE id = 1").await;
    until("what went with a supplier", async || {
        followed.compared() && (followed.digest().await != before || !database.has_json)
    })
    .await;
    // Nor the orders that go with a customer.
    database.run("DELETE FROM customers WHERE id = 2").await;
    followed.holds("what went with a customer", 1).await;

    // Columns move: by their old places the name would be taken for the key.
    database.run("ALTER TABLE orders ADD COLUMN first varchar(10) FIRST;\nINSERT INTO orders (id, customer) VALUES (7, '9'), (8, '9')").await;
    followed.holds("rows of the new columns", 3).await;
    database
        .run("UPDATE orders SET customer = 'Ž' WHERE id = 7;\nDELETE FROM orders WHERE id = 8")
        .await;
    followed.holds("a row less", 2).await;
    service.kill();
    service = followed.desk.service();

    // Looked at when it is prepared, and there when it is committed. MySQL logs it then only, before 5.7.
    let before = followed.digest().await;
    database
        .run("XA START 'a';\nUPDATE orders SET customer = 'Ņ' WHERE id = 7;\nXA END 'a';\nXA PREPARE 'a'")
        .await;
    let mut other = database.again().await;
    other
        .query_drop("INSERT INTO orders (id, customer) VALUES (9, '9')")
        .await
        .unwrap();
    followed.holds("what came after", 3).await;
    other.query_drop("DELETE FROM orders WHERE id = 9").await.unwrap();
    followed.holds("what was before", 2).await;
    assert_eq!(followed.digest().await, before, "it is not there yet");
    database.run("XA COMMIT 'a'").await;
    until("what was prepared", async || followed.digest().await != before).await;
    followed.whole(service).await;
}

/// A feed of one table with a key and a word.
async fn words_of(database: &mut Database, table: &str) -> (Followed, super::Service) {
    database.run(table).await;
    let server = Server::start();
    let provider = server.producer().await;
    let ty = ["int", "datetime"]
        .into_iter()
        .find(|ty| table.contains(&format!("Id {ty}")));
    let ty = ty.unwrap_or_default().replace("datetime", "timestamp");
    let definition = format!(
        "name: cb_orders\nkey: Id\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id {ty} : atslēga\n  - Word : vārds\n"
    );
    server.publish(&provider, "cb_orders", &definition).await;
    let rest = format!(
        "dataset = 'cb_orders'\n[source]\nkind = 'mariadb'\nurl = '{}'\ntable = 'words'\n[source.follow]\nevery = '20ms'\n",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let service = desk.service();
    let followed = Followed {
        server,
        provider,
        desk,
    };
    (followed, service)
}

/// The change of a record whose key the log writes in its own way.
async fn keys_of_every_kind(mut database: Database) {
    for (table, compares) in [
        (
            "CREATE TABLE words (Id int unsigned PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES (4000000000, 'a')",
            false,
        ),
        (
            "CREATE TABLE words (Id varchar(9) CHARACTER SET latin1 PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES ('A-1', 'a')",
            false,
        ),
        (
            "CREATE TABLE words (Id varchar(9) CHARACTER SET latin7 PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES ('Ā-1', 'a')",
            true,
        ),
        (
            "CREATE TABLE words (Id datetime(3) PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES ('2020-01-02', 'a')",
            false,
        ),
    ] {
        let (followed, service) = words_of(&mut database, table).await;
        followed.holds(table, 1).await;
        let before = followed.digest().await;
        database.run("UPDATE words SET Word = 'b'").await;
        until(table, async || followed.digest().await != before).await;
        assert_eq!(followed.compared(), compares, "{table}\n{}", followed.desk.log());
        // Of a session that logs only some columns.
        followed.has_noted_all(&mut database).await;
        let before = followed.digest().await;
        let compared = followed.comparisons();
        database
            .run("SET SESSION binlog_row_image = 'MINIMAL';\nUPDATE words SET Word = 'c';\nSET SESSION binlog_row_image = 'FULL'")
            .await;
        until("what was logged in part", async || {
            followed.digest().await != before
        })
        .await;
        assert!(followed.comparisons() > compared, "{table}");
        followed.has_noted_all(&mut database).await;
        // A record that is gone is found by what the log says of its key.
        let compared = followed.comparisons();
        database.run("DELETE FROM words").await;
        followed.holds("nothing", 0).await;
        assert_eq!(followed.comparisons() > compared, compares, "{table}");
        followed.whole(service).await;
        database.run("DROP TABLE words").await;
    }
    // What cannot be followed is compared, and the status says why.
    for (table, words) in [
        (
            "CREATE TABLE words (Id enum('x', 'y') PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES ('y', 'a')",
            "of type enum",
        ),
        (
            "CREATE TABLE base (Id int PRIMARY KEY, Word varchar(9));\nINSERT INTO base VALUES (1, 'a');\nCREATE VIEW words AS SELECT * FROM base",
            "is a view",
        ),
    ] {
        let (followed, _service) = words_of(&mut database, table).await;
        followed.holds(table, 1).await;
        followed.desk.until_problem(words).await;
        followed.desk.is_compared_once().await;
        database
            .run(if table.contains("VIEW") {
                "DROP VIEW words"
            } else {
                "DROP TABLE words"
            })
            .await;
    }
    database.run("SET GLOBAL binlog_row_image = 'NOBLOB'").await;
    let table =
        "CREATE TABLE words (Id int PRIMARY KEY, Word varchar(9));\nINSERT INTO words VALUES (1, 'a')";
    let (followed, _service) = words_of(&mut database, table).await;
    followed.holds(table, 1).await;
    followed.desk.until_problem("binlog_row_image is not FULL").await;
}

#[tokio::test]
async fn keys_of_mariadb_are_read_as_a_query_gives_them() {
    if let Some(database) = Database::start().await {
        keys_of_every_kind(database).await;
    }
}

#[tokio::test]
async fn keys_of_mysql_are_read_as_a_query_gives_them() {
    if let Some(database) = Database::start_mysql().await {
        keys_of_every_kind(database).await;
    }
}

/// When a file of a log was begun is known to the second.
async fn a_second_later() {
    let begun = std::time::Instant::now();
    until("a second later", async || begun.elapsed().as_millis() > 1_100).await;
}

/// A log of the same numbers, and another history.
async fn begun_anew(mut database: Database) {
    database.run(TABLES).await;
    let (followed, mut service) = Followed::start(&database).await;
    database.run("INSERT INTO orders (id) VALUES (5)").await;
    followed.holds("all of it", 4).await;
    assert_eq!(service.stop(), Some(0));
    a_second_later().await;
    database
        .run("UPDATE orders SET customer = 'Ē' WHERE id = 1;\nDELETE FROM orders WHERE id = 2;\nRESET MASTER")
        .await;
    // Past the number, and past the place, where the feed left it.
    for at in 100..150 {
        database
            .run(&format!(
                "INSERT INTO orders (id, customer) VALUES ({at}, '{}')",
                "x".repeat(50)
            ))
            .await;
    }
    service = followed.desk.service();
    followed.holds("what was before the new log, too", 53).await;
    // Begun anew twice: it ends in the same place.
    let place = || followed.desk.status()["source"]["position"].clone();
    until("the end is noted", async || {
        !followed.desk.status()["problem"].is_string()
    })
    .await;
    let before = place();
    database.run("RESET MASTER").await;
    until("the new log is seen", async || place() != before).await;
    assert_eq!(service.stop(), Some(0));
    a_second_later().await;
    database
        .run("DELETE FROM orders WHERE id >= 100;\nRESET MASTER")
        .await;
    service = followed.desk.service();
    followed.holds("what was before the newest log", 3).await;
    followed.whole(service).await;
}

/// One that has the same GTIDs and other data.
async fn unrelated(mut first: Database, mut second: Database) {
    first.run(TABLES).await;
    let (followed, mut service) = Followed::start(&first).await;
    followed.holds("all of it", 3).await;
    assert_eq!(service.stop(), Some(0));
    second.run(TABLES).await;
    second.run("DELETE FROM orders").await;
    for at in 10..30 {
        second
            .run(&format!("INSERT INTO orders (id) VALUES ({at})"))
            .await;
    }
    followed.point(&second);
    service = followed.desk.service();
    followed.holds("the other's records", 20).await;
    followed.whole(service).await;
}

/// `second` has what `first` had under the same GTIDs, in other files.
async fn taken_over(followed: Followed, mut service: super::Service, mut second: Database) {
    second
        .run("INSERT INTO orders (id, customer) VALUES (5, 'E'), (6, 'F')")
        .await;
    followed.point(&second);
    service.kill();
    service = followed.desk.service();
    followed.holds("the second's changes too", 5).await;
    until("it is proved by a comparison", async || {
        let log = followed.desk.log();
        let by_gtids = log.find("followed by its GTIDs, and everything is compared");
        by_gtids.is_some_and(|at| log[at..].contains(" compared"))
    })
    .await;
    assert!(!followed.desk.log().contains("the source's log was lost"));
    followed.has_noted_all(&mut second).await;
    let packages = followed
        .provider
        .client
        .get("/intake/cb_orders/packages")
        .await
        .unwrap();
    // The first load, what was committed, what the log of the second told; the comparison found nothing more.
    assert_eq!(packages["packages"].as_array().unwrap().len(), 3, "{packages:#}");
    followed.whole(service).await;
}

const SINCE: &str = "DELETE FROM orders WHERE id = 2;\nUPDATE orders SET customer = 'Ē' WHERE id = 1;\nINSERT INTO `lines` VALUES (3, 2, 'Prece', NULL)";

#[tokio::test]
async fn what_mariadb_does_not_log_is_found() {
    if let Some(database) = Database::start().await {
        unlogged(database).await;
    }
}

#[tokio::test]
async fn what_mysql_does_not_log_is_found() {
    if let Some(database) = Database::start_mysql().await {
        unlogged(database).await;
    }
}

#[tokio::test]
async fn a_log_of_mariadb_that_is_begun_anew_is_not_followed_as_the_same() {
    if let Some(database) = Database::start().await {
        begun_anew(database).await;
    }
}

#[tokio::test]
async fn a_log_of_mysql_that_is_begun_anew_is_not_followed_as_the_same() {
    if let Some(database) = Database::start_mysql().await {
        begun_anew(database).await;
    }
}

#[tokio::test]
async fn an_unrelated_mariadb_is_compared() {
    let (Some(first), Some(second)) = (Database::start().await, Database::start().await) else {
        return;
    };
    unrelated(first, second).await;
}

#[tokio::test]
async fn an_unrelated_mysql_is_compared() {
    let (Some(first), Some(second)) = (Database::start_mysql().await, Database::start_mysql().await) else {
        return;
    };
    unrelated(first, second).await;
}

/// Puts what a server logged into another, under the same GTIDs.
fn replay(from: &Database, to: &Database) {
    let script = format!(
        "set -o pipefail; mariadb-binlog --no-defaults {}/data/log.0* | mariadb --no-defaults --socket={}/socket --user=root",
        from.cluster.dir, to.cluster.dir
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_mariadb_that_takes_over_is_followed_from_where_the_first_was_left() {
    let (Some(mut first), Some(mut second)) = (Database::start().await, Database::start_empty().await) else {
        return;
    };
    first.run(TABLES).await;
    let (followed, mut service) = Followed::start(&first).await;
    first.run("INSERT INTO orders (id) VALUES (4)").await;
    followed.holds("all of it", 4).await;
    assert_eq!(service.stop(), Some(0));
    first.run(SINCE).await;
    second
        .run("SET GLOBAL server_id = 2;\nSET SESSION server_id = 2;\nSET sql_log_bin = 0;\nFLUSH BINARY LOGS;\nFLUSH BINARY LOGS;\nSET sql_log_bin = 1")
        .await;
    replay(&first, &second);
    second.run("USE register").await;
    taken_over(followed, service, second).await;
}

#[tokio::test]
async fn a_mysql_that_takes_over_is_followed_from_where_the_first_was_left() {
    let port = free_port();
    let (Some(mut first), Some(mut second)) = (
        Database::start_empty_mysql(1, Some(port)).await,
        Database::start_empty_mysql(2, None).await,
    ) else {
        return;
    };
    first.run(super::mariadb::REGISTER).await;
    first.run(TABLES).await;
    let (followed, mut service) = Followed::start(&first).await;
    first.run("INSERT INTO orders (id) VALUES (4)").await;
    followed.holds("all of it", 4).await;
    assert_eq!(service.stop(), Some(0));
    second
        .run(&format!(
            "SET sql_log_bin = 0;\nFLUSH BINARY LOGS;\nFLUSH BINARY LOGS;\nSET sql_log_bin = 1;\nCHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'root', MASTER_AUTO_POSITION = 1;\nSTART SLAVE"
        ))
        .await;
    first.run(SINCE).await;
    let its = first.executed().await;
    until("the second has it all", async || second.executed().await == its).await;
    second.run("STOP SLAVE;\nUSE register").await;
    taken_over(followed, service, second).await;
}

impl Database {
    /// GTIDs of all that is committed.
    async fn executed(&mut self) -> String {
        // MySQL 5.6 has no JSON.
        let query = if self.has_json {
            "SELECT @@GLOBAL.gtid_binlog_pos"
        } else {
            "SELECT @@GLOBAL.gtid_executed"
        };
        let set: Option<String> = self.conn.query_first(query).await.unwrap();
        set.unwrap().replace(char::is_whitespace, "")
    }
}
