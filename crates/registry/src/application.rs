//! Applications: the present value of each, every event with the value after it, and what a decision made.

mod attachment;
mod comment;
mod event;
mod list;

use dagr_model::{
    application::{Application, Asked, InstitutionRole},
    ids::{ApplicationNumber, PermissionNumber, RegistrationNumber},
    permission::Permission,
};

pub use attachment::{AttachmentCreate, AttachmentView};
pub use comment::{CommentCreate, CommentView};
pub use event::{EventCreate, EventView};
pub use list::{ApplicationFilter, ApplicationOrder, Side};

use crate::{
    Actor, NotificationCreate, PermissionCreate, Registry, RegistryError, Result, Versioned,
    check::Check,
    dataset,
    db::{Conn, Row, query},
    institution, notification,
    open::{Change, next_number},
    permission,
    row::to_json,
};

/// What one event brings besides itself; all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Permissions that come into being, with the leaf paths each is resolved to.
    pub permissions: Vec<(PermissionCreate, Vec<String>)>,
    /// A permission that is changed instead, from the version it was judged in to what it becomes.
    pub amended: Option<(Permission, i64)>,
    /// What the applicant becomes.
    pub role: Option<InstitutionRole>,
    pub notifications: Vec<NotificationCreate>,
}

/// An application after an event, and the permissions it made.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub application: Versioned<Application>,
    pub permissions: Vec<Versioned<Permission>>,
}

impl Registry {
    /// Allots the number: that of `draft` is not looked at.
    pub async fn application_insert(
        &self,
        by: &Actor,
        draft: &Application,
        event: &EventCreate,
    ) -> Result<Versioned<Application>> {
        let mut change = self.change(by).await?;
        check(change.conn(), draft).await?;
        let id = next_number(change.conn(), "application").await?;
        let application = Application {
            number: ApplicationNumber::new(id.to_string()),
            ..draft.clone()
        };
        query(
            "INSERT INTO applications (id, number, dataset, applicant, provider, stage, due, body, version)
             VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, 1)",
        )
        .bind(id)
        .bind(application.number.as_str())
        .bind(application.asked.data().map(|asked| asked.dataset.as_str()))
        .bind(application.applicant.as_str())
        .bind(application.provider.as_ref().map(RegistrationNumber::as_str))
        .bind(application.stage.name())
        .bind(to_json(&application)?)
        .execute(change.conn())
        .await?;
        let value = Versioned {
            value: application,
            version: 1,
        };
        event::keep(change.conn(), by, id, &value, event).await?;
        change
            .commit("application_create", object(&value.value), &(), &value.value)
            .await?;
        Ok(value)
    }

    pub async fn application_get(
        &self,
        number: &ApplicationNumber,
    ) -> Result<Option<Versioned<Application>>> {
        find(&mut self.read().await?, number).await
    }

    /// Writes the application after an event with all that comes of it, in one transaction. `expected` is the
    /// version the event was judged against: of two at once, one is refused.
    pub async fn application_move(
        &self,
        by: &Actor,
        expected: i64,
        next: &Application,
        event: &EventCreate,
        outcome: &Outcome,
    ) -> Result<Moved> {
        let mut change = self.change(by).await?;
        let before = find(change.conn(), &next.number)
            .await?
            .ok_or_else(|| RegistryError::unknown("application", &next.number))?
            .expect(Some(expected))?;
        check(change.conn(), next).await?;
        let id = id_of(&next.number)?;
        let after = Versioned {
            value: next.clone(),
            version: before.version + 1,
        };
        store(change.conn(), id, &after).await?;
        event::keep(change.conn(), by, id, &after, event).await?;
        let mut permissions = Vec::with_capacity(outcome.permissions.len());
        for (create, fields) in &outcome.permissions {
            permissions.push(grant(&mut change, by, id, create, fields.clone()).await?);
        }
        if let Some((permission, version)) = &outcome.amended {
            permissions.push(amend(&mut change, by, id, permission, *version).await?);
        }
        if let Some(role) = outcome.role {
            become_one(change.conn(), by, id, next, role).await?;
        }
        for notification in &outcome.notifications {
            notification::insert(change.conn(), notification, by.at).await?;
        }
        change
            .commit(event.action(), object(next), &before.value, &after.value)
            .await?;
        Ok(Moved {
            application: after,
            permissions,
        })
    }

    /// Permissions that came of it, in the order they were made.
    pub async fn application_permissions(&self, number: &ApplicationNumber) -> Result<Vec<PermissionNumber>> {
        let rows = query(
            "SELECT p.number FROM application_permissions a JOIN permissions p ON p.id = a.permission
             WHERE a.application = $1 ORDER BY p.id",
        )
        .bind(id_of(number)?)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter()
            .map(|row| Ok(PermissionNumber::new(row.try_get::<String>("number")?)))
            .collect()
    }

    /// Applications that made the permission or changed it, oldest first.
    pub async fn permission_applications(&self, number: &PermissionNumber) -> Result<Vec<Application>> {
        let rows = query(
            "SELECT a.body, a.version FROM application_permissions l
             JOIN permissions p ON p.id = l.permission JOIN applications a ON a.id = l.application
             WHERE p.number = $1 ORDER BY a.id LIMIT 1000",
        )
        .bind(number.as_str())
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(|row| Ok(read(row)?.value)).collect()
    }

    /// What the institution may be on the platform.
    pub async fn institution_roles(&self, institution: &RegistrationNumber) -> Result<Vec<InstitutionRole>> {
        let rows = query("SELECT role FROM institution_roles WHERE institution = $1 ORDER BY role")
            .bind(institution.as_str())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter()
            .map(|row| crate::row::from_word(row.try_get("role")?))
            .collect()
    }
}

/// One permission of a decision, with its own entry in the trail.
pub(crate) async fn grant(
    change: &mut Change<'_>,
    by: &Actor,
    application: i64,
    create: &PermissionCreate,
    fields: Vec<String>,
) -> Result<Versioned<Permission>> {
    let (id, made) = permission::insert(change.conn(), by, create, fields).await?;
    query("INSERT INTO application_permissions (application, permission) VALUES ($1, $2)")
        .bind(application)
        .bind(id)
        .execute(change.conn())
        .await?;
    change
        .enter(
            "permission_create",
            permission::object(&made.value.number),
            &(),
            &made.value,
        )
        .await?;
    Ok(made)
}

/// The permission that a decision changes, with its own entry in the trail.
async fn amend(
    change: &mut Change<'_>,
    by: &Actor,
    application: i64,
    permission: &Permission,
    version: i64,
) -> Result<Versioned<Permission>> {
    let number = &permission.number;
    let reason = format!("application {application}");
    let (before, next) = permission::amended(
        change.conn(),
        by,
        number,
        permission.clone(),
        Some(version),
        Some(&reason),
    )
    .await?;
    query(
        "INSERT INTO application_permissions (application, permission)
         SELECT CAST($1 AS BIGINT), id FROM permissions WHERE number = $2",
    )
    .bind(application)
    .bind(number.as_str())
    .execute(change.conn())
    .await?;
    change
        .enter(
            "permission_update",
            permission::object(number),
            &before,
            &next.value,
        )
        .await?;
    Ok(next)
}

async fn become_one(
    conn: &mut Conn,
    by: &Actor,
    id: i64,
    application: &Application,
    role: InstitutionRole,
) -> Result<()> {
    query(
        "INSERT INTO institution_roles (institution, role, application, since) VALUES ($1, $2, $3, $4)
         ON CONFLICT (institution, role) DO NOTHING",
    )
    .bind(application.applicant.as_str())
    .bind(crate::row::word(role)?)
    .bind(id)
    .bind(crate::row::micros(by.at))
    .execute(conn)
    .await?;
    Ok(())
}

async fn store(conn: &mut Conn, id: i64, next: &Versioned<Application>) -> Result<()> {
    query("UPDATE applications SET stage = $2, due = $3, body = $4, version = $5 WHERE id = $1")
        .bind(id)
        .bind(next.value.stage.name())
        .bind(next.value.stage.due().map(|due| due.to_string()))
        .bind(to_json(&next.value)?)
        .bind(next.version)
        .execute(conn)
        .await?;
    Ok(())
}

/// What it names is registered.
async fn check(conn: &mut Conn, application: &Application) -> Result<()> {
    let mut check = Check::default();
    if let Asked::Data(asked) = &application.asked {
        let known = dataset::exists(conn, &asked.dataset).await?;
        check.reference(known, "dataset", "data set");
        if let Some(processor) = &asked.processor {
            let known = institution::exists(conn, processor).await?;
            check.reference(known, "processor", "institution");
        }
    }
    check.done()
}

pub(crate) fn object(application: &Application) -> String {
    format!("applications/{}", application.number)
}

/// Numbers are ids in digits; what is none names nothing.
pub(crate) fn id_of(number: &ApplicationNumber) -> Result<i64> {
    number
        .as_str()
        .parse()
        .map_err(|_| RegistryError::unknown("application", number))
}

async fn find(conn: &mut Conn, number: &ApplicationNumber) -> Result<Option<Versioned<Application>>> {
    let row = query("SELECT body, version FROM applications WHERE number = $1")
        .bind(number.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<Application>> {
    Ok(Versioned {
        value: tagged(row.try_get("body")?)?,
        version: row.try_get("version")?,
    })
}

/// Tagged enums buffer what they read, and a buffered exact number is not a number: so by way of a value.
pub(crate) fn tagged<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    let value: serde_json::Value = crate::row::from_json(text)?;
    Ok(serde_json::from_value(value)?)
}
