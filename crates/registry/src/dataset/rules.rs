//! What a provider decided for a data set beforehand. Each change is a new version; the newest holds.

use dagr_model::{
    ids::{DatasetName, PersonId, RegistrationNumber},
    role::Role,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Whoever asks for the sandbox gets it at once, while it holds only what the platform generated.
    #[serde(default)]
    pub test_access: bool,
}

/// Who decided it for the provider, and what they signed: it stands for their decision wherever the rule gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulesDecider {
    pub person: PersonId,
    pub institution: RegistrationNumber,
    pub role: Role,
    pub statement: Value,
    pub seal: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Body {
    rules: Rules,
    decider: Option<RulesDecider>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesPut {
    pub rules: Rules,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulesView {
    pub dataset: DatasetName,
    /// 0 before anything was decided.
    pub version: i64,
    pub rules: Rules,
    /// None where an operator set them: then no rule gives anything.
    pub decider: Option<RulesDecider>,
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
        decider: Option<&RulesDecider>,
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
            decider: decider.cloned(),
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
        .bind(to_json(&Body {
            rules: view.rules,
            decider: view.decider.clone(),
        })?)
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
            decider: None,
            reason: String::new(),
            by: String::new(),
            at: None,
        }),
    }
}

fn read(dataset: &DatasetName, row: &Row) -> Result<RulesView> {
    let Body { rules, decider } = from_json(&text(row, "body")?)?;
    Ok(RulesView {
        dataset: dataset.clone(),
        version: row.try_get("version")?,
        rules,
        decider,
        reason: text(row, "reason")?,
        by: text(row, "actor")?,
        at: Some(time(row, "set_at")?),
    })
}
