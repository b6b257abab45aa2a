use dagr_model::definition::Definition;
use serde_json::{Value as Json, json};

use super::*;
use crate::replica::{TargetSpec, rows::of_record, target::Target};

struct Copy {
    dir: tempfile::TempDir,
    target: Target,
    table: Table,
}

async fn copy(records: u8) -> Copy {
    let text = "name: x_people\nkey: Code\ndata_description: d\nfields:\n  - Code : c\n  - Name : n\n  - Pets * :\n      comments: p\n      fields:\n        - Name : n\n        - Toys * : t\n";
    let table = Table::of(&text.parse::<Definition>().unwrap(), "");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy.db");
    let target = Target::open(&TargetSpec::Sqlite { path }).await.unwrap();
    target.make(&table).await.unwrap();
    let mut rows = vec![Vec::new(); table.all().len()];
    for n in 0..records {
        let record: Json = json!({"Code": n, "Name": "Anna", "Pets": [{"Name": "Rekss", "Toys": ["bumba", "kauls"]}, {"Name": "Muris"}]});
        of_record(&table, &[n], &record, &mut |at, row| rows[at].push(row));
    }
    target.insert(&table, &rows).await.unwrap();
    Copy { dir, target, table }
}

impl Copy {
    fn db(&self) -> Connection {
        Connection::open(self.dir.path().join("copy.db")).unwrap()
    }

    async fn read(&self, stretch: Range) -> Vec<(Vec<u8>, Vec<Vec<Row>>)> {
        let mut read = Vec::new();
        let mut one = |key, rows: &[Vec<Row>]| {
            read.push((key, rows.to_vec()));
            Ok(())
        };
        self.target.each(&self.table, &stretch, &mut one).await.unwrap();
        read
    }
}

#[tokio::test]
async fn a_stretch_is_searched_and_not_scanned() {
    let copy = copy(3).await;
    for table in copy.table.all() {
        for has_end in [false, true] {
            let text = format!("EXPLAIN QUERY PLAN {}", select(table, has_end));
            let db = copy.db();
            let mut statement = db.prepare(&text).unwrap();
            let plan = statement
                .query_map(params![b"a", b"b", 10], |row| row.get::<_, String>(3))
                .unwrap();
            let plan: Vec<String> = plan.map(rusqlite::Result::unwrap).collect();
            assert!(
                plan.len() == 1 && plan[0].starts_with("SEARCH") && plan[0].contains("_key>?"),
                "{plan:?}"
            );
        }
    }
}

#[tokio::test]
async fn pages_join_and_ends_are_kept() {
    let copy = copy(200).await;
    let all = copy.read(Range::default()).await;
    let keys: Vec<u8> = all.iter().map(|(key, _)| key[0]).collect();
    assert_eq!(keys, (0..200).collect::<Vec<u8>>());
    assert!(
        all.iter()
            .all(|(_, rows)| rows[1].len() == 2 && rows[2].len() == 2)
    );
    let some = copy
        .read(Range {
            from: Some(vec![7]),
            to: Some(vec![9]),
        })
        .await;
    assert_eq!(some, all[7..9]);
}

#[tokio::test]
async fn what_belongs_to_no_record_is_swept() {
    let copy = copy(3).await;
    assert_eq!(copy.target.sweep(&copy.table).await.unwrap(), 0);
    let before = copy.read(Range::default()).await;
    copy.db()
        .execute_batch(
            "INSERT INTO x_people_pets (_key, _n, Name) VALUES (x'77', 1, 'Runcis');
             INSERT INTO x_people_pets_toys (_key, _n, _n2, value) VALUES (x'7777', 1, 1, 'pele'), (x'7777', 1, 2, 'putns');
             INSERT INTO x_people (_key, Code) VALUES ('a text', 'x');",
        )
        .unwrap();
    assert_eq!(copy.read(Range::default()).await, before, "they are of no record");
    assert_eq!(copy.target.sweep(&copy.table).await.unwrap(), 4);
    assert_eq!(copy.target.sweep(&copy.table).await.unwrap(), 0);
    assert_eq!(copy.read(Range::default()).await, before);
}

#[tokio::test]
async fn what_no_replica_writes_makes_a_row_unreadable() {
    let copy = copy(3).await;
    copy.db()
        .execute_batch(
            "UPDATE x_people SET Name = x'00' WHERE _key = x'00';
             UPDATE x_people SET Name = CAST(x'ff' AS TEXT) WHERE _key = x'01';
             UPDATE x_people_pets SET _n = 'two' WHERE _key = x'02' AND _n = 2",
        )
        .unwrap();
    let read = copy.read(Range::default()).await;
    assert!(read[0].1[0][0].cells.is_empty());
    assert!(read[1].1[0][0].cells.is_empty());
    assert_eq!(read[2].1[1][1].positions, [0]);
}

#[tokio::test]
async fn while_another_writes_rows_cannot_be_swept_or_read_yet() {
    let copy = copy(3).await;
    copy.target.run("PRAGMA busy_timeout = 0").await.unwrap();
    let other = copy.db();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(copy.target.sweep(&copy.table).await.unwrap_err().is_passing());
    drop(other);
    // Alone with the file: nobody else reads it.
    copy.target.run("PRAGMA journal_mode = DELETE").await.unwrap();
    let other = copy.db();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let read = copy
        .target
        .each(&copy.table, &Range::default(), &mut |_, _| Ok(()))
        .await;
    assert!(read.unwrap_err().is_passing());
}
