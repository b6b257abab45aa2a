//! Data sets: whose they are and the definitions they serve by. Every text ever set is kept.

mod definition;
mod rules;
mod stop;

use dagr_model::ids::{DatasetName, RegistrationNumber, Section};
use serde::{Deserialize, Serialize};

pub use definition::{DefinitionPut, DefinitionVersion};
pub use rules::{Rules, RulesDecider, RulesPut, RulesView};
pub(crate) use stop::running as running_stop;
pub use stop::{StopView, Stopped};

use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    db::{Conn, Row, query},
    page::fetch,
    row::{small, text},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetView {
    pub name: DatasetName,
    /// The provider.
    pub institution: RegistrationNumber,
    /// The definition being tried.
    pub sandbox: Option<DefinitionVersion>,
    /// The definition it serves by; `None` until it is published.
    pub main: Option<DefinitionVersion>,
    pub replaces: Option<DatasetName>,
    /// The published set that replaces this one.
    pub superseded_by: Option<DatasetName>,
}

impl DatasetView {
    pub fn definition(&self, section: Section) -> Option<&DefinitionVersion> {
        match section {
            Section::Main => self.main.as_ref(),
            Section::Sandbox => self.sandbox.as_ref(),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct DatasetFilter {
    pub institution: Option<RegistrationNumber>,
    /// Only those that have a definition in this section.
    pub section: Option<Section>,
}

/// A data set with its present definitions in one row. A literal, for queries are static text.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.name, d.institution, d.replaces, d.sandbox_epoch, d.main_epoch, d.version,
                    s.number AS sandbox_number, s.body AS sandbox_body,
                    s.leaf_ids_json AS sandbox_leaf_ids_json, s.set_at AS sandbox_set_at,
                    m.number AS main_number, m.body AS main_body,
                    m.leaf_ids_json AS main_leaf_ids_json, m.set_at AS main_set_at,
                    (SELECT MIN(x.name) FROM datasets x WHERE x.replaces = d.name AND x.main_number IS NOT NULL)
                      AS superseded_by
             FROM datasets d
             LEFT JOIN definitions s
               ON s.dataset = d.name AND s.section = 'sandbox' AND s.number = d.sandbox_number
             LEFT JOIN definitions m
               ON m.dataset = d.name AND m.section = 'main' AND m.number = d.main_number ",
            $rest
        )
    };
}

impl Registry {
    pub async fn dataset_get(&self, name: &DatasetName) -> Result<Option<Versioned<DatasetView>>> {
        find(&mut self.read().await?, name).await
    }

    /// In the order of names.
    pub async fn dataset_list(
        &self,
        filter: &DatasetFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<DatasetView>>> {
        let rows = query(select!(
            "WHERE d.name > $1 AND d.institution = COALESCE(CAST($2 AS TEXT), d.institution)
               AND (CAST($3 AS TEXT) IS NULL
                    OR ($3 = 'main' AND d.main_number IS NOT NULL)
                    OR ($3 = 'sandbox' AND d.sandbox_number IS NOT NULL))
             ORDER BY d.name LIMIT $4"
        ))
        .bind(after.unwrap_or_default())
        .bind(filter.institution.as_ref().map(RegistrationNumber::as_str))
        .bind(filter.section.map(Section::as_str))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.value.name.to_string()))
    }

    /// Of every data set, also those of sections without a definition.
    pub async fn epochs(&self) -> Result<Vec<Epochs>> {
        epochs(&mut self.read().await?).await
    }

    /// Raises epochs to at least these; none is ever lowered. Names it does not know are passed over.
    pub async fn raise_epochs(&self, by: &Actor, at_least: &[Epochs]) -> Result<()> {
        let mut change = self.change(by).await?;
        let before = epochs(change.conn()).await?;
        for least in at_least {
            query(
                "UPDATE datasets SET
                   sandbox_epoch = CASE WHEN sandbox_epoch < $2 THEN $2 ELSE sandbox_epoch END,
                   main_epoch = CASE WHEN main_epoch < $3 THEN $3 ELSE main_epoch END,
                   version = version + 1
                 WHERE name = $1 AND (sandbox_epoch < $2 OR main_epoch < $3)",
            )
            .bind(least.dataset.as_str())
            .bind(i64::from(least.sandbox))
            .bind(i64::from(least.main))
            .execute(change.conn())
            .await?;
        }
        let after = epochs(change.conn()).await?;
        change
            .commit("epochs_raise", "datasets".into(), &before, &after)
            .await
    }
}

/// The epochs of a data set's sections: what was told in one says nothing in the next. No number comes twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Epochs {
    pub dataset: DatasetName,
    pub sandbox: u32,
    pub main: u32,
}

async fn epochs(conn: &mut Conn) -> Result<Vec<Epochs>> {
    let rows = query("SELECT name, sandbox_epoch, main_epoch FROM datasets ORDER BY name")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Epochs {
                dataset: DatasetName::new(text(row, "name")?),
                sandbox: small(row, "sandbox_epoch")?,
                main: small(row, "main_epoch")?,
            })
        })
        .collect()
}

pub(crate) async fn load(conn: &mut Conn) -> Result<Vec<Versioned<DatasetView>>> {
    query(select!("ORDER BY d.name"))
        .fetch_all(conn)
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn exists(conn: &mut Conn, name: &DatasetName) -> Result<bool> {
    Ok(find(conn, name).await?.is_some())
}

async fn require(conn: &mut Conn, name: &DatasetName) -> Result<Versioned<DatasetView>> {
    find(conn, name)
        .await?
        .ok_or_else(|| RegistryError::unknown("data set", name))
}

async fn find(conn: &mut Conn, name: &DatasetName) -> Result<Option<Versioned<DatasetView>>> {
    let row = query(select!("WHERE d.name = $1"))
        .bind(name.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<DatasetView>> {
    let name = |column: &str| -> Result<Option<DatasetName>> {
        Ok(row.try_get::<Option<String>>(column)?.map(DatasetName::new))
    };
    let value = DatasetView {
        name: DatasetName::new(text(row, "name")?),
        institution: RegistrationNumber::new(text(row, "institution")?),
        sandbox: definition::read_present(row, Section::Sandbox)?,
        main: definition::read_present(row, Section::Main)?,
        replaces: name("replaces")?,
        superseded_by: name("superseded_by")?,
    };
    Ok(Versioned {
        value,
        version: row.try_get("version")?,
    })
}
