//! SQLite: whole in one statement, or the records of touched keys.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_model::schema::Schema;
use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::{
    follow::sqlite::Watch,
    lists::{self, ListColumn},
};
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
            let own: Vec<ListColumn> = prepared
                .column_names()
                .into_iter()
                .map(ListColumn::plain)
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
            let cells: Vec<Option<Cow<'_, [u8]>>> = (0..names.len())
                .map(|at| row.get_ref(at).map_err(fault).map(cell))
                .collect::<Result<_>>()?;
            let cells: Vec<Option<&[u8]>> = cells.iter().map(Option::as_deref).collect();
            rows.bytes(number, &cells)?;
        }
        Ok(())
    }
}

/// Bytes as Base64, texts as they are: whether they are UTF-8 is for the row to say.
fn cell(value: ValueRef<'_>) -> Option<Cow<'_, [u8]>> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
        ValueRef::Real(number) => Cow::Owned(number.to_string().into_bytes()),
        ValueRef::Text(text) => Cow::Borrowed(text),
        ValueRef::Blob(bytes) => Cow::Owned(STANDARD.encode(bytes).into_bytes()),
    })
}

/// The same as text. One that is not UTF-8 is of no key.
pub fn text(value: ValueRef<'_>) -> Option<String> {
    String::from_utf8(cell(value)?.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_given_as_base64_and_texts_as_they_are() {
        assert_eq!(text(ValueRef::Text("Rīga".as_bytes())).unwrap(), "Rīga");
        assert_eq!(cell(ValueRef::Text(b"a\xe2")).unwrap(), b"a\xe2".as_slice());
        assert_eq!(text(ValueRef::Blob(b"ab")).unwrap(), "YWI=");
        assert_eq!(text(ValueRef::Null), None);
        assert_eq!(text(ValueRef::Text(b"a\xe2")), None);
    }
}
