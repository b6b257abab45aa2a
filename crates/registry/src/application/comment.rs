//! The thread between applicant and provider. Comments are kept as they were written.

use dagr_model::ids::{ApplicationNumber, PersonId, RegistrationNumber};
use jiff::Timestamp;
use serde::Serialize;

use super::{find, id_of};
use crate::{
    Actor, NotificationCreate, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Row, query},
    notification,
    open::next_number,
    page::{fetch, number_token},
    row::{micros, stored, text, time},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentCreate {
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommentView {
    pub id: i64,
    pub at: Timestamp,
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    pub text: String,
}

impl Registry {
    pub async fn comment_insert(
        &self,
        by: &Actor,
        number: &ApplicationNumber,
        create: &CommentCreate,
        notify: &[NotificationCreate],
    ) -> Result<CommentView> {
        let mut check = Check::default();
        check.text("text", &create.text, 4_000);
        check.done()?;
        let mut change = self.change(by).await?;
        if find(change.conn(), number).await?.is_none() {
            return Err(RegistryError::unknown("application", number));
        }
        let view = CommentView {
            id: next_number(change.conn(), "comment").await?,
            at: stored(by.at),
            person: create.person,
            person_name: create.person_name.clone(),
            institution: create.institution.clone(),
            text: create.text.clone(),
        };
        query(
            "INSERT INTO application_comments (id, application, at, person, institution, text)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(view.id)
        .bind(id_of(number)?)
        .bind(micros(by.at))
        .bind(view.person.0)
        .bind(view.institution.as_str())
        .bind(&view.text)
        .execute(change.conn())
        .await?;
        for one in notify {
            notification::insert(change.conn(), one, by.at).await?;
        }
        let object = format!("applications/{number}/comments/{}", view.id);
        change.commit("comment_create", object, &(), &view).await?;
        Ok(view)
    }

    /// Oldest first.
    pub async fn comment_list(
        &self,
        number: &ApplicationNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<CommentView>> {
        let rows = query(
            "SELECT c.*, p.name AS person_name FROM application_comments c JOIN people p ON p.id = c.person
             WHERE c.application = $1 AND c.id > $2 ORDER BY c.id LIMIT $3",
        )
        .bind(id_of(number)?)
        .bind(number_token(after.as_deref())?.unwrap_or(0))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }
}

fn read(row: &Row) -> Result<CommentView> {
    Ok(CommentView {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        person: PersonId(row.try_get("person")?),
        person_name: text(row, "person_name")?,
        institution: RegistrationNumber::new(text(row, "institution")?),
        text: text(row, "text")?,
    })
}
