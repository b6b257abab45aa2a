//! The database by URL.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, Executor as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::Pair;
use crate::{RegistryError, Result, db::Row};

const READERS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);

/// Waits for its turn, then sees what the one before committed: so nothing is ever to be repeated for having met
/// another. The lock is the schema's, and ends with the transaction.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SELECT pg_advisory_xact_lock(hashtext('dagr registry'), hashtext(current_schema()))";
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Durable when acknowledged, whatever the database's own default.
const WRITER: &str = "SELECT set_config('synchronous_commit', 'on', false)
       WHERE current_setting('synchronous_commit') = 'off';
     SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";
const READER: &str = "SET default_transaction_read_only = on; SET statement_timeout = '60s'";

/// Parameters a URL may have; `options` reaches settings such as `search_path`.
const PARAMETERS: &[&str] = &[
    "host",
    "port",
    "user",
    "dbname",
    "password",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
];

pub(super) async fn open(url: &str) -> Result<Pair<sqlx::Postgres>> {
    let options = options(url)?;
    let place = place(&options);
    let failed = |error: sqlx::Error| RegistryError::Unavailable(format!("PostgreSQL at {place}: {error}"));
    let writer = pool(1, WRITER)
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    let readers = pool(READERS, READER).connect_lazy_with(options);
    trustworthy(&writer).await?;
    Ok(Pair { writer, readers })
}

fn pool(connections: u32, setting: &'static str) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |conn, _| {
            Box::pin(async move { conn.execute(sqlx::raw_sql(setting)).await.map(drop) })
        })
}

fn options(url: &str) -> Result<PgConnectOptions> {
    // No word of the URL in a message: what is misplaced in it may be the password.
    let refuse = |why: &str| Err(RegistryError::Unavailable(format!("the registry's URL: {why}")));
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return refuse("begins with postgres://");
    }
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    for one in parameters.split('&').filter(|one| !one.is_empty()) {
        let name = one.split_once('=').map_or(one, |(name, _)| name);
        if !PARAMETERS.contains(&name) {
            return refuse(&format!(
                "a parameter is unknown. Known: {}",
                PARAMETERS.join(", ")
            ));
        }
    }
    match PgConnectOptions::from_str(url) {
        Ok(options) => Ok(options
            .application_name("dagr")
            // Statements are logged by nobody: their text tells nothing that the operator does not have.
            .disable_statement_logging()),
        Err(_) => refuse(
            "cannot be read: postgres://USER@HOST:PORT/DATABASE, other than letters and digits written as %41",
        ),
    }
}

fn place(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let database = options.get_database().unwrap_or(options.get_username());
    format!("{host}:{}/{database}", options.get_port())
}

/// What was acknowledged has to be there after a power cut, and every text has to fit.
async fn trustworthy(writer: &sqlx::PgPool) -> Result<()> {
    let row = sqlx::query(
        "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
                current_setting('server_encoding') AS encoding",
    )
    .fetch_one(writer)
    .await
    .map(Row::Postgres)?;
    let mut faults = Vec::new();
    for (column, wanted, name) in [
        ("fsync", "on", "fsync"),
        ("pages", "on", "full_page_writes"),
        ("encoding", "UTF8", "server_encoding"),
    ] {
        let found: String = row.try_get(column)?;
        if found != wanted {
            faults.push(format!("{name} is {found} and has to be {wanted}"));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(RegistryError::Unavailable(format!(
        "PostgreSQL: {}",
        faults.join("; ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_refused_is_not_repeated() {
        for url in [
            "mysql://u:hidden@h/d",
            "postgres://u:hidden@h/d?passwrod=hidden",
            "postgres://u:hid/den@h:x/d",
            "postgres://u:hidden@h/d?sslmode=hidden",
        ] {
            let refused = options(url).unwrap_err().to_string();
            assert!(!refused.contains("hid"), "{refused}");
        }
        let fine = options("postgres://u:hidden@h:5433/d?sslmode=verify-full").unwrap();
        assert_eq!(place(&fine), "h:5433/d");
        let socket = options("postgres://u@localhost/d?host=/run/postgresql").unwrap();
        assert_eq!(place(&socket), "/run/postgresql:5432/d");
    }
}
