//! What people and institutions should look at: told once, read once.

use dagr_model::ids::{PersonId, RegistrationNumber};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Page, Registry, RegistryError, Result,
    db::{Conn, Row, query},
    open::next_number,
    page::{fetch, number_token},
    row::{from_micros, micros, text, time},
};

/// Whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    Institution(RegistrationNumber),
    Person(PersonId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationCreate {
    pub to: To,
    /// `application_submitted`, `application_due`, …
    pub kind: String,
    /// `noun/id`: `applications/200001`.
    pub object: String,
    /// Told already under this word: not told again.
    pub once: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationView {
    pub id: i64,
    pub at: Timestamp,
    pub institution: Option<RegistrationNumber>,
    pub person: Option<PersonId>,
    pub kind: String,
    pub object: String,
    pub read_at: Option<Timestamp>,
    pub read_by: Option<PersonId>,
}

/// Those of a person and of the institution they act for.
#[derive(Debug, Clone)]
pub struct NotificationFilter {
    pub person: PersonId,
    pub institution: Option<RegistrationNumber>,
    pub unread: bool,
}

impl Registry {
    pub async fn notification_insert(&self, create: &NotificationCreate, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        insert(&mut tx, create, at).await?;
        Ok(tx.commit().await?)
    }

    /// Several at once: all of them or none.
    pub async fn notification_insert_all(&self, creates: &[NotificationCreate], at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        for create in creates {
            insert(&mut tx, create, at).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Newest first.
    pub async fn notification_list(
        &self,
        filter: &NotificationFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<NotificationView>> {
        let rows = query(
            "SELECT * FROM (
               SELECT * FROM (SELECT * FROM notifications WHERE person = $1 AND id < $3
                 AND ($4 = 0 OR read_at IS NULL) ORDER BY id DESC LIMIT $5) AS own
               UNION ALL
               SELECT * FROM (SELECT * FROM notifications WHERE institution = $2 AND id < $3
                 AND ($4 = 0 OR read_at IS NULL) ORDER BY id DESC LIMIT $5) AS shared
             ) AS both_of_them ORDER BY id DESC LIMIT $5",
        )
        .bind(filter.person.0)
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(i64::from(filter.unread))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }

    /// Only one of this person, or of the institution they act for; read twice stays read the first time.
    pub async fn notification_read(
        &self,
        id: i64,
        person: PersonId,
        institution: Option<&RegistrationNumber>,
        at: Timestamp,
    ) -> Result<NotificationView> {
        let mut tx = self.write().await?;
        let row = query(
            "UPDATE notifications SET read_at = COALESCE(read_at, $4), read_by = COALESCE(read_by, $2)
             WHERE id = $1 AND (person = $2 OR institution = $3) RETURNING *",
        )
        .bind(id)
        .bind(person.0)
        .bind(institution.map(RegistrationNumber::as_str))
        .bind(micros(at))
        .fetch_optional(&mut tx)
        .await?;
        let row = row.ok_or_else(|| RegistryError::unknown("notification", id))?;
        let view = read(&row)?;
        tx.commit().await?;
        Ok(view)
    }
}

pub(crate) async fn insert(conn: &mut Conn, create: &NotificationCreate, at: Timestamp) -> Result<()> {
    if let Some(once) = &create.once {
        let told = query("SELECT id FROM notifications WHERE once = $1")
            .bind(once)
            .fetch_optional(&mut *conn)
            .await?;
        if told.is_some() {
            return Ok(());
        }
    }
    let (institution, person) = match &create.to {
        To::Institution(number) => (Some(number.as_str()), None),
        To::Person(id) => (None, Some(id.0)),
    };
    query(
        "INSERT INTO notifications (id, at, institution, person, kind, object, once)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(next_number(conn, "notification").await?)
    .bind(micros(at))
    .bind(institution)
    .bind(person)
    .bind(&create.kind)
    .bind(&create.object)
    .bind(&create.once)
    .execute(conn)
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<NotificationView> {
    Ok(NotificationView {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        institution: row
            .try_get::<Option<String>>("institution")?
            .map(RegistrationNumber::new),
        person: row.try_get::<Option<i64>>("person")?.map(PersonId),
        kind: text(row, "kind")?,
        object: text(row, "object")?,
        read_at: row
            .try_get::<Option<i64>>("read_at")?
            .map(from_micros)
            .transpose()?,
        read_by: row.try_get::<Option<i64>>("read_by")?.map(PersonId),
    })
}
