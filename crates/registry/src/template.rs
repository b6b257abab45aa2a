//! Templates of applications: each change is a new version; a retired one stays readable.

use dagr_model::{ids::DatasetName, template::Template};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    open::{Change, next_number},
    page::{fetch, number_token},
    row::{from_json, micros, stored, text, time, to_json},
};

/// Templates of one data set that are in use, at most: applicants choose among them.
const MAX_ACTIVE: i64 = 100;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplatePut {
    pub template: Template,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateState {
    Active,
    /// Nothing new is applied for under it.
    Retired,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateView {
    pub number: i64,
    pub dataset: DatasetName,
    pub state: TemplateState,
    pub version: i64,
    pub template: Template,
    pub reason: String,
    pub by: String,
    pub at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.dataset, t.state, v.version, v.body, v.reason, v.actor, v.set_at
             FROM templates t JOIN template_versions v ON v.template = t.id ",
            $rest
        )
    };
}

impl Registry {
    pub async fn template_insert(
        &self,
        by: &Actor,
        dataset: &DatasetName,
        put: &TemplatePut,
    ) -> Result<TemplateView> {
        check(put)?;
        let mut change = self.change(by).await?;
        let row = query("SELECT COUNT(*) AS active FROM templates WHERE dataset = $1 AND state = 'active'")
            .bind(dataset.as_str())
            .fetch_one(change.conn())
            .await?;
        if row.try_get::<i64>("active")? >= MAX_ACTIVE {
            return Err(RegistryError::state(
                "a data set has 100 templates at most: retire one first",
            ));
        }
        let number = next_number(change.conn(), "template").await?;
        query("INSERT INTO templates (id, dataset, state, version) VALUES ($1, $2, 'active', 1)")
            .bind(number)
            .bind(dataset.as_str())
            .execute(change.conn())
            .await?;
        keep(&mut change, by, number, 1, put).await?;
        finish(change, "template_create", number, None).await
    }

    /// The next version of one in use.
    pub async fn template_update(
        &self,
        by: &Actor,
        number: i64,
        put: &TemplatePut,
        expected: Option<i64>,
    ) -> Result<TemplateView> {
        check(put)?;
        let mut change = self.change(by).await?;
        let before = active(change.conn(), number, expected).await?;
        query("UPDATE templates SET version = version + 1 WHERE id = $1")
            .bind(number)
            .execute(change.conn())
            .await?;
        keep(&mut change, by, number, before.version + 1, put).await?;
        finish(change, "template_update", number, Some(&before)).await
    }

    /// Final: a new one is made instead.
    pub async fn template_retire(&self, by: &Actor, number: i64, reason: &str) -> Result<TemplateView> {
        let mut wanted = Check::default();
        wanted.text("reason", reason, 2_000);
        wanted.done()?;
        let mut change = self.change(by).await?;
        let before = active(change.conn(), number, None).await?;
        query("UPDATE templates SET state = 'retired', version = version + 1 WHERE id = $1")
            .bind(number)
            .execute(change.conn())
            .await?;
        let last = TemplatePut {
            template: before.template.clone(),
            reason: reason.to_owned(),
        };
        keep(&mut change, by, number, before.version + 1, &last).await?;
        finish(change, "template_retire", number, Some(&before)).await
    }

    pub async fn template_get(&self, number: i64) -> Result<Option<TemplateView>> {
        latest(&mut self.read().await?, number).await
    }

    /// As it was in that version; its state is that of today.
    pub async fn template_version(&self, number: i64, version: i64) -> Result<Option<TemplateView>> {
        let row = query(select!("WHERE t.id = $1 AND v.version = $2"))
            .bind(number)
            .bind(version)
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The present versions of a data set's, in the order they were made.
    pub async fn template_list(
        &self,
        dataset: &DatasetName,
        retired_too: bool,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<TemplateView>> {
        let rows = query(select!(
            "AND v.version = t.version WHERE t.dataset = $1 AND t.id > $2
             AND ($3 = 1 OR t.state = 'active') ORDER BY t.id LIMIT $4"
        ))
        .bind(dataset.as_str())
        .bind(number_token(after.as_deref())?.unwrap_or(0))
        .bind(i64::from(retired_too))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.number.to_string()))
    }
}

fn check(put: &TemplatePut) -> Result<()> {
    let mut check = Check::default();
    for fault in put.template.faults() {
        check.fault(&format!("template.{}", fault.place), &fault.rule, &fault.message);
    }
    check.text("reason", &put.reason, 2_000);
    check.done()
}

async fn active(conn: &mut Conn, number: i64, expected: Option<i64>) -> Result<TemplateView> {
    let found = latest(conn, number).await?;
    let found = found.ok_or_else(|| RegistryError::unknown("template", number))?;
    if expected.is_some_and(|expected| expected != found.version) {
        return Err(RegistryError::Precondition);
    }
    if found.state == TemplateState::Retired {
        return Err(RegistryError::state("the template is retired: make a new one"));
    }
    Ok(found)
}

async fn keep(
    change: &mut Change<'_>,
    by: &Actor,
    number: i64,
    version: i64,
    put: &TemplatePut,
) -> Result<()> {
    query(
        "INSERT INTO template_versions (template, version, body, reason, actor, set_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(number)
    .bind(version)
    .bind(to_json(&put.template)?)
    .bind(&put.reason)
    .bind(&by.name)
    .bind(micros(stored(by.at)))
    .execute(change.conn())
    .await?;
    Ok(())
}

async fn finish(
    mut change: Change<'_>,
    action: &'static str,
    number: i64,
    before: Option<&TemplateView>,
) -> Result<TemplateView> {
    let after = latest(change.conn(), number).await?;
    let after = after.ok_or_else(|| RegistryError::unknown("template", number))?;
    let object = format!("templates/{number}");
    change.commit(action, object, &before, &after).await?;
    Ok(after)
}

async fn latest(conn: &mut Conn, number: i64) -> Result<Option<TemplateView>> {
    let row = query(select!("AND v.version = t.version WHERE t.id = $1"))
        .bind(number)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<TemplateView> {
    Ok(TemplateView {
        number: row.try_get("id")?,
        dataset: DatasetName::new(text(row, "dataset")?),
        state: if text(row, "state")? == "active" {
            TemplateState::Active
        } else {
            TemplateState::Retired
        },
        version: row.try_get("version")?,
        template: from_json(&text(row, "body")?)?,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: time(row, "set_at")?,
    })
}
