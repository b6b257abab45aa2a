//! Notices to providers: something about their data set they should look at.

use dagr_model::ids::{DatasetName, PermissionNumber};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Page, Registry, Result,
    db::{Row, query},
    open::next_number,
    page::{fetch, number_token},
    row::{from_json, micros, stored, text, time, to_json},
};

#[derive(Debug, Clone, PartialEq)]
pub struct NoticeCreate {
    pub dataset: DatasetName,
    pub permission: Option<PermissionNumber>,
    /// `misses_limited`, `expression_failing`, …
    pub kind: String,
    /// Never a personal value.
    pub detail: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoticeView {
    pub id: i64,
    pub at: Timestamp,
    pub dataset: DatasetName,
    pub permission: Option<PermissionNumber>,
    pub kind: String,
    pub detail: Value,
}

#[derive(Debug, Clone, Default)]
pub struct NoticeFilter {
    pub dataset: Option<DatasetName>,
    pub permission: Option<PermissionNumber>,
    pub kind: Option<String>,
}

impl Registry {
    pub async fn notice_insert(&self, create: &NoticeCreate, at: Timestamp) -> Result<NoticeView> {
        let mut tx = self.write().await?;
        let id = next_number(&mut tx, "notice").await?;
        query(
            "INSERT INTO notices (id, at, dataset, permission, kind, detail_json) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(micros(at))
        .bind(create.dataset.as_str())
        .bind(create.permission.as_ref().map(PermissionNumber::as_str))
        .bind(&create.kind)
        .bind(to_json(&create.detail)?)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(NoticeView {
            id,
            at: stored(at),
            dataset: create.dataset.clone(),
            permission: create.permission.clone(),
            kind: create.kind.clone(),
            detail: create.detail.clone(),
        })
    }

    /// Newest first.
    pub async fn notice_list(
        &self,
        filter: &NoticeFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<NoticeView>> {
        let rows = query(
            "SELECT * FROM notices
             WHERE id < $1 AND dataset = COALESCE(CAST($2 AS TEXT), dataset)
               AND (CAST($3 AS TEXT) IS NULL OR permission = $3)
               AND kind = COALESCE(CAST($4 AS TEXT), kind)
             ORDER BY id DESC LIMIT $5",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(filter.dataset.as_ref().map(DatasetName::as_str))
        .bind(filter.permission.as_ref().map(PermissionNumber::as_str))
        .bind(&filter.kind)
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |notice| notice.id.to_string()))
    }

    /// Removes those older than `before`; answers how many.
    pub async fn notice_purge(&self, before: Timestamp) -> Result<u64> {
        let mut tx = self.write().await?;
        let done = query("DELETE FROM notices WHERE at < $1")
            .bind(micros(before))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}

fn read(row: &Row) -> Result<NoticeView> {
    Ok(NoticeView {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        dataset: DatasetName::new(text(row, "dataset")?),
        permission: row
            .try_get::<Option<String>>("permission")?
            .map(PermissionNumber::new),
        kind: text(row, "kind")?,
        detail: from_json(row.try_get("detail_json")?)?,
    })
}
