//! PostgreSQL: whole by `COPY` in one snapshot, record by record by the key.

pub mod copy;

use dagr_model::schema::Schema;
use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::{
    Client, Column, Config,
    config::SslMode,
    types::{Kind, Type},
};

use super::{KEYS, lists, tls};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Engine, Secret, Sql, Tls, quoted},
    source::fault,
};

/// A session whose texts are the same everywhere.
const SESSION: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_min_messages = 'error'";

pub struct Reader {
    client: Client,
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
    /// Those that `COPY` gives with the offset of UTC.
    zoned: Vec<usize>,
    /// Type names, for casts.
    types: Vec<String>,
}

impl Reader {
    pub async fn connect(sql: &Sql, schema: &Schema) -> Result<Self> {
        let client = connect(sql).await?;
        let mut columns = String::new();
        for list in &sql.lists {
            let prepared = client.prepare(&list.query).await.map_err(told)?;
            let own: Vec<String> = prepared
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect();
            columns.push_str(", ");
            columns.push_str(&lists::column(Engine::Postgres, list, &own, schema)?);
        }
        let base = format!("(SELECT q.*{columns} FROM ({}) q) b", sql.query);
        Ok(Self { client, base })
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
        let zoned = |column: &Column| *column.type_() == Type::TIMESTAMPTZ;
        let type_name = |column: &Column| {
            let ty = column.type_();
            format!(
                "{}.{}",
                quoted(Engine::Postgres, ty.schema()),
                quoted(Engine::Postgres, ty.name())
            )
        };
        Ok(Columns {
            names: columns.iter().map(|column| column.name().to_owned()).collect(),
            select: select.join(", "),
            copied: copied.join(", "),
            zoned: (0..columns.len()).filter(|at| zoned(&columns[*at])).collect(),
            types: columns.iter().map(type_name).collect(),
        })
    }

    pub async fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        self.begin().await?;
        let columns = self.columns().await?;
        rows.copied_table(&columns.names, columns.zoned)?;
        self.copy(&format!("SELECT {} FROM {}", columns.copied, self.base), rows)
            .await?;
        self.end().await
    }

    pub async fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        let columns = self.columns().await?;
        rows.copied_table(&columns.names, columns.zoned)?;
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

    async fn copy(&self, query: &str, rows: &mut Collect<'_>) -> Result<()> {
        let stream = self
            .client
            .copy_out(&format!("COPY ({query}) TO STDOUT"))
            .await
            .map_err(told)?;
        pin_mut!(stream);
        let mut lines = copy::Lines::default();
        while let Some(chunk) = stream.try_next().await.map_err(told)? {
            lines.push(&chunk, rows)?;
        }
        lines.finish()
    }

    /// The records of these keys: values as the key columns `at` have them.
    pub async fn keys(
        &self,
        columns: &Columns,
        at: &[usize],
        keys: &[Vec<String>],
        rows: &mut Collect<'_>,
    ) -> Result<()> {
        let own: Vec<String> = at
            .iter()
            .map(|at| format!("b.{}", quoted(Engine::Postgres, &columns.names[*at])))
            .collect();
        let given: Vec<String> = at
            .iter()
            .enumerate()
            .map(|(n, at)| format!("u.k{n}::{}", columns.types[*at]))
            .collect();
        let arrays: Vec<String> = (1..=at.len()).map(|n| format!("${n}::text[]")).collect();
        let names: Vec<String> = (0..at.len()).map(|n| format!("k{n}")).collect();
        let query = format!(
            "SELECT {} FROM {} WHERE ({}) IN (SELECT {} FROM unnest({}) AS u({}))",
            columns.select,
            self.base,
            own.join(", "),
            given.join(", "),
            arrays.join(", "),
            names.join(", ")
        );
        let statement = self.client.prepare(&query).await.map_err(told)?;
        let mut row = 0;
        for some in keys.chunks(KEYS) {
            let texts: Vec<Vec<&str>> = (0..at.len())
                .map(|n| some.iter().map(|key| key[n].as_str()).collect())
                .collect();
            let stream = self.client.query_raw(&statement, &texts).await.map_err(told)?;
            pin_mut!(stream);
            while let Some(found) = stream.try_next().await.map_err(told)? {
                row += 1;
                let cells: std::result::Result<Vec<Option<&str>>, _> =
                    (0..columns.names.len()).map(|at| found.try_get(at)).collect();
                rows.cells(row, &cells.map_err(told)?)?;
            }
        }
        Ok(())
    }
}

fn name_of(column: &Column) -> String {
    format!("b.{}", quoted(Engine::Postgres, column.name()))
}

/// A column as `COPY` is to give it: a cast to text costs a quarter of the reading, and most types do without.
fn as_copied(column: &Column) -> String {
    match *column.type_() {
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
        | Type::TIMESTAMPTZ => name_of(column),
        _ => as_text(column),
    }
}

/// A column as text that the definition language reads.
fn as_text(column: &Column) -> String {
    let name = name_of(column);
    match (column.type_(), column.type_().kind()) {
        (&Type::TIMESTAMPTZ, _) => format!("replace({name}::text, '+00', 'Z')"),
        (&Type::BYTEA, _) => format!("encode({name}, 'base64')"),
        (_, Kind::Array(_) | Kind::Composite(_)) => format!("to_json({name})::text"),
        _ => format!("{name}::text"),
    }
}

pub async fn connect(sql: &Sql) -> Result<Client> {
    connect_to(&sql.url, sql.password.as_ref(), sql.tls.as_ref())
        .await
        .map_err(Error::of_source)
}

/// A session whose texts are the same everywhere.
pub async fn connect_to(url: &str, password: Option<&Secret>, tls: Option<&Tls>) -> Result<Client> {
    let mut config: Config = url.parse().map_err(told)?;
    if let Some(password) = password {
        config.password(password.read()?);
    }
    config
        .application_name("dagr-connector")
        .connect_timeout(std::time::Duration::from_secs(10));
    let client = match tls {
        None => {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(told)?;
            tokio::spawn(until_it_ends(connection));
            client
        }
        Some(tls) => {
            config.ssl_mode(SslMode::Require);
            let connect = tokio_postgres_rustls::MakeRustlsConnect::new(tls::client(tls)?);
            let (client, connection) = config.connect(connect).await.map_err(told)?;
            tokio::spawn(until_it_ends(connection));
            client
        }
    };
    client.batch_execute(SESSION).await.map_err(told)?;
    Ok(client)
}

async fn until_it_ends(connection: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::warn!(%error, "the connection to PostgreSQL ended");
    }
}

/// PostgreSQL's own words, which name the thing.
pub fn told(error: tokio_postgres::Error) -> Error {
    match error.as_db_error() {
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
