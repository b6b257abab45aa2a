//! Any query: read whole in one snapshot, or record by record by the key.

pub mod follow;
mod lists;
pub mod mariadb;
pub mod postgres;
pub mod sqlite;
pub mod survey;
mod tls;

use dagr_model::schema::Schema;

pub use self::postgres::copy::{Own as CopyOwn, not_utf8, row as copy_row, text as copied_text};

use crate::{
    collect::Collect,
    error::Result,
    feed::{Engine, Sql},
};

/// Keys asked for at once.
pub const KEYS: usize = 1_000;

/// A connection that reads.
pub enum Db {
    Postgres(postgres::Reader),
    Maria(mariadb::Reader),
    Sqlite(sqlite::Reader),
}

impl Db {
    pub async fn connect(sql: &Sql, schema: &Schema) -> Result<Self> {
        Ok(match sql.engine {
            Engine::Postgres => Self::Postgres(postgres::Reader::connect(sql, schema).await?),
            Engine::MariaDb => Self::Maria(mariadb::Reader::connect(sql, schema).await?),
            Engine::Sqlite => Self::Sqlite(sqlite::Reader::open(sql, schema)?),
        })
    }

    /// Every row of the query, as of one moment.
    pub async fn all(&mut self, rows: &mut Collect<'_>) -> Result<()> {
        match self {
            Self::Postgres(reader) => reader.all(rows).await,
            Self::Maria(reader) => reader.all(rows).await,
            Self::Sqlite(reader) => reader.all(rows),
        }
    }

    /// So many rows, for a look.
    pub async fn some(&mut self, rows: &mut Collect<'_>, limit: u64) -> Result<()> {
        match self {
            Self::Postgres(reader) => reader.some(rows, limit).await,
            Self::Maria(reader) => reader.some(rows, limit).await,
            Self::Sqlite(reader) => reader.some(rows, limit),
        }
    }
}
