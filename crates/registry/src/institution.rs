//! Institutions: legal persons that provide or receive.

use dagr_model::ids::RegistrationNumber;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    page::fetch,
    row::{given, text},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionCreate {
    pub registration_number: RegistrationNumber,
    pub name: String,
    #[serde(default)]
    pub kind: Option<String>,
    /// The institution it is under.
    #[serde(default)]
    pub parent: Option<RegistrationNumber>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionView {
    pub registration_number: RegistrationNumber,
    pub name: String,
    pub kind: Option<String>,
    /// The institution it is under.
    pub parent: Option<RegistrationNumber>,
}

/// Merge-patch: an absent member stays, a null `kind` or `parent` is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionPatch {
    #[serde(default, deserialize_with = "given")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub kind: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    pub parent: Option<Option<RegistrationNumber>>,
}

/// Institutions above one another, at most.
const MAX_LEVELS: usize = 20;

impl Registry {
    pub async fn institution_insert(
        &self,
        by: &Actor,
        create: &InstitutionCreate,
    ) -> Result<Versioned<InstitutionView>> {
        let view = InstitutionView {
            registration_number: create.registration_number.clone(),
            name: create.name.clone(),
            kind: create.kind.clone(),
            parent: create.parent.clone(),
        };
        check(&view)?;
        let mut change = self.change(by).await?;
        if exists(change.conn(), &view.registration_number).await? {
            return Err(RegistryError::Exists {
                what: format!("institution {}", view.registration_number),
            });
        }
        under(change.conn(), &view).await?;
        query(
            "INSERT INTO institutions (registration_number, name, kind, parent, version)
             VALUES ($1, $2, $3, $4, 1)",
        )
        .bind(view.registration_number.as_str())
        .bind(&view.name)
        .bind(&view.kind)
        .bind(view.parent.as_ref().map(RegistrationNumber::as_str))
        .execute(change.conn())
        .await?;
        change
            .commit("institution_create", object(&view), &(), &view)
            .await?;
        Ok(Versioned {
            value: view,
            version: 1,
        })
    }

    pub async fn institution_get(
        &self,
        number: &RegistrationNumber,
    ) -> Result<Option<Versioned<InstitutionView>>> {
        find(&mut self.read().await?, number).await
    }

    /// In the order of registration numbers.
    pub async fn institution_list(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<InstitutionView>>> {
        let rows = query(
            "SELECT * FROM institutions WHERE registration_number > $1 ORDER BY registration_number LIMIT $2",
        )
        .bind(after.unwrap_or_default())
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| {
            item.value.registration_number.to_string()
        }))
    }

    pub async fn institution_update(
        &self,
        by: &Actor,
        number: &RegistrationNumber,
        patch: &InstitutionPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<InstitutionView>> {
        let mut change = self.change(by).await?;
        let before = find(change.conn(), number)
            .await?
            .ok_or_else(|| RegistryError::unknown("institution", number))?
            .expect(expected)?;
        let mut view = before.value.clone();
        view.name = patch.name.clone().unwrap_or(view.name);
        view.kind = patch.kind.clone().unwrap_or(view.kind);
        view.parent = patch.parent.clone().unwrap_or(view.parent);
        check(&view)?;
        under(change.conn(), &view).await?;
        let version = before.version + 1;
        query(
            "UPDATE institutions SET name = $2, kind = $3, parent = $4, version = $5
             WHERE registration_number = $1",
        )
        .bind(number.as_str())
        .bind(&view.name)
        .bind(&view.kind)
        .bind(view.parent.as_ref().map(RegistrationNumber::as_str))
        .bind(version)
        .execute(change.conn())
        .await?;
        change
            .commit("institution_update", object(&view), &before.value, &view)
            .await?;
        Ok(Versioned { value: view, version })
    }
}

fn object(view: &InstitutionView) -> String {
    format!("institutions/{}", view.registration_number)
}

fn check(view: &InstitutionView) -> Result<()> {
    let mut check = Check::default();
    check.registration_number("registration_number", view.registration_number.as_str());
    check.text("name", &view.name, 500);
    check.optional_text("kind", view.kind.as_deref(), 100);
    check.done()
}

/// Its parent is there, and it is not under itself.
async fn under(conn: &mut Conn, view: &InstitutionView) -> Result<()> {
    let mut above = view.parent.clone();
    for _ in 0..MAX_LEVELS {
        let Some(parent) = above else { return Ok(()) };
        if parent == view.registration_number {
            break;
        }
        let found = find(&mut *conn, &parent).await?;
        let Some(found) = found else {
            let message = "there is no such institution: register it first";
            return Err(RegistryError::fault("parent", "unknown", message));
        };
        above = found.value.parent;
    }
    let message = "an institution is not under itself, and twenty levels are enough";
    Err(RegistryError::fault("parent", "cycle", message))
}

pub(crate) async fn exists(conn: &mut Conn, number: &RegistrationNumber) -> Result<bool> {
    Ok(find(conn, number).await?.is_some())
}

async fn find(conn: &mut Conn, number: &RegistrationNumber) -> Result<Option<Versioned<InstitutionView>>> {
    let row = query("SELECT * FROM institutions WHERE registration_number = $1")
        .bind(number.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &Row) -> Result<Versioned<InstitutionView>> {
    let value = InstitutionView {
        registration_number: RegistrationNumber::new(text(row, "registration_number")?),
        name: text(row, "name")?,
        kind: row.try_get("kind")?,
        parent: row
            .try_get::<Option<String>>("parent")?
            .map(RegistrationNumber::new),
    };
    Ok(Versioned {
        value,
        version: row.try_get("version")?,
    })
}
