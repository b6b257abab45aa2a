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

    pub async fn session_get(&self, hash: &str) -> Result<Option<SessionView>> {
        let mut conn = self.read().await?;
        let row = query(
            "SELECT s.*, p.code, p.name FROM sessions s JOIN people p ON p.id = s.person WHERE s.hash = $1",
        )
        .bind(hash)
        .fetch_optional(&mut conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id = PersonId(row.try_get("person")?);
        Ok(Some(SessionView {
            person: PersonView {
                id,
                code: text(&row, "code")?,
                name: text(&row, "name")?,
            },
            institution: row
                .try_get::<Option<String>>("institution")?
                .map(RegistrationNumber::new),
            created: from_micros(row.try_get("created")?)?,
            last_used: from_micros(row.try_get("last_used")?)?,
            signed_in_by: text(&row, "signed_in_by")?,
            roles: person::active_roles(&mut conn, id).await?,
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
