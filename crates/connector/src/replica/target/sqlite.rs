//! A copy in SQLite.

use std::path::Path;

use rusqlite::{
    Connection, OptionalExtension, params, params_from_iter,
    types::{FromSqlError, Value, ValueRef},
};

use super::{names, order, quoted};
use crate::{
    error::Result,
    range::Range,
    replica::{
        plan::{Kind, Table},
        rows::Row,
    },
    state::connect,
};

pub struct Sqlite {
    db: Connection,
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
        Ok(Self { db: connect(path)? })
    }

    pub fn run(&self, text: &str) -> Result<()> {
        Ok(self.db.execute_batch(text)?)
    }

    pub fn note(&self, replica: &str, name: &str) -> Result<Option<String>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT value FROM dagr_replica WHERE replica = ?1 AND name = ?2")?;
        Ok(statement
            .query_row([replica, name], |row| row.get(0))
            .optional()?)
    }

    pub fn set_note(&self, replica: &str, name: &str, value: &str) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO dagr_replica VALUES (?1, ?2, ?3)")?
            .execute([replica, name, value])?;
        Ok(())
    }

    pub fn delete(&self, table: &Table, keys: &[Vec<u8>]) -> Result<()> {
        let mut statement = self
            .db
            .prepare_cached(&format!("DELETE FROM {} WHERE _key = ?1", quoted(&table.name)))?;
        for key in keys {
            statement.execute([key])?;
        }
        Ok(())
    }

    pub fn insert(&self, table: &Table, rows: &[Row]) -> Result<()> {
        let names = names(table);
        let marks = vec!["?"; names.len()].join(", ");
        let text = format!(
            "INSERT INTO {} ({}) VALUES ({marks})",
            quoted(&table.name),
            names.join(", ")
        );
        let mut statement = self.db.prepare_cached(&text)?;
        for row in rows {
            let mut values = Vec::with_capacity(names.len());
            values.push(Value::Blob(row.key.clone()));
            values.extend(row.positions.iter().map(|n| Value::Integer(*n)));
            values.extend(
                table
                    .columns
                    .iter()
                    .zip(&row.cells)
                    .map(|(column, cell)| value(column.kind, cell.as_deref())),
            );
            statement.execute(params_from_iter(values))?;
        }
        Ok(())
    }

    /// Gives how many rows it changed.
    pub fn change(&self, text: &str) -> Result<u64> {
        Ok(self.db.execute(text, [])? as u64)
    }

    pub fn rows(&self, table: &Table, stretch: &Range, limit: Option<usize>) -> Result<Vec<Row>> {
        let mut statement = self.db.prepare_cached(&select(table, stretch.to.is_some()))?;
        let from = stretch.from.as_deref().unwrap_or_default();
        let limit = limit.map_or(-1, |limit| limit as i64);
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
