//! Versions of a classifier: each is a row with all its codes; none is ever changed.

use dagr_model::classifier::{ClassifierValue, check};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Classifier, find, object, read as read_classifier};
use crate::{
    Actor, Page, Registry, RegistryError, Result, Versioned,
    check::Check,
    db::{Conn, Row, query},
    page::{fetch, number_token},
    row::{from_json, micros, stored, text, time, to_json},
};

/// All codes of a version as JSON, in bytes.
const MAX_BODY_BYTES: usize = 16 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierVersionPut {
    /// The first day it judges; not before that of the version before it.
    pub valid_from: Date,
    pub reason: String,
    pub values: Vec<ClassifierValue>,
}

/// A version without its codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassifierVersionView {
    pub classifier: String,
    pub number: i64,
    pub valid_from: Date,
    /// How many it has.
    pub codes: i64,
    pub reason: String,
    pub by: String,
    pub published_at: Timestamp,
}

/// A classifier and the versions that judge from a day on, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifierKept {
    pub classifier: Classifier,
    pub versions: Vec<VersionKept>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionKept {
    pub number: i64,
    pub valid_from: Date,
    pub values: Vec<ClassifierValue>,
}

impl Registry {
    /// `expected`: the classifier's own version. Answers its next one, too.
    pub async fn classifier_version_insert(
        &self,
        by: &Actor,
        id: &str,
        put: &ClassifierVersionPut,
        expected: Option<i64>,
    ) -> Result<Versioned<ClassifierVersionView>> {
        let mut change = self.change(by).await?;
        let known = find(change.conn(), id).await?;
        let known = known
            .ok_or_else(|| RegistryError::unknown("classifier", id))?
            .expect(expected)?;
        let before = match known.value.latest {
            Some(number) => version(change.conn(), id, number).await?,
            None => None,
        };
        let body = to_json(&put.values)?;
        let stands = before.as_ref().map(|(view, values)| (view, values.as_slice()));
        refuse(put, &body, stands)?;
        let view = ClassifierVersionView {
            classifier: id.to_owned(),
            number: known.value.latest.unwrap_or(0) + 1,
            valid_from: put.valid_from,
            codes: put.values.len() as i64,
            reason: put.reason.clone(),
            by: by.name.clone(),
            published_at: stored(by.at),
        };
        query(
            "INSERT INTO classifier_versions
               (classifier, number, valid_from, codes, body, reason, actor, published_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(view.number)
        .bind(view.valid_from.to_string())
        .bind(view.codes)
        .bind(body)
        .bind(&view.reason)
        .bind(&view.by)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        query("UPDATE classifiers SET version = $2 WHERE id = $1")
            .bind(id)
            .bind(known.version + 1)
            .execute(change.conn())
            .await?;
        let before = before.map(|(before, _)| before);
        change
            .commit("classifier_publish", object(id), &before, &view)
            .await?;
        Ok(Versioned {
            value: view,
            version: known.version + 1,
        })
    }

    /// A version with its codes.
    pub async fn classifier_version_get(
        &self,
        id: &str,
        number: i64,
    ) -> Result<Option<(ClassifierVersionView, Vec<ClassifierValue>)>> {
        version(&mut self.read().await?, id, number).await
    }

    /// Newest first, without their codes.
    pub async fn classifier_version_list(
        &self,
        id: &str,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<ClassifierVersionView>> {
        let rows = query(
            "SELECT classifier, number, valid_from, codes, reason, actor, published_at FROM classifier_versions
             WHERE classifier = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(id)
        .bind(number_token(after.as_deref())?.unwrap_or(i64::MAX))
        .bind(fetch(limit))
        .fetch_all(&mut self.read().await?)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| item.number.to_string()))
    }

    /// Every classifier with the version that judges on that day and those that will.
    pub async fn classifiers_from(&self, day: Date) -> Result<Vec<ClassifierKept>> {
        let mut tx = self.snapshot().await?;
        let rows = query("SELECT c.*, CAST(NULL AS BIGINT) AS latest FROM classifiers c ORDER BY c.id")
            .fetch_all(&mut tx)
            .await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let classifier = read_classifier(row)?.value.classifier;
            let versions = versions_from(&mut tx, &classifier.id, day).await?;
            out.push(ClassifierKept { classifier, versions });
        }
        Ok(out)
    }

    /// One of them.
    pub async fn classifier_from(&self, id: &str, day: Date) -> Result<Option<ClassifierKept>> {
        let mut tx = self.snapshot().await?;
        let Some(found) = find(&mut tx, id).await? else {
            return Ok(None);
        };
        let versions = versions_from(&mut tx, id, day).await?;
        Ok(Some(ClassifierKept {
            classifier: found.value.classifier,
            versions,
        }))
    }
}

async fn versions_from(conn: &mut Conn, id: &str, day: Date) -> Result<Vec<VersionKept>> {
    let rows = query(
        "SELECT number, valid_from, body FROM classifier_versions WHERE classifier = $1 AND number >=
           COALESCE((SELECT MAX(v.number) FROM classifier_versions v
                     WHERE v.classifier = $1 AND v.valid_from <= $2), 0)
         ORDER BY number",
    )
    .bind(id)
    .bind(day.to_string())
    .fetch_all(conn)
    .await?;
    let kept = |row: &Row| {
        Ok(VersionKept {
            number: row.try_get("number")?,
            valid_from: day_of(row)?,
            values: from_json(&text(row, "body")?)?,
        })
    };
    rows.iter().map(kept).collect()
}

/// Every fault that would stop it from being published behind `before`.
pub fn check_version(
    put: &ClassifierVersionPut,
    before: Option<(&ClassifierVersionView, &[ClassifierValue])>,
) -> Result<()> {
    refuse(put, &to_json(&put.values)?, before)
}

fn refuse(
    put: &ClassifierVersionPut,
    body: &str,
    before: Option<(&ClassifierVersionView, &[ClassifierValue])>,
) -> Result<()> {
    let mut faults = Check::default();
    faults.text("reason", &put.reason, 2_000);
    faults.day("valid_from", put.valid_from);
    if let Some((before, values)) = before {
        faults.require(
            before.valid_from <= put.valid_from,
            "valid_from",
            "range",
            &format!(
                "must not lie before {}, when version {} begins",
                before.valid_from, before.number
            ),
        );
        faults.require(
            values != put.values.as_slice(),
            "values",
            "unchanged",
            &format!("are those of version {}", before.number),
        );
    }
    faults.require(
        body.len() <= MAX_BODY_BYTES,
        "values",
        "too_large",
        &format!("must have at most {MAX_BODY_BYTES} bytes as JSON"),
    );
    for fault in check(&put.values) {
        faults.fault(&fault.place, &fault.rule, fault.message);
    }
    faults.done()
}

async fn version(
    conn: &mut Conn,
    id: &str,
    number: i64,
) -> Result<Option<(ClassifierVersionView, Vec<ClassifierValue>)>> {
    let row = query("SELECT * FROM classifier_versions WHERE classifier = $1 AND number = $2")
        .bind(id)
        .bind(number)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((read(&row)?, from_json(&text(&row, "body")?)?)))
}

fn read(row: &Row) -> Result<ClassifierVersionView> {
    Ok(ClassifierVersionView {
        classifier: text(row, "classifier")?,
        number: row.try_get("number")?,
        valid_from: day_of(row)?,
        codes: row.try_get("codes")?,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        published_at: time(row, "published_at")?,
    })
}

fn day_of(row: &Row) -> Result<Date> {
    text(row, "valid_from")?
        .parse()
        .map_err(|_| RegistryError::Unavailable("stored valid_from is no date".into()))
}
