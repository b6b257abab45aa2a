//! PostgreSQL's logical decoding through its SQL functions: `pgoutput`, peeked, and advanced once the package is durable.
//!
//! A look opens a snapshot first and then peeks. Transactions that the snapshot does not see stop the look, so a package
//! brings the set to exactly the snapshot's state, and the slot is never advanced past what the snapshot held.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::{
    CHANGES, Cell, Touched,
    pgoutput::{self, Datum, Message, Relation},
};
use crate::{
    error::{Error, Result},
    feed::{Engine, Follow, Followed, quoted, quoted_table},
    source::{fault, sql::postgres::told},
};

/// From so many bytes of kept WAL on a person is told.
const MUCH_WAL: i64 = 1 << 30;

/// What the source says of the slot.
#[derive(Debug, Clone, Default)]
pub struct Lag {
    /// WAL the source keeps for the slot, bytes.
    pub wal_bytes: i64,
    pub status: String,
}

/// Makes sure that publication and slot exist and that every table tells the keys of what it changes. `lost` notes that
/// what was committed before is told by no slot; only then is one made.
pub async fn prepare(client: &Client, follow: &Follow, lost: impl FnOnce() -> Result<()>) -> Result<()> {
    tables(client, follow).await?;
    publication(client, follow).await?;
    slot(client, &follow.slot, lost).await
}

/// Can the tables be followed? Changes nothing.
pub async fn tables(client: &Client, follow: &Follow) -> Result<()> {
    let row = client.query_one("SHOW wal_level", &[]).await.map_err(told)?;
    if row.get::<_, &str>(0) != "logical" {
        return Err(Error::Decide(
            "PostgreSQL has wal_level other than logical: ALTER SYSTEM SET wal_level = 'logical', then restart it; or leave source.follow out and compare on schedule".to_owned(),
        ));
    }
    for table in &follow.tables {
        identity(client, table).await?;
    }
    Ok(())
}

async fn publication(client: &Client, follow: &Follow) -> Result<()> {
    let found = client
        .query_opt("SELECT 1 FROM pg_publication WHERE pubname = $1", &[&follow.slot])
        .await
        .map_err(told)?;
    let tables: Vec<String> = follow
        .tables
        .iter()
        .map(|table| quoted_table(Engine::Postgres, &table.table))
        .collect();
    let name = quoted(Engine::Postgres, &follow.slot);
    let text = match found {
        Some(_) => {
            let published = client
                .query("SELECT (quote_ident(schemaname) || '.' || quote_ident(tablename))::regclass::oid FROM pg_publication_tables WHERE pubname = $1", &[&follow.slot])
                .await
                .map_err(told)?;
            let published: Vec<u32> = published.iter().map(|row| row.get(0)).collect();
            let mut missing: Vec<String> = Vec::new();
            for table in &tables {
                let row = client
                    .query_one("SELECT $1::text::regclass::oid", &[table])
                    .await
                    .map_err(told)?;
                if !published.contains(&row.get(0)) {
                    missing.push(table.clone());
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            format!("ALTER PUBLICATION {name} ADD TABLE {}", missing.join(", "))
        }
        None => format!("CREATE PUBLICATION {name} FOR TABLE {}", tables.join(", ")),
    };
    client.batch_execute(&text).await.map_err(|error| {
        Error::Decide(format!(
            "{}; have it made by the owner of the tables: {text}",
            told(error)
        ))
    })
}

/// A delete or a move tells the old key only if the table's replica identity holds it.
async fn identity(client: &Client, table: &Followed) -> Result<()> {
    let name = quoted_table(Engine::Postgres, &table.table);
    let row = client
        .query_one(
            "SELECT c.relreplident::text, ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a
               ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
             WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END)
             FROM pg_class c WHERE c.oid = $1::text::regclass",
            &[&name],
        )
        .await
        .map_err(told)?;
    let (kind, columns): (String, Vec<String>) = (row.get(0), row.get(1));
    let missing: Vec<&str> = table
        .key
        .keys()
        .map(String::as_str)
        .filter(|key| !columns.iter().any(|column| column == key))
        .collect();
    if kind == "f" || missing.is_empty() {
        return Ok(());
    }
    Err(Error::Decide(format!(
        "{} does not tell the old {} of what it deletes or moves: ALTER TABLE {name} REPLICA IDENTITY FULL, or make it part of the primary key",
        table.table,
        missing.join(", ")
    )))
}

async fn slot(client: &Client, name: &str, lost: impl FnOnce() -> Result<()>) -> Result<()> {
    let found = client
        .query_opt(
            "SELECT plugin, wal_status FROM pg_replication_slots WHERE slot_name = $1",
            &[&name],
        )
        .await
        .map_err(told)?;
    if let Some(row) = found {
        let plugin: Option<&str> = row.get(0);
        if plugin != Some("pgoutput") {
            return Err(Error::Decide(format!(
                "the slot {name} is of another program: give source.follow.slot another name"
            )));
        }
        if row.get::<_, Option<&str>>(1) != Some("lost") {
            return Ok(());
        }
        tracing::warn!(
            slot = name,
            "PostgreSQL has thrown away changes the slot stood for; everything is compared"
        );
        client
            .execute("SELECT pg_drop_replication_slot($1)", &[&name])
            .await
            .map_err(told)?;
    }
    lost()?;
    client
        .execute(
            "SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
            &[&name],
        )
        .await
        .map_err(told)?;
    Ok(())
}

/// Looks at what was committed since the slot's position. The snapshot of the transaction under way is what it is cut at.
pub async fn look(client: &Client, follow: &Follow, key_columns: &[String]) -> Result<Touched> {
    let row = client
        .query_one(
            "SELECT pg_current_snapshot()::text, pg_current_wal_lsn()::text",
            &[],
        )
        .await
        .map_err(told)?;
    let snapshot = Snapshot::read(row.get(0)).ok_or_else(|| fault("PostgreSQL's snapshot cannot be read"))?;
    let rows = client
        .query(
            "SELECT data FROM pg_logical_slot_peek_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $3)",
            &[&follow.slot, &CHANGES, &quoted(Engine::Postgres, &follow.slot)],
        )
        .await
        .map_err(told)?;
    let mut touched = Touched::default();
    if rows.is_empty() {
        // What other tables wrote need not be kept for us.
        touched.idle = Some(row.get(1));
    }
    let mut relations: HashMap<u32, Relation> = HashMap::new();
    // Past the first transaction that the snapshot does not see, keys are still worth reading, the position is not.
    let mut passed = false;
    for row in rows {
        let message =
            pgoutput::read(row.get(0)).ok_or_else(|| fault("a message of pgoutput cannot be read"))?;
        match message {
            Message::Begin { xid } => passed |= !snapshot.sees(xid),
            Message::Relation(relation) => {
                relations.insert(relation.id, relation);
            }
            Message::Change { relation, old, new } => {
                touched.changes += 1;
                if let Some(relation) = relations.get(&relation) {
                    for tuple in [old, new].into_iter().flatten() {
                        touch(&mut touched, follow, key_columns, relation, &tuple)?;
                    }
                }
            }
            Message::Truncate { .. } => touched.everything = true,
            Message::Commit { end, at_us } if !passed => {
                touched.transactions += 1;
                touched.position = Some(format!("{:X}/{:X}", end >> 32, end & 0xffff_ffff));
                touched.committed_ms = Some(at_us / 1000);
            }
            Message::Commit { .. } | Message::Other => {}
        }
    }
    Ok(touched)
}

fn touch(
    touched: &mut Touched,
    follow: &Follow,
    key_columns: &[String],
    relation: &Relation,
    tuple: &[Datum],
) -> Result<()> {
    let named = |table: &&Followed| {
        let (schema, name) = table.table.rsplit_once('.').unwrap_or(("public", &table.table));
        name == relation.name && schema == relation.schema
    };
    for table in follow.tables.iter().filter(named) {
        touched.row(table, key_columns, |own| {
            let at = relation.columns.iter().position(|name| name == own);
            match at.and_then(|at| tuple.get(at)) {
                Some(Datum::Text(text)) => Cell::Text(text.clone()),
                Some(Datum::Null | Datum::Unchanged) => Cell::Nothing,
                None => Cell::Unknown,
            }
        })?;
    }
    Ok(())
}

/// The slot stands at what is durable here.
pub async fn advance(client: &Client, slot: &str, position: &str) -> Result<()> {
    client
        .execute(
            "SELECT pg_replication_slot_advance($1, $2::text::pg_lsn)",
            &[&slot, &position],
        )
        .await
        .map_err(told)?;
    Ok(())
}

/// What the source keeps for the slot; much of it is said aloud.
pub async fn lag(client: &Client, slot: &str) -> Result<Lag> {
    let row = client
        .query_opt(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint, wal_status FROM pg_replication_slots WHERE slot_name = $1",
            &[&slot],
        )
        .await
        .map_err(told)?;
    let Some(row) = row else {
        return Ok(Lag {
            wal_bytes: 0,
            status: "missing".to_owned(),
        });
    };
    let lag = Lag {
        wal_bytes: row.get::<_, Option<i64>>(0).unwrap_or(0),
        status: row.get::<_, Option<String>>(1).unwrap_or_default(),
    };
    if lag.wal_bytes > MUCH_WAL {
        tracing::warn!(
            slot,
            wal_bytes = lag.wal_bytes,
            status = lag.status,
            "the source keeps WAL for this feed: see why it does not deliver, or drop the slot (SELECT pg_drop_replication_slot); the feed then compares everything"
        );
    }
    Ok(lag)
}

/// `xmin:xmax:xip,xip`
struct Snapshot {
    xmin: u64,
    xmax: u64,
    running: Vec<u64>,
}

impl Snapshot {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let running = parts.next()?.split(',').filter(|part| !part.is_empty());
        Some(Self {
            xmin,
            xmax,
            running: running.map(|part| part.parse().ok()).collect::<Option<_>>()?,
        })
    }

    /// Is this transaction, known to be committed, in the snapshot?
    fn sees(&self, xid: u32) -> bool {
        let xid = self.widened(xid);
        xid < self.xmin || (xid < self.xmax && !self.running.contains(&xid))
    }

    /// The 64-bit number nearest to `xmax` that ends in these 32 bits.
    fn widened(&self, xid: u32) -> u64 {
        let base = (self.xmax & !0xffff_ffff) | u64::from(xid);
        if base > self.xmax + (1 << 31) {
            base.saturating_sub(1 << 32)
        } else if base + (1 << 31) < self.xmax {
            base + (1 << 32)
        } else {
            base
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Snapshot;

    #[test]
    fn a_snapshot_sees_what_was_committed_before_it() {
        let snapshot = Snapshot::read("100:105:102,103").unwrap();
        for (xid, seen) in [
            (99, true),
            (100, true),
            (101, true),
            (102, false),
            (103, false),
            (104, true),
            (105, false),
            (200, false),
        ] {
            assert_eq!(snapshot.sees(xid), seen, "{xid}");
        }
        let wrapped = Snapshot::read("4294967290:4294967300:").unwrap();
        assert!(wrapped.sees(0xffff_fff0) && wrapped.sees(3) && !wrapped.sees(4));
    }
}
