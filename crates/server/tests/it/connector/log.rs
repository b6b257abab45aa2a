//! What PostgreSQL's log does not tell, tells otherwise, or may not be trusted for: found all the same, or refused with the
//! way out. Comparisons on schedule are a day away here.

use serde_json::json;

use super::{Desk, Service, postgres::Database, state, until};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: cp_words\nkey: id\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - id int : numurs\n  - word : vārds\n";

/// A feed of one table, followed.
struct Site {
    server: Server,
    provider: Party,
    database: Database,
    desk: Desk,
}

impl Site {
    async fn start(tables: &str, definition: &str, source: &str) -> Option<Self> {
        let database = Database::start().await?;
        database.run(tables).await;
        let server = Server::start();
        let provider = server.producer().await;
        server.publish(&provider, "cp_words", definition).await;
        let rest = format!(
            "dataset = 'cp_words'\n[source]\nkind = 'postgres'\nurl = '{}'\n{source}\n[source.follow]\nevery = '20ms'\n",
            database.url
        );
        let desk = Desk::feed(&server, &provider, &rest);
        Some(Self {
            server,
            provider,
            database,
            desk,
        })
    }

    async fn words(tables: &str) -> Option<Self> {
        Self::start(tables, DEFINITION, "table = 'public.words'").await
    }

    /// The server comes to hold so many records.
    async fn records(&self, what: &str, records: u64) {
        until(what, async || {
            state(&self.provider, "cp_words").await["records"] == records
        })
        .await;
    }

    async fn digest(&self) -> String {
        state(&self.provider, "cp_words").await["digest"].to_string()
    }

    /// Runs statements; the set becomes another.
    async fn changes(&self, statements: &str) {
        let before = self.digest().await;
        self.database.run(statements).await;
        until(statements, async || self.digest().await != before).await;
    }

    async fn end(&self, service: Service) {
        self.desk.until_whole(service, &self.provider, "cp_words").await;
    }

    /// What the feed remembers by this name.
    fn noted(&self, name: &str) -> String {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = rusqlite::Connection::open_with_flags(self.desk.path("cp_words.state/feed.db"), flags);
        let query = "SELECT value FROM meta WHERE name = ?1";
        db.and_then(|db| db.query_row(query, [name], |row| row.get(0)))
            .unwrap_or_default()
    }

    fn said(&self, words: &str) -> usize {
        self.desk.log().matches(words).count()
    }
}

const ALTERED: &str = "tables were altered";

#[tokio::test]
async fn keys_that_the_primary_key_does_not_hold_are_asked_for_before_anything_is_published() {
    let tables = "CREATE TABLE words (word text PRIMARY KEY, id bigint NOT NULL); INSERT INTO words VALUES ('a', 11), ('b', 12), ('c', 13)";
    let Some(site) = Site::words(tables).await else {
        return;
    };
    let service = site.desk.service();
    site.desk.until_problem("REPLICA IDENTITY FULL").await;
    site.records("it is compared all the same", 3).await;
    let refused_again = async || {
        let said = site.said("REPLICA IDENTITY FULL");
        // The second from here on has begun after it.
        until("it is refused again", async || {
            site.said("REPLICA IDENTITY FULL") > said + 1
        })
        .await;
    };
    // A table that is published without an identity would refuse this.
    site.database
        .run("ALTER TABLE words DROP CONSTRAINT words_pkey; DELETE FROM words WHERE id = 12; INSERT INTO words VALUES ('d', 14)")
        .await;
    refused_again().await;
    site.database
        .run("ALTER TABLE words ADD PRIMARY KEY (id) DEFERRABLE; DELETE FROM words WHERE id = 13")
        .await;
    refused_again().await;
    site.database.run("ALTER TABLE words REPLICA IDENTITY FULL").await;
    site.records("what is left", 2).await;
    site.database.run("DELETE FROM words WHERE id = 11").await;
    site.records("a delete that is told", 1).await;
    // Changed while it is followed.
    site.changes("ALTER TABLE words REPLICA IDENTITY NOTHING; INSERT INTO words VALUES ('e', 15); ALTER TABLE words REPLICA IDENTITY FULL")
        .await;
    site.end(service).await;
}

#[tokio::test]
async fn partitions_children_and_the_search_path_are_followed() {
    let tables =
        "CREATE SCHEMA register; ALTER ROLE dagr SET search_path = register; SET search_path = register;
        CREATE TABLE words (id bigint, word text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE words_1 PARTITION OF words FOR VALUES FROM (1) TO (100);
        INSERT INTO words VALUES (1, 'a'), (2, 'b')";
    let Some(site) = Site::start(tables, DEFINITION, "table = 'words'").await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 2).await;
    site.database.run("SET search_path = register").await;
    site.changes("UPDATE words SET word = 'x' WHERE id = 1").await;
    site.database
        .run("DELETE FROM words WHERE id = 2; CREATE TABLE words_2 PARTITION OF words FOR VALUES FROM (100) TO (200); INSERT INTO words VALUES (100, 'y')")
        .await;
    site.changes("UPDATE words SET id = 101 WHERE id = 1").await;
    site.changes("CREATE TABLE words_3 (id bigint PRIMARY KEY, word text); INSERT INTO words_3 VALUES (201, 'z'); ALTER TABLE words ATTACH PARTITION words_3 FOR VALUES FROM (200) TO (300)")
        .await;
    site.changes("UPDATE words SET word = 'ž' WHERE id = 201").await;
    site.records("100, 101 and 201", 3).await;
    site.changes("ALTER TABLE words DETACH PARTITION words_2").await;
    site.records("201", 1).await;
    assert_eq!(site.said("the feed stands still"), 0, "{}", site.desk.log());
    site.end(service).await;
}

#[tokio::test]
async fn children_of_a_table_are_its_rows() {
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text); CREATE TABLE more (PRIMARY KEY (id)) INHERITS (words);
        INSERT INTO words VALUES (1, 'a'); INSERT INTO more VALUES (2, 'b')";
    let Some(site) = Site::words(tables).await else {
        return;
    };
    let mut service = site.desk.service();
    site.records("the first load", 2).await;
    site.changes("UPDATE more SET word = 'c'").await;
    site.changes(
        "CREATE TABLE others (PRIMARY KEY (id)) INHERITS (words); INSERT INTO others VALUES (3, 'd')",
    )
    .await;
    site.changes("UPDATE others SET word = 'e'").await;
    service.kill();
    service = site.desk.service();
    site.changes("DELETE FROM others").await;
    assert_eq!(site.said("the feed stands still"), 0, "{}", site.desk.log());
    site.end(service).await;
}

#[tokio::test]
async fn what_is_done_to_a_whole_table_is_compared_and_a_new_column_is_not() {
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words SELECT n, 'v' || n FROM generate_series(1, 20) n";
    let Some(site) = Site::words(tables).await else {
        return;
    };
    let mut service = site.desk.service();
    site.records("the first load", 20).await;
    site.changes("UPDATE words SET word = 'w' WHERE id = 1").await;
    site.database.run("ALTER TABLE words ADD COLUMN more text").await;
    until("the new column is noted", async || {
        site.noted("source_shape").contains(" more")
    })
    .await;
    site.changes("UPDATE words SET word = 'x' WHERE id = 1").await;
    assert_eq!(site.said(ALTERED), 0, "{}", site.desk.log());
    for statement in [
        "ALTER TABLE words ALTER COLUMN word TYPE varchar USING upper(word)",
        "BEGIN; CREATE TABLE other (id bigint PRIMARY KEY, word text); INSERT INTO other VALUES (1, 'new'); DROP TABLE words; ALTER TABLE other RENAME TO words; COMMIT",
        "INSERT INTO words VALUES (2, 'after')",
        "BEGIN; ALTER TABLE words RENAME TO old; CREATE TABLE words (LIKE old INCLUDING ALL); INSERT INTO words VALUES (7, 'swapped'); COMMIT",
        "DELETE FROM words",
    ] {
        site.changes(statement).await;
    }
    // While nobody looks.
    service.kill();
    site.database.run("DROP TABLE words; CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words VALUES (8, 'x')").await;
    service = site.desk.service();
    site.records("what was made meanwhile", 1).await;
    site.changes("UPDATE words SET word = 'y'").await;
    site.end(service).await;
}

#[tokio::test]
async fn a_slot_or_a_publication_that_somebody_else_touched_loses_nothing() {
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words VALUES (0, 'a')";
    let Some(site) = Site::words(tables).await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 1).await;
    let (slot, publication) = ("dagr_cp_words", "dagr_cp_words");
    let mut records = 1;
    for what in [
        format!("SELECT pg_drop_replication_slot('{slot}')"),
        format!(
            "BEGIN; INSERT INTO words VALUES (100, 'b'); COMMIT; SELECT pg_drop_replication_slot('{slot}'); SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
        ),
        format!(
            "BEGIN; INSERT INTO words VALUES (101, 'c'); COMMIT; SELECT pg_replication_slot_advance('{slot}', pg_current_wal_flush_lsn())"
        ),
        format!("DROP PUBLICATION {publication}"),
        format!(
            "BEGIN; DROP PUBLICATION {publication}; COMMIT; BEGIN; INSERT INTO words VALUES (102, 'd'); COMMIT; CREATE PUBLICATION {publication} FOR TABLE words"
        ),
    ] {
        // Between two looks, or not: whichever it is.
        for statement in what.split("; ").map(str::to_owned).collect::<Vec<_>>() {
            if let Err(error) = site.database.client.batch_execute(&statement).await {
                // The feed looks at this moment, or has made it anew.
                assert!(error.as_db_error().is_some(), "{error}");
            }
        }
        if what.contains("INSERT") {
            records += 1;
        }
        records += 1;
        site.database
            .run(&format!("INSERT INTO words VALUES ({records}, 'x')"))
            .await;
        site.records(&what, records).await;
    }
    for (wrong, right) in [
        (
            format!("ALTER PUBLICATION {publication} SET (publish = 'insert')"),
            format!("ALTER PUBLICATION {publication} SET (publish = 'insert, update, delete, truncate')"),
        ),
        (
            format!("ALTER PUBLICATION {publication} SET TABLE words WHERE (id < 5)"),
            format!("ALTER PUBLICATION {publication} SET TABLE words"),
        ),
        (
            format!(
                "CREATE TABLE elsewhere (id int PRIMARY KEY); ALTER PUBLICATION {publication} SET TABLE elsewhere"
            ),
            "SELECT 1".to_owned(),
        ),
    ] {
        site.database.run(&wrong).await;
        let said = site.said(" of publication") + site.said("the publication");
        site.database.run("UPDATE words SET id = id").await;
        if right.contains("ALTER") {
            until(&wrong, async || {
                site.said("the publication") + site.said(" of publication") > said
            })
            .await;
        }
        site.database
            .run("DELETE FROM words WHERE id = (SELECT max(id) FROM words)")
            .await;
        site.database.run(&right).await;
        records -= 1;
        site.records(&right, records).await;
    }
    site.end(service).await;
}

#[tokio::test]
async fn a_key_is_the_same_however_the_log_writes_it() {
    let definition = "name: cp_words\nkey: code, address, photo\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - code : kods\n  - address : adrese\n  - photo : attēls\n  - word : vārds\n  - Lines * :\n      comments: rindas\n      fields:\n        - item : prece\n";
    let tables = "CREATE TABLE words (code char(6), address inet, photo bytea, word text, PRIMARY KEY (code, address, photo));
        CREATE TABLE lines (id int PRIMARY KEY, code text, address text, photo text, item text); ALTER TABLE lines REPLICA IDENTITY FULL;
        INSERT INTO words SELECT 'Ā' || n, '10.0.0.1', '\\xff00', 'v' FROM generate_series(1, 9) n";
    let source = "table = 'public.words'\n[[source.lists]]\nfield = 'Lines'\nquery = \"SELECT code, address::inet AS address, decode(photo, 'base64') AS photo, item FROM lines WHERE photo LIKE '%=%'\"\nmatch = { code = 'code', address = 'address', photo = 'photo' }\norder = ['item']\n";
    let follow = "tables = [{ table = 'public.words', key = { code = 'code', address = 'address', photo = 'photo' } }, { table = 'public.lines', key = { code = 'code', address = 'address', photo = 'photo' } }]\n";
    let Some(site) = Site::start(tables, definition, source).await else {
        return;
    };
    let text = std::fs::read_to_string(&site.desk.file).unwrap();
    std::fs::write(
        &site.desk.file,
        text.replace("every = '20ms'\n", &format!("every = '20ms'\n{follow}")),
    )
    .unwrap();
    let service = site.desk.service();
    site.records("the first load", 9).await;
    site.changes("DELETE FROM words WHERE code = 'Ā1'").await;
    site.changes("UPDATE words SET code = 'B2' WHERE code = 'Ā2'")
        .await;
    site.changes("UPDATE words SET address = '10.0.0.2/32', word = 'w' WHERE code = 'B2'")
        .await;
    site.changes("UPDATE words SET photo = '\\x00' WHERE code = 'Ā3'")
        .await;
    site.records("each delete was told", 8).await;
    // No address, no base64: the list's row is of no record, and of which is not known.
    site.database
        .run("INSERT INTO lines VALUES (1, 'B2', 'nowhere', 'x', 'Slepens')")
        .await;
    site.changes("UPDATE words SET word = 'y' WHERE code = 'Ā4'")
        .await;
    assert!(!site.desk.log().contains("nowhere"), "{}", site.desk.log());
    site.end(service).await;
}

#[tokio::test]
async fn a_transaction_larger_than_memory_is_followed_in_little() {
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text, long text); ALTER TABLE words REPLICA IDENTITY FULL; ALTER TABLE words ALTER long SET STORAGE PLAIN;
        INSERT INTO words SELECT n, 'v', repeat('x', 4000) FROM generate_series(1, 50000) n";
    let source = "table = 'public.words'";
    let definition = DEFINITION.to_owned() + "  - long : garš\n";
    let Some(site) = Site::start(tables, &definition, source).await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 50_000).await;
    // Old and new rows: 800 MB of log, of one record.
    site.changes("BEGIN; UPDATE words SET word = 'w'; UPDATE words SET word = 'v'; UPDATE words SET word = 'x' WHERE id = 7; COMMIT")
        .await;
    site.changes("INSERT INTO words VALUES (0, 'last')").await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let kib: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 256 << 10, "{peak}");
    site.end(service).await;
}

#[tokio::test]
async fn a_slot_that_waits_for_an_open_transaction_says_so() {
    let Some(site) = Site::words(
        "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words VALUES (1, 'a')",
    )
    .await
    else {
        return;
    };
    site.database
        .run("CREATE TABLE other (id int); BEGIN; INSERT INTO other VALUES (1)")
        .await;
    let service = site.desk.service();
    site.desk.until_problem("idle in transaction").await;
    site.records("it is compared meanwhile", 1).await;
    site.database.run("COMMIT").await;
    site.changes("INSERT INTO words VALUES (2, 'b')").await;
    site.end(service).await;
}

#[tokio::test]
async fn records_that_the_server_declines_do_not_hold_up_the_feed() {
    let definition = DEFINITION.replace("word : vārds", "word code(CP_WORDS) : vārds");
    let tables =
        "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words VALUES (1, 'a'), (2, 'a')";
    let Some(site) = Site::start(tables, &definition, "table = 'public.words'").await else {
        return;
    };
    let list = |codes: &str| {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let about = json!({ "id": "CP_WORDS", "title": "Vārdi", "keeper": site.provider.institution });
        let (about, codes) = (put("c.json", &about.to_string()), put("1.csv", codes));
        for words in [
            &["classifier", "put", &about][..],
            &["classifier", "publish", "CP_WORDS", &codes, "--reason", "x"],
        ] {
            let output = site.server.run(words);
            assert!(
                output.status.success(),
                "{words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    };
    list("code;name\na;A\nb;B\n");
    let service = site.desk.service();
    site.records("the first load", 2).await;
    site.database
        .run("UPDATE words SET word = 'new' WHERE id = 1")
        .await;
    until("it is declined", async || site.desk.status()["declined"] == 1).await;
    site.changes("INSERT INTO words VALUES (3, 'b')").await;
    let packages = |status: serde_json::Value| status["last_package"]["id"].clone();
    let last = packages(site.desk.status());
    site.changes("UPDATE words SET word = 'b' WHERE id = 2").await;
    assert_ne!(packages(site.desk.status()), last);
    assert_eq!(site.said("everything is compared"), 0, "{}", site.desk.log());
    // The list gets the code: what was declined goes when somebody says so.
    list("code;name\na;A\nb;B\nnew;Jauns\n");
    let mut service = service;
    assert_eq!(service.stop(), Some(0));
    site.desk.done("resync", &["--yes"]);
    let service = site.desk.service();
    until("it is taken", async || site.desk.status()["declined"] == 0).await;
    site.end(service).await;
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(done["reconciled"]["differing"], 0);
}

#[tokio::test]
async fn keys_of_moments_and_truth_values_are_texts_too() {
    let definition = "name: cp_words\nkey: at, ok\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - at : laiks\n  - ok : ir\n  - word : vārds\n";
    let tables = "CREATE TABLE words (at timestamptz, ok boolean, word text, PRIMARY KEY (at, ok));
        INSERT INTO words VALUES ('2026-01-01 10:00:00+02', true, 'a'), ('2026-01-01 10:00:00+02', false, 'b'), ('infinity', true, 'c')";
    let Some(site) = Site::start(tables, definition, "table = 'public.words'").await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 3).await;
    site.changes("UPDATE words SET word = 'x' WHERE ok").await;
    site.database.run("DELETE FROM words WHERE ok").await;
    site.records("each delete was told", 1).await;
    site.end(service).await;
}

#[tokio::test]
async fn what_is_done_to_a_table_while_a_package_is_held_is_found() {
    let definition = DEFINITION.replace("guard: 100%", "guard: 10%");
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words SELECT n, 'v' FROM generate_series(1, 20) n";
    let Some(site) = Site::start(tables, &definition, "table = 'public.words'").await else {
        return;
    };
    let mut service = site.desk.service();
    site.records("the first load", 20).await;
    assert_eq!(service.stop(), Some(0));
    // The feed begins anew, and what it compares is held.
    site.database
        .run("SELECT pg_drop_replication_slot('dagr_cp_words')")
        .await;
    site.database.run("DELETE FROM words WHERE id > 5").await;
    let mut service = site.desk.service();
    until("it is held", async || site.desk.status()["state"] == "held").await;
    assert_eq!(service.stop(), Some(0));
    site.database
        .run("ALTER TABLE words ALTER word TYPE varchar USING upper(word)")
        .await;
    site.desk.done("release", &[]);
    site.records("what was left", 5).await;
    let last = site.digest().await;
    let service = site.desk.service();
    until("the column that is another", async || site.digest().await != last).await;
    site.end(service).await;
}

#[tokio::test]
async fn a_table_that_no_longer_tells_its_keys_and_a_slot_of_another_database_are_told() {
    let definition = DEFINITION.to_owned()
        + "  - Lines * :\n      comments: rindas\n      fields:\n        - item : prece\n";
    let tables = "CREATE TABLE words (id bigint PRIMARY KEY, word text); CREATE TABLE lines (n int PRIMARY KEY, word_id bigint, item text);
        ALTER TABLE lines REPLICA IDENTITY FULL; INSERT INTO words VALUES (1, 'a'), (2, 'b'); INSERT INTO lines VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z')";
    let source = "table = 'public.words'\n[[source.lists]]\nfield = 'Lines'\ntable = 'public.lines'\nmatch = { word_id = 'id' }\norder = ['n']\n";
    let Some(site) = Site::start(tables, &definition, source).await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 2).await;
    site.changes("DELETE FROM lines WHERE n = 1").await;
    site.database
        .run("ALTER TABLE lines REPLICA IDENTITY DEFAULT; DELETE FROM lines WHERE n = 2")
        .await;
    site.desk.until_problem("REPLICA IDENTITY FULL").await;
    site.changes("DELETE FROM lines WHERE n = 3; ALTER TABLE lines REPLICA IDENTITY FULL")
        .await;
    site.end(service).await;
    // The same feed beside another database of the same server.
    site.database.run("CREATE DATABASE trial").await;
    let url = site.database.url.replace("/postgres?", "/trial?");
    let (trial, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    trial.batch_execute(tables).await.unwrap();
    let text = std::fs::read_to_string(&site.desk.file).unwrap();
    let other = Desk::feed(&site.server, &site.provider, "");
    std::fs::write(&other.file, text.replace("/postgres?", "/trial?")).unwrap();
    let mut second = other.service();
    other.until_problem("source.follow.slot another name").await;
    assert_eq!(second.stop(), Some(0));
    let slots = "SELECT string_agg(slot_name || ' ' || database, ',') FROM pg_replication_slots";
    let slots: String = site.database.client.query_one(slots, &[]).await.unwrap().get(0);
    assert_eq!(slots, "dagr_cp_words postgres");
}

/// Rows are read through the definition: a key that is written otherwise than a record has it is the record's all the same.
#[tokio::test]
async fn a_key_that_is_written_otherwise_than_in_the_record_is_followed() {
    let tables = "CREATE TABLE words (id varchar(12) PRIMARY KEY, word text); INSERT INTO words VALUES ('000001', 'a'), (' 2 ', 'b'), ('3', 'c'), ('x', 'd')";
    let Some(site) = Site::words(tables).await else {
        return;
    };
    let service = site.desk.service();
    site.records("the first load", 3).await;
    site.database.run("DELETE FROM words WHERE id = '000001'").await;
    site.records("the delete", 2).await;
    site.changes("UPDATE words SET word = 'e' WHERE id = ' 2 '").await;
    site.database
        .run("UPDATE words SET id = '0004' WHERE id = ' 2 '")
        .await;
    site.database.run("INSERT INTO words VALUES ('05', 'f')").await;
    site.records("another key, and one more", 3).await;
    site.database
        .run("DELETE FROM words WHERE id IN ('x', '0004', '05')")
        .await;
    site.records("the deletes", 1).await;
    site.end(service).await;
}

/// The rows that were sent by the rules of before are sent by those of now, though none of them changes.
#[tokio::test]
async fn a_feed_with_another_map_compares_what_it_follows() {
    let Some(site) = Site::words(
        "CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words VALUES (1, 'a'), (2, 'b')",
    )
    .await
    else {
        return;
    };
    let mut service = site.desk.service();
    site.records("the first load", 2).await;
    assert_eq!(service.stop(), Some(0));
    let before = site.digest().await;
    let text = std::fs::read_to_string(&site.desk.file).unwrap();
    let mapped = format!("{text}[map]\nword = {{ cel = \"word + '!'\" }}\n");
    std::fs::write(&site.desk.file, mapped).unwrap();
    let service = site.desk.service();
    until("what was sent before", async || site.digest().await != before).await;
    site.end(service).await;
}
