//! Sessions of people. A record of operation, not a change somebody makes: no audit entry, and it is removed.

use dagr_model::ids::{PersonId, RegistrationNumber};
use jiff::Timestamp;

use crate::{
    PersonView, Registry, RegistryError, Result, RoleView,
    db::query,
    person,
    row::{from_micros, micros, text},
};

/// A session as kept: `hash` is the token's SHA-256, hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCreate {
    pub hash: String,
    pub person: PersonId,
    pub institution: Option<RegistrationNumber>,
    /// `oidc`, `development`.
    pub signed_in_by: String,
}

/// A session with all that belongs to its person now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    pub person: PersonView,
    /// The institution acted for.
    pub institution: Option<RegistrationNumber>,
    pub created: Timestamp,
    pub last_used: Timestamp,
    pub signed_in_by: String,
    /// Every active role, of all institutions.
    pub roles: Vec<RoleView>,
}

impl Registry {
    pub async fn session_insert(&self, create: &SessionCreate, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        query(
            "INSERT INTO sessions (hash, person, institution, created, last_used, signed_in_by)
             VALUES ($1, $2, $3, $4, $4, $5)",
        )
        .bind(&create.hash)
        .bind(create.person.0)
        .bind(create.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(micros(at))
        .bind(&create.signed_in_by)
        .execute(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Everything in one question: it is asked at each page and each call of a person.
    pub async fn session_get(&self, hash: &str) -> Result<Option<SessionView>> {
        let rows = query(
            "SELECT s.person AS signed_in, s.institution AS acts_for, s.created, s.last_used, s.signed_in_by,
               p.code, p.name, r.*
             FROM sessions s JOIN people p ON p.id = s.person
             LEFT JOIN roles r ON r.person = s.person AND r.state = 'active'
             WHERE s.hash = $1 ORDER BY r.id",
        )
        .bind(hash)
        .fetch_all(&mut self.read().await?)
        .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut roles = Vec::new();
        for row in &rows {
            // Whoever has no role is one row without it.
            if row.try_get::<Option<i64>>("id")?.is_some() {
                roles.push(person::read_role(row)?);
            }
        }
        Ok(Some(SessionView {
            person: PersonView {
                id: PersonId(row.try_get("signed_in")?),
                code: text(row, "code")?,
                name: text(row, "name")?,
            },
            institution: row
                .try_get::<Option<String>>("acts_for")?
                .map(RegistrationNumber::new),
            created: from_micros(row.try_get("created")?)?,
            last_used: from_micros(row.try_get("last_used")?)?,
            signed_in_by: text(row, "signed_in_by")?,
            roles,
        }))
    }

    pub async fn session_touch(&self, hash: &str, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        query("UPDATE sessions SET last_used = $2 WHERE hash = $1")
            .bind(hash)
            .bind(micros(at))
            .execute(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }

    pub async fn session_act_for(&self, hash: &str, institution: Option<&RegistrationNumber>) -> Result<()> {
        let mut tx = self.write().await?;
        let done = query("UPDATE sessions SET institution = $2 WHERE hash = $1")
            .bind(hash)
            .bind(institution.map(RegistrationNumber::as_str))
            .execute(&mut tx)
            .await?;
        if done == 0 {
            return Err(RegistryError::unknown("session", ""));
        }
        Ok(tx.commit().await?)
    }

    pub async fn session_delete(&self, hash: &str) -> Result<()> {
        let mut tx = self.write().await?;
        query("DELETE FROM sessions WHERE hash = $1")
            .bind(hash)
            .execute(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Removes those idle since before `idle` or opened before `opened`; answers how many.
    pub async fn session_purge(&self, idle: Timestamp, opened: Timestamp) -> Result<u64> {
        let mut tx = self.write().await?;
        let done = query("DELETE FROM sessions WHERE last_used < $1 OR created < $2")
            .bind(micros(idle))
            .bind(micros(opened))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done)
    }
}
