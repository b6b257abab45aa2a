//! Opening the database, its migrations, its transactions and its online copy.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, Row as _, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Actor, RegistryError, Result,
    row::{Conn, Db},
};

/// Forward only: a released file never changes, a new one is appended.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_control_plane.sql"),
    include_str!("../migrations/0002_people_and_applications.sql"),
    include_str!("../migrations/0005_proposals.sql"),
];
const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The control plane. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    /// One connection: writers queue here instead of failing as busy.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Registry {
    /// Opens or creates the database file and brings it to the present schema.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        // FULL: a commit is on the disk when it is acknowledged, also after a power cut.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let writer = pool(1)
            // A statement that finds the disk full ends its transaction in the database, but not in the books of
            // the connection, which would begin no other: it makes way for a new one.
            .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        migrate(&writer).await?;
        let readers = pool(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self(Arc::new(Pools { writer, readers })))
    }

    /// A registry that is gone with its last clone, for tests.
    pub async fn open_in_memory() -> Result<Self> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let writer = pool(1).connect_with(options).await?;
        migrate(&writer).await?;
        Ok(Self(Arc::new(Pools {
            readers: writer.clone(),
            writer,
        })))
    }

    /// Closes every connection; later calls answer `Unavailable`.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    /// Answers when the database does: for readiness.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(&mut *self.read().await?).await?;
        Ok(())
    }

    /// Writes a consistent copy to a new file while the registry keeps serving. The copy is on the disk
    /// when this returns.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        let target = path
            .to_str()
            .ok_or_else(|| RegistryError::state("the path is not UTF-8"))?;
        if path.exists() {
            return Err(RegistryError::state("the file to copy to exists already"));
        }
        // On the writer: the readers' connections may write nothing, a copy included.
        let mut conn = self.0.writer.acquire().await?;
        sqlx::query("VACUUM INTO $1")
            .bind(target)
            .execute(&mut *conn)
            .await?;
        drop(conn);
        tokio::task::spawn_blocking(move || sync_file(&path))
            .await
            .map_err(|error| RegistryError::Unavailable(error.to_string()))?
            .map_err(|error| RegistryError::Unavailable(error.to_string()))
    }

    pub(crate) async fn read(&self) -> Result<PoolConnection<Db>> {
        Ok(self.0.readers.acquire().await?)
    }

    /// Several reads of one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Db>> {
        Ok(self.0.readers.begin().await?)
    }

    pub(crate) async fn write(&self) -> Result<Transaction<'static, Db>> {
        Ok(self.0.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(crate) async fn change<'a>(&self, by: &'a Actor) -> Result<Change<'a>> {
        Ok(Change {
            tx: self.write().await?,
            by,
        })
    }
}

/// One change in the making. Dropping it undoes it; committing takes an audit entry.
pub(crate) struct Change<'a> {
    pub(crate) tx: Transaction<'static, Db>,
    pub(crate) by: &'a Actor,
}

impl Change<'_> {
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.tx
    }
}

/// The next number of a sequence.
pub(crate) async fn next_number(conn: &mut Conn, sequence: &str) -> Result<i64> {
    let row = sqlx::query("UPDATE sequences SET value = value + 1 WHERE name = $1 RETURNING value")
        .bind(sequence)
        .fetch_one(conn)
        .await?;
    Ok(row.try_get("value")?)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // Never recycled: a database in memory lives as long as its connection.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn migrate(writer: &SqlitePool) -> Result<()> {
    sqlx::query("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY)")
        .execute(writer)
        .await?;
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS done FROM migrations")
        .fetch_one(&mut *tx)
        .await?;
    let done = usize::try_from(row.try_get::<i64, _>("done")?).unwrap_or(0);
    if done > MIGRATIONS.len() {
        return Err(RegistryError::Unavailable(
            "the database was written by a newer release".into(),
        ));
    }
    for (at, text) in MIGRATIONS.iter().enumerate().skip(done) {
        sqlx::raw_sql(*text).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO migrations (number) VALUES ($1)")
            .bind(at as i64 + 1)
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}

fn sync_file(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => std::fs::File::open(".")?.sync_all(),
    }
}
