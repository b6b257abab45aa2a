//! What happened to a plan, and what it was afterwards.

use dagr_model::{
    ids::{PersonId, PlanNumber, RegistrationNumber},
    plan::{Event, Plan},
    role::Role,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::id_of;
use crate::{
    Actor, Page, Registry, Result, Versioned,
    db::{Conn, Row, query},
    page::{fetch, number_token},
    row::{from_json, from_word, micros, text, time, to_json},
};

/// One event to keep; `event` none: the plan was made.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanEventCreate {
    pub person: PersonId,
    pub institution: RegistrationNumber,
    pub role: Role,
    pub event: Option<Event>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanEventView {
    /// The version the plan had after it.
    pub number: i64,
    pub at: Timestamp,
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    pub role: Role,
    /// `create`, `update`, `invite`, `step_assign`, `step_done`, `step_not_applicable`, `step_reopen`, `step_note`,
    /// `close`.
    pub kind: String,
    /// The event with what it carried; null: the plan was made.
    pub event: Value,
    /// The plan after it.
    pub plan: Value,
}

impl PlanEventCreate {
    fn kind(&self) -> &'static str {
        self.event.as_ref().map_or("create", Event::verb)
    }

    /// As the trail names it.
    pub(super) fn action(&self) -> &'static str {
        match &self.event {
            None => "plan_create",
            Some(Event::Update { .. }) => "plan_update",
            Some(Event::Invite { .. }) => "plan_invite",
            Some(Event::Step { .. }) => "plan_step",
            Some(Event::Close { .. }) => "plan_close",
        }
    }
}

impl Registry {
    /// Oldest first.
    pub async fn plan_events(
        &self,
        number: &PlanNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<PlanEventView>> {
        let rows = query(
            "SELECT e.*, p.name AS person_name FROM plan_events e JOIN people p ON p.id = e.person
             WHERE e.plan = $1 AND e.number > $2 ORDER BY e.number LIMIT $3",
        )
        .bind(id_of(number)?)
        .bind(number_token(after.as_deref())?.unwrap_or(0))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.number.to_string()))
    }
}

pub(super) async fn keep(
    conn: &mut Conn,
    by: &Actor,
    id: i64,
    after: &Versioned<Plan>,
    event: &PlanEventCreate,
) -> Result<()> {
    query(
        "INSERT INTO plan_events (plan, number, at, person, institution, role, kind, body, after_json)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(after.version)
    .bind(micros(by.at))
    .bind(event.person.0)
    .bind(event.institution.as_str())
    .bind(event.role.as_str())
    .bind(event.kind())
    .bind(to_json(&event.event)?)
    .bind(to_json(&after.value)?)
    .execute(conn)
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<PlanEventView> {
    Ok(PlanEventView {
        number: row.try_get("number")?,
        at: time(row, "at")?,
        person: PersonId(row.try_get("person")?),
        person_name: text(row, "person_name")?,
        institution: RegistrationNumber::new(text(row, "institution")?),
        role: from_word(text(row, "role")?)?,
        kind: text(row, "kind")?,
        event: from_json(row.try_get("body")?)?,
        plan: from_json(row.try_get("after_json")?)?,
    })
}
