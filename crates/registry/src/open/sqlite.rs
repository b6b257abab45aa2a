//! The database in one file.

use std::{path::Path, time::Duration};

use sqlx::{
    Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::Pair;
use crate::Result;

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn open(path: &Path) -> Result<Pair<sqlx::Sqlite>> {
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
    let readers = pool(READERS)
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    Ok(Pair { writer, readers })
}

pub(super) async fn in_memory() -> Result<Pair<sqlx::Sqlite>> {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let writer = pool(1).connect_with(options).await?;
    Ok(Pair {
        readers: writer.clone(),
        writer,
    })
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // Never recycled: a database in memory lives as long as its connection.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
}
