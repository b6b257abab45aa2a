//! Followed tables: where in a row event the key's columns stand, and how the log writes them.

use mysql_async::{
    Conn, Value,
    binlog::{row::BinlogRow, value::BinlogValue},
    prelude::Queryable,
};

use crate::{
    error::{Error, Result},
    feed::Followed,
    source::sql::mariadb::told,
};

/// Schema and name.
pub type Table = (String, String);

/// A column, by its place in a row.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub at: usize,
    ty: String,
    unsigned: bool,
    charset: Option<String>,
    /// Digits of a second's fraction.
    digits: usize,
}

/// What a row event says of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Key {
    Texts(Vec<String>),
    /// Null is no key.
    Nothing,
    /// The log writes it in a way that is not the query's.
    Unclear,
}

/// The table that a feed names. `folds`: the server has names without case.
pub async fn named(conn: &mut Conn, table: &Followed, folds: bool) -> Result<Table> {
    let (schema, name) = match table.table.split_once('.') {
        Some((schema, name)) => (schema.to_owned(), name.to_owned()),
        None => {
            let schema: Option<String> = conn.query_first("SELECT DATABASE()").await.map_err(told)?;
            (schema.unwrap_or_default(), table.table.clone())
        }
    };
    Ok(folded((schema, name), folds))
}

pub fn folded((schema, name): Table, folds: bool) -> Table {
    if folds {
        (schema.to_lowercase(), name.to_lowercase())
    } else {
        (schema, name)
    }
}

/// Of a table, not of a view: the log does not name views.
pub async fn columns(conn: &mut Conn, place: &Table) -> Result<Vec<Column>> {
    let (schema, name) = place;
    let ty: Option<String> = conn
        .exec_first(
            "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
            (schema, name),
        )
        .await
        .map_err(told)?;
    match ty.as_deref() {
        None => {
            return Err(Error::Decide(format!(
                "there is no table {schema}.{name}, or this user may not see it: GRANT SELECT ON {schema}.{name}"
            )));
        }
        Some("VIEW" | "SYSTEM VIEW") => {
            return Err(Error::Decide(format!(
                "{schema}.{name} is a view, which no log names: say which tables it reads in [[source.follow.tables]]"
            )));
        }
        Some(_) => {}
    }
    let rows: Vec<Listed> = conn
        .exec(
            "SELECT COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, DATETIME_PRECISION FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
            (schema, name),
        )
        .await
        .map_err(told)?;
    let column = |(name, position, ty, whole, charset, digits): Listed| {
        let whole = whole.to_lowercase();
        Column {
            name,
            at: (position as usize).saturating_sub(1),
            unsigned: whole.contains("unsigned"),
            ty: if whole.contains("zerofill") {
                whole
            } else {
                ty.to_lowercase()
            },
            charset,
            digits: digits.unwrap_or_default() as usize,
        }
    };
    Ok(rows.into_iter().map(column).collect())
}

type Listed = (String, u64, String, String, Option<String>, Option<u64>);

/// The columns of a followed table that hold the key, in its order.
pub fn key(table: &Followed, columns: &[Column], key_columns: &[String]) -> Result<Vec<Column>> {
    let one = |outer: &String| {
        let own = table.column(outer)?;
        let column = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(own))
            .ok_or_else(|| table.no_column(outer))?;
        if column.is_told() {
            return Ok(column.clone());
        }
        Err(Error::Decide(format!(
            "{}.{own} is of type {}, which the log does not write as a query does: leave source.follow out and compare on schedule",
            table.table, column.ty
        )))
    };
    key_columns.iter().map(one).collect()
}

pub fn key_of(row: &BinlogRow, columns: &[Column]) -> Key {
    let mut texts = Vec::with_capacity(columns.len());
    for column in columns {
        match value(row, column.at) {
            Some(Value::NULL) => return Key::Nothing,
            Some(value) => match column.text(value) {
                Some(text) => texts.push(text),
                None => return Key::Unclear,
            },
            None => return Key::Unclear,
        }
    }
    Key::Texts(texts)
}

/// `None`: it is not there, or is JSON.
pub fn value(row: &BinlogRow, at: usize) -> Option<&Value> {
    match row.as_ref(at) {
        Some(BinlogValue::Value(value)) => Some(value),
        _ => None,
    }
}

impl Column {
    /// Does the log write it as a query does?
    fn is_told(&self) -> bool {
        match self.ty.as_str() {
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                // Of several bytes a letter, none of which is ASCII's.
                !matches!(
                    self.charset.as_deref(),
                    Some("ucs2" | "utf16" | "utf16le" | "utf32")
                )
            }
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "varbinary" | "date"
            | "datetime" | "year" => true,
            _ => false,
        }
    }

    fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::NULL => None,
            Value::Bytes(bytes) => {
                let utf8 = self
                    .charset
                    .as_deref()
                    .is_none_or(|charset| charset.starts_with("utf8"));
                (utf8 || bytes.is_ascii())
                    .then(|| String::from_utf8(bytes.clone()).ok())
                    .flatten()
            }
            Value::Date(year, month, day, hour, minute, second, micros) if self.ty == "datetime" => {
                let mut text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
                if self.digits > 0 {
                    let fraction = format!("{micros:06}");
                    text.push('.');
                    text.push_str(fraction.get(..self.digits).unwrap_or(&fraction));
                }
                Some(text)
            }
            // The log does not say that a number has no sign.
            Value::Int(number) if self.unsigned && *number < 0 => {
                let bits = match self.ty.as_str() {
                    "tinyint" => 8,
                    "smallint" => 16,
                    "mediumint" => 24,
                    "int" => 32,
                    _ => 64,
                };
                Some((i128::from(*number) + (1_i128 << bits)).to_string())
            }
            other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: &str, unsigned: bool, charset: Option<&str>) -> Column {
        Column {
            name: "id".to_owned(),
            at: 0,
            ty: ty.to_owned(),
            unsigned,
            charset: charset.map(str::to_owned),
            digits: 3,
        }
    }

    #[test]
    fn moments_are_written_as_a_query_gives_them() {
        let text = |digits, micros| {
            let column = Column {
                digits,
                ..column("datetime", false, None)
            };
            column.text(&Value::Date(2020, 1, 2, 0, 0, 0, micros)).unwrap()
        };
        assert_eq!(text(0, 0), "2020-01-02 00:00:00");
        assert_eq!(text(3, 500_000), "2020-01-02 00:00:00.500");
        let date = column("date", false, None).text(&Value::Date(2020, 1, 2, 0, 0, 0, 0));
        assert_eq!(date.as_deref(), Some("2020-01-02"));
    }

    #[test]
    fn numbers_without_a_sign_have_none() {
        let text = |ty: &str, number| column(ty, true, None).text(&Value::Int(number)).unwrap();
        assert_eq!(text("tinyint", -56), "200");
        assert_eq!(text("mediumint", -1), "16777215");
        assert_eq!(text("bigint", -1), u64::MAX.to_string());
        assert_eq!(text("int", 7), "7");
        assert_eq!(column("int", false, None).text(&Value::Int(-7)).unwrap(), "-7");
    }

    #[test]
    fn texts_that_are_not_utf8_are_unclear() {
        let bytes = Value::Bytes(b"\xc4\x81".to_vec());
        assert_eq!(
            column("varchar", false, Some("utf8mb4")).text(&bytes).as_deref(),
            Some("ā")
        );
        assert_eq!(column("varchar", false, Some("latin7")).text(&bytes), None);
        assert_eq!(
            column("char", false, Some("latin1"))
                .text(&Value::Bytes(b"LV-1".to_vec()))
                .as_deref(),
            Some("LV-1")
        );
        assert_eq!(
            column("varbinary", false, None).text(&Value::Bytes(vec![0xff])),
            None
        );
        assert!(!column("varchar", false, Some("utf16")).is_told());
        for ty in [
            "enum",
            "set",
            "timestamp",
            "bit",
            "uuid",
            "binary",
            "int(8) unsigned zerofill",
        ] {
            assert!(!column(ty, false, None).is_told(), "{ty}");
        }
    }
}
