//! The consultation's thread. Comments are kept as they were written.

use dagr_model::ids::{PersonId, PlanNumber, RegistrationNumber};

use super::{find, id_of};
use crate::{
    Actor, CommentCreate, CommentView, NotificationCreate, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Row, query},
    notification,
    open::next_number,
    page::{fetch, number_token},
    row::{micros, stored, text, time},
};

impl Registry {
    pub async fn plan_comment_insert(
        &self,
        by: &Actor,
        number: &PlanNumber,
        create: &CommentCreate,
        notify: &[NotificationCreate],
    ) -> Result<CommentView> {
        let mut check = Check::default();
        check.text("text", &create.text, 4_000);
        check.done()?;
        let mut change = self.change(by).await?;
        if find(change.conn(), number).await?.is_none() {
            return Err(RegistryError::unknown("plan", number));
        }
        let view = CommentView {
            id: next_number(change.conn(), "plan_comment").await?,
            at: stored(by.at),
            person: create.person,
            person_name: create.person_name.clone(),
            institution: create.institution.clone(),
            text: create.text.clone(),
        };
        query(
            "INSERT INTO plan_comments (id, plan, at, person, institution, text)
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
        let object = format!("plans/{number}/comments/{}", view.id);
        change.commit("plan_comment_create", object, &(), &view).await?;
        Ok(view)
    }

    /// Oldest first.
    pub async fn plan_comment_list(
        &self,
        number: &PlanNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<CommentView>> {
        let rows = query(
            "SELECT c.*, p.name AS person_name FROM plan_comments c JOIN people p ON p.id = c.person
             WHERE c.plan = $1 AND c.id > $2 ORDER BY c.id LIMIT $3",
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
