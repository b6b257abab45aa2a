//! Changes of a SQLite file: triggers write the touched keys to a table of the feed's own.
//!
//! A key stays in the table until the package that holds its record is durable, so it is looked at once or again.

use std::{
    os::unix::fs::MetadataExt,
    time::{Duration, UNIX_EPOCH},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::Touched;
use crate::{
    error::{Error, Result},
    feed::{Engine, Follow, Sql, quoted},
    source::{fault, sql::sqlite::text},
};

/// How long a writer is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// What the feed keeps in the file: name and statement of its table and of every trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    table: String,
    objects: Vec<(String, String)>,
    /// What each trigger reads, as a query: SQLite itself looks only when a trigger runs.
    columns: Vec<String>,
    keys: usize,
    /// What was told up to here is durable at the feed.
    after: i64,
}

/// Noted: the file that is followed.
pub const FILE: &str = "source_file";

/// Which file a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId(u64, u64, u128);

impl FileId {
    pub fn of(path: &str) -> Result<Self> {
        let about = std::fs::metadata(path).map_err(|error| fault(format!("{path}: {error}")))?;
        // A number that became free may be given again at once; not every file system knows when a file was made.
        let made = about
            .created()
            .ok()
            .and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Ok(Self(
            about.dev(),
            about.ino(),
            made.map_or(0, |made| made.as_nanos()),
        ))
    }

    pub fn noted(self) -> String {
        format!("{}:{}:{}", self.0, self.1, self.2)
    }
}

impl Watch {
    /// `key_columns`: columns of the feed's query that hold the key.
    pub fn plan(follow: &Follow, key_columns: &[String]) -> Result<Self> {
        let table = follow.slot.clone();
        let keys: Vec<String> = (1..=key_columns.len()).map(|n| format!("k{n}")).collect();
        let told = name(&table);
        let mut objects = vec![(
            table.clone(),
            format!(
                "CREATE TABLE {told} (n INTEGER PRIMARY KEY AUTOINCREMENT, {})",
                keys.join(", ")
            ),
        )];
        let mut columns = Vec::new();
        for followed in &follow.tables {
            let own: Vec<&str> = key_columns
                .iter()
                .map(|column| followed.column(column))
                .collect::<Result<_>>()?;
            // A name that is no column would be a text without its table.
            let asked: Vec<String> = own.iter().map(|column| format!("t.{}", name(column))).collect();
            columns.push(format!(
                "SELECT {} FROM {} t",
                asked.join(", "),
                name(&followed.table)
            ));
            for (event, rows) in [
                ("INSERT", &["NEW"][..]),
                ("DELETE", &["OLD"]),
                ("UPDATE", &["OLD", "NEW"]),
            ] {
                let rows: Vec<String> = rows.iter().map(|row| values(&own, row)).collect();
                let trigger = format!("{table}_{}_{}", followed.table, event.to_lowercase());
                let statement = format!(
                    "CREATE TRIGGER {} AFTER {event} ON {} BEGIN INSERT INTO {told} ({}) VALUES {}; END",
                    name(&trigger),
                    name(&followed.table),
                    keys.join(", "),
                    rows.join(", ")
                );
                objects.push((trigger, statement));
            }
        }
        Ok(Self {
            table,
            objects,
            columns,
            keys: keys.len(),
            after: 0,
        })
    }

    /// Is everything in the file as it was made? Whoever makes a table anew drops its triggers.
    pub fn stands(&self, db: &Connection) -> Result<bool> {
        let mut find = db
            .prepare_cached("SELECT sql FROM sqlite_schema WHERE name = ?1")
            .map_err(fault)?;
        for (name, statement) in &self.objects {
            let found: Option<String> = find
                .query_row([name], |row| row.get(0))
                .optional()
                .map_err(fault)?;
            if found.as_ref() != Some(statement) {
                return Ok(false);
            }
        }
        Ok(self.triggers(db).map_err(fault)?.len() + 1 == self.objects.len())
    }

    /// Every trigger that writes the feed's table: also those of a feed that followed other tables, or by another key.
    fn triggers(&self, db: &Connection) -> rusqlite::Result<Vec<String>> {
        let text = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND instr(sql, ?1) > 0";
        let mut find = db.prepare_cached(text)?;
        let writes = format!("INSERT INTO {} (", name(&self.table));
        find.query_map([writes], |row| row.get(0))?.collect()
    }

    /// Has every table the columns that its triggers read? SQLite tells otherwise whoever writes.
    pub fn check(&self, db: &Connection) -> Result<()> {
        for columns in &self.columns {
            db.prepare(columns).map_err(|error| {
                Error::Decide(format!(
                    "{error}: name the table's columns in source.follow.tables"
                ))
            })?;
        }
        Ok(())
    }

    /// Makes what is not there; says whether it had to.
    pub fn make(&self, sql: &Sql) -> Result<bool> {
        let mut db = writing(sql)?;
        if self.stands(&db)? {
            return Ok(false);
        }
        self.making(&mut db, sql, true).map(|()| true)
    }

    /// Could it be made? Tried, and taken back.
    pub fn attempt(&self, sql: &Sql) -> Result<()> {
        let mut db = writing(sql)?;
        if self.stands(&db)? {
            return Ok(());
        }
        self.making(&mut db, sql, false)
    }

    /// Makes it; `stays`: or only tries.
    fn making(&self, db: &mut Connection, sql: &Sql, stays: bool) -> Result<()> {
        let done = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                self.make_in(&transaction)?;
                if stays {
                    transaction.commit()
                } else {
                    transaction.rollback()
                }
            });
        done.map_err(|error| {
            let statements: Vec<&str> = self.objects.iter().map(|(_, statement)| statement.as_str()).collect();
            Error::Decide(format!(
                "the triggers that tell of changes cannot be made in {} ({error}): let the feed write it, or make them: {}; or leave [source.follow] out",
                sql.url,
                statements.join("; ")
            ))
        })
    }

    fn make_in(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for trigger in self.triggers(transaction)? {
            transaction.execute_batch(&format!("DROP TRIGGER {}", name(&trigger)))?;
        }
        transaction.execute_batch(&format!("DROP TABLE IF EXISTS {}", name(&self.table)))?;
        for (_, statement) in &self.objects {
            transaction.execute_batch(statement)?;
        }
        Ok(())
    }

    /// The touched keys that the reader's snapshot sees, after the place that was noted. They stay in a file that the feed
    /// may not write.
    pub fn look(&mut self, db: &Connection, place: Option<&str>) -> Result<Touched> {
        let mut touched = Touched::default();
        if !self.stands(db)? {
            touched.everything = true;
            return Ok(touched);
        }
        self.after = place.and_then(|place| place.parse().ok()).unwrap_or(0);
        if self.counted(db)? < self.after {
            // Somebody made the table anew: it counts from 1 again.
            touched.everything = true;
            touched.position = Some("0".to_owned());
            return Ok(touched);
        }
        let query = format!("SELECT * FROM {} WHERE n > ?1 ORDER BY n", name(&self.table));
        let mut statement = db.prepare_cached(&query).map_err(fault)?;
        let mut rows = statement.query([self.after]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let n: i64 = row.get(0).map_err(fault)?;
            touched.position = Some(n.to_string());
            touched.changes += 1;
            let key: Option<Vec<String>> = (1..=self.keys)
                .map(|at| row.get_ref(at).map_err(fault).map(text).transpose())
                .collect::<Option<Result<_>>>()
                .transpose()?;
            // A row without a key belongs to no record.
            if let Some(key) = key {
                touched.add(key);
            }
        }
        Ok(touched)
    }

    /// The last number that the table gave.
    fn counted(&self, db: &Connection) -> Result<i64> {
        let query = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let counted = db.query_row(query, [&self.table], |row| row.get(0)).optional();
        counted.map(Option::unwrap_or_default).map_err(fault)
    }

    /// Of the feed's query the records whose keys were touched.
    pub fn records(&self, base: &str, key_columns: &[String]) -> String {
        let columns: Vec<String> = key_columns.iter().map(|column| name(column)).collect();
        let keys: Vec<String> = (1..=self.keys).map(|n| format!("k{n}")).collect();
        format!(
            "SELECT * FROM ({base}) WHERE ({}) IN (SELECT {} FROM {} WHERE n > {})",
            columns.join(", "),
            keys.join(", "),
            name(&self.table),
            self.after
        )
    }

    /// What lies up to the place is durable at the feed. A file that is busy keeps it until the next time.
    pub fn forget(&self, sql: &Sql, place: &str) -> Result<()> {
        let Ok(n) = place.parse::<i64>() else {
            return Ok(());
        };
        let db = writing(sql)?;
        let statement = format!("DELETE FROM {} WHERE n <= ?1", name(&self.table));
        if let Err(error) = db.execute(&statement, params![n]) {
            tracing::debug!(%error, "touched keys stay in the source for now");
        }
        Ok(())
    }
}

fn writing(sql: &Sql) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let told = |error: rusqlite::Error| fault(format!("{}: {error}", sql.url));
    let db = Connection::open_with_flags(&sql.url, flags).map_err(told)?;
    db.busy_timeout(BUSY).map_err(told)?;
    Ok(db)
}

fn name(name: &str) -> String {
    quoted(Engine::Sqlite, name)
}

/// `(NEW."car_id", …)`: the key's parts as the table holds them.
fn values(columns: &[&str], row: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|column| format!("{row}.{}", name(column)))
        .collect();
    format!("({})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Followed;

    fn keys() -> [String; 1] {
        ["id".to_owned()]
    }

    /// A followed table whose touched keys the feed may read alone, so that they stay.
    fn followed(dir: &std::path::Path) -> (Connection, Watch) {
        let url = dir.join("cars.db").to_string_lossy().into_owned();
        let db = Connection::open(&url).unwrap();
        db.execute_batch("CREATE TABLE car (id INTEGER PRIMARY KEY, plate TEXT)")
            .unwrap();
        let follow = Follow {
            slot: "told".to_owned(),
            tables: vec![Followed {
                table: "car".to_owned(),
                key: std::collections::BTreeMap::new(),
            }],
            every: Duration::from_secs(1),
        };
        let watch = Watch::plan(&follow, &keys()).unwrap();
        let sql = Sql {
            engine: Engine::Sqlite,
            url,
            password: None,
            tls: None,
            query: "SELECT * FROM car".to_owned(),
            table: Some("car".to_owned()),
            lists: Vec::new(),
            follow: Some(follow),
        };
        assert!(watch.make(&sql).unwrap());
        (db, watch)
    }

    fn insert(db: &Connection, id: i64) {
        db.execute("INSERT INTO car (id) VALUES (?1)", [id]).unwrap();
    }

    fn records(db: &Connection, watch: &Watch) -> Vec<i64> {
        let query = watch.records("SELECT * FROM car", &keys());
        let mut statement = db.prepare(&format!("{query} ORDER BY id")).unwrap();
        let found = statement.query_map([], |row| row.get(0)).unwrap();
        found.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn keys_that_stay_in_the_file_are_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let (db, mut watch) = followed(dir.path());
        insert(&db, 7);
        insert(&db, 8);
        let first = watch.look(&db, None).unwrap();
        assert_eq!((first.keys.len(), first.changes), (2, 2));
        assert_eq!(records(&db, &watch), [7, 8]);

        let place = first.position.unwrap();
        let none = watch.look(&db, Some(&place)).unwrap();
        assert_eq!((none.keys.len(), none.changes, none.position), (0, 0, None));
        assert!(!none.everything && records(&db, &watch).is_empty());

        insert(&db, 9);
        let second = watch.look(&db, Some(&place)).unwrap();
        assert_eq!(second.keys.into_iter().collect::<Vec<_>>(), [["9"]]);
        assert_eq!((second.changes, second.position.as_deref()), (1, Some("3")));
        assert_eq!(records(&db, &watch), [9]);
        // A place that was lost is the beginning: at once or again, never left out.
        assert_eq!(watch.look(&db, Some("?")).unwrap().keys.len(), 3);
    }
}
