//! A copy in SQLite.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};

use super::{Bounds, names, quoted};
use crate::{
    error::Result,
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

    pub fn rows(&self, table: &Table, bounds: &Bounds<'_>, limit: Option<usize>) -> Result<Vec<Row>> {
        let order = [vec!["_key".to_owned()], table.positions()].concat().join(", ");
        let text = format!(
            "SELECT {} FROM {} WHERE (?1 IS NULL OR _key >= ?1) AND (?2 IS NULL OR _key > ?2) AND (?3 IS NULL OR _key < ?3)
             ORDER BY {order} LIMIT ?4",
            names(table).join(", "),
            quoted(&table.name)
        );
        let mut statement = self.db.prepare_cached(&text)?;
        let limit = limit.map_or(-1, |limit| limit as i64);
        let mut found = statement.query(params![bounds.from, bounds.after, bounds.to, limit])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let cell = |at: usize| -> rusqlite::Result<Option<String>> {
                Ok(match row.get::<_, Value>(at)? {
                    Value::Null | Value::Blob(_) => None,
                    Value::Integer(number) => Some(number.to_string()),
                    Value::Real(number) => Some(number.to_string()),
                    Value::Text(text) => Some(text),
                })
            };
            rows.push(Row {
                key: row.get(0)?,
                positions: (1..=table.depth)
                    .map(|at| row.get(at))
                    .collect::<rusqlite::Result<_>>()?,
                cells: (0..table.columns.len())
                    .map(|at| cell(1 + table.depth + at))
                    .collect::<rusqlite::Result<_>>()?,
            });
        }
        Ok(rows)
    }
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
