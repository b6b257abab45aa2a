//! What the source keeps for a feed that follows PostgreSQL, asked beside its work: also while everything is compared, nothing can be delivered,
//! or a package is held.

use std::{convert::Infallible, future::pending, time::Duration};

use super::Running;
use crate::{
    error::Result,
    feed::{Engine, Source},
    source::sql::{follow::postgres::Lag, postgres::connect},
};

const EVERY: Duration = Duration::from_secs(30);

pub async fn watch(running: &Running) -> Infallible {
    loop {
        // What keeps it from being asked is told by whoever looks at the source.
        let _ = ask(running).await;
        tokio::time::sleep(EVERY).await;
    }
}

async fn ask(running: &Running) -> Result<()> {
    let Source::Sql(sql) = &running.feed.source else {
        return pending().await;
    };
    let (Engine::Postgres, Some(follow)) = (sql.engine, &sql.follow) else {
        return pending().await;
    };
    let lag = Lag::of(&connect(sql).await?, &follow.slot).await?;
    let advice = lag.advice(&follow.slot).unwrap_or_default();
    if !advice.is_empty() {
        tracing::warn!(
            slot = follow.slot,
            wal_bytes = lag.wal_bytes,
            status = lag.status,
            "{advice}"
        );
    }
    for (name, value) in [
        ("source_wal_bytes", lag.wal_bytes.to_string()),
        ("source_slot_status", lag.status),
        ("source_advice", advice),
    ] {
        running.state.set_meta(name, &value)?;
    }
    Ok(())
}
