//! The emergency stop: every permission of a data set suspended in one transaction, and exactly those resumed.

use dagr_model::{
    ids::{DatasetName, PermissionNumber},
    permission::{Permission, PermissionState},
};
use jiff::Timestamp;
use serde::Serialize;

use super::require;
use crate::{
    Actor, NotificationCreate, Page, Registry, RegistryError, Result, To, Versioned,
    check::Check,
    db::{Conn, Row, query},
    notification,
    open::{Change, next_number},
    page::{fetch, number_token},
    permission,
    row::{from_micros, micros, text, time},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StopView {
    pub id: i64,
    pub dataset: DatasetName,
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
    /// How many permissions it suspended.
    pub permissions: i64,
    /// Null while it lasts.
    pub ended: Option<Timestamp>,
    pub ended_by: Option<String>,
    pub end_reason: Option<String>,
}

/// A stop begun or ended, and the permissions as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    pub stop: StopView,
    pub permissions: Vec<Versioned<Permission>>,
}

impl Registry {
    /// While it lasts, none of the set's permissions is resumed and none is granted. The provider's own (of its
    /// sandbox) goes on: it gives nothing away.
    pub async fn dataset_stop(&self, by: &Actor, dataset: &DatasetName, reason: &str) -> Result<Stopped> {
        reasoned(reason)?;
        let mut change = self.change(by).await?;
        require(change.conn(), dataset).await?;
        if running(change.conn(), dataset).await?.is_some() {
            return Err(RegistryError::state("the data set is stopped already"));
        }
        let id = next_number(change.conn(), "stop").await?;
        query("INSERT INTO dataset_stops (id, dataset, at, actor, reason) VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(dataset.as_str())
            .bind(micros(by.at))
            .bind(&by.name)
            .bind(reason)
            .execute(change.conn())
            .await?;
        query(
            "INSERT INTO stopped_permissions (stop, permission)
             SELECT CAST($1 AS BIGINT), p.id FROM permissions p JOIN datasets d ON d.name = p.dataset
             WHERE p.dataset = $2 AND p.state = 'active' AND p.recipient <> d.institution",
        )
        .bind(id)
        .bind(dataset.as_str())
        .execute(change.conn())
        .await?;
        let moved = move_all(&mut change, id, reason, PermissionState::Suspended).await?;
        tell(&mut change, &moved, dataset, "dataset_stopped").await?;
        finish(change, "dataset_stop", id, moved).await
    }

    /// What the stop suspended and is suspended still; what was revoked meanwhile stays revoked.
    pub async fn dataset_resume(&self, by: &Actor, dataset: &DatasetName, reason: &str) -> Result<Stopped> {
        reasoned(reason)?;
        let mut change = self.change(by).await?;
        require(change.conn(), dataset).await?;
        let Some(id) = running(change.conn(), dataset).await? else {
            return Err(RegistryError::state("the data set is not stopped"));
        };
        query("UPDATE dataset_stops SET ended = $2, ended_by = $3, end_reason = $4 WHERE id = $1")
            .bind(id)
            .bind(micros(by.at))
            .bind(&by.name)
            .bind(reason)
            .execute(change.conn())
            .await?;
        let moved = move_all(&mut change, id, reason, PermissionState::Active).await?;
        tell(&mut change, &moved, dataset, "dataset_resumed").await?;
        finish(change, "dataset_resume", id, moved).await
    }

    /// Newest first: the first is the one that lasts, if any does.
    pub async fn dataset_stop_list(
        &self,
        dataset: &DatasetName,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<StopView>> {
        let rows = query(
            "SELECT s.*, (SELECT COUNT(*) FROM stopped_permissions p WHERE p.stop = s.id) AS permissions
             FROM dataset_stops s WHERE s.dataset = $1 AND s.id < $2 ORDER BY s.id DESC LIMIT $3",
        )
        .bind(dataset.as_str())
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }
}

fn reasoned(reason: &str) -> Result<()> {
    let mut check = Check::default();
    check.text("reason", reason, 2_000);
    check.done()
}

/// The stop that lasts.
pub(crate) async fn running(conn: &mut Conn, dataset: &DatasetName) -> Result<Option<i64>> {
    let row = query("SELECT id FROM dataset_stops WHERE dataset = $1 AND ended IS NULL")
        .bind(dataset.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

async fn move_all(
    change: &mut Change<'_>,
    stop: i64,
    reason: &str,
    to: PermissionState,
) -> Result<Vec<Versioned<Permission>>> {
    let from = match to {
        PermissionState::Active => "suspended",
        _ => "active",
    };
    let rows = query(
        "SELECT p.number FROM stopped_permissions s JOIN permissions p ON p.id = s.permission
         WHERE s.stop = $1 AND p.state = $2 ORDER BY p.id",
    )
    .bind(stop)
    .bind(from)
    .fetch_all(change.conn())
    .await?;
    let mut moved = Vec::with_capacity(rows.len());
    for row in &rows {
        let number = PermissionNumber::new(text(row, "number")?);
        moved.push(permission::moved(change, &number, reason, to).await?);
    }
    Ok(moved)
}

/// Each recipient once.
async fn tell(
    change: &mut Change<'_>,
    moved: &[Versioned<Permission>],
    dataset: &DatasetName,
    kind: &str,
) -> Result<()> {
    let recipients: std::collections::BTreeSet<_> = moved
        .iter()
        .map(|permission| &permission.value.recipient)
        .collect();
    let at = change.by.at;
    for recipient in recipients {
        let create = NotificationCreate {
            to: To::Institution(recipient.clone()),
            kind: kind.to_owned(),
            object: format!("datasets/{dataset}"),
            once: None,
        };
        notification::insert(change.conn(), &create, at).await?;
    }
    Ok(())
}

async fn finish(
    mut change: Change<'_>,
    action: &'static str,
    id: i64,
    permissions: Vec<Versioned<Permission>>,
) -> Result<Stopped> {
    let row = query(
        "SELECT s.*, (SELECT COUNT(*) FROM stopped_permissions p WHERE p.stop = s.id) AS permissions
         FROM dataset_stops s WHERE s.id = $1",
    )
    .bind(id)
    .fetch_one(change.conn())
    .await?;
    let stop = read(&row)?;
    let object = format!("datasets/{}", stop.dataset);
    change.commit(action, object, &(), &stop).await?;
    Ok(Stopped { stop, permissions })
}

fn read(row: &Row) -> Result<StopView> {
    Ok(StopView {
        id: row.try_get("id")?,
        dataset: DatasetName::new(text(row, "dataset")?),
        at: time(row, "at")?,
        by: text(row, "actor")?,
        reason: text(row, "reason")?,
        permissions: row.try_get("permissions")?,
        ended: row
            .try_get::<Option<i64>>("ended")?
            .map(from_micros)
            .transpose()?,
        ended_by: row.try_get("ended_by")?,
        end_reason: row.try_get("end_reason")?,
    })
}
