//! Setting, publishing and looking back at definitions.

use dagr_model::{
    ids::{DatasetName, RegistrationNumber, Section},
    schema::LeafIds,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DatasetView, exists, require};
use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    institution,
    page::{fetch, number_token},
    row::{from_json, from_micros, micros, small, text, time, to_json},
};

/// The longest definition text, bytes: as long as any other body than intake.
const MAX_TEXT: usize = 1 << 20;

/// One text a data set was defined by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefinitionVersion {
    pub section: Section,
    /// Counts the texts of its section from 1.
    pub version: u32,
    /// Canonical.
    pub text: String,
    pub leaf_ids: LeafIds,
    pub at: Timestamp,
    /// In a `DatasetView` the section's present epoch; in a history the one it was set in.
    pub epoch: u32,
}

/// A checked and canonical text for a section. The caller has parsed it and drawn up `leaf_ids`.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionPut {
    pub name: DatasetName,
    /// The provider.
    pub institution: RegistrationNumber,
    pub text: String,
    pub leaf_ids: LeafIds,
    pub replaces: Option<DatasetName>,
    /// The epoch of the records the sandbox holds, 0 if none: the new one is greater.
    pub above: u32,
}

impl Registry {
    /// Makes the data set if it is new (then the version answered is 1). The sandbox begins a new epoch.
    pub async fn put_sandbox_definition(
        &self,
        by: &Actor,
        put: &DefinitionPut,
        expected: Option<i64>,
    ) -> Result<Versioned<DatasetView>> {
        let mut change = self.change(by).await?;
        check(change.conn(), put).await?;
        let before = match super::find(change.conn(), &put.name).await? {
            Some(before) => Some(before.expect(expected)?),
            None if expected.is_some() => return Err(RegistryError::Precondition),
            None => None,
        };
        match &before {
            Some(before) => require_provider(&before.value, put)?,
            None => insert(change.conn(), put).await?,
        }
        // A new set's epochs are 0, so that its first definition opens epoch 1.
        query(
            "UPDATE datasets SET
               sandbox_epoch = CASE WHEN sandbox_epoch < $3 THEN $3 ELSE sandbox_epoch END + 1,
               replaces = $2, version = version + 1
             WHERE name = $1",
        )
        .bind(put.name.as_str())
        .bind(put.replaces.as_ref().map(DatasetName::as_str))
        .bind(i64::from(put.above))
        .execute(change.conn())
        .await?;
        set(
            change.conn(),
            &put.name,
            Section::Sandbox,
            &put.text,
            &put.leaf_ids,
            by.at,
        )
        .await?;
        let after = require(change.conn(), &put.name).await?;
        let before = before.map(|before| before.value);
        change
            .commit("dataset_definition_put", object(&put.name), &before, &after.value)
            .await?;
        Ok(after)
    }

    /// The sandbox's text and leaf ids become the main section's next version; the sandbox keeps its own.
    /// For a first or a compatible text: the main epoch stays.
    pub async fn publish(
        &self,
        by: &Actor,
        name: &DatasetName,
        expected: Option<i64>,
    ) -> Result<Versioned<DatasetView>> {
        self.publish_in(by, name, expected, None).await
    }

    /// As `publish`, for an incompatible text: main begins a new epoch, greater than `above`, that of the records it
    /// holds; leaf ids may be others in it. The caller has seen that nobody holds an active permission, and empties
    /// the section.
    pub async fn publish_anew(
        &self,
        by: &Actor,
        name: &DatasetName,
        expected: Option<i64>,
        above: u32,
    ) -> Result<Versioned<DatasetView>> {
        self.publish_in(by, name, expected, Some(above)).await
    }

    async fn publish_in(
        &self,
        by: &Actor,
        name: &DatasetName,
        expected: Option<i64>,
        new_epoch: Option<u32>,
    ) -> Result<Versioned<DatasetView>> {
        let mut change = self.change(by).await?;
        let before = require(change.conn(), name).await?.expect(expected)?;
        let sandbox = before
            .value
            .sandbox
            .as_ref()
            .ok_or_else(|| RegistryError::state("the sandbox holds no definition to publish"))?;
        if before
            .value
            .main
            .as_ref()
            .is_some_and(|main| main.text == sandbox.text)
        {
            return Err(RegistryError::state("this definition is published already"));
        }
        if let Some(above) = new_epoch {
            query(
                "UPDATE datasets SET main_epoch = CASE WHEN main_epoch < $2 THEN $2 ELSE main_epoch END + 1
                 WHERE name = $1",
            )
            .bind(name.as_str())
            .bind(i64::from(above))
            .execute(change.conn())
            .await?;
        } else {
            keep_leaf_ids(&before.value, &sandbox.leaf_ids)?;
        }
        bump(change.conn(), name).await?;
        set(
            change.conn(),
            name,
            Section::Main,
            &sandbox.text,
            &sandbox.leaf_ids,
            by.at,
        )
        .await?;
        let after = require(change.conn(), name).await?;
        change
            .commit("dataset_publish", object(name), &before.value, &after.value)
            .await?;
        Ok(after)
    }

    /// A compatible text in place of the one main serves by.
    pub async fn put_main_definition(
        &self,
        by: &Actor,
        put: &DefinitionPut,
        expected: Option<i64>,
    ) -> Result<Versioned<DatasetView>> {
        let mut change = self.change(by).await?;
        check(change.conn(), put).await?;
        let before = require(change.conn(), &put.name).await?.expect(expected)?;
        require_provider(&before.value, put)?;
        if before.value.main.is_none() {
            return Err(RegistryError::state("the data set is not published yet"));
        }
        keep_leaf_ids(&before.value, &put.leaf_ids)?;
        bump(change.conn(), &put.name).await?;
        set(
            change.conn(),
            &put.name,
            Section::Main,
            &put.text,
            &put.leaf_ids,
            by.at,
        )
        .await?;
        let after = require(change.conn(), &put.name).await?;
        change
            .commit(
                "dataset_definition_put",
                object(&put.name),
                &before.value,
                &after.value,
            )
            .await?;
        Ok(after)
    }

    /// Every text a section ever had, newest first.
    pub async fn definition_list(
        &self,
        name: &DatasetName,
        section: Section,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<DefinitionVersion>> {
        let rows = query(
            "SELECT * FROM definitions WHERE dataset = $1 AND section = $2 AND number < $3
             ORDER BY number DESC LIMIT $4",
        )
        .bind(name.as_str())
        .bind(section.as_str())
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read_kept).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.version.to_string()))
    }
}

fn object(name: &DatasetName) -> String {
    format!("datasets/{name}")
}

async fn check(conn: &mut Conn, put: &DefinitionPut) -> Result<()> {
    let mut check = Check::default();
    let name = put.name.as_str().as_bytes();
    check.require(
        (1..=100).contains(&name.len())
            && name
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_'),
        "name",
        "dataset_name",
        "must be 1 to 100 lower-case letters, digits or `_`",
    );
    check.require(
        put.text.len() <= MAX_TEXT,
        "text",
        "too_long",
        "must have at most 1 MiB",
    );
    let known = institution::exists(conn, &put.institution).await?;
    check.reference(known, "institution", "institution");
    if let Some(replaced) = &put.replaces {
        check.reference(exists(conn, replaced).await?, "replaces", "data set");
        check.require(
            *replaced != put.name,
            "replaces",
            "itself",
            "a data set cannot replace itself",
        );
    }
    check.done()
}

fn require_provider(view: &DatasetView, put: &DefinitionPut) -> Result<()> {
    if view.institution == put.institution {
        return Ok(());
    }
    Err(RegistryError::state(
        "the data set belongs to another institution",
    ))
}

/// Stored records name leaves by id: no path that main knows may get another one.
fn keep_leaf_ids(view: &DatasetView, next: &LeafIds) -> Result<()> {
    let Some(main) = &view.main else { return Ok(()) };
    for (path, id) in &main.leaf_ids.0 {
        if next.0.get(path).is_some_and(|next| next != id) {
            return Err(RegistryError::state(format!("{path} would get another leaf id")));
        }
    }
    Ok(())
}

async fn insert(conn: &mut Conn, put: &DefinitionPut) -> Result<()> {
    query(
        "INSERT INTO datasets (name, institution, sandbox_epoch, main_epoch, version) VALUES ($1, $2, 0, 1, 0)",
    )
    .bind(put.name.as_str())
    .bind(put.institution.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

async fn bump(conn: &mut Conn, name: &DatasetName) -> Result<()> {
    query("UPDATE datasets SET version = version + 1 WHERE name = $1")
        .bind(name.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the text as the section's next number and makes it the present one.
async fn set(
    conn: &mut Conn,
    name: &DatasetName,
    section: Section,
    text: &str,
    leaf_ids: &LeafIds,
    at: Timestamp,
) -> Result<()> {
    query(
        "INSERT INTO definitions (dataset, section, number, body, leaf_ids_json, epoch, set_at)
         SELECT d.name, CAST($2 AS TEXT),
                (SELECT COALESCE(MAX(x.number), 0) + 1 FROM definitions x
                 WHERE x.dataset = d.name AND x.section = $2),
                CAST($3 AS TEXT), CAST($4 AS TEXT), CASE WHEN $2 = 'main' THEN d.main_epoch ELSE d.sandbox_epoch END,
                CAST($5 AS BIGINT)
         FROM datasets d WHERE d.name = $1",
    )
    .bind(name.as_str())
    .bind(section.as_str())
    .bind(text)
    .bind(to_json(leaf_ids)?)
    .bind(micros(at))
    .execute(&mut *conn)
    .await?;
    let point = match section {
        Section::Main => {
            "UPDATE datasets SET main_number =
               (SELECT MAX(number) FROM definitions WHERE dataset = $1 AND section = 'main') WHERE name = $1"
        }
        Section::Sandbox => {
            "UPDATE datasets SET sandbox_number =
               (SELECT MAX(number) FROM definitions WHERE dataset = $1 AND section = 'sandbox') WHERE name = $1"
        }
    };
    query(point).bind(name.as_str()).execute(conn).await?;
    Ok(())
}

/// One section's part of a joined row.
pub(super) fn read_present(row: &Row, section: Section) -> Result<Option<DefinitionVersion>> {
    let [number, body, leaf_ids, set_at, epoch] = match section {
        Section::Main => [
            "main_number",
            "main_body",
            "main_leaf_ids_json",
            "main_set_at",
            "main_epoch",
        ],
        Section::Sandbox => [
            "sandbox_number",
            "sandbox_body",
            "sandbox_leaf_ids_json",
            "sandbox_set_at",
            "sandbox_epoch",
        ],
    };
    if row.try_get::<Option<i64>>(number)?.is_none() {
        return Ok(None);
    }
    Ok(Some(DefinitionVersion {
        section,
        version: small(row, number)?,
        text: text(row, body)?,
        leaf_ids: from_json(row.try_get(leaf_ids)?)?,
        at: from_micros(row.try_get(set_at)?)?,
        epoch: small(row, epoch)?,
    }))
}

fn read_kept(row: &Row) -> Result<DefinitionVersion> {
    let section = text(row, "section")?
        .parse()
        .map_err(|()| RegistryError::Unavailable("stored section unreadable".into()))?;
    Ok(DefinitionVersion {
        section,
        version: small(row, "number")?,
        text: text(row, "body")?,
        leaf_ids: from_json(row.try_get("leaf_ids_json")?)?,
        at: time(row, "set_at")?,
        epoch: small(row, "epoch")?,
    })
}
