//! Attachments, as they came: the bytes in base64, once for equal content.

use dagr_model::ids::{ApplicationNumber, PersonId, RegistrationNumber};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{find, id_of};
use crate::{
    Actor, NotificationCreate, Registry, RegistryError, Result,
    check::Check,
    db::{Row, query},
    notification,
    open::next_number,
    row::{from_json, micros, stored, text, time, to_json},
};

#[derive(Debug, Clone, PartialEq)]
pub struct AttachmentCreate {
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    pub kind: String,
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    /// Hex.
    pub sha256: String,
    /// Base64.
    pub content: String,
    pub inspection: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttachmentView {
    pub id: i64,
    pub at: Timestamp,
    pub person: PersonId,
    pub person_name: String,
    pub institution: RegistrationNumber,
    /// `document` or `signature`.
    pub kind: String,
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    /// Of the content, hex.
    pub sha256: String,
    /// Of a container: what is in it. It says that no signature was verified.
    pub inspection: Option<Value>,
}

impl Registry {
    pub async fn attachment_insert(
        &self,
        by: &Actor,
        number: &ApplicationNumber,
        create: &AttachmentCreate,
        most: i64,
        notify: &[NotificationCreate],
    ) -> Result<AttachmentView> {
        let mut check = Check::default();
        check.text("name", &create.name, 200);
        check.done()?;
        let mut change = self.change(by).await?;
        if find(change.conn(), number).await?.is_none() {
            return Err(RegistryError::unknown("application", number));
        }
        let row = query("SELECT COUNT(*) AS held FROM application_attachments WHERE application = $1")
            .bind(id_of(number)?)
            .fetch_one(change.conn())
            .await?;
        if row.try_get::<i64>("held")? >= most {
            return Err(RegistryError::state(
                "the application has as many attachments as it may have",
            ));
        }
        query(
            "INSERT INTO attachment_contents (sha256, content) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(&create.sha256)
        .bind(&create.content)
        .execute(change.conn())
        .await?;
        let view = AttachmentView {
            id: next_number(change.conn(), "attachment").await?,
            at: stored(by.at),
            person: create.person,
            person_name: create.person_name.clone(),
            institution: create.institution.clone(),
            kind: create.kind.clone(),
            name: create.name.clone(),
            media_type: create.media_type.clone(),
            bytes: create.bytes,
            sha256: create.sha256.clone(),
            inspection: create.inspection.clone(),
        };
        query(
            "INSERT INTO application_attachments
               (id, application, at, person, institution, kind, name, media_type, bytes, sha256, inspection_json)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(view.id)
        .bind(id_of(number)?)
        .bind(micros(by.at))
        .bind(view.person.0)
        .bind(view.institution.as_str())
        .bind(&view.kind)
        .bind(&view.name)
        .bind(&view.media_type)
        .bind(view.bytes)
        .bind(&view.sha256)
        .bind(view.inspection.as_ref().map(to_json).transpose()?)
        .execute(change.conn())
        .await?;
        for one in notify {
            notification::insert(change.conn(), one, by.at).await?;
        }
        let object = format!("applications/{number}/attachments/{}", view.id);
        change.commit("attachment_create", object, &(), &view).await?;
        Ok(view)
    }

    /// In the order they came: as many as an application may have.
    pub async fn attachment_list(&self, number: &ApplicationNumber) -> Result<Vec<AttachmentView>> {
        let rows = query(
            "SELECT a.*, p.name AS person_name FROM application_attachments a JOIN people p ON p.id = a.person
             WHERE a.application = $1 ORDER BY a.id",
        )
            .bind(id_of(number)?)
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// With its content in base64.
    pub async fn attachment_get(
        &self,
        number: &ApplicationNumber,
        id: i64,
    ) -> Result<Option<(AttachmentView, String)>> {
        let row = query(
            "SELECT a.*, p.name AS person_name, c.content FROM application_attachments a
             JOIN people p ON p.id = a.person JOIN attachment_contents c ON c.sha256 = a.sha256
             WHERE a.application = $1 AND a.id = $2",
        )
        .bind(id_of(number)?)
        .bind(id)
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.map(|row| Ok((read(&row)?, text(&row, "content")?)))
            .transpose()
    }
}

fn read(row: &Row) -> Result<AttachmentView> {
    let inspection: Option<String> = row.try_get("inspection_json")?;
    Ok(AttachmentView {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        person: PersonId(row.try_get("person")?),
        person_name: text(row, "person_name")?,
        institution: RegistrationNumber::new(text(row, "institution")?),
        kind: text(row, "kind")?,
        name: text(row, "name")?,
        media_type: text(row, "media_type")?,
        bytes: row.try_get("bytes")?,
        sha256: text(row, "sha256")?,
        inspection: inspection.map(|text| from_json(&text)).transpose()?,
    })
}
