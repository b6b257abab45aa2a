//! Permissions: the present value of each, and every value it ever had.

mod check;
mod input;
mod transition;
mod uses;

use std::cmp::Ordering;

use dagr_model::{
    ids::{ApplicationNumber, DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, PermissionState},
};
use jiff::Timestamp;
use serde::Serialize;

pub use input::{Fields, PermissionCreate, PermissionPatch};
pub(crate) use transition::{amended, moved};
pub use uses::{UseDay, UseField, UsePosition};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned, dataset,
    db::{Conn, Row, query},
    institution,
    open::next_number,
    page::{fetch, number_token},
    row::{from_json, micros, small, text, time, to_json, word},
};

/// The model's permission is its own view: it repeats every member, null where absent.
pub type PermissionView = Permission;

#[derive(Debug, Clone, Default)]
pub struct PermissionFilter {
    pub dataset: Option<DatasetName>,
    pub recipient: Option<RegistrationNumber>,
    /// Of this provider's data sets.
    pub provider: Option<RegistrationNumber>,
    pub environment: Option<Section>,
    pub state: Option<PermissionState>,
}

/// One value a permission had.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermissionRevision {
    pub version: u32,
    pub at: Timestamp,
    pub actor: String,
    /// As given with the transition that led here.
    pub reason: Option<String>,
    pub permission: Permission,
}

impl Registry {
    /// `fields`: the leaf paths that `create.fields` means today. The number is allotted here.
    pub async fn permission_insert(
        &self,
        by: &Actor,
        create: &PermissionCreate,
        fields: Vec<String>,
    ) -> Result<Versioned<PermissionView>> {
        let mut change = self.change(by).await?;
        let (_, value) = insert(change.conn(), by, create, fields).await?;
        change
            .commit(
                "permission_create",
                object(&value.value.number),
                &(),
                &value.value,
            )
            .await?;
        Ok(value)
    }

    pub async fn permission_get(
        &self,
        number: &PermissionNumber,
    ) -> Result<Option<Versioned<PermissionView>>> {
        find(&mut self.read().await?, number).await
    }

    /// In the order they were granted.
    pub async fn permission_list(
        &self,
        filter: &PermissionFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<PermissionView>>> {
        let rows = query(
            "SELECT p.* FROM permissions p JOIN datasets d ON d.name = p.dataset
             WHERE p.id > $1
               AND p.dataset = COALESCE(CAST($2 AS TEXT), p.dataset)
               AND p.recipient = COALESCE(CAST($3 AS TEXT), p.recipient)
               AND d.institution = COALESCE(CAST($4 AS TEXT), d.institution)
               AND p.environment = COALESCE(CAST($5 AS TEXT), p.environment)
               AND p.state = COALESCE(CAST($6 AS TEXT), p.state)
             ORDER BY p.id LIMIT $7",
        )
        .bind(number_token(after.as_deref())?.unwrap_or(0))
        .bind(filter.dataset.as_ref().map(DatasetName::as_str))
        .bind(filter.recipient.as_ref().map(RegistrationNumber::as_str))
        .bind(filter.provider.as_ref().map(RegistrationNumber::as_str))
        .bind(filter.environment.map(Section::as_str))
        .bind(filter.state.map(word).transpose()?)
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.number.to_string()))
    }

    /// The application it came from, if from one.
    pub async fn permission_application(
        &self,
        number: &PermissionNumber,
    ) -> Result<Option<ApplicationNumber>> {
        let row = query(
            "SELECT a.number FROM application_permissions ap JOIN permissions p ON p.id = ap.permission
             JOIN applications a ON a.id = ap.application WHERE p.number = $1",
        )
        .bind(number.as_str())
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.map(|row| Ok(ApplicationNumber::new(text(&row, "number")?)))
            .transpose()
    }

    /// Every value it had, newest first.
    pub async fn permission_revisions(
        &self,
        number: &PermissionNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<PermissionRevision>> {
        let rows = query(
            "SELECT r.* FROM permission_revisions r JOIN permissions p ON p.id = r.permission
             WHERE p.number = $1 AND r.version < $2 ORDER BY r.version DESC LIMIT $3",
        )
        .bind(number.as_str())
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read_revision).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.version.to_string()))
    }

    /// The permission with the fields, scope and ways of an earlier `revision`.
    pub async fn permission_of_revision(
        &self,
        number: &PermissionNumber,
        revision: u32,
    ) -> Result<Option<Permission>> {
        let mut conn = self.read().await?;
        let Some(last) = find(&mut conn, number).await? else {
            return Ok(None);
        };
        // Every version is kept; a revision grows with them, by one at most.
        let (mut low, mut high) = (i64::from(revision), last.version);
        while low <= high {
            let middle = low.midpoint(high);
            let row = query(
                "SELECT r.* FROM permission_revisions r JOIN permissions p ON p.id = r.permission
                 WHERE p.number = $1 AND r.version = $2",
            )
            .bind(number.as_str())
            .bind(middle)
            .fetch_optional(&mut conn)
            .await?;
            let Some(found) = row.as_ref().map(read_revision).transpose()? else {
                return Ok(None);
            };
            match found.permission.revision.cmp(&revision) {
                Ordering::Equal => return Ok(Some(found.permission)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle - 1,
            }
        }
        Ok(None)
    }
}

pub(crate) fn object(number: &PermissionNumber) -> String {
    format!("permissions/{number}")
}

/// A new permission with its first revision; the caller enters it in the trail. Gives its row's id.
pub(crate) async fn insert(
    conn: &mut Conn,
    by: &Actor,
    create: &PermissionCreate,
    fields: Vec<String>,
) -> Result<(i64, Versioned<Permission>)> {
    let mut permission = create.granted(PermissionNumber::new(""), fields);
    let mut faults = check::shape(&permission);
    let known = dataset::exists(conn, &permission.dataset).await?;
    faults.reference(known, "dataset", "data set");
    let known = institution::exists(conn, &permission.recipient).await?;
    faults.reference(known, "recipient", "institution");
    faults.done()?;
    not_stopped(conn, &permission.dataset).await?;
    let id = next_number(conn, "permission").await?;
    permission.number = PermissionNumber::new(id.to_string());
    query(
        "INSERT INTO permissions (id, number, dataset, recipient, environment, state, body, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
    )
    .bind(id)
    .bind(permission.number.as_str())
    .bind(permission.dataset.as_str())
    .bind(permission.recipient.as_str())
    .bind(permission.environment.as_str())
    .bind(word(permission.state)?)
    .bind(to_json(&permission)?)
    .execute(&mut *conn)
    .await?;
    let value = Versioned {
        value: permission,
        version: 1,
    };
    keep(conn, by, &value, None).await?;
    Ok((id, value))
}

/// While its provider has stopped a data set, nothing of it comes into force.
async fn not_stopped(conn: &mut Conn, dataset: &DatasetName) -> Result<()> {
    match dataset::running_stop(conn, dataset).await? {
        None => Ok(()),
        Some(_) => Err(RegistryError::state(
            "the data set is stopped: nothing of it is granted or resumed until the stop is ended",
        )),
    }
}

/// Writes the next version of a permission whose row exists.
async fn store(
    conn: &mut Conn,
    by: &Actor,
    next: &Versioned<Permission>,
    reason: Option<&str>,
) -> Result<()> {
    query("UPDATE permissions SET state = $2, body = $3, version = $4 WHERE number = $1")
        .bind(next.value.number.as_str())
        .bind(word(next.value.state)?)
        .bind(to_json(&next.value)?)
        .bind(next.version)
        .execute(&mut *conn)
        .await?;
    keep(conn, by, next, reason).await
}

async fn keep(
    conn: &mut Conn,
    by: &Actor,
    value: &Versioned<Permission>,
    reason: Option<&str>,
) -> Result<()> {
    query(
        "INSERT INTO permission_revisions (permission, version, body, reason, actor, set_at)
         SELECT id, CAST($2 AS BIGINT), body, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT)
         FROM permissions WHERE number = $1",
    )
    .bind(value.value.number.as_str())
    .bind(value.version)
    .bind(reason)
    .bind(&by.name)
    .bind(micros(by.at))
    .execute(conn)
    .await?;
    Ok(())
}

async fn require(conn: &mut Conn, number: &PermissionNumber) -> Result<Versioned<Permission>> {
    find(conn, number)
        .await?
        .ok_or_else(|| RegistryError::unknown("permission", number))
}

async fn find(conn: &mut Conn, number: &PermissionNumber) -> Result<Option<Versioned<Permission>>> {
    let row = query("SELECT body, version FROM permissions WHERE number = $1")
        .bind(number.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &Row) -> Result<Versioned<Permission>> {
    Ok(Versioned {
        value: from_json(row.try_get("body")?)?,
        version: row.try_get("version")?,
    })
}

fn read_revision(row: &Row) -> Result<PermissionRevision> {
    Ok(PermissionRevision {
        version: small(row, "version")?,
        at: time(row, "set_at")?,
        actor: text(row, "actor")?,
        reason: row.try_get("reason")?,
        permission: from_json(row.try_get("body")?)?,
    })
}
