//! A copy in PostgreSQL.

use bytes::Bytes;
use futures_util::{SinkExt, pin_mut};
use tokio_postgres::{Client, error::SqlState, types::ToSql};

use super::{names, order, quoted};
use crate::{
    error::{Error, Result},
    feed::{Secret, Tls},
    range::Range,
    replica::{
        plan::{Kind, Table},
        rows::Row,
    },
    source::sql::postgres::{connect_to, told as passing},
};

/// Bytes of rows sent at once.
const CHUNK: usize = 1 << 20;
/// Classes of errors that may pass: connection, transaction, resources, objects in use, an operator, the system.
const PASSING: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];
/// The lock of one replica in one schema; `$1` is its name.
const LOCK: &str = "hashtext('dagr_replica'), hashtext(current_schema() || '.' || $1::text)";

/// Of a client that is gone without a word the server soon hears nothing any more, and gives up its lock.
const LIVENESS: [&str; 4] = [
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 60000",
];

pub struct Postgres {
    client: Client,
}

pub fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Int => "bigint",
        Kind::Decimal => "numeric",
        Kind::Bool => "boolean",
        Kind::Date => "date",
        Kind::Timestamp => "timestamptz",
        Kind::Uuid => "uuid",
        // As it stands: jsonb would order members anew.
        Kind::Json => "json",
    }
}

impl Postgres {
    pub async fn open(url: &str, password: Option<&Secret>, tls: Option<&Tls>, schema: &str) -> Result<Self> {
        let client = connect_to(url, password, tls).await.map_err(Error::of_target)?;
        let target = Self { client };
        let there = "SELECT FROM pg_namespace WHERE nspname = $1";
        // Where it stands already, nobody needs the right to make it.
        let there = target.client.query_opt(there, &[&schema]).await.map_err(told)?;
        let schema = quoted(schema);
        if there.is_none() {
            target
                .run(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
                .await?;
        }
        target.run(&format!("SET search_path = {schema}")).await?;
        Ok(target)
    }

    pub async fn lock(&self, replica: &str) -> Result<()> {
        for text in LIVENESS {
            // A server that does not know it keeps its own patience.
            if let Err(error) = self.run(text).await {
                tracing::debug!(%error, text, "not set");
            }
        }
        // A session that was just lost may hold it for a moment.
        // Nor does anything wait behind it for a table that somebody else reads.
        self.run("SET lock_timeout = '5s'").await?;
        let lock = format!("SELECT pg_advisory_lock({LOCK})");
        let locked = self.client.execute(&lock, &[&replica]).await;
        match locked {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                let (holder, way_out) = self.holder(replica).await?;
                Err(Error::Decide(format!(
                    "another process keeps the copy of replica {replica} in this schema{holder}; stop it first{way_out}"
                )))
            }
            Err(error) => Err(told(error)),
        }
    }

    /// Which session has the lock, and how to end it.
    async fn holder(&self, replica: &str) -> Result<(String, String)> {
        let text = format!(
            "SELECT format(' (session %s of %s%s)', a.pid, a.usename, ' from ' || host(a.client_addr)),
                 format(', or end that session: `SELECT pg_terminate_backend(%s)`', a.pid)
             FROM pg_locks l JOIN pg_stat_activity a USING (pid), (SELECT {LOCK}) k (class, object)
             WHERE l.locktype = 'advisory' AND l.granted AND l.database = a.datid AND a.datname = current_database()
             AND l.classid = k.class::oid AND l.objid = k.object::oid"
        );
        let row = self.client.query_opt(&text, &[&replica]).await.map_err(told)?;
        Ok(row.map(|row| (row.get(0), row.get(1))).unwrap_or_default())
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub async fn run(&self, text: &str) -> Result<()> {
        self.client.batch_execute(text).await.map_err(told)
    }

    pub async fn exists(&self, name: &str) -> Result<bool> {
        let text = "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relname = $1";
        let row = self.client.query_opt(text, &[&name]).await.map_err(told)?;
        Ok(row.is_some())
    }

    pub async fn note(&self, replica: &str, name: &str) -> Result<Option<String>> {
        let text = "SELECT value FROM dagr_replica WHERE replica = $1 AND name = $2";
        let row = self
            .client
            .query_opt(text, &[&replica, &name])
            .await
            .map_err(told)?;
        Ok(row.map(|row| row.get(0)))
    }

    pub async fn others(&self, replica: &str, name: &str) -> Result<Vec<(String, String)>> {
        let text = "SELECT replica, value FROM dagr_replica WHERE replica <> $1 AND name = $2";
        let rows = self.client.query(text, &[&replica, &name]).await.map_err(told)?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub async fn advance(&self, replica: &str, from: &str, to: &str) -> Result<bool> {
        let text = "UPDATE dagr_replica SET value = $3 WHERE replica = $1 AND name = 'cursor' AND value = $2";
        let moved = self.client.execute(text, &[&replica, &from, &to]).await;
        Ok(moved.map_err(told)? == 1)
    }

    pub async fn set_note(&self, replica: &str, name: &str, value: &str) -> Result<()> {
        let text = "INSERT INTO dagr_replica VALUES ($1, $2, $3) ON CONFLICT (replica, name) DO UPDATE SET value = $3";
        self.client
            .execute(text, &[&replica, &name, &value])
            .await
            .map_err(told)?;
        Ok(())
    }

    pub async fn delete(&self, table: &Table, keys: &[Vec<u8>]) -> Result<()> {
        let text = format!("DELETE FROM {} WHERE _key = ANY($1)", quoted(&table.name));
        self.client.execute(&text, &[&keys]).await.map_err(told)?;
        Ok(())
    }

    pub async fn insert(&self, table: &Table, rows: &[Row]) -> Result<()> {
        let text = format!(
            "COPY {} ({}) FROM STDIN",
            quoted(&table.name),
            names(table).join(", ")
        );
        let sink = self.client.copy_in(&text).await.map_err(told)?;
        pin_mut!(sink);
        let mut out = String::new();
        for row in rows {
            line(table, row, &mut out)?;
            if out.len() > CHUNK {
                sink.send(Bytes::from(std::mem::take(&mut out)))
                    .await
                    .map_err(told)?;
            }
        }
        sink.send(Bytes::from(out)).await.map_err(told)?;
        sink.finish().await.map_err(told)?;
        Ok(())
    }

    /// Gives how many rows it changed.
    pub async fn change(&self, text: &str) -> Result<u64> {
        self.client.execute(text, &[]).await.map_err(told)
    }

    pub async fn rows(&self, table: &Table, stretch: &Range, limit: Option<usize>) -> Result<Vec<Row>> {
        let mut columns = vec!["_key".to_owned()];
        columns.extend(table.positions().iter().map(|name| format!("{name}::bigint")));
        columns.extend(table.columns.iter().map(|column| {
            let name = quoted(&column.name);
            match column.kind {
                Kind::Timestamp => format!("left({name}::text, -3) || 'Z'"),
                _ => format!("{name}::text"),
            }
        }));
        let text = format!(
            "SELECT {} FROM {} WHERE _key >= $1{} ORDER BY {} LIMIT {}",
            columns.join(", "),
            quoted(&table.name),
            if stretch.to.is_some() {
                " AND _key < $2"
            } else {
                ""
            },
            order(table),
            limit.map_or_else(|| "ALL".to_owned(), |limit| limit.to_string())
        );
        let from = stretch.from.as_deref().unwrap_or_default();
        let mut bounds: Vec<&(dyn ToSql + Sync)> = vec![&from];
        if let Some(to) = &stretch.to {
            bounds.push(to);
        }
        let found = self.client.query(&text, &bounds).await.map_err(told)?;
        found
            .iter()
            .map(|row| {
                Ok(Row {
                    key: row.try_get(0).map_err(told)?,
                    positions: (1..=table.depth)
                        .map(|at| row.try_get(at).map_err(told))
                        .collect::<Result<_>>()?,
                    cells: (0..table.columns.len())
                        .map(|at| row.try_get(1 + table.depth + at).map_err(told))
                        .collect::<Result<_>>()?,
                })
            })
            .collect()
    }
}

/// PostgreSQL's own words, which name the thing; and whether trying again is of use.
fn told(error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return passing(error).of_target();
    };
    let code = db.code().code();
    if db.code() == &SqlState::LOCK_NOT_AVAILABLE {
        return Error::Passing(
            "another session holds a table of the copy (pg_stat_activity shows it); tried again".to_owned(),
        );
    }
    if PASSING.iter().any(|class| code.starts_with(class)) {
        return passing(error).of_target();
    }
    let more = match (db.code(), db.detail(), db.hint()) {
        // The words have the value in them.
        _ if code.starts_with("22") => {
            return Error::Decide(format!(
                "PostgreSQL {code}: it cannot hold a value as it is; use SQLite or files"
            ));
        }
        (&SqlState::DEPENDENT_OBJECTS_STILL_EXIST, Some(detail), _) => {
            format!(" ({detail}). Drop what depends on the copy, and make it again afterwards")
        }
        (_, _, Some(hint)) => format!(" ({hint})"),
        _ => String::new(),
    };
    Error::Decide(format!("PostgreSQL {code}: {}{more}", db.message()))
}

/// One row of `COPY`'s text form.
fn line(table: &Table, row: &Row, out: &mut String) -> Result<()> {
    out.push_str("\\\\x");
    row.key
        .iter()
        .for_each(|byte| out.push_str(&format!("{byte:02x}")));
    for n in &row.positions {
        out.push_str(&format!("\t{n}"));
    }
    for (column, cell) in table.columns.iter().zip(&row.cells) {
        out.push('\t');
        let Some(cell) = cell else {
            out.push_str("\\N");
            continue;
        };
        fits(column.kind, cell).map_err(|why| {
            Error::Decide(format!(
                "PostgreSQL cannot hold a value of {}.{} as it is: {why}; use SQLite or files",
                table.name, column.name
            ))
        })?;
        for c in cell.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c => out.push(c),
            }
        }
    }
    out.push('\n');
    Ok(())
}

/// What would not come back as it went in is not put in.
fn fits(kind: Kind, cell: &str) -> std::result::Result<(), &'static str> {
    match kind {
        Kind::Timestamp
            if cell
                .split_once('.')
                .is_some_and(|(_, fraction)| fraction.len() > 7) =>
        {
            Err("a time finer than a microsecond")
        }
        Kind::Timestamp | Kind::Date if cell.starts_with("0000") => Err("the year 0000"),
        _ if cell.contains('\0') => Err("the character U+0000"),
        _ => Ok(()),
    }
}
