//! One SQL text for two databases: connections, transactions, statements and rows that are either's.
//!
//! What runs on both is written with `$1`, BIGINT and TEXT; where the two differ, this module and `open` know it.

mod value;

use std::{
    future,
    ops::{Deref, DerefMut},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::{
    Decode, PgConnection, Postgres, Row as _, Sqlite, SqliteConnection, Transaction, Type,
    pool::PoolConnection, postgres::PgRow, sqlite::SqliteRow,
};

pub(crate) use value::Value;

/// A connection out of a pool, in a transaction or not.
pub(crate) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    SqliteTx(Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTx(Transaction<'static, Postgres>),
}

enum Either<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn {
    fn either(&mut self) -> Either<'_> {
        match self {
            Self::Sqlite(conn) => Either::Sqlite(conn),
            Self::SqliteTx(tx) => Either::Sqlite(tx),
            Self::Postgres(conn) => Either::Postgres(conn),
            Self::PostgresTx(tx) => Either::Postgres(tx),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresTx(_))
    }

    /// Statements without values, several at once.
    pub(crate) async fn run(&mut self, text: &'static str) -> sqlx::Result<()> {
        match self.either() {
            Either::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop),
            Either::Postgres(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop),
        }
    }

    /// The migration's text. TEXT compares byte by byte in SQLite; in PostgreSQL it has to be told so, or lists would
    /// stand in another order there.
    pub(crate) async fn migrate(&mut self, text: &'static str) -> sqlx::Result<()> {
        match self.either() {
            Either::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop),
            Either::Postgres(conn) => {
                let text = text.replace(" TEXT", " TEXT COLLATE \"C\"");
                sqlx::raw_sql(sqlx::AssertSqlSafe(text))
                    .execute(conn)
                    .await
                    .map(drop)
            }
        }
    }
}

/// A transaction. Dropping it undoes it.
pub(crate) struct Tx(pub(crate) Conn);

impl Tx {
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        match self.0 {
            Conn::SqliteTx(tx) => tx.commit().await,
            Conn::PostgresTx(tx) => tx.commit().await,
            Conn::Sqlite(_) | Conn::Postgres(_) => Err(sqlx::Error::BeginFailed),
        }
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

/// One row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn try_get<'r, T>(&'r self, column: &str) -> sqlx::Result<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

/// A statement with its values in the making.
pub(crate) struct Query<'q> {
    text: &'static str,
    values: Vec<Value<'q>>,
}

pub(crate) fn query<'q>(text: &'static str) -> Query<'q> {
    Query {
        text,
        values: Vec::new(),
    }
}

/// The statement for one of the two.
macro_rules! bound {
    ($query:expr) => {{
        let mut query = sqlx::query($query.text);
        for value in $query.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        query
    }};
}

impl<'q> Query<'q> {
    pub(crate) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// How many rows it touched.
    pub(crate) async fn execute(self, conn: &mut Conn) -> sqlx::Result<u64> {
        self.check()?;
        match conn.either() {
            Either::Sqlite(conn) => Ok(bound!(self).execute(conn).await?.rows_affected()),
            Either::Postgres(conn) => Ok(bound!(self).execute(conn).await?.rows_affected()),
        }
    }

    pub(crate) async fn fetch_all(self, conn: &mut Conn) -> sqlx::Result<Vec<Row>> {
        self.fetch(conn).try_collect().await
    }

    pub(crate) async fn fetch_optional(self, conn: &mut Conn) -> sqlx::Result<Option<Row>> {
        self.check()?;
        match conn.either() {
            Either::Sqlite(conn) => Ok(bound!(self).fetch_optional(conn).await?.map(Row::Sqlite)),
            Either::Postgres(conn) => Ok(bound!(self).fetch_optional(conn).await?.map(Row::Postgres)),
        }
    }

    pub(crate) async fn fetch_one(self, conn: &mut Conn) -> sqlx::Result<Row> {
        let row = self.fetch_optional(conn).await?;
        row.ok_or(sqlx::Error::RowNotFound)
    }

    /// Row by row: memory stays flat.
    pub(crate) fn fetch<'c>(self, conn: &'c mut Conn) -> BoxStream<'c, sqlx::Result<Row>>
    where
        'q: 'c,
    {
        if let Err(error) = self.check() {
            return futures_util::stream::once(future::ready(Err(error))).boxed();
        }
        match conn.either() {
            Either::Sqlite(conn) => bound!(self).fetch(conn).map_ok(Row::Sqlite).boxed(),
            Either::Postgres(conn) => bound!(self).fetch(conn).map_ok(Row::Postgres).boxed(),
        }
    }

    /// PostgreSQL stores no NUL; so that both answer alike, neither is asked to.
    fn check(&self) -> sqlx::Result<()> {
        let nul = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(nul) {
            return Err(sqlx::Error::Encode("a NUL character in a value".into()));
        }
        Ok(())
    }
}
