//! What the law wants registered of an information system. Each change is a new row; none is ever changed.

use dagr_model::ids::SystemCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::find as find_system;
use crate::{
    Actor, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    page::{fetch, number_token},
    row::{from_json, micros, stored, text, time, to_json},
};

/// Each fact, in characters.
const MAX_FACT: usize = 4_000;
const MAX_ACTS: usize = 50;
const MAX_ACT: usize = 500;

/// The six facts, the acts the system rests on, and how much depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemFacts {
    pub purposes: String,
    pub content: String,
    /// Who is responsible for the data.
    pub controller: String,
    pub volume: String,
    pub processing: String,
    pub conditions_of_access: String,
    /// One act a line, as people cite it.
    #[serde(default)]
    pub legal_acts: Vec<String>,
    pub criticality: Criticality,
}

/// What stops when the system does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criticality {
    /// Work goes on without it for days.
    Ordinary,
    /// A service to people stops within a day.
    Important,
    /// Life, safety or the state's working depends on it.
    Critical,
}

impl Criticality {
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Important, Self::Critical];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Important => "important",
            Self::Critical => "critical",
        }
    }
}

/// New facts, and why they are new.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemFactsPut {
    pub facts: SystemFacts,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemFactsView {
    pub system: SystemCode,
    /// From 1.
    pub version: i64,
    pub facts: SystemFacts,
    pub reason: String,
    pub by: String,
    pub at: Timestamp,
}

impl Registry {
    /// `expected`: the version the caller saw; 0 before the first.
    pub async fn system_facts_put(
        &self,
        by: &Actor,
        system: &SystemCode,
        put: &SystemFactsPut,
        expected: Option<i64>,
    ) -> Result<SystemFactsView> {
        check(put)?;
        let mut change = self.change(by).await?;
        if find_system(change.conn(), system).await?.is_none() {
            return Err(RegistryError::unknown("system", system));
        }
        let before = latest(change.conn(), system).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(RegistryError::Precondition);
        }
        let view = SystemFactsView {
            system: system.clone(),
            version: version + 1,
            facts: put.facts.clone(),
            reason: put.reason.clone(),
            by: by.name.clone(),
            at: stored(by.at),
        };
        query(
            "INSERT INTO system_facts (system, version, body, reason, actor, set_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(system.as_str())
        .bind(view.version)
        .bind(to_json(&view.facts)?)
        .bind(&view.reason)
        .bind(&view.by)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        let object = format!("systems/{system}");
        change.commit("system_facts_put", object, &before, &view).await?;
        Ok(view)
    }

    /// As they are now.
    pub async fn system_facts_get(&self, system: &SystemCode) -> Result<Option<SystemFactsView>> {
        latest(&mut self.read().await?, system).await
    }

    /// Every version, newest first.
    pub async fn system_facts_versions(
        &self,
        system: &SystemCode,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<SystemFactsView>> {
        let rows = query(
            "SELECT * FROM system_facts WHERE system = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
        )
        .bind(system.as_str())
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.version.to_string()))
    }
}

fn check(put: &SystemFactsPut) -> Result<()> {
    let mut check = Check::default();
    let facts = &put.facts;
    for (place, fact) in [
        ("purposes", &facts.purposes),
        ("content", &facts.content),
        ("controller", &facts.controller),
        ("volume", &facts.volume),
        ("processing", &facts.processing),
        ("conditions_of_access", &facts.conditions_of_access),
    ] {
        check.text(place, fact, MAX_FACT);
    }
    check.require(
        (1..=MAX_ACTS).contains(&facts.legal_acts.len()),
        "legal_acts",
        "count",
        &format!("must name from 1 to {MAX_ACTS} acts the system rests on"),
    );
    for act in facts.legal_acts.iter().take(MAX_ACTS) {
        check.text("legal_acts", act, MAX_ACT);
    }
    check.text("reason", &put.reason, 2_000);
    check.done()
}

async fn latest(conn: &mut Conn, system: &SystemCode) -> Result<Option<SystemFactsView>> {
    let row = query("SELECT * FROM system_facts WHERE system = $1 ORDER BY version DESC LIMIT 1")
        .bind(system.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<SystemFactsView> {
    Ok(SystemFactsView {
        system: SystemCode::new(text(row, "system")?),
        version: row.try_get("version")?,
        facts: from_json(&text(row, "body")?)?,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: time(row, "set_at")?,
    })
}
