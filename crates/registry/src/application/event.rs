//! What happened to an application, and what it was afterwards.

use dagr_model::{
    application::{Application, Event},
    ids::{ApplicationNumber, PersonId, RegistrationNumber},
    role::Role,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{id_of, tagged};
use crate::{
    Actor, Page, Registry, Result, Versioned,
    db::{Conn, Row, query},
    page::{fetch, number_token},
    row::{from_json, from_word, micros, text, time, to_json},
};

/// One event to keep; `event` none: the application was begun.
#[derive(Debug, Clone, PartialEq)]
pub struct EventCreate {
    pub person: PersonId,
    pub institution: RegistrationNumber,
    pub role: Role,
    pub event: Option<Event>,
    /// What the person accepted, and the signature over its RFC 8785 form.
    pub seal: Option<(Value, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventView {
    /// The version the application had after it.
    pub number: i64,
    pub at: Timestamp,
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    pub role: Role,
    /// `create`, `amend`, `submit`, `return`, `review`, `decide`, `withdraw`.
    pub kind: String,
    /// The event with what it carried.
    pub event: Value,
    /// The application after it.
    pub application: Value,
    pub sealed: Option<Value>,
    pub seal: Option<String>,
}

impl EventCreate {
    fn kind(&self) -> &'static str {
        self.event
            .as_ref()
            .map_or("create", |event| event.verb().as_str())
    }

    /// As the trail names it.
    pub(super) fn action(&self) -> &'static str {
        match self.kind() {
            "amend" => "application_update",
            "submit" => "application_submit",
            "return" => "application_return",
            "review" => "application_review",
            "decide" => "application_decide",
            "withdraw" => "application_withdraw",
            _ => "application_create",
        }
    }
}

impl Registry {
    /// Oldest first.
    pub async fn application_events(
        &self,
        number: &ApplicationNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<EventView>> {
        let rows = query(
            "SELECT e.*, p.name AS person_name FROM application_events e JOIN people p ON p.id = e.person
             WHERE e.application = $1 AND e.number > $2 ORDER BY e.number LIMIT $3",
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
    after: &Versioned<Application>,
    event: &EventCreate,
) -> Result<()> {
    let (sealed, seal) = event.seal.as_ref().map(|(sealed, seal)| (sealed, seal)).unzip();
    query(
        "INSERT INTO application_events
           (application, number, at, person, institution, role, kind, body, after_json, sealed_json, seal)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
    .bind(sealed.map(to_json).transpose()?)
    .bind(seal)
    .execute(conn)
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<EventView> {
    let sealed: Option<String> = row.try_get("sealed_json")?;
    Ok(EventView {
        number: row.try_get("number")?,
        at: time(row, "at")?,
        person: PersonId(row.try_get("person")?),
        person_name: text(row, "person_name")?,
        institution: RegistrationNumber::new(text(row, "institution")?),
        role: from_word(text(row, "role")?)?,
        kind: text(row, "kind")?,
        event: from_json(row.try_get("body")?)?,
        application: tagged(row.try_get("after_json")?)?,
        sealed: sealed.map(|text| from_json(&text)).transpose()?,
        seal: row.try_get("seal")?,
    })
}
