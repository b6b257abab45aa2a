//! The publication that tells what of the log is for the feed.

use std::collections::HashSet;

use tokio_postgres::{Client, error::SqlState};

use super::{tables, tables::Tables};
use crate::{
    error::{Error, Result},
    feed::{Engine, Follow, quoted},
    source::sql::postgres::told,
};

/// Makes sure that the publication tells everything of every table. `before` is called before it is made or gets a table:
/// what was committed until then is told by nobody.
pub async fn prepare(
    client: &Client,
    follow: &Follow,
    tables: &Tables,
    key_columns: &[String],
    before: impl AsyncFnOnce(Change) -> Result<()>,
) -> Result<()> {
    let name = quoted(Engine::Postgres, &follow.slot);
    let found = client
        .query_opt(
            "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication WHERE pubname = $1",
            &[&follow.slot],
        )
        .await
        .map_err(told)?;
    let Some(row) = found else {
        let all: Vec<String> = follow.tables.iter().map(tables::quoted).collect();
        before(Change::Made).await?;
        let text = format!("CREATE PUBLICATION {name} FOR TABLE {}", all.join(", "));
        return run(client, &text).await;
    };
    if !row.get::<_, bool>(0) {
        return Err(Error::Decide(format!(
            "the publication {name} does not tell everything: ALTER PUBLICATION {name} SET (publish = 'insert, update, delete, truncate')"
        )));
    }
    let missing = missing(client, follow, tables, key_columns).await?;
    if missing.is_empty() {
        return Ok(());
    }
    before(Change::Wider).await?;
    run(
        client,
        &format!("ALTER PUBLICATION {name} ADD TABLE {}", missing.join(", ")),
    )
    .await
}

/// What is about to be done to a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Made,
    Wider,
}

async fn run(client: &Client, text: &str) -> Result<()> {
    client
        .batch_execute(text)
        .await
        .map_err(|error| match error.code() {
            // Somebody holds a table: soon not.
            Some(&SqlState::LOCK_NOT_AVAILABLE) | None => told(error),
            _ => Error::Decide(format!(
                "{}; have it made by the owner of the tables: {text}",
                told(error)
            )),
        })
}

/// Tables to be added; one that is told in part is refused.
async fn missing(
    client: &Client,
    follow: &Follow,
    tables: &Tables,
    key_columns: &[String],
) -> Result<Vec<String>> {
    // Row filters and lists of columns came with PostgreSQL 15.
    let rows = client
        .query(
            "SELECT c.oid, to_jsonb(p)->>'rowfilter', ARRAY(SELECT jsonb_array_elements_text(to_jsonb(p)->'attnames'))
             FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname
             JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename WHERE p.pubname = $1",
            &[&follow.slot],
        )
        .await
        .map_err(told)?;
    let mut published = HashSet::new();
    for row in &rows {
        let (oid, filter, columns): (u32, Option<String>, Vec<String>) = (row.get(0), row.get(1), row.get(2));
        published.insert(oid);
        for at in tables.followed(oid) {
            let table = &follow.tables[*at];
            let mut hidden = false;
            for key in key_columns {
                let own = table.column(key)?;
                hidden |= !columns.is_empty() && !columns.iter().any(|column| column == own);
            }
            if filter.is_some() || hidden {
                return Err(Error::Decide(format!(
                    "the publication {} tells only a part of {}: take its WHERE and its list of columns away (ALTER PUBLICATION … SET TABLE …)",
                    follow.slot, table.table
                )));
            }
        }
    }
    let whole = |followed: usize| {
        let mut roots = tables.members.iter().filter(|member| member.followed == followed);
        roots.any(|member| !member.has_rows && published.contains(&member.oid))
    };
    let mut missing: Vec<String> = tables
        .members
        .iter()
        .filter(|member| member.has_rows && !published.contains(&member.oid) && !whole(member.followed))
        .map(|member| {
            if member.is_partition {
                // Its table brings it along, and those still to come.
                tables::quoted(&follow.tables[member.followed])
            } else {
                member.name.clone()
            }
        })
        .collect();
    missing.sort();
    missing.dedup();
    Ok(missing)
}
