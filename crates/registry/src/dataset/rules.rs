//! What a provider decided for a data set beforehand. Each change is a new version; the newest holds.

use dagr_model::ids::DatasetName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Registry, RegistryError, Result,
    check::Check,
    db::{Conn, Row, query},
    row::{from_json, micros, stored, text, time, to_json},
};

/// Everything off is how a data set begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Whoever applies chooses one of the data set's templates.
    pub template_only: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesPut {
    pub rules: Rules,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RulesView {
    pub dataset: DatasetName,
    /// 0 before anything was decided.
    pub version: i64,
    pub rules: Rules,
    pub reason: String,
    pub by: String,
    pub at: Option<Timestamp>,
}

impl Registry {
    pub async fn rules_put(
        &self,
        by: &Actor,
        dataset: &DatasetName,
        put: &RulesPut,
        expected: Option<i64>,
    ) -> Result<RulesView> {
        let mut check = Check::default();
        check.text("reason", &put.reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = latest(change.conn(), dataset).await?;
        if expected.is_some_and(|expected| expected != before.version) {
            return Err(RegistryError::Precondition);
        }
        let view = RulesView {
            dataset: dataset.clone(),
            version: before.version + 1,
            rules: put.rules,
            reason: put.reason.clone(),
            by: by.name.clone(),
            at: Some(stored(by.at)),
        };
        query(
            "INSERT INTO dataset_rules (dataset, version, body, reason, actor, set_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(dataset.as_str())
        .bind(view.version)
        .bind(to_json(&view.rules)?)
        .bind(&view.reason)
        .bind(&view.by)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        let object = format!("datasets/{dataset}");
        change.commit("rules_put", object, &before, &view).await?;
        Ok(view)
    }

    pub async fn rules_get(&self, dataset: &DatasetName) -> Result<RulesView> {
        latest(&mut self.read().await?, dataset).await
    }
}

async fn latest(conn: &mut Conn, dataset: &DatasetName) -> Result<RulesView> {
    let row = query("SELECT * FROM dataset_rules WHERE dataset = $1 ORDER BY version DESC LIMIT 1")
        .bind(dataset.as_str())
        .fetch_optional(conn)
        .await?;
    match &row {
        Some(row) => read(dataset, row),
        None => Ok(RulesView {
            dataset: dataset.clone(),
            version: 0,
            rules: Rules::default(),
            reason: String::new(),
            by: String::new(),
            at: None,
        }),
    }
}

fn read(dataset: &DatasetName, row: &Row) -> Result<RulesView> {
    Ok(RulesView {
        dataset: dataset.clone(),
        version: row.try_get("version")?,
        rules: from_json(&text(row, "body")?)?,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: Some(time(row, "set_at")?),
    })
}
