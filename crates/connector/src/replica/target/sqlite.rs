//! A copy in SQLite.

use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, params, params_from_iter,
    types::{FromSqlError, Value, ValueRef},
};

use super::{names, order, quoted};
use crate::{
    error::{Error, Result},
    lock::Lock,
    range::Range,
    replica::{
        plan::{Kind, Table},
        rows::Row,
    },
    state::connect,
};

pub struct Sqlite {
    db: Connection,
    path: PathBuf,
    lock: Option<Lock>,
}

/// Decimals are text: a number of SQLite would lose digits.
pub fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::Bool => "INTEGER",
        _ => "TEXT",
    }
}

impl Sqlite {
    pub fn open(path: &Path) -> Result<Self> {
        // Who else may read it is for the recipient to say.
        let made = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(path);
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::file(path, &error)),
            _ => {}
        }
        let db = connect(path)?;
        // What is taken back does not stay in the file's free pages.
        db.execute_batch("PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 0")?;
        Ok(Self {
            db,
            path: path.to_owned(),
            lock: None,
        })
    }

    pub fn lock(&mut self, replica: &str) -> Result<()> {
        let lock = Lock::take(&self.lock_of(replica), |process| {
            Error::Decide(format!(
                "{}: process {process} keeps the copy of replica {replica}; stop it first",
                self.path.display()
            ))
        })?;
        self.lock = Some(lock);
        Ok(())
    }

    fn lock_of(&self, replica: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{replica}.lock"));
        path.into()
    }

    /// Beside the copy: it may be the copy that finds no room.
    pub fn say(&self, problem: &str) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.say(problem))
    }

    pub fn problem(&self, replica: &str) -> Option<String> {
        Lock::problem(&self.lock_of(replica)).map(|problem| problem.text)
    }

    /// Another that writes at the same time is soon done; what depends on a column is the recipient's to drop.
    fn told(&self, error: rusqlite::Error) -> Error {
        let text = format!("{}: {error}", self.path.display());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Passing(text),
            Some(ErrorCode::DiskFull) => Error::Full(text),
            _ if error.to_string().starts_with("error in ") => Error::Decide(format!(
                "{text}. Drop what depends on the copy, and make it again afterwards"
            )),
            _ => Error::State(text),
        }
    }

    pub fn run(&self, text: &str) -> Result<()> {
        self.db.execute_batch(text).map_err(|error| self.told(error))
    }

    pub fn exists(&self, name: &str) -> Result<bool> {
        let text = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE)";
        self.db
            .query_row(text, [name], |row| row.get(0))
            .map_err(|error| self.told(error))
    }

    pub fn note(&self, replica: &str, name: &str) -> Result<Option<String>> {
        let read = || {
            self.db
                .prepare_cached("SELECT value FROM dagr_replica WHERE replica = ?1 AND name = ?2")?
                .query_row([replica, name], |row| row.get(0))
                .optional()
        };
        read().map_err(|error| self.told(error))
    }

    pub fn others(&self, replica: &str, name: &str) -> Result<Vec<(String, String)>> {
        let read = || {
            self.db
                .prepare_cached("SELECT replica, value FROM dagr_replica WHERE replica <> ?1 AND name = ?2")?
                .query_map([replica, name], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.told(error))
    }

    pub fn set_note(&self, replica: &str, name: &str, value: &str) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO dagr_replica VALUES (?1, ?2, ?3)",
            &[replica, name, value],
        )?;
        Ok(())
    }

    pub fn advance(&self, replica: &str, from: &str, to: &str) -> Result<bool> {
        let text = "UPDATE dagr_replica SET value = ?3 WHERE replica = ?1 AND name = 'cursor' AND value = ?2";
        Ok(self.write(text, &[replica, from, to])? == 1)
    }

    fn write(&self, text: &str, values: &[&str]) -> Result<usize> {
        self.db
            .prepare_cached(text)
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map_err(|error| self.told(error))
    }

    pub fn delete(&self, table: &Table, keys: &[Vec<u8>]) -> Result<()> {
        let text = format!("DELETE FROM {} WHERE _key = ?1", quoted(&table.name));
        let delete = || {
            let mut statement = self.db.prepare_cached(&text)?;
            keys.iter()
                .try_for_each(|key| statement.execute([key]).map(|_| ()))
        };
        delete().map_err(|error| self.told(error))
    }

    pub fn insert(&self, table: &Table, rows: &[Row]) -> Result<()> {
        let names = names(table);
        let marks = vec!["?"; names.len()].join(", ");
        let text = format!(
            "INSERT INTO {} ({}) VALUES ({marks})",
            quoted(&table.name),
            names.join(", ")
        );
        let insert = || {
            let mut statement = self.db.prepare_cached(&text)?;
            for row in rows {
                statement.execute(params_from_iter(values(table, row)))?;
            }
            Ok(())
        };
        insert().map_err(|error| self.told(error))
    }

    /// Gives how many rows it changed.
    pub fn change(&self, text: &str) -> Result<u64> {
        let changed = self.db.execute(text, []).map_err(|error| self.told(error))?;
        Ok(changed as u64)
    }

    pub fn rows(&self, table: &Table, stretch: &Range, limit: Option<usize>) -> Result<Vec<Row>> {
        let from = stretch.from.as_deref().unwrap_or_default();
        let limit = limit.map_or(-1, |limit| limit as i64);
        let read = || {
            let mut statement = self.db.prepare_cached(&select(table, stretch.to.is_some()))?;
            let mut found = statement.query(params![from, stretch.to, limit])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(Row {
                    key: row.get(0)?,
                    // What is no number is no position, and neither is 0.
                    positions: (1..=table.depth).map(|at| row.get(at).unwrap_or(0)).collect(),
                    cells: (0..table.columns.len())
                        .map(|at| cell(row, 1 + table.depth + at))
                        .collect::<rusqlite::Result<_>>()
                        .unwrap_or_default(),
                });
            }
            Ok(rows)
        };
        read().map_err(|error| self.told(error))
    }
}

/// The rows of a stretch: from `?1` before `?2`, at most `?3`.
fn select(table: &Table, has_end: bool) -> String {
    format!(
        "SELECT {} FROM {} WHERE _key >= ?1{} ORDER BY {} LIMIT ?3",
        names(table).join(", "),
        quoted(&table.name),
        if has_end { " AND _key < ?2" } else { "" },
        order(table)
    )
}

/// A value as text. The error: it is none that a replica writes.
fn cell(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    let value = row.get_ref(at)?;
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(_) => Some(value.as_str()?.to_owned()),
        ValueRef::Blob(_) => return Err(FromSqlError::InvalidType.into()),
    })
}

fn values(table: &Table, row: &Row) -> Vec<Value> {
    let cells = table.columns.iter().zip(&row.cells);
    let mut values = vec![Value::Blob(row.key.clone())];
    values.extend(row.positions.iter().map(|n| Value::Integer(*n)));
    values.extend(cells.map(|(column, cell)| value(column.kind, cell.as_deref())));
    values
}

fn value(kind: Kind, cell: Option<&str>) -> Value {
    match (kind, cell) {
        (_, None) => Value::Null,
        (Kind::Int, Some(text)) => text
            .parse()
            .map_or_else(|_| Value::Text(text.to_owned()), Value::Integer),
        (Kind::Bool, Some(text)) => Value::Integer(i64::from(text == "true")),
        (_, Some(text)) => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
