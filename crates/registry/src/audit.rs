//! Who changed what, when, from what to what.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Page, Registry, Result,
    db::{Row, query},
    open::{Change, next_number},
    page::{fetch, number_token},
    row::{from_json, micros, text, time, to_json},
};

/// Who makes a change, in which request, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `operator`, `connection:<client id>` or `person:<id>`.
    pub name: String,
    pub request_id: String,
    pub at: Timestamp,
}

/// One change. Serialises as the interface shows an entry; `id` and `request_id` stay inside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditView {
    #[serde(skip)]
    pub id: i64,
    pub at: Timestamp,
    pub actor: String,
    #[serde(skip)]
    pub request_id: String,
    /// `noun_verb`: `permission_revoke`.
    pub action: String,
    /// `noun/id`: `permissions/100001`.
    pub object: String,
    /// The view before; null when the change made the thing.
    pub before: Value,
    /// The view after; null when the change removed the thing.
    pub after: Value,
}

/// Each member narrows; `from` is inclusive, `to` exclusive.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub object: Option<String>,
    /// `permissions`: whatever lies below it.
    pub noun: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Change<'_> {
    /// The only way to commit a change: it takes its entry along. Null stands for "not there".
    pub(crate) async fn commit(
        mut self,
        action: &'static str,
        object: String,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<()> {
        self.enter(action, object, before, after).await?;
        Ok(self.tx.commit().await?)
    }

    /// One more entry, for a change that touches several things.
    pub(crate) async fn enter(
        &mut self,
        action: &'static str,
        object: String,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<()> {
        let id = next_number(&mut self.tx, "audit").await?;
        query(
            "INSERT INTO audit (id, at, actor, request_id, action, object, before_json, after_json)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(micros(self.by.at))
        .bind(&self.by.name)
        .bind(&self.by.request_id)
        .bind(action)
        .bind(object)
        .bind(to_json(before)?)
        .bind(to_json(after)?)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}

impl Registry {
    /// A decision about something that is kept elsewhere. `before` is what was decided about.
    pub async fn audit_enter(
        &self,
        by: &Actor,
        action: &'static str,
        object: String,
        before: &impl Serialize,
    ) -> Result<()> {
        self.change(by)
            .await?
            .commit(action, object, before, &Value::Null)
            .await
    }

    /// Newest first.
    pub async fn audit_list(
        &self,
        filter: &AuditFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<AuditView>> {
        let rows = query(
            "SELECT * FROM audit
             WHERE id < $1 AND at >= $2 AND at < $3
               AND actor = COALESCE(CAST($4 AS TEXT), actor)
               AND action = COALESCE(CAST($5 AS TEXT), action)
               AND object = COALESCE(CAST($6 AS TEXT), object)
               AND (CAST($7 AS TEXT) IS NULL OR object LIKE $7)
             ORDER BY id DESC LIMIT $8",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(filter.from.map_or(i64::MIN, micros))
        .bind(filter.to.map_or(i64::MAX, micros))
        .bind(&filter.actor)
        .bind(&filter.action)
        .bind(&filter.object)
        .bind(filter.noun.as_deref().map(below))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(view).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |entry| entry.id.to_string()))
    }
}

/// `permissions` → `permissions/%`. Nouns are letters: whatever else was sent matches nothing of its own accord.
fn below(noun: &str) -> String {
    let noun: String = noun.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{noun}/%")
}

fn view(row: &Row) -> Result<AuditView> {
    let json = |column: &str| -> Result<Value> {
        let text: Option<String> = row.try_get(column)?;
        text.map_or(Ok(Value::Null), |text| from_json(&text))
    };
    Ok(AuditView {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        actor: text(row, "actor")?,
        request_id: text(row, "request_id")?,
        action: text(row, "action")?,
        object: text(row, "object")?,
        before: json("before_json")?,
        after: json("after_json")?,
    })
}
