//! Opening the database, its migrations, its transactions and its online copy.

mod postgres;
mod sqlite;

use std::{path::Path, sync::Arc};

use sqlx::{Pool, Postgres, Sqlite};

use crate::{
    Actor, RegistryError, Result,
    db::{Conn, Tx, query},
};

/// Forward only: a released file never changes, a new one is appended.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_control_plane.sql"),
    include_str!("../migrations/0002_people_and_applications.sql"),
    include_str!("../migrations/0003_plans.sql"),
    include_str!("../migrations/0004_life_of_permissions.sql"),
    include_str!("../migrations/0005_proposals.sql"),
    include_str!("../migrations/0006_systems_and_law.sql"),
    include_str!("../migrations/0007_article_ends.sql"),
    include_str!("../migrations/0008_mail.sql"),
    include_str!("../migrations/0009_templates.sql"),
    include_str!("../migrations/0010_classifiers.sql"),
    include_str!("../migrations/0011_resources_and_services.sql"),
    include_str!("../migrations/0012_parent_institutions.sql"),
];

/// The control plane. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Pools>);

#[derive(Debug)]
enum Pools {
    Sqlite(Pair<Sqlite>),
    Postgres(Pair<Postgres>),
}

#[derive(Debug)]
struct Pair<D: sqlx::Database> {
    /// One connection: writers queue here instead of failing as busy.
    writer: Pool<D>,
    readers: Pool<D>,
}

impl Registry {
    /// Opens or creates the database file and brings it to the present schema.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::ready(Pools::Sqlite(sqlite::open(path.as_ref()).await?)).await
    }

    /// A registry that is gone with its last clone, for tests.
    pub async fn open_in_memory() -> Result<Self> {
        Self::ready(Pools::Sqlite(sqlite::in_memory().await?)).await
    }

    /// Brings a PostgreSQL database (`postgres://…`) to the present schema. The URL's password is in no error.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::ready(Pools::Postgres(postgres::open(url).await?)).await
    }

    async fn ready(pools: Pools) -> Result<Self> {
        let registry = Self(Arc::new(pools));
        migrate(registry.write().await?).await?;
        Ok(registry)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(&*self.0, Pools::Postgres(_))
    }

    /// Closes every connection; later calls answer `Unavailable`.
    pub async fn close(&self) {
        match &*self.0 {
            Pools::Sqlite(pair) => pair.close().await,
            Pools::Postgres(pair) => pair.close().await,
        }
    }

    /// Answers when the database does: for readiness.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.read().await?.run("SELECT 1").await?)
    }

    pub(crate) async fn read(&self) -> Result<Conn> {
        Ok(match &*self.0 {
            Pools::Sqlite(pair) => Conn::Sqlite(pair.readers.acquire().await?),
            Pools::Postgres(pair) => Conn::Postgres(pair.readers.acquire().await?),
        })
    }

    /// The writer without a transaction, for what allows none.
    pub(crate) async fn writer(&self) -> Result<Conn> {
        Ok(match &*self.0 {
            Pools::Sqlite(pair) => Conn::Sqlite(pair.writer.acquire().await?),
            Pools::Postgres(pair) => Conn::Postgres(pair.writer.acquire().await?),
        })
    }

    /// Several reads of one moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        Ok(Tx(match &*self.0 {
            Pools::Sqlite(pair) => Conn::SqliteTx(pair.readers.begin().await?),
            Pools::Postgres(pair) => Conn::PostgresTx(pair.readers.begin_with(postgres::SNAPSHOT).await?),
        }))
    }

    /// One writer at a time, on both: what a change has seen is so until it commits, and sequences have no gaps.
    pub(crate) async fn write(&self) -> Result<Tx> {
        Ok(Tx(match &*self.0 {
            Pools::Sqlite(pair) => Conn::SqliteTx(pair.writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pair) => Conn::PostgresTx(pair.writer.begin_with(postgres::WRITE).await?),
        }))
    }

    pub(crate) async fn change<'a>(&self, by: &'a Actor) -> Result<Change<'a>> {
        Ok(Change {
            tx: self.write().await?,
            by,
        })
    }
}

impl<D: sqlx::Database> Pair<D> {
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// One change in the making. Dropping it undoes it; committing takes an audit entry.
pub(crate) struct Change<'a> {
    pub(crate) tx: Tx,
    pub(crate) by: &'a Actor,
}

impl Change<'_> {
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.tx
    }
}

/// The next number of a sequence.
pub(crate) async fn next_number(conn: &mut Conn, sequence: &str) -> Result<i64> {
    let row = query("UPDATE sequences SET value = value + 1 WHERE name = $1 RETURNING value")
        .bind(sequence)
        .fetch_one(conn)
        .await?;
    Ok(row.try_get("value")?)
}

async fn migrate(mut tx: Tx) -> Result<()> {
    if tx.is_postgres() {
        tx.run("SET LOCAL statement_timeout = 0").await?;
    }
    tx.run("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY)")
        .await?;
    let row = query("SELECT COALESCE(MAX(number), 0) AS done FROM migrations")
        .fetch_one(&mut tx)
        .await?;
    let done = usize::try_from(row.try_get::<i64>("done")?).unwrap_or(0);
    if done > MIGRATIONS.len() {
        return Err(RegistryError::Unavailable(
            "the database was written by a newer release".into(),
        ));
    }
    for (at, text) in MIGRATIONS.iter().enumerate().skip(done) {
        tx.migrate(text).await?;
        query("INSERT INTO migrations (number) VALUES ($1)")
            .bind(at as i64 + 1)
            .execute(&mut tx)
            .await?;
    }
    Ok(tx.commit().await?)
}
