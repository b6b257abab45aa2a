//! PostgreSQL's logical decoding through its SQL functions: `pgoutput`, peeked, and advanced once the package is durable.
//!
//! A look opens a snapshot first and then peeks. Transactions that the snapshot does not see stop the look, so a package
//! brings the set to exactly the snapshot's state, and the slot is never advanced past what the snapshot held.

mod lag;
mod publication;
mod tables;

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::{
    Client,
    error::SqlState,
    types::{ToSql, Type},
};

pub use self::lag::Lag;
use self::{publication::Change, tables::Tables};
use super::{
    CHANGES, Cell, Touched,
    pgoutput::{self, Datum, Message, Relation},
};
use crate::{
    error::{Error, Result},
    feed::{Engine, Follow, quoted},
    source::{fault, sql::postgres::told},
};

/// How often the tables themselves are looked at.
const SHAPES: Duration = Duration::from_secs(2);
/// How long the slot may wait for transactions that are open.
const SLOT_WAIT: Duration = Duration::from_secs(30);

/// What the feed has noted of the source; empty where nothing is.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// Everything before is here.
    pub place: String,
    /// Which server, and which of its histories.
    pub server: String,
}

/// Names of the notes beside the place.
pub const SERVER: &str = "source_server";
pub const SHAPE: &str = "source_shape";

/// Makes sure that publication and slot exist and that every table tells the keys of what it changes. `lost` notes that
/// what was committed before is told by no slot; only then is one made. Gives how it stands then, its place is where the slot
/// is, and the shape of the tables.
pub async fn prepare(
    client: &Client,
    follow: &Follow,
    key_columns: &[String],
    lost: impl Fn() -> Result<()>,
) -> Result<(Noted, String)> {
    let tables = judge(client, follow, key_columns).await?;
    let has_slot = found(client, &follow.slot).await?.is_some();
    let before = async |change| {
        lost()?;
        // A slot from before its publication cannot be read: the log is read with what was there then.
        if change == Change::Made && has_slot {
            drop_slot(client, &follow.slot).await?;
        }
        Ok(())
    };
    publication::prepare(client, follow, &tables, key_columns, before).await?;
    slot(client, &follow.slot, lost).await?;
    let standing = Standing::of(client, follow, "").await?;
    let noted = Noted {
        place: standing.place,
        server: standing.server,
    };
    Ok((noted, Tables::of(client, follow).await?.shape()))
}

/// Can the tables be followed? Changes nothing.
pub async fn judge(client: &Client, follow: &Follow, key_columns: &[String]) -> Result<Tables> {
    let row = client
        .query_one(
            "SELECT current_setting('wal_level'), current_setting('server_version_num')::int",
            &[],
        )
        .await
        .map_err(told)?;
    if row.get::<_, i32>(1) < 130_000 {
        return Err(Error::Decide(
            "PostgreSQL is followed from version 13 on: leave source.follow out and compare on schedule"
                .to_owned(),
        ));
    }
    if row.get::<_, &str>(0) != "logical" {
        return Err(Error::Decide(
            "PostgreSQL has wal_level other than logical: ALTER SYSTEM SET wal_level = 'logical', then restart it; or leave source.follow out and compare on schedule".to_owned(),
        ));
    }
    let tables = Tables::of(client, follow).await?;
    tables.judge(client, follow, key_columns).await?;
    Ok(tables)
}

/// Could the tables be followed? What would be made for that is tried and taken back.
pub async fn attempt(client: &Client, follow: &Follow, key_columns: &[String]) -> Result<()> {
    let tables = judge(client, follow, key_columns).await?;
    client.batch_execute("BEGIN").await.map_err(told)?;
    let made = publication::prepare(client, follow, &tables, key_columns, async |_| Ok(())).await;
    client.batch_execute("ROLLBACK").await.map_err(told)?;
    made?;
    found(client, &follow.slot).await?;
    // Of no slot: who may not use any is told so before its name is looked at.
    let nameless = "SELECT 1 FROM pg_logical_slot_peek_binary_changes(NULL, NULL, 1)";
    match client.query(nameless, &[]).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Err(Error::Decide(format!(
            "{}: a slot needs the right (ALTER ROLE … REPLICATION); or leave source.follow out and compare on schedule",
            told(error)
        ))),
        Err(error) if error.code() != Some(&SqlState::NULL_VALUE_NOT_ALLOWED) => Err(told(error)),
        _ => Ok(()),
    }
}

/// The slot's `wal_status`, where there is one.
async fn found(client: &Client, name: &str) -> Result<Option<Option<String>>> {
    let found = client
        .query_opt(
            "SELECT plugin::text, wal_status, database = current_database() FROM pg_replication_slots WHERE slot_name = $1",
            &[&name],
        )
        .await
        .map_err(told)?;
    let Some(row) = found else { return Ok(None) };
    // Slots are the server's, not a database's.
    let ours =
        row.get::<_, Option<&str>>(0) == Some("pgoutput") && row.get::<_, Option<bool>>(2) == Some(true);
    if !ours {
        return Err(Error::Decide(format!(
            "the slot {name} is of another database or another program: give source.follow.slot another name"
        )));
    }
    Ok(Some(row.get(1)))
}

pub async fn drop_slot(client: &Client, name: &str) -> Result<()> {
    client
        .execute("SELECT pg_drop_replication_slot($1)", &[&name])
        .await
        .map_err(told)?;
    Ok(())
}

async fn slot(client: &Client, name: &str, lost: impl Fn() -> Result<()>) -> Result<()> {
    if let Some(status) = found(client, name).await? {
        if status.as_deref() != Some("lost") {
            return Ok(());
        }
        tracing::warn!(
            slot = name,
            "PostgreSQL has thrown away changes the slot stood for; everything is compared"
        );
        drop_slot(client, name).await?;
    }
    lost()?;
    let text = format!("SET statement_timeout = {}", SLOT_WAIT.as_millis());
    client.batch_execute(&text).await.map_err(told)?;
    let made = client
        .execute(
            "SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
            &[&name],
        )
        .await;
    client
        .batch_execute("RESET statement_timeout")
        .await
        .map_err(told)?;
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => Err(Error::Decide(format!(
            "the slot {name} cannot be made while older transactions are open: end them (pg_stat_activity, \"idle in transaction\"; pg_prepared_xacts)"
        ))),
        Err(error) => Err(told(error)),
    }
}

/// What tells the log apart from another, and whether it goes on where the feed left it.
struct Standing {
    snapshot: Snapshot,
    /// Of what is on the source's disk.
    end: String,
    server: String,
    /// Where the slot stands.
    place: String,
    /// Past where the feed left it?
    is_past: bool,
}

const STANDING: &str = "
SELECT pg_current_snapshot()::text, pg_current_wal_flush_lsn()::text,
  (SELECT system_identifier FROM pg_control_system())::text || ' ' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8),
  s.confirmed_flush_lsn::text, s.confirmed_flush_lsn > nullif($2, '')::pg_lsn
FROM (VALUES (1)) v LEFT JOIN pg_replication_slots s ON s.slot_name = $1";

impl Standing {
    async fn of(client: &Client, follow: &Follow, noted: &str) -> Result<Self> {
        let row = client
            .query_one(STANDING, &[&follow.slot, &noted])
            .await
            .map_err(told)?;
        let place: Option<String> = row.get(3);
        Ok(Self {
            snapshot: Snapshot::read(row.get(0))
                .ok_or_else(|| fault("PostgreSQL's snapshot cannot be read"))?,
            end: row.get(1),
            server: row.get(2),
            place: place.ok_or_else(|| fault(format!("the slot {} is gone", follow.slot)))?,
            is_past: row.get::<_, Option<bool>>(4) == Some(true),
        })
    }
}

/// Looks at what was committed since the slot's position. The snapshot of the transaction under way is what it is cut at.
/// `shape`: the one that was noted; it may be long, and is asked for when it is needed.
pub async fn look(
    client: &Client,
    follow: &Follow,
    key_columns: &[String],
    noted: &Noted,
    shape: &dyn Fn() -> Result<String>,
    known: &mut Known,
) -> Result<Touched> {
    let standing = Standing::of(client, follow, &noted.place).await?;
    let mut touched = Touched::default();
    touched.note(SERVER, &noted.server, &standing.server);
    let is_other = !noted.server.is_empty() && noted.server != standing.server;
    if standing.is_past || is_other {
        tracing::warn!(
            slot = follow.slot,
            "somebody else has moved the slot on, or the server is another; everything is compared"
        );
        known.renew(client, follow, &shape()?, &mut touched).await?;
        touched.everything = true;
        touched.position = Some(standing.place);
        return Ok(touched);
    }
    let renewed = known.is_old();
    if renewed {
        known.renew(client, follow, &shape()?, &mut touched).await?;
    }
    let is_idle = peek(
        client,
        follow,
        key_columns,
        &standing.snapshot,
        known,
        &mut touched,
    )
    .await?;
    if !touched.unreadable && (known.is_old() || (touched.everything && !renewed)) {
        // Rows came of a table that was not there before; or a table was emptied, which is seen in its shape too: once.
        known.renew(client, follow, &shape()?, &mut touched).await?;
    }
    if is_idle {
        // What other tables wrote need not be kept for us.
        touched.idle = Some(standing.end);
    }
    Ok(touched)
}

/// What was known of the tables a moment ago: there may be thousands of partitions.
#[derive(Default)]
pub struct Known {
    tables: Tables,
    /// Numbers that are of no followed table.
    others: HashSet<u32>,
    /// When they were looked at; no longer known = none.
    at: Option<Instant>,
}

impl Known {
    fn is_old(&self) -> bool {
        self.at.is_none_or(|at| at.elapsed() > SHAPES)
    }

    async fn renew(
        &mut self,
        client: &Client,
        follow: &Follow,
        noted: &str,
        touched: &mut Touched,
    ) -> Result<()> {
        self.tables = Tables::of(client, follow).await?;
        self.at = Some(Instant::now());
        self.others.retain(|oid| self.tables.followed(*oid).is_empty());
        touched.note(SHAPE, noted, &self.tables.shape());
        if self.tables.rewritten(noted) {
            tracing::info!("tables were altered: no log tells what that did to their rows");
            touched.everything = true;
            touched.altered = true;
        }
        Ok(())
    }

    /// A number that was not met before may be of a new partition.
    fn meet(&mut self, oid: u32) {
        if self.tables.followed(oid).is_empty() && self.others.insert(oid) {
            self.at = None;
        }
    }
}

/// Reads what was committed, as far as the snapshot sees it. Was there nothing at all?
async fn peek(
    client: &Client,
    follow: &Follow,
    key_columns: &[String],
    snapshot: &Snapshot,
    known: &mut Known,
    touched: &mut Touched,
) -> Result<bool> {
    let query = "SELECT data FROM pg_logical_slot_peek_binary_changes($1, NULL, $2, 'proto_version', '1', 'publication_names', $3)";
    let publication = quoted(Engine::Postgres, &follow.slot);
    let parameters: [&(dyn ToSql + Sync); 3] = [&follow.slot, &CHANGES, &publication];
    // One by one: a transaction is never cut, and may be larger than memory.
    let rows = client.query_raw(query, parameters).await.map_err(told)?;
    pin_mut!(rows);
    let mut relations: HashMap<u32, Relation> = HashMap::new();
    let mut is_idle = true;
    loop {
        let row = match rows.try_next().await {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_OBJECT) => {
                tracing::warn!(
                    slot = follow.slot,
                    "the publication was not there all the time; the slot is made anew"
                );
                touched.unreadable = true;
                return Ok(false);
            }
            Err(error) => return Err(told(error)),
        };
        is_idle = false;
        let message =
            pgoutput::read(row.get(0)).ok_or_else(|| fault("a message of pgoutput cannot be read"))?;
        match message {
            // The snapshot does not hold it, nor what was committed after it.
            Message::Begin { xid } if !snapshot.sees(xid) => break,
            Message::Relation(relation) => {
                known.meet(relation.id);
                relations.insert(relation.id, relation);
            }
            Message::Change {
                relation,
                is_key,
                old,
                new,
            } => {
                touched.changes += 1;
                if let Some(relation) = relations.get(&relation) {
                    let rows = [old.map(|old| (old, is_key)), new.map(|new| (new, false))];
                    for row in rows.iter().flatten() {
                        touch(touched, follow, &known.tables, key_columns, relation, row)?;
                    }
                }
            }
            Message::Truncate { relations } => {
                touched.everything |= relations
                    .iter()
                    .any(|oid| !known.tables.followed(*oid).is_empty());
            }
            Message::Commit { end, at_us } => {
                touched.transactions += 1;
                touched.position = Some(format!("{:X}/{:X}", end >> 32, end & 0xffff_ffff));
                touched.committed_ms = Some(at_us / 1000);
            }
            Message::Begin { .. } | Message::Other => {}
        }
    }
    Ok(is_idle)
}

fn touch(
    touched: &mut Touched,
    follow: &Follow,
    tables: &Tables,
    key_columns: &[String],
    relation: &Relation,
    (tuple, is_key): &(Vec<Datum>, bool),
) -> Result<()> {
    for at in tables.followed(relation.id) {
        touched.row(&follow.tables[*at], key_columns, |own| {
            let at = relation.columns.iter().position(|(name, _)| name == own);
            match at.and_then(|at| Some((tuple.get(at)?, relation.columns[at].1))) {
                // As a query gives it as text.
                Some((Datum::Text(text), ty)) if ty == Type::BPCHAR.oid() => {
                    Cell::Text(text.trim_end_matches(' ').to_owned())
                }
                Some((Datum::Text(text), _)) => Cell::Text(text.clone()),
                // What the replica identity did not hold then is not told.
                Some((Datum::Null, _)) if *is_key => Cell::Unknown,
                Some((Datum::Null | Datum::Unchanged, _)) => Cell::Nothing,
                Some((Datum::NotUtf8, _)) | None => Cell::Unknown,
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
