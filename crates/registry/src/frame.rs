//! What stands around every page of a signed-in person, in one question.

use dagr_model::ids::{PersonId, RegistrationNumber};

use crate::{Registry, Result, db::query};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameView {
    /// Notifications not read yet, of the person and of the institution acted for.
    pub unread: usize,
    /// The institution acted for was admitted as a provider.
    pub is_admitted: bool,
}

impl Registry {
    /// Counts `most` of each kind at most, and says no more than `most`.
    pub async fn frame_get(
        &self,
        person: PersonId,
        institution: Option<&RegistrationNumber>,
        most: usize,
    ) -> Result<FrameView> {
        let row = query(
            "SELECT
               (SELECT COUNT(*) FROM (SELECT id FROM notifications
                 WHERE person = $1 AND read_at IS NULL LIMIT $3) AS own)
               + (SELECT COUNT(*) FROM (SELECT id FROM notifications
                 WHERE institution = $2 AND read_at IS NULL LIMIT $3) AS shared) AS unread,
               (SELECT COUNT(*) FROM institution_roles WHERE institution = $2 AND role = 'provider') AS admitted",
        )
        .bind(person.0)
        .bind(institution.map(RegistrationNumber::as_str))
        .bind(most as i64)
        .fetch_one(&mut self.read().await?)
        .await?;
        let unread = usize::try_from(row.try_get::<i64>("unread")?).unwrap_or(0);
        Ok(FrameView {
            unread: unread.min(most),
            is_admitted: row.try_get::<i64>("admitted")? > 0,
        })
    }
}
