//! MariaDB and MySQL: whole in one snapshot, record by record by the key.

use dagr_model::schema::Schema;
use mysql_async::{Conn, Opts, OptsBuilder, Row, SslOpts, Value, prelude::Queryable};

use super::{KEYS, lists, tls};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Engine, Sql, Tls, quoted},
    source::fault,
};

/// A session whose texts are the same everywhere.
const SESSION: &str = "SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION', group_concat_max_len = 67108864";

pub struct Reader {
    conn: Conn,
    base: String,
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
        Ok(Self { conn, base })
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
        self.conn.query_drop(text).await.map_err(told)
    }

    async fn read(&mut self, query: &str, rows: &mut Collect<'_>) -> Result<()> {
        let mut result = self.conn.query_iter(query).await.map_err(told)?;
        let mut number = 0;
        while let Some(row) = result.next().await.map_err(told)? {
            number += 1;
            give(number, row, rows)?;
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
    let statement = conn.prep(query).await.map_err(told)?;
    let names = statement
        .columns()
        .iter()
        .map(|column| column.name_str().into_owned())
        .collect();
    conn.close(statement).await.map_err(told)?;
    Ok(names)
}

fn give(number: u64, row: Row, rows: &mut Collect<'_>) -> Result<()> {
    let texts: Vec<Option<String>> = row
        .unwrap()
        .into_iter()
        .map(|value| match value {
            Value::NULL => Ok(None),
            Value::Bytes(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| {
                fault("a text of the source database is not UTF-8; cast or encode it in the query")
            }),
            other => Ok(Some(other.as_sql(true))),
        })
        .collect::<Result<_>>()?;
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
    let mut opts = OptsBuilder::from_opts(opts).prefer_socket(false);
    if let Some(password) = &sql.password {
        opts = opts.pass(Some(password.read().map_err(Error::of_source)?));
    }
    if let Some(tls) = &sql.tls {
        opts = opts
            .prefer_socket(false)
            .ssl_opts(ssl(tls).map_err(Error::of_source)?);
    }
    let mut conn = Conn::new(more(opts)).await.map_err(told)?;
    conn.query_drop("SET NAMES utf8mb4").await.map_err(told)?;
    conn.query_drop(SESSION).await.map_err(told)?;
    Ok(conn)
}

pub fn told(error: mysql_async::Error) -> Error {
    fault(format!("the source database: {error}"))
}
