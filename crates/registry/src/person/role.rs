//! What people may do, where, since when. A role that widens operation is proposed by one and confirmed by another.

use dagr_model::{
    ids::{PersonId, RegistrationNumber},
    role::Role,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Page, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    institution,
    open::next_number,
    page::{fetch, number_token},
    row::{from_micros, from_word, micros, text, word},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleCreate {
    pub institution: RegistrationNumber,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleState {
    /// Waits for a second operator.
    Proposed,
    Active,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleView {
    pub id: i64,
    pub person: PersonId,
    pub institution: RegistrationNumber,
    pub role: Role,
    pub state: RoleState,
    pub proposed_by: String,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
pub struct RoleFilter {
    pub person: Option<PersonId>,
    pub institution: Option<RegistrationNumber>,
    pub state: Option<RoleState>,
    pub role: Option<Role>,
}

impl Registry {
    /// `state`: active, or proposed where another has to confirm.
    pub async fn role_insert(
        &self,
        by: &Actor,
        person: PersonId,
        create: &RoleCreate,
        state: RoleState,
    ) -> Result<RoleView> {
        let mut change = self.change(by).await?;
        if !super::exists(change.conn(), person).await? {
            return Err(RegistryError::unknown("person", person.0));
        }
        let mut check = Check::default();
        let known = institution::exists(change.conn(), &create.institution).await?;
        check.reference(known, "institution", "institution");
        check.done()?;
        let held = query(
            "SELECT id FROM roles WHERE person = $1 AND institution = $2 AND role = $3 AND state <> 'ended'",
        )
        .bind(person.0)
        .bind(create.institution.as_str())
        .bind(create.role.as_str())
        .fetch_optional(change.conn())
        .await?;
        if held.is_some() {
            return Err(RegistryError::Exists {
                what: format!("the role {} of this person there", create.role),
            });
        }
        let view = RoleView {
            id: next_number(change.conn(), "role").await?,
            person,
            institution: create.institution.clone(),
            role: create.role,
            state,
            proposed_by: by.name.clone(),
            from: (state == RoleState::Active).then_some(by.at),
            to: None,
        };
        query(
            "INSERT INTO roles (id, person, institution, role, state, proposed_by, valid_from)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(view.id)
        .bind(person.0)
        .bind(view.institution.as_str())
        .bind(view.role.as_str())
        .bind(word(state)?)
        .bind(&view.proposed_by)
        .bind(view.from.map(micros))
        .execute(change.conn())
        .await?;
        change.commit("role_create", object(&view), &(), &view).await?;
        Ok(view)
    }

    pub async fn role_confirm(&self, by: &Actor, id: i64) -> Result<RoleView> {
        let mut change = self.change(by).await?;
        let before = require(change.conn(), id).await?;
        if before.state != RoleState::Proposed {
            return Err(RegistryError::state("only a proposed role is confirmed"));
        }
        if before.proposed_by == by.name {
            return Err(RegistryError::state(
                "who proposed a role does not confirm it: another operator has to",
            ));
        }
        let view = RoleView {
            state: RoleState::Active,
            from: Some(by.at),
            ..before.clone()
        };
        store(change.conn(), &view).await?;
        change
            .commit("role_confirm", object(&view), &before, &view)
            .await?;
        Ok(view)
    }

    /// Also takes back a proposal. The row stays.
    pub async fn role_end(&self, by: &Actor, id: i64, reason: &str) -> Result<RoleView> {
        let mut check = Check::default();
        check.text("reason", reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = require(change.conn(), id).await?;
        if before.state == RoleState::Ended {
            return Err(RegistryError::state("the role has ended already"));
        }
        let view = RoleView {
            state: RoleState::Ended,
            to: Some(by.at),
            ..before.clone()
        };
        store(change.conn(), &view).await?;
        let mut told = serde_json::to_value(&view)?;
        told["reason"] = reason.into();
        change.commit("role_end", object(&view), &before, &told).await?;
        Ok(view)
    }

    pub async fn role_get(&self, id: i64) -> Result<Option<RoleView>> {
        find(&mut self.read().await?, id).await
    }

    /// In the order they were given.
    pub async fn role_list(
        &self,
        filter: &RoleFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<RoleView>> {
        macro_rules! select {
            ($by:literal) => {
                concat!(
                    "SELECT * FROM roles WHERE id > $1 AND ",
                    $by,
                    " AND state = COALESCE(CAST($3 AS TEXT), state)
                      AND institution = COALESCE(CAST($4 AS TEXT), institution)
                      AND role = COALESCE(CAST($6 AS TEXT), role) ORDER BY id LIMIT $5"
                )
            };
        }
        let (text, first): (&'static str, Option<i64>) = match (filter.person, &filter.institution) {
            (Some(person), _) => (select!("person = $2"), Some(person.0)),
            (None, Some(_)) => (select!("institution = $4 AND CAST($2 AS BIGINT) IS NULL"), None),
            (None, None) => (select!("CAST($2 AS BIGINT) IS NULL"), None),
        };
        let rows = query(text)
            .bind(number_token(after.as_deref())?.unwrap_or(0))
            .bind(first)
            .bind(filter.state.map(word).transpose()?)
            .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
            .bind(fetch(limit))
            .bind(filter.role.map(Role::as_str))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.id.to_string()))
    }
}

fn object(view: &RoleView) -> String {
    format!("people/{}/roles/{}", view.person.0, view.id)
}

async fn store(conn: &mut Conn, view: &RoleView) -> Result<()> {
    query("UPDATE roles SET state = $2, valid_from = $3, valid_to = $4 WHERE id = $1")
        .bind(view.id)
        .bind(word(view.state)?)
        .bind(view.from.map(micros))
        .bind(view.to.map(micros))
        .execute(conn)
        .await?;
    Ok(())
}

async fn require(conn: &mut Conn, id: i64) -> Result<RoleView> {
    find(conn, id)
        .await?
        .ok_or_else(|| RegistryError::unknown("role", id))
}

async fn find(conn: &mut Conn, id: i64) -> Result<Option<RoleView>> {
    let row = query("SELECT * FROM roles WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &Row) -> Result<RoleView> {
    let time = |column: &str| -> Result<Option<Timestamp>> {
        row.try_get::<Option<i64>>(column)?.map(from_micros).transpose()
    };
    Ok(RoleView {
        id: row.try_get("id")?,
        person: PersonId(row.try_get("person")?),
        institution: RegistrationNumber::new(text(row, "institution")?),
        role: from_word(text(row, "role")?)?,
        state: from_word(text(row, "state")?)?,
        proposed_by: text(row, "proposed_by")?,
        from: time("valid_from")?,
        to: time("valid_to")?,
    })
}
