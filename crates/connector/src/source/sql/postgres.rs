//! PostgreSQL: whole by `COPY` in one snapshot, record by record by the key.

pub mod copy;
mod driver;

use std::time::Duration;

use dagr_model::schema::Schema;
use futures_util::{TryStreamExt, pin_mut};
use tokio::time::timeout;
use tokio_postgres::{
    Client, Column, Config,
    config::SslMode,
    types::{Kind, ToSql, Type},
};

use self::driver::Driver;
use super::{
    KEYS,
    lists::{self, Form, ListColumn},
    tls,
};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Engine, Secret, Sql, Tls, quoted},
    source::fault,
};

/// A session whose texts are the same everywhere.
const SESSION: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_min_messages = 'error';
    SET lock_timeout = '60s'";

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(30);

pub struct Reader {
    client: Client,
    /// `None`: the connection has ended.
    driver: Option<Driver>,
    /// The feed's query with its lists, as a table `b`.
    base: String,
}

/// What the query gives.
pub struct Columns {
    pub names: Vec<String>,
    /// Each as text.
    select: String,
    /// The same for `COPY`, which makes text of most by itself.
    copied: String,
    own: copy::Own,
    types: Vec<Type>,
}

impl Reader {
    pub async fn connect(sql: &Sql, schema: &Schema) -> Result<Self> {
        let (client, driver) = connect_driven(&sql.url, sql.password.as_ref(), sql.tls.as_ref())
            .await
            .map_err(Error::of_source)?;
        let mut columns = String::new();
        for list in &sql.lists {
            let prepared = client.prepare(&list.query).await.map_err(told)?;
            let own: Vec<ListColumn> = prepared.columns().iter().map(listed).collect();
            columns.push_str(", ");
            columns.push_str(&lists::column(Engine::Postgres, list, &own, schema)?);
        }
        let base = format!("(SELECT q.*{columns} FROM ({}) q) b", sql.query);
        Ok(Self {
            client,
            driver: Some(driver),
            base,
        })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Columns as they are now: a table may have got one more.
    pub async fn columns(&self) -> Result<Columns> {
        let prepared = self
            .client
            .prepare(&format!("SELECT * FROM {}", self.base))
            .await
            .map_err(told)?;
        let columns = prepared.columns();
        let select: Vec<String> = columns.iter().map(as_text).collect();
        let copied: Vec<String> = columns.iter().map(as_copied).collect();
        let of = |ty: Type| {
            let columns = columns.iter().enumerate();
            columns
                .filter(|(_, column)| *column.type_() == ty)
                .map(|(at, _)| at)
                .collect()
        };
        Ok(Columns {
            names: columns.iter().map(|column| column.name().to_owned()).collect(),
            select: select.join(", "),
            copied: copied.join(", "),
            own: copy::Own {
                zoned: of(Type::TIMESTAMPTZ),
                truths: of(Type::BOOL),
            },
            types: columns.iter().map(|column| column.type_().clone()).collect(),
        })
    }

    pub async fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        self.begin().await?;
        let columns = self.columns().await?;
        rows.copied_table(&columns.names, columns.own)?;
        self.copy(&format!("SELECT {} FROM {}", columns.copied, self.base), rows)
            .await?;
        self.end().await
    }

    pub async fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        let columns = self.columns().await?;
        rows.copied_table(&columns.names, columns.own)?;
        let query = format!("SELECT {} FROM {} LIMIT {limit}", columns.copied, self.base);
        self.copy(&query, rows).await
    }

    /// Everything read until [`Self::end`] is of one moment.
    pub async fn begin(&self) -> Result<()> {
        self.client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map_err(told)
    }

    pub async fn end(&self) -> Result<()> {
        self.client.batch_execute("COMMIT").await.map_err(told)
    }

    async fn copy(&mut self, query: &str, rows: &mut Collect<'_>) -> Result<()> {
        let client = &self.client;
        let reading = async {
            let stream = client
                .copy_out(&format!("COPY ({query}) TO STDOUT"))
                .await
                .map_err(told)?;
            pin_mut!(stream);
            let mut lines = copy::Lines::default();
            while let Some(chunk) = stream.try_next().await.map_err(told)? {
                lines.push(&chunk, rows)?;
            }
            lines.finish()
        };
        Driver::during(&mut self.driver, reading).await
    }

    /// The records of these keys: values as the key columns `at` have them, or a column that is held against them. Gives the
    /// keys as the query writes them. `None`: one is no value of its column's type, and the transaction has ended.
    pub async fn keys(
        &self,
        columns: &Columns,
        at: &[usize],
        keys: Vec<Vec<String>>,
        rows: &mut Collect<'_>,
    ) -> Result<Option<Vec<Vec<String>>>> {
        let asked = Asked::of(columns, at);
        match self
            .ask(&asked, &keys, columns.names.len(), rows, &self.base)
            .await
        {
            Err(error) if is_no_value(&error) => return Ok(None),
            other => other.map_err(told)??,
        }
        if asked.is_plain {
            return Ok(Some(keys));
        }
        match self.written(&asked, &keys).await {
            Err(error) if is_no_value(&error) => Ok(None),
            other => other.map(Some).map_err(told),
        }
    }

    async fn ask(
        &self,
        asked: &Asked,
        keys: &[Vec<String>],
        width: usize,
        rows: &mut Collect<'_>,
        base: &str,
    ) -> std::result::Result<Result<()>, tokio_postgres::Error> {
        let query = format!(
            "SELECT {} FROM {base} WHERE ({}) IN (SELECT {} FROM {})",
            asked.select,
            asked.own.join(", "),
            asked.given.join(", "),
            asked.table
        );
        let statement = self.client.prepare(&query).await?;
        let mut row = 0;
        for some in keys.chunks(KEYS) {
            let stream = self
                .client
                .query_raw(&statement, &texts(some, asked.own.len()))
                .await?;
            pin_mut!(stream);
            while let Some(found) = stream.try_next().await? {
                row += 1;
                let cells: Vec<Option<&str>> = (0..width)
                    .map(|at| found.try_get(at))
                    .collect::<std::result::Result<_, _>>()?;
                if let Err(error) = rows.cells(row, &cells) {
                    return Ok(Err(error));
                }
            }
        }
        Ok(Ok(()))
    }

    /// The keys as the query writes them.
    async fn written(
        &self,
        asked: &Asked,
        keys: &[Vec<String>],
    ) -> std::result::Result<Vec<Vec<String>>, tokio_postgres::Error> {
        let query = format!("SELECT {} FROM {}", asked.written.join(", "), asked.table);
        let statement = self.client.prepare(&query).await?;
        let mut written = Vec::with_capacity(keys.len());
        for some in keys.chunks(KEYS) {
            for row in self
                .client
                .query(&statement, &parameters(&texts(some, asked.own.len())))
                .await?
            {
                written.push(
                    (0..asked.own.len())
                        .map(|at| row.try_get(at))
                        .collect::<std::result::Result<_, _>>()?,
                );
            }
        }
        Ok(written)
    }
}

/// How records are asked for by their keys.
struct Asked {
    select: String,
    /// The query's columns.
    own: Vec<String>,
    /// What they are held against.
    given: Vec<String>,
    /// The same as the query writes it.
    written: Vec<String>,
    table: String,
    /// Is what the log writes what the query writes?
    is_plain: bool,
}

impl Asked {
    fn of(columns: &Columns, at: &[usize]) -> Self {
        let types: Vec<&Type> = at.iter().map(|at| &columns.types[*at]).collect();
        let cast = |(n, ty): (usize, &&Type)| {
            let quote = |name| quoted(Engine::Postgres, name);
            format!("u.k{n}::{}.{}", quote(ty.schema()), quote(ty.name()))
        };
        let given: Vec<String> = types.iter().enumerate().map(cast).collect();
        let written = given.iter().zip(&types).map(|(given, ty)| text_of(given, ty));
        let arrays: Vec<String> = (1..=at.len()).map(|n| format!("${n}::text[]")).collect();
        let names: Vec<String> = (0..at.len()).map(|n| format!("k{n}")).collect();
        Self {
            select: columns.select.clone(),
            own: at
                .iter()
                .map(|at| format!("b.{}", quoted(Engine::Postgres, &columns.names[*at])))
                .collect(),
            written: written.collect(),
            given,
            table: format!("unnest({}) AS u({})", arrays.join(", "), names.join(", ")),
            is_plain: types
                .iter()
                .all(|ty| is_copied(ty) && !matches!(**ty, Type::TIMESTAMPTZ | Type::BOOL)),
        }
    }
}

/// One array for each column of the keys.
fn texts(keys: &[Vec<String>], width: usize) -> Vec<Vec<&str>> {
    (0..width)
        .map(|n| keys.iter().map(|key| key[n].as_str()).collect())
        .collect()
}

fn parameters<'t>(texts: &'t [Vec<&'t str>]) -> Vec<&'t (dyn ToSql + Sync)> {
    texts.iter().map(|texts| texts as &(dyn ToSql + Sync)).collect()
}

/// Class 22: a text that is no value of the type it is cast to.
fn is_no_value(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("22"))
}

fn listed(column: &Column) -> ListColumn {
    let form = match *column.type_() {
        Type::BYTEA => Form::Bytes,
        Type::MONEY => Form::Money,
        _ => Form::Plain,
    };
    ListColumn {
        name: column.name().to_owned(),
        form,
    }
}

fn name_of(column: &Column) -> String {
    format!("b.{}", quoted(Engine::Postgres, column.name()))
}

/// A column as `COPY` is to give it: a cast to text costs a quarter of the reading, and most types do without.
fn as_copied(column: &Column) -> String {
    if is_copied(column.type_()) {
        name_of(column)
    } else {
        as_text(column)
    }
}

fn is_copied(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::NUMERIC
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::TEXT
            | Type::VARCHAR
            | Type::UUID
            | Type::DATE
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::BOOL
    )
}

/// A column as text that the definition language reads.
fn as_text(column: &Column) -> String {
    text_of(&name_of(column), column.type_())
}

fn text_of(value: &str, ty: &Type) -> String {
    match (ty, ty.kind()) {
        (&Type::TIMESTAMPTZ, _) => format!("replace({value}::text, '+00', 'Z')"),
        // PostgreSQL breaks it into lines.
        (&Type::BYTEA, _) => format!("translate(encode({value}, 'base64'), E'\\n', '')"),
        // As text it has a currency, and the locale's signs.
        (&Type::MONEY, _) => format!("{value}::numeric::text"),
        (_, Kind::Array(_) | Kind::Composite(_)) => format!("to_json({value})::text"),
        _ => format!("{value}::text"),
    }
}

pub async fn connect(sql: &Sql) -> Result<Client> {
    connect_to(&sql.url, sql.password.as_ref(), sql.tls.as_ref())
        .await
        .map_err(Error::of_source)
}

pub async fn connect_to(url: &str, password: Option<&Secret>, tls: Option<&Tls>) -> Result<Client> {
    Ok(connect_driven(url, password, tls).await?.0)
}

/// A session whose texts are the same everywhere.
async fn connect_driven(url: &str, password: Option<&Secret>, tls: Option<&Tls>) -> Result<(Client, Driver)> {
    let mut config: Config = url.parse().map_err(told)?;
    if let Some(password) = password {
        config.password(password.read()?);
    }
    config
        .application_name("dagr-connector")
        .connect_timeout(Duration::from_secs(10))
        // A server that is gone without a word is noticed in a minute.
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_mins(1));
    let (client, driver) = match tls {
        None => {
            let (client, connection) = in_time(config.connect(tokio_postgres::NoTls)).await?;
            (client, Driver::spawn(connection))
        }
        Some(tls) => {
            config.ssl_mode(SslMode::Require);
            let connect = tokio_postgres_rustls::MakeRustlsConnect::new(tls::client(tls)?);
            let (client, connection) = in_time(config.connect(connect)).await?;
            (client, Driver::spawn(connection))
        }
    };
    client.batch_execute(SESSION).await.map_err(told)?;
    Ok((client, driver))
}

/// Something may take the connection, and say nothing.
async fn in_time<T>(
    connecting: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    match timeout(CONNECT, connecting).await {
        Ok(connected) => connected.map_err(told),
        Err(_) => Err(fault(format!(
            "PostgreSQL said nothing for {} s after it was connected to",
            CONNECT.as_secs()
        ))),
    }
}

/// PostgreSQL's own words, which name the thing.
pub fn told(error: tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        // The message holds the value.
        Some(db) if is_no_value(&error) => {
            let place = [db.table(), db.column(), db.datatype()];
            let place: String = place.into_iter().flatten().flat_map(|name| [" ", name]).collect();
            fault(format!(
                "PostgreSQL {}{place}: a value of the query cannot be read or computed (which one stands in PostgreSQL's own log)",
                db.code().code(),
            ))
        }
        Some(db) => {
            let hint = db.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            fault(format!("PostgreSQL {}: {}{hint}", db.code().code(), db.message()))
        }
        None => {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            fault(format!("PostgreSQL: {error}{cause}"))
        }
    }
}
