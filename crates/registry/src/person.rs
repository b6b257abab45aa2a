//! People: who signs in. Outside this table a person is a number.

mod role;

use dagr_model::{ids::PersonId, value::person_code};
use serde::{Deserialize, Serialize};

pub(crate) use role::read as read_role;
pub use role::{RoleCreate, RoleFilter, RoleState, RoleView};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    open::next_number,
    page::{fetch, number_token},
    row::text,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCreate {
    /// With or without hyphen.
    pub code: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    pub id: PersonId,
    /// 11 digits. Not shown by lists and not in the trail.
    #[serde(skip)]
    pub code: String,
    pub name: String,
}

impl Registry {
    pub async fn person_insert(&self, by: &Actor, create: &PersonCreate) -> Result<Versioned<PersonView>> {
        let mut check = Check::default();
        check.text("name", &create.name, 200);
        let code =
            person_code(&create.code).map(|code| code.iter().map(|digit| *digit as char).collect::<String>());
        if let Err(refusal) = &code {
            check.fault("code", refusal.rule, refusal.message);
        }
        check.done()?;
        let code = code.unwrap_or_default();
        let mut change = self.change(by).await?;
        if by_code(change.conn(), &code).await?.is_some() {
            return Err(RegistryError::Exists {
                what: "a person of this code".into(),
            });
        }
        let id = PersonId(next_number(change.conn(), "person").await?);
        query("INSERT INTO people (id, code, name, version) VALUES ($1, $2, $3, 1)")
            .bind(id.0)
            .bind(&code)
            .bind(&create.name)
            .execute(change.conn())
            .await?;
        let view = PersonView {
            id,
            code,
            name: create.name.clone(),
        };
        change
            .commit("person_create", format!("people/{}", id.0), &(), &view)
            .await?;
        Ok(Versioned {
            value: view,
            version: 1,
        })
    }

    pub async fn person_get(&self, id: PersonId) -> Result<Option<Versioned<PersonView>>> {
        let row = query("SELECT * FROM people WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// `code`: 11 digits.
    pub async fn person_by_code(&self, code: &str) -> Result<Option<Versioned<PersonView>>> {
        by_code(&mut self.read().await?, code).await
    }

    /// In the order they were registered.
    pub async fn person_list(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<PersonView>>> {
        let rows = query("SELECT * FROM people WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(number_token(after.as_deref())?.unwrap_or(0))
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.id.0.to_string()))
    }
}

pub(crate) async fn exists(conn: &mut Conn, id: PersonId) -> Result<bool> {
    let row = query("SELECT id FROM people WHERE id = $1")
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

async fn by_code(conn: &mut Conn, code: &str) -> Result<Option<Versioned<PersonView>>> {
    let row = query("SELECT * FROM people WHERE code = $1")
        .bind(code)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<PersonView>> {
    Ok(Versioned {
        value: PersonView {
            id: PersonId(row.try_get("id")?),
            code: text(row, "code")?,
            name: text(row, "name")?,
        },
        version: row.try_get("version")?,
    })
}
