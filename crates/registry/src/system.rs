//! Information systems: each belongs to an institution and owns connections.

mod facts;

use dagr_model::ids::{RegistrationNumber, SystemCode};
use serde::{Deserialize, Serialize};

pub use facts::{Criticality, SystemFacts, SystemFactsPut, SystemFactsView};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    institution,
    page::fetch,
    row::{given, text},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemCreate {
    pub institution: RegistrationNumber,
    /// Unique in the whole registry: connections name their system by it alone.
    pub code: SystemCode,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemView {
    pub institution: RegistrationNumber,
    pub code: SystemCode,
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPatch {
    #[serde(default, deserialize_with = "given")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct SystemFilter {
    pub institution: Option<RegistrationNumber>,
}

impl Registry {
    pub async fn system_insert(&self, by: &Actor, create: &SystemCreate) -> Result<Versioned<SystemView>> {
        let view = SystemView {
            institution: create.institution.clone(),
            code: create.code.clone(),
            name: create.name.clone(),
        };
        let mut change = self.change(by).await?;
        let mut check = check(&view);
        let known = institution::exists(change.conn(), &view.institution).await?;
        check.reference(known, "institution", "institution");
        check.done()?;
        if exists(change.conn(), &view.code).await? {
            return Err(RegistryError::Exists {
                what: format!("system {}", view.code),
            });
        }
        query("INSERT INTO systems (code, institution, name, version) VALUES ($1, $2, $3, 1)")
            .bind(view.code.as_str())
            .bind(view.institution.as_str())
            .bind(&view.name)
            .execute(change.conn())
            .await?;
        change.commit("system_create", object(&view), &(), &view).await?;
        Ok(Versioned {
            value: view,
            version: 1,
        })
    }

    pub async fn system_get(&self, code: &SystemCode) -> Result<Option<Versioned<SystemView>>> {
        find(&mut self.read().await?, code).await
    }

    /// In the order of codes.
    pub async fn system_list(
        &self,
        filter: &SystemFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<SystemView>>> {
        let rows = query(
            "SELECT * FROM systems
             WHERE code > $1 AND institution = COALESCE(CAST($2 AS TEXT), institution)
             ORDER BY code LIMIT $3",
        )
        .bind(after.unwrap_or_default())
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.code.to_string()))
    }

    pub async fn system_update(
        &self,
        by: &Actor,
        code: &SystemCode,
        patch: &SystemPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<SystemView>> {
        let mut change = self.change(by).await?;
        let before = find(change.conn(), code)
            .await?
            .ok_or_else(|| RegistryError::unknown("system", code))?
            .expect(expected)?;
        let mut view = before.value.clone();
        view.name = patch.name.clone().unwrap_or(view.name);
        check(&view).done()?;
        let version = before.version + 1;
        query("UPDATE systems SET name = $2, version = $3 WHERE code = $1")
            .bind(code.as_str())
            .bind(&view.name)
            .bind(version)
            .execute(change.conn())
            .await?;
        change
            .commit("system_update", object(&view), &before.value, &view)
            .await?;
        Ok(Versioned { value: view, version })
    }
}

fn object(view: &SystemView) -> String {
    format!("systems/{}", view.code)
}

fn check(view: &SystemView) -> Check {
    let mut check = Check::default();
    check.code("code", view.code.as_str());
    check.text("name", &view.name, 500);
    check
}

pub(crate) async fn exists(conn: &mut Conn, code: &SystemCode) -> Result<bool> {
    Ok(find(conn, code).await?.is_some())
}

pub(crate) async fn find(conn: &mut Conn, code: &SystemCode) -> Result<Option<Versioned<SystemView>>> {
    let row = query("SELECT * FROM systems WHERE code = $1")
        .bind(code.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn read(row: &Row) -> Result<Versioned<SystemView>> {
    let value = SystemView {
        institution: RegistrationNumber::new(text(row, "institution")?),
        code: SystemCode::new(text(row, "code")?),
        name: text(row, "name")?,
    };
    Ok(Versioned {
        value,
        version: row.try_get("version")?,
    })
}
