//! SQLite: whole in one statement, or the records of touched keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_model::schema::Schema;
use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::{follow::sqlite::Watch, lists};
use crate::{
    collect::Collect,
    error::Result,
    feed::{Engine, Sql},
    source::fault,
};

pub struct Reader {
    db: Connection,
    base: String,
}

impl Reader {
    pub fn open(sql: &Sql, schema: &Schema) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&sql.url, flags)
            .map_err(|error| fault(format!("{}: {error}", sql.url)))?;
        let mut columns = String::new();
        for list in &sql.lists {
            let prepared = db.prepare(&list.query).map_err(fault)?;
            let own: Vec<String> = prepared
                .column_names()
                .iter()
                .map(|&name| name.to_owned())
                .collect();
            columns.push_str(", ");
            columns.push_str(&lists::column(Engine::Sqlite, list, &own, schema)?);
        }
        let base = format!("SELECT q.*{columns} FROM ({}) q", sql.query);
        Ok(Self { db, base })
    }

    pub fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        self.read(&self.base, rows)
    }

    pub fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        self.read(&format!("SELECT * FROM ({}) LIMIT {limit}", self.base), rows)
    }

    pub fn db(&self) -> &Connection {
        &self.db
    }

    /// Columns as they are now.
    pub fn columns(&self) -> Result<Vec<String>> {
        let statement = self.db.prepare(&self.base).map_err(fault)?;
        Ok(statement
            .column_names()
            .iter()
            .map(|&name| name.to_owned())
            .collect())
    }

    /// Everything read until [`Self::end`] is of one moment.
    pub fn begin(&self) -> Result<()> {
        self.db.execute_batch("BEGIN").map_err(fault)
    }

    pub fn end(&self) -> Result<()> {
        self.db.execute_batch("COMMIT").map_err(fault)
    }

    /// The records of touched keys, in the snapshot that told them.
    pub fn touched(&self, watch: &Watch, key_columns: &[String], rows: &mut Collect<'_>) -> Result<()> {
        self.read(&watch.records(&self.base, key_columns), rows)
    }

    fn read(&self, query: &str, rows: &mut Collect<'_>) -> Result<()> {
        let mut statement = self.db.prepare(query).map_err(fault)?;
        let names: Vec<String> = statement
            .column_names()
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        rows.table(&names)?;
        let mut found = statement.query([]).map_err(fault)?;
        let mut number = 0;
        while let Some(row) = found.next().map_err(fault)? {
            number += 1;
            let texts: Vec<Option<String>> = (0..names.len())
                .map(|at| row.get_ref(at).map_err(fault).and_then(text))
                .collect::<Result<_>>()?;
            let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            rows.cells(number, &cells)?;
        }
        Ok(())
    }
}

/// Bytes as Base64. A text that is not UTF-8 as well: it is for the definition to refuse by its row, and does not stop the feed.
#[allow(clippy::unnecessary_wraps)] // It goes on from a value that may fail to be got.
pub fn text(value: ValueRef<'_>) -> Result<Option<String>> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => {
            Some(std::str::from_utf8(text).map_or_else(|_| STANDARD.encode(text), str::to_owned))
        }
        ValueRef::Blob(bytes) => Some(STANDARD.encode(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_texts_that_are_not_utf8_are_given_as_base64() {
        let of = |value| text(value).unwrap().unwrap();
        assert_eq!(of(ValueRef::Text("Rīga".as_bytes())), "Rīga");
        assert_eq!(of(ValueRef::Text(b"a\xe2")), "YeI=");
        assert_eq!(of(ValueRef::Blob(b"ab")), "YWI=");
        assert_eq!(text(ValueRef::Null).unwrap(), None);
    }
}
