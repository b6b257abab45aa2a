//! Where the copy lies. Each page of the feed is one transaction, with its cursor in it.

mod postgres;
mod sqlite;

use super::{
    TargetSpec,
    plan::{Column, Kind, NOTES, Table},
    rows::Row,
};
use crate::{error::Result, range::Range};

const PROBLEM: &str = "problem";
const MAKE_NOTES: &str = "CREATE TABLE IF NOT EXISTS dagr_replica (replica TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (replica, name))";

/// Records read at once: as many as have about so many bytes.
const FIRST_PAGE: usize = 64;
const PAGE: usize = 1_000;
const PAGE_BYTES: usize = 8 << 20;

pub enum Target {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// One record with its rows, by table.
type Stored = (Vec<u8>, Vec<Vec<Row>>);

impl Target {
    pub async fn open(spec: &TargetSpec) -> Result<Self> {
        let target = match spec {
            TargetSpec::Sqlite { path } | TargetSpec::Files { state: path, .. } => {
                Self::Sqlite(sqlite::Sqlite::open(path)?)
            }
            TargetSpec::Postgres {
                url,
                password,
                tls,
                schema,
            } => {
                Self::Postgres(postgres::Postgres::open(url, password.as_ref(), tls.as_ref(), schema).await?)
            }
        };
        // Where it stands already, nobody needs the right to make it.
        if !target.exists(NOTES).await? {
            target.run(MAKE_NOTES).await?;
        }
        Ok(target)
    }

    /// Of all processes only one keeps a copy: until this one ends, or its connection.
    pub async fn lock(&mut self, replica: &str) -> Result<()> {
        match self {
            Self::Sqlite(target) => target.lock(replica),
            Self::Postgres(target) => target.lock(replica).await,
        }
    }

    /// A connection that broke does not come back.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(target) => target.is_closed(),
        }
    }

    /// Is something of that name there?
    pub async fn exists(&self, name: &str) -> Result<bool> {
        match self {
            Self::Sqlite(target) => target.exists(name),
            Self::Postgres(target) => target.exists(name).await,
        }
    }

    pub async fn run(&self, text: &str) -> Result<()> {
        match self {
            Self::Sqlite(target) => target.run(text),
            Self::Postgres(target) => target.run(text).await,
        }
    }

    pub async fn begin(&self) -> Result<()> {
        match self {
            // One that only reads at first could not write when another has.
            Self::Sqlite(target) => target.run("BEGIN IMMEDIATE"),
            Self::Postgres(target) => target.run("BEGIN").await,
        }
    }

    /// Commits what was done, or takes it back.
    pub async fn end(&self, done: Result<()>) -> Result<()> {
        let done = match done {
            Ok(()) => self.run("COMMIT").await,
            failed => failed,
        };
        if done.is_err() {
            let _ = self.run("ROLLBACK").await;
        }
        done
    }

    pub async fn note(&self, replica: &str, name: &str) -> Result<Option<String>> {
        match self {
            Self::Sqlite(target) => target.note(replica, name),
            Self::Postgres(target) => target.note(replica, name).await,
        }
    }

    pub async fn set_note(&self, replica: &str, name: &str, value: &str) -> Result<()> {
        match self {
            Self::Sqlite(target) => target.set_note(replica, name, value),
            Self::Postgres(target) => target.set_note(replica, name, value).await,
        }
    }

    /// Notes what keeps a replica from going on; nothing does = "".
    pub async fn say(&self, replica: &str, problem: &str) -> Result<()> {
        match self {
            Self::Sqlite(target) => target.say(problem),
            Self::Postgres(target) => target.set_note(replica, PROBLEM, problem).await,
        }
    }

    pub async fn problem(&self, replica: &str) -> Result<Option<String>> {
        match self {
            Self::Sqlite(target) => Ok(target.problem(replica)),
            Self::Postgres(target) => {
                let problem = target.note(replica, PROBLEM).await?;
                Ok(problem.filter(|text| !text.is_empty()))
            }
        }
    }

    /// Sets the cursor. `false`: it is not `from` any more.
    pub async fn advance(&self, replica: &str, from: &str, to: &str) -> Result<bool> {
        match self {
            Self::Sqlite(target) => target.advance(replica, from, to),
            Self::Postgres(target) => target.advance(replica, from, to).await,
        }
    }

    /// A note of every other replica, with the replica's name.
    pub async fn others(&self, replica: &str, name: &str) -> Result<Vec<(String, String)>> {
        match self {
            Self::Sqlite(target) => target.others(replica, name),
            Self::Postgres(target) => target.others(replica, name).await,
        }
    }

    /// Makes the tables of a record, empty.
    pub async fn make(&self, table: &Table) -> Result<()> {
        for table in table.all() {
            self.run(&self.create(table)).await?;
        }
        Ok(())
    }

    pub async fn remove(&self, table: &Table) -> Result<()> {
        for table in table.all() {
            self.run(&format!("DROP TABLE IF EXISTS {}", quoted(&table.name)))
                .await?;
        }
        Ok(())
    }

    pub async fn rename(&self, from: &Table, to: &Table) -> Result<()> {
        for (from, to) in from.all().into_iter().zip(to.all()) {
            self.run(&format!(
                "ALTER TABLE {} RENAME TO {}",
                quoted(&from.name),
                quoted(&to.name)
            ))
            .await?;
        }
        Ok(())
    }

    /// Makes one plan's tables of another's: what is the same in both stays, with all that hangs on it.
    pub async fn reshape(&self, old: &Table, new: &Table) -> Result<()> {
        let like = |table: &Table, other: &Table| table.name == other.name && table.depth == other.depth;
        let mut kept = Vec::new();
        for before in old.all() {
            match new.all().into_iter().find(|after| like(before, after)) {
                None => self.remove(&before.alone()).await?,
                // Somebody may have dropped it.
                Some(after) if self.exists(&before.name).await? => {
                    self.reshape_columns(before, after).await?;
                    kept.push(after);
                }
                Some(_) => {}
            }
        }
        for after in new.all() {
            if !kept.contains(&after) {
                self.make(&after.alone()).await?;
            }
        }
        Ok(())
    }

    async fn reshape_columns(&self, before: &Table, after: &Table) -> Result<()> {
        let table = quoted(&after.name);
        let only = |of: &Table, other: &Table| -> Vec<Column> {
            let missing = |column: &&Column| !other.columns.contains(column);
            of.columns.iter().filter(missing).cloned().collect()
        };
        for column in only(before, after) {
            let name = quoted(&column.name);
            self.run(&format!("ALTER TABLE {table} DROP COLUMN {name}"))
                .await?;
        }
        for column in only(after, before) {
            let (name, kind) = (quoted(&column.name), self.type_of(column.kind));
            self.run(&format!("ALTER TABLE {table} ADD COLUMN {name} {kind}"))
                .await?;
        }
        Ok(())
    }

    /// The rows of tables of one shape take the place of those of others.
    pub async fn refill(&self, to: &Table, from: &Table) -> Result<()> {
        for (to, from) in to.all().into_iter().zip(from.all()) {
            let (name, columns) = (quoted(&to.name), names(to).join(", "));
            self.run(&format!("DELETE FROM {name}")).await?;
            self.run(&format!(
                "INSERT INTO {name} ({columns}) SELECT {} FROM {}",
                names(from).join(", "),
                quoted(&from.name)
            ))
            .await?;
        }
        self.remove(from).await
    }

    /// Removes the rows of these keys from every table.
    pub async fn delete(&self, table: &Table, keys: &[Vec<u8>]) -> Result<()> {
        for table in table.all() {
            match self {
                Self::Sqlite(target) => target.delete(table, keys)?,
                Self::Postgres(target) => target.delete(table, keys).await?,
            }
        }
        Ok(())
    }

    /// Rows by table, in the order of [`Table::all`].
    pub async fn insert(&self, table: &Table, rows: &[Vec<Row>]) -> Result<()> {
        for (table, rows) in table.all().into_iter().zip(rows) {
            if rows.is_empty() {
                continue;
            }
            match self {
                Self::Sqlite(target) => target.insert(table, rows)?,
                Self::Postgres(target) => target.insert(table, rows).await?,
            }
        }
        Ok(())
    }

    /// Gives the records of a stretch in key order: key, and rows by table in the order of [`Table::all`].
    pub async fn each(
        &self,
        table: &Table,
        stretch: &Range,
        give: &mut dyn FnMut(Vec<u8>, &[Vec<Row>]) -> Result<()>,
    ) -> Result<()> {
        let mut left = stretch.clone();
        let mut limit = FIRST_PAGE;
        loop {
            let page = self.page(table, &left, limit).await?;
            let is_last = page.len() < limit;
            left.from = page.last().map(|(key, _)| next_key(key));
            let mut bytes = 0;
            for (key, rows) in page {
                bytes += rows.iter().flatten().map(Row::bytes).sum::<usize>();
                give(key, &rows)?;
            }
            if is_last {
                return Ok(());
            }
            // SQLite keeps the thread: a signal to stop has its turn here.
            tokio::task::yield_now().await;
            limit = match bytes {
                PAGE_BYTES.. => (limit / 2).max(1),
                _ if 2 * bytes < PAGE_BYTES => (2 * limit).min(PAGE),
                _ => limit,
            };
        }
    }

    /// The first records of a stretch, up to `limit`.
    async fn page(&self, table: &Table, stretch: &Range, limit: usize) -> Result<Vec<Stored>> {
        let tables = table.all();
        let main = self.rows(table, stretch, Some(limit)).await?;
        let mut records: Vec<Stored> = main
            .into_iter()
            .map(|row| {
                let mut rows = vec![Vec::new(); tables.len()];
                let key = row.key.clone();
                rows[0].push(row);
                (key, rows)
            })
            .collect();
        let (Some((first, _)), Some((last, _))) = (records.first(), records.last()) else {
            return Ok(records);
        };
        let here = Range {
            from: Some(first.clone()),
            to: Some(next_key(last)),
        };
        for (at, list) in tables.iter().enumerate().skip(1) {
            for row in self.rows(list, &here, None).await? {
                if let Ok(place) = records.binary_search_by(|(key, _)| key.cmp(&row.key)) {
                    records[place].1[at].push(row);
                }
            }
        }
        Ok(records)
    }

    async fn rows(&self, table: &Table, stretch: &Range, limit: Option<usize>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(target) => target.rows(table, stretch, limit),
            Self::Postgres(target) => target.rows(table, stretch, limit).await,
        }
    }

    /// Removes rows that belong to no record: those of lists whose record is not there, and those whose key is none.
    /// Gives how many.
    pub async fn sweep(&self, table: &Table) -> Result<u64> {
        let records = quoted(&table.name);
        let mut swept = 0;
        for list in table.all() {
            let name = quoted(&list.name);
            if let Self::Sqlite(target) = self {
                // Everything else sorts before bytes.
                swept += target.change(&format!("DELETE FROM {name} WHERE _key < x''"))?;
            }
            if list.depth == 0 {
                continue;
            }
            let text = format!(
                "DELETE FROM {name} WHERE NOT EXISTS (SELECT 1 FROM {records} WHERE {records}._key = {name}._key)"
            );
            swept += match self {
                Self::Sqlite(target) => target.change(&text)?,
                Self::Postgres(target) => target.change(&text).await?,
            };
        }
        Ok(swept)
    }

    fn type_of(&self, kind: Kind) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::type_of(kind),
            Self::Postgres(_) => postgres::type_of(kind),
        }
    }

    fn create(&self, table: &Table) -> String {
        let bytes = match self {
            Self::Sqlite(_) => "BLOB",
            Self::Postgres(_) => "bytea",
        };
        let mut columns = vec![format!("_key {bytes} NOT NULL")];
        columns.extend(
            table
                .positions()
                .iter()
                .map(|name| format!("{name} INTEGER NOT NULL")),
        );
        columns.extend(
            table
                .columns
                .iter()
                .map(|column| format!("{} {}", quoted(&column.name), self.type_of(column.kind))),
        );
        columns.push(format!("PRIMARY KEY ({})", order(table)));
        format!("CREATE TABLE {} ({})", quoted(&table.name), columns.join(", "))
    }
}

/// The first key behind this one.
fn next_key(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every column of a table as it is written: key, positions, columns.
fn names(table: &Table) -> Vec<String> {
    let mut names = vec!["_key".to_owned()];
    names.extend(table.positions());
    names.extend(table.columns.iter().map(|column| quoted(&column.name)));
    names
}

/// What makes a row of a table the one it is, and orders them.
fn order(table: &Table) -> String {
    [vec!["_key".to_owned()], table.positions()].concat().join(", ")
}
