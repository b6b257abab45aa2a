//! MariaDB and MySQL: whole in one snapshot, record by record by the key.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_model::schema::Schema;
use mysql_async::{
    Column, Conn, Opts, OptsBuilder, Row, ServerError, SslOpts, Value, consts::ColumnType, prelude::Queryable,
};
use tokio::time::timeout;

use super::{
    KEYS,
    lists::{self, ListColumn},
    tls,
};
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
    own: Own,
}

/// Columns that are not what the server says they are.
#[derive(Default)]
struct Own {
    /// JSON put together by [`lists`].
    lists: Vec<String>,
    /// `FLOAT`, asked for as `DOUBLE`.
    floats: Vec<String>,
    /// Are keys told by the log, too?
    followed: bool,
}

impl Reader {
    pub async fn connect(sql: &Sql, schema: &Schema) -> Result<Self> {
        let mut conn = connect(sql).await?;
        let mut columns = String::new();
        for list in &sql.lists {
            let own = described(&mut conn, &list.query).await?;
            let own: Vec<ListColumn> = own.iter().map(listed).collect();
            columns.push_str(", ");
            columns.push_str(&lists::column(Engine::MariaDb, list, &own, schema)?);
        }
        let base = format!("(SELECT q.*{columns} FROM ({}) q) b", sql.query);
        let own = Own {
            lists: sql.lists.iter().map(|list| list.field.clone()).collect(),
            floats: Vec::new(),
            followed: sql.follow.is_some(),
        };
        Ok(Self { conn, base, own })
    }

    pub fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Columns as they are now.
    pub async fn columns(&mut self) -> Result<Vec<String>> {
        Ok(self.asked().await?.0)
    }

    /// The same, and how they are asked for.
    async fn asked(&mut self) -> Result<(Vec<String>, String)> {
        let columns = described(&mut self.conn, &format!("SELECT * FROM {}", self.base)).await?;
        self.own.floats = names_of(columns.iter().filter(|column| is_float(column)));
        Ok((names_of(columns.iter()), selected(&columns)))
    }

    pub async fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        self.begin().await?;
        let (columns, select) = self.asked().await?;
        rows.table(&columns)?;
        let query = format!("SELECT {select} FROM {}", self.base);
        self.read(&query, rows).await?;
        self.end().await
    }

    pub async fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        let (columns, select) = self.asked().await?;
        rows.table(&columns)?;
        let query = format!("SELECT {select} FROM {} LIMIT {limit}", self.base);
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
        let moments = rows.moment_columns();
        let own = &self.own;
        let mut result = answered(IDLE, self.conn.query_iter(query)).await?;
        let mut forms = None;
        let mut number = 0;
        while let Some(row) = answered(IDLE, result.next()).await? {
            number += 1;
            let forms: &Vec<Form> =
                forms.get_or_insert_with(|| forms_of(row.columns_ref(), own, &keys, &moments));
            give(number, row, forms, rows)?;
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
        let (_, select) = self.asked().await?;
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
                "SELECT {select} FROM {} WHERE ({}) IN ({})",
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

fn names_of<'c>(columns: impl Iterator<Item = &'c Column>) -> Vec<String> {
    columns.map(|column| column.name_str().into_owned()).collect()
}

/// The columns that a query gives.
async fn described(conn: &mut Conn, query: &str) -> Result<Vec<Column>> {
    let statement = answered(IDLE, conn.prep(query)).await?;
    let columns = statement.columns().to_vec();
    answered(IDLE, conn.close(statement)).await?;
    Ok(columns)
}

fn is_float(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_FLOAT
}

/// All columns of the feed's query. `FLOAT` is written with six digits only, and is asked for as the `DOUBLE` that it is.
fn selected(columns: &[Column]) -> String {
    if !columns.iter().any(is_float) {
        return "*".to_owned();
    }
    let one = |column: &Column| {
        let name = quoted(Engine::MariaDb, &column.name_str());
        if is_float(column) {
            format!("b.{name} + 0e0 AS {name}")
        } else {
            format!("b.{name}")
        }
    };
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How a column is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Base64,
    /// A moment, in the session's zone.
    Utc,
    Bits,
    /// A `FLOAT`, written as a `DOUBLE`.
    Float,
}

fn listed(column: &Column) -> ListColumn {
    use ColumnType as T;
    let form = match column.column_type() {
        T::MYSQL_TYPE_TIMESTAMP => lists::Form::Utc,
        T::MYSQL_TYPE_BIT => lists::Form::Bits,
        _ if is_bytes(column) => lists::Form::Bytes,
        _ => lists::Form::Plain,
    };
    ListColumn {
        name: column.name_str().into_owned(),
        form,
    }
}

/// Of a followed key only `BINARY` is Base64: the log tells the others, and tells them as text.
/// `moments`: columns that fields of that type read.
fn forms_of(columns: &[Column], own: &Own, keys: &[usize], moments: &[usize]) -> Vec<Form> {
    let told = |at: usize, column: &Column| {
        own.followed && keys.contains(&at) && column.column_type() != ColumnType::MYSQL_TYPE_STRING
    };
    let is_in = |names: &[String], column: &Column| names.iter().any(|name| *name == column.name_str());
    let form = |(at, column): (usize, &Column)| match column.column_type() {
        ColumnType::MYSQL_TYPE_TIMESTAMP if moments.contains(&at) => Form::Utc,
        ColumnType::MYSQL_TYPE_BIT => Form::Bits,
        ColumnType::MYSQL_TYPE_DOUBLE if is_in(&own.floats, column) => Form::Float,
        _ if is_bytes(column) && !told(at, column) && !is_in(&own.lists, column) => Form::Base64,
        _ => Form::Text,
    };
    columns.iter().enumerate().map(form).collect()
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

/// A value as the bytes of a text: whether they are UTF-8 is for the row to say.
fn cell(value: Value, form: Form) -> Option<Vec<u8>> {
    let Value::Bytes(mut bytes) = value else {
        return (value != Value::NULL).then(|| value.as_sql(true).into_bytes());
    };
    Some(match form {
        Form::Text => bytes,
        Form::Base64 => STANDARD.encode(bytes).into_bytes(),
        Form::Utc => {
            bytes.push(b'Z');
            bytes
        }
        Form::Bits => {
            let number = bytes
                .iter()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            number.to_string().into_bytes()
        }
        Form::Float => shortest(&bytes).unwrap_or(bytes),
    })
}

/// A `FLOAT` that was asked for as a `DOUBLE`, by the digits that say which one it is.
fn shortest(text: &[u8]) -> Option<Vec<u8>> {
    let double: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let float = double as f32;
    // Every `FLOAT` is a `DOUBLE`; another one is not told by fewer digits.
    let is_float = f64::from(float).to_bits() == double.to_bits();
    is_float.then(|| float.to_string().into_bytes())
}

fn give(number: u64, row: Row, forms: &[Form], rows: &mut Collect<'_>) -> Result<()> {
    let cells: Vec<Option<Vec<u8>>> = row
        .unwrap()
        .into_iter()
        .zip(forms)
        .map(|(value, form)| cell(value, *form))
        .collect();
    let cells: Vec<Option<&[u8]>> = cells.iter().map(Option::as_deref).collect();
    rows.bytes(number, &cells)
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

    fn given(bytes: &[u8], form: Form) -> String {
        String::from_utf8(cell(Value::Bytes(bytes.to_vec()), form).unwrap()).unwrap()
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
            assert_eq!(
                forms_of(&[column(ty, BINARY)], &Own::default(), &[], &[]),
                [Form::Base64],
                "{ty:?}"
            );
        }
        for (ty, charset) in [
            (T::MYSQL_TYPE_BLOB, 45),
            (T::MYSQL_TYPE_VAR_STRING, 45),
            (T::MYSQL_TYPE_LONGLONG, BINARY),
            (T::MYSQL_TYPE_NEWDECIMAL, BINARY),
            (T::MYSQL_TYPE_DATETIME, BINARY),
            (T::MYSQL_TYPE_JSON, BINARY),
        ] {
            assert_eq!(
                forms_of(&[column(ty, charset)], &Own::default(), &[], &[]),
                [Form::Text],
                "{ty:?}"
            );
        }
        assert_eq!(given(&[0xff, 0], Form::Base64), "/wA=");
        assert_eq!(given(b"ab", Form::Base64), "YWI=");
        assert_eq!(given(b"ab", Form::Text), "ab");
        assert_eq!(cell(Value::NULL, Form::Base64), None);
        // Whoever reads the row refuses it.
        assert_eq!(
            cell(Value::Bytes(vec![b'a', 0xe2]), Form::Text),
            Some(vec![b'a', 0xe2])
        );
    }

    #[test]
    fn moments_bits_and_floats_are_what_they_are() {
        let moment = [column(ColumnType::MYSQL_TYPE_TIMESTAMP, BINARY)];
        assert_eq!(forms_of(&moment, &Own::default(), &[], &[0]), [Form::Utc]);
        // Somebody reads it by a rule of his own.
        assert_eq!(forms_of(&moment, &Own::default(), &[], &[]), [Form::Text]);
        assert_eq!(
            given(b"2026-03-29 01:30:00.5", Form::Utc),
            "2026-03-29 01:30:00.5Z"
        );
        assert_eq!(given(&[1], Form::Bits), "1");
        assert_eq!(given(&[0x80, 0], Form::Bits), "32768");
        assert_eq!(given(&[0xff; 8], Form::Bits), u64::MAX.to_string());
        // 0.1 and 123456.789 as FLOAT, told as DOUBLE.
        assert_eq!(given(b"0.10000000149011612", Form::Float), "0.1");
        assert_eq!(given(b"123456.7890625", Form::Float), "123456.79");
        assert_eq!(given(b"123456.7890625", Form::Text), "123456.7890625");
        let floats = Own {
            floats: vec!["c".to_owned()],
            ..Own::default()
        };
        let double = [column(ColumnType::MYSQL_TYPE_DOUBLE, BINARY)];
        assert_eq!(forms_of(&double, &floats, &[], &[]), [Form::Float]);
        assert_eq!(forms_of(&double, &Own::default(), &[], &[]), [Form::Text]);
    }

    #[test]
    fn lists_and_keys_that_the_log_tells_stay_text() {
        let of = |ty| [column(ty, BINARY)];
        let lists = Own {
            lists: vec!["c".to_owned()],
            ..Own::default()
        };
        assert_eq!(
            forms_of(&of(ColumnType::MYSQL_TYPE_LONG_BLOB), &lists, &[], &[]),
            [Form::Text]
        );
        let followed = Own {
            followed: true,
            ..Own::default()
        };
        assert_eq!(
            forms_of(&of(ColumnType::MYSQL_TYPE_VAR_STRING), &Own::default(), &[0], &[]),
            [Form::Base64]
        );
        assert_eq!(
            forms_of(&of(ColumnType::MYSQL_TYPE_VAR_STRING), &followed, &[0], &[]),
            [Form::Text]
        );
        assert_eq!(
            forms_of(&of(ColumnType::MYSQL_TYPE_STRING), &followed, &[0], &[]),
            [Form::Base64]
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
