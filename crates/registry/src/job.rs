//! Jobs: long work, how far it is, how it ended.

use dagr_model::ids::DatasetName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Page, Registry, RegistryError, Result,
    db::{Row, query},
    open::next_number,
    page::{fetch, number_token},
    row::{from_json, from_micros, from_word, micros, stored, text, time, to_json, word},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Running,
    Done,
    Failed,
    /// The process ended before it did.
    Interrupted,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobCreate {
    /// `package`, `index`, `backup`, …
    pub kind: String,
    pub dataset: Option<DatasetName>,
    pub detail: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    pub id: i64,
    pub kind: String,
    pub dataset: Option<DatasetName>,
    pub state: JobState,
    pub detail: Value,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub kind: Option<String>,
    pub dataset: Option<DatasetName>,
    pub state: Option<JobState>,
}

impl Registry {
    pub async fn job_insert(&self, create: &JobCreate, at: Timestamp) -> Result<JobView> {
        let mut tx = self.write().await?;
        let id = next_number(&mut tx, "job").await?;
        query(
            "INSERT INTO jobs (id, kind, dataset, state, detail_json, started)
             VALUES ($1, $2, $3, 'running', $4, $5)",
        )
        .bind(id)
        .bind(&create.kind)
        .bind(create.dataset.as_ref().map(DatasetName::as_str))
        .bind(to_json(&create.detail)?)
        .bind(micros(at))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(JobView {
            id,
            kind: create.kind.clone(),
            dataset: create.dataset.clone(),
            state: JobState::Running,
            detail: create.detail.clone(),
            started: stored(at),
            ended: None,
        })
    }

    pub async fn job_get(&self, id: i64) -> Result<Option<JobView>> {
        let row = query("SELECT * FROM jobs WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Newest first.
    pub async fn job_list(
        &self,
        filter: &JobFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<JobView>> {
        let rows = query(
            "SELECT * FROM jobs
             WHERE id < $1 AND kind = COALESCE(CAST($2 AS TEXT), kind)
               AND (CAST($3 AS TEXT) IS NULL OR dataset = $3)
               AND state = COALESCE(CAST($4 AS TEXT), state)
             ORDER BY id DESC LIMIT $5",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(&filter.kind)
        .bind(filter.dataset.as_ref().map(DatasetName::as_str))
        .bind(filter.state.map(word).transpose()?)
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |job| job.id.to_string()))
    }

    /// How far a running job is.
    pub async fn job_update(&self, id: i64, detail: &Value) -> Result<()> {
        let mut tx = self.write().await?;
        let done = query("UPDATE jobs SET detail_json = $2 WHERE id = $1 AND state = 'running'")
            .bind(id)
            .bind(to_json(detail)?)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        one_running(done)
    }

    /// Ends a running job.
    pub async fn job_end(&self, id: i64, state: JobState, detail: &Value, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        let done = query(
            "UPDATE jobs SET state = $2, detail_json = $3, ended = $4 WHERE id = $1 AND state = 'running'",
        )
        .bind(id)
        .bind(word(state)?)
        .bind(to_json(detail)?)
        .bind(micros(at))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        one_running(done)
    }

    /// At start: whatever is said to run was cut off. Answers how many.
    pub async fn job_interrupt_all(&self, at: Timestamp) -> Result<u64> {
        let mut tx = self.write().await?;
        let done = query("UPDATE jobs SET state = 'interrupted', ended = $1 WHERE state = 'running'")
            .bind(micros(at))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}

fn one_running(rows: u64) -> Result<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(RegistryError::state("the job is not running"))
    }
}

fn read(row: &Row) -> Result<JobView> {
    Ok(JobView {
        id: row.try_get("id")?,
        kind: text(row, "kind")?,
        dataset: row.try_get::<Option<String>>("dataset")?.map(DatasetName::new),
        state: from_word(text(row, "state")?)?,
        detail: from_json(row.try_get("detail_json")?)?,
        started: time(row, "started")?,
        ended: row
            .try_get::<Option<i64>>("ended")?
            .map(from_micros)
            .transpose()?,
    })
}
