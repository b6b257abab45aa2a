//! MariaDB and MySQL: whole in one snapshot, record by record by the key.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_model::schema::Schema;
use mysql_async::{
    Column, Conn, Opts, OptsBuilder, Row, ServerError, SslOpts, Value, consts::ColumnType, prelude::Queryable,
};
use tokio::time::timeout;

use super::{KEYS, lists, tls};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Engine, Sql, Tls, quoted},
    source::fault,
};

/// A session whose texts are the same everywhere.
const SESSION: &str = "SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION', group_concat_max_len = 67108864";

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(30);

/// How long a query may give no row: it may have much to sort. A machine that is gone is noticed sooner, by
/// [`KEEPALIVE`].
const IDLE: Duration = Duration::from_hours(1);

/// After how long it is asked whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The character set of bytes; numbers, moments and MySQL's JSON have it too.
const BINARY: u16 = 63;

/// Errors whose messages hold a value, besides those of class 22.
/// <https://mariadb.com/kb/en/mariadb-error-codes/>
const VALUES: [u16; 5] = [1105, 1292, 1366, 1411, 1525];

pub struct Reader {
    conn: Conn,
    base: String,
    /// Columns that are JSON put together by [`lists`].
    lists: Vec<String>,
}

impl Reader {
    pub async fn connect(sql: &Sql, schema: &Schema) -> Result<Self> {
        let mut conn = connect(sql).await?;
        let mut columns = String::new();
        for list in &sql.lists {
            let own = names(&mut conn, &list.query).await?;
            columns.push_str(", ");
            columns.push_str(&lists::column(Engine::MariaDb, list, &own, schema)?);
        }
        let base = format!("(SELECT q.*{columns} FROM ({}) q) b", sql.query);
        let lists = sql.lists.iter().map(|list| list.field.clone()).collect();
        Ok(Self { conn, base, lists })
    }

    pub fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Columns as they are now.
    pub async fn columns(&mut self) -> Result<Vec<String>> {
        names(&mut self.conn, &format!("SELECT * FROM {}", self.base)).await
    }

    pub async fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        self.begin().await?;
        let columns = self.columns().await?;
        rows.table(&columns)?;
        let query = format!("SELECT * FROM {}", self.base);
        self.read(&query, rows).await?;
        self.end().await
    }

    pub async fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        let columns = self.columns().await?;
        rows.table(&columns)?;
        let query = format!("SELECT * FROM {} LIMIT {limit}", self.base);
        self.read(&query, rows).await
    }

    /// Everything read until [`Self::end`] is of one moment.
    pub async fn begin(&mut self) -> Result<()> {
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .await?;
        self.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            .await
    }

    pub async fn end(&mut self) -> Result<()> {
        self.run("COMMIT").await
    }

    async fn run(&mut self, text: &str) -> Result<()> {
        answered(IDLE, self.conn.query_drop(text)).await
    }

    async fn read(&mut self, query: &str, rows: &mut Collect<'_>) -> Result<()> {
        let keys = rows.key_columns().unwrap_or_default();
        let lists = &self.lists;
        let mut result = answered(IDLE, self.conn.query_iter(query)).await?;
        let mut encoded = None;
        let mut number = 0;
        while let Some(row) = answered(IDLE, result.next()).await? {
            number += 1;
            let encoded: &Vec<bool> =
                encoded.get_or_insert_with(|| encodings(row.columns_ref(), lists, &keys));
            give(number, row, encoded, rows)?;
        }
        Ok(())
    }

    /// The records of these keys: values as the key columns have them.
    pub async fn keys(
        &mut self,
        columns: &[String],
        keys: &[Vec<String>],
        rows: &mut Collect<'_>,
    ) -> Result<()> {
        let own: Vec<String> = columns
            .iter()
            .map(|name| format!("b.{}", quoted(Engine::MariaDb, name)))
            .collect();
        for some in keys.chunks(KEYS) {
            // The text protocol gives texts; values go in as literals.
            let given: Vec<String> = some
                .iter()
                .map(|key| {
                    let literals: Vec<String> = key.iter().map(|value| literal(value)).collect();
                    format!("({})", literals.join(", "))
                })
                .collect();
            let query = format!(
                "SELECT * FROM {} WHERE ({}) IN ({})",
                self.base,
                own.join(", "),
                given.join(", ")
            );
            self.read(&query, rows).await?;
        }
        Ok(())
    }
}

/// By NO_BACKSLASH_ESCAPES only the quote is special.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

async fn names(conn: &mut Conn, query: &str) -> Result<Vec<String>> {
    let statement = answered(IDLE, conn.prep(query)).await?;
    let names = statement
        .columns()
        .iter()
        .map(|column| column.name_str().into_owned())
        .collect();
    answered(IDLE, conn.close(statement)).await?;
    Ok(names)
}

/// Which columns are given as Base64. Of the key only `BINARY` is: the log tells the others, and tells them as text.
fn encodings(columns: &[Column], lists: &[String], keys: &[usize]) -> Vec<bool> {
    let told = |at: &usize, column: &Column| {
        keys.contains(at) && column.column_type() != ColumnType::MYSQL_TYPE_STRING
    };
    let listed = |column: &Column| lists.iter().any(|list| *list == column.name_str());
    columns
        .iter()
        .enumerate()
        .map(|(at, column)| is_bytes(column) && !told(&at, column) && !listed(column))
        .collect()
}

fn is_bytes(column: &Column) -> bool {
    use ColumnType as T;
    column.character_set() == BINARY
        && matches!(
            column.column_type(),
            T::MYSQL_TYPE_TINY_BLOB
                | T::MYSQL_TYPE_BLOB
                | T::MYSQL_TYPE_MEDIUM_BLOB
                | T::MYSQL_TYPE_LONG_BLOB
                | T::MYSQL_TYPE_VARCHAR
                | T::MYSQL_TYPE_VAR_STRING
                | T::MYSQL_TYPE_STRING
                | T::MYSQL_TYPE_GEOMETRY
                | T::MYSQL_TYPE_VECTOR
        )
}

fn text(value: Value, encoded: bool) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) if encoded => Some(STANDARD.encode(bytes)),
        // What is not UTF-8 is for the definition to refuse by its row: it does not stop the feed.
        Value::Bytes(bytes) => {
            Some(String::from_utf8(bytes).unwrap_or_else(|error| STANDARD.encode(error.as_bytes())))
        }
        other => Some(other.as_sql(true)),
    }
}

fn give(number: u64, row: Row, encoded: &[bool], rows: &mut Collect<'_>) -> Result<()> {
    let texts: Vec<Option<String>> = row
        .unwrap()
        .into_iter()
        .zip(encoded)
        .map(|(value, encoded)| text(value, *encoded))
        .collect();
    let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    rows.cells(number, &cells)
}

fn ssl(tls: &Tls) -> Result<SslOpts> {
    let roots = tls::authorities(tls)?
        .iter()
        .map(|der| der.to_vec().into())
        .collect();
    Ok(SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(roots))
}

pub async fn connect(sql: &Sql) -> Result<Conn> {
    connect_with(sql, |opts| opts).await
}

pub async fn connect_with(sql: &Sql, more: impl FnOnce(OptsBuilder) -> OptsBuilder) -> Result<Conn> {
    let opts = Opts::from_url(&sql.url).map_err(|error| fault(format!("source.url: {error}")))?;
    let keepalive = opts.tcp_keepalive().unwrap_or(KEEPALIVE);
    let mut opts = OptsBuilder::from_opts(opts)
        .prefer_socket(false)
        .tcp_keepalive(Some(keepalive));
    if let Some(password) = &sql.password {
        opts = opts.pass(Some(password.read().map_err(Error::of_source)?));
    }
    if let Some(tls) = &sql.tls {
        opts = opts
            .prefer_socket(false)
            .ssl_opts(ssl(tls).map_err(Error::of_source)?);
    }
    answered(CONNECT, session(more(opts))).await
}

async fn session(opts: OptsBuilder) -> mysql_async::Result<Conn> {
    let mut conn = Conn::new(opts).await?;
    conn.query_drop("SET NAMES utf8mb4").await?;
    conn.query_drop(SESSION).await?;
    Ok(conn)
}

/// What the server answers, waited for so long: a network that was cut closes no connection.
pub async fn answered<T>(
    patience: Duration,
    call: impl Future<Output = mysql_async::Result<T>>,
) -> Result<T> {
    match timeout(patience, call).await {
        Ok(answer) => answer.map_err(told),
        Err(_) => Err(silent(patience)),
    }
}

pub fn silent(patience: Duration) -> Error {
    fault(format!(
        "the source database was silent for {} s",
        patience.as_secs()
    ))
}

/// The server's own words, but those that hold a value.
pub fn told(error: mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) if holds_value(&error) => fault(format!(
            "the source database: code {} (SQLSTATE {}): a value of the query cannot be read or computed (the server's message is left out: it holds the value)",
            error.code, error.state
        )),
        error => fault(format!("the source database: {error}")),
    }
}

fn holds_value(error: &ServerError) -> bool {
    error.state.starts_with("22") || VALUES.contains(&error.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: ColumnType, charset: u16) -> Column {
        Column::new(ty).with_character_set(charset).with_name(b"c")
    }

    #[test]
    fn bytes_are_given_as_base64_and_the_rest_as_text() {
        use ColumnType as T;
        for ty in [
            T::MYSQL_TYPE_BLOB,
            T::MYSQL_TYPE_LONG_BLOB,
            T::MYSQL_TYPE_VAR_STRING,
            T::MYSQL_TYPE_STRING,
            T::MYSQL_TYPE_GEOMETRY,
        ] {
            assert_eq!(encodings(&[column(ty, BINARY)], &[], &[]), [true], "{ty:?}");
        }
        for (ty, charset) in [
            (T::MYSQL_TYPE_BLOB, 45),
            (T::MYSQL_TYPE_VAR_STRING, 45),
            (T::MYSQL_TYPE_LONGLONG, BINARY),
            (T::MYSQL_TYPE_NEWDECIMAL, BINARY),
            (T::MYSQL_TYPE_DATETIME, BINARY),
            (T::MYSQL_TYPE_JSON, BINARY),
            (T::MYSQL_TYPE_BIT, BINARY),
        ] {
            assert_eq!(encodings(&[column(ty, charset)], &[], &[]), [false], "{ty:?}");
        }
        assert_eq!(text(Value::Bytes(vec![0xff, 0]), true).as_deref(), Some("/wA="));
        assert_eq!(text(Value::Bytes(b"ab".to_vec()), true).as_deref(), Some("YWI="));
        assert_eq!(text(Value::Bytes(b"ab".to_vec()), false).as_deref(), Some("ab"));
        assert_eq!(text(Value::NULL, true), None);
    }

    #[test]
    fn lists_and_keys_that_the_log_tells_stay_text() {
        let of = |ty| [column(ty, BINARY)];
        let lists = ["c".to_owned()];
        assert_eq!(
            encodings(&of(ColumnType::MYSQL_TYPE_LONG_BLOB), &lists, &[]),
            [false]
        );
        assert_eq!(
            encodings(&of(ColumnType::MYSQL_TYPE_VAR_STRING), &[], &[0]),
            [false]
        );
        assert_eq!(encodings(&of(ColumnType::MYSQL_TYPE_STRING), &[], &[0]), [true]);
    }

    #[test]
    fn a_text_that_is_not_utf8_stops_nothing() {
        assert_eq!(
            text(Value::Bytes(vec![b'a', 0xe2]), false).as_deref(),
            Some("YeI=")
        );
    }

    #[test]
    fn no_value_is_told() {
        let told = |code, state: &str| {
            told(mysql_async::Error::Server(ServerError {
                code,
                message: "Incorrect value: 'secret'".to_owned(),
                state: state.to_owned(),
            }))
            .to_string()
        };
        for (code, state) in [
            (1264, "22003"),
            (1292, "22007"),
            (1366, "HY000"),
            (1105, "HY000"),
            (1411, "HY000"),
            (1525, "HY000"),
        ] {
            let told = told(code, state);
            assert!(!told.contains("secret"), "{told}");
            assert!(
                told.contains(&format!("code {code} (SQLSTATE {state})")),
                "{told}"
            );
        }
        assert!(
            told(1146, "42S02").contains("secret"),
            "what names a thing is told"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let never = std::future::pending::<mysql_async::Result<()>>();
        let told = answered(IDLE, never).await.unwrap_err().to_string();
        assert!(
            told.contains("the source database was silent for 3600 s"),
            "{told}"
        );
        assert_eq!(answered(IDLE, async { Ok(7) }).await.unwrap(), 7);
    }
}
