//! An information resource: a part of a system's content that stands on its own, with the data sets that give it out.

use dagr_model::ids::{DatasetName, SystemCode};
use serde::{Deserialize, Serialize};

use super::{Faults, Kept, MAX_TEXT, Refers, Statements, statements};
use crate::{Result, db::query};

const MAX_ACTS: usize = 50;
const MAX_ACT: usize = 500;
const MAX_SETS: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub system: SystemCode,
    pub title_lv: String,
    pub title_en: String,
    pub description: String,
    /// About whom or what, and which facts.
    pub content: String,
    /// One act a line, as people cite it.
    pub legal_acts: Vec<String>,
    /// Data sets that give out what it holds, of the system's institution.
    #[serde(default)]
    pub datasets: Vec<DatasetName>,
}

impl Kept for Resource {
    const WORD: &'static str = "resource";
    const NOUN: &'static str = "resources";
    const ACTION: &'static str = "resource_put";
    const SQL: Statements = statements!("resources");

    fn system(&self) -> &SystemCode {
        &self.system
    }

    fn check(&self, faults: &mut Faults) {
        faults.titles(&self.title_lv, &self.title_en);
        let check = &mut faults.0;
        check.text("description", &self.description, MAX_TEXT);
        check.text("content", &self.content, MAX_TEXT);
        check.require(
            (1..=MAX_ACTS).contains(&self.legal_acts.len()),
            "legal_acts",
            "count",
            &format!("must name from 1 to {MAX_ACTS} acts the resource rests on"),
        );
        for act in self.legal_acts.iter().take(MAX_ACTS) {
            check.text("legal_acts", act, MAX_ACT);
        }
        check.require(
            self.datasets.len() <= MAX_SETS,
            "datasets",
            "count",
            &format!("must be at most {MAX_SETS}"),
        );
    }

    async fn refers(&self, refers: &mut Refers<'_>) -> Result<()> {
        for name in self.datasets.iter().take(MAX_SETS) {
            let own = query(
                "SELECT 1 AS one FROM datasets JOIN systems ON systems.institution = datasets.institution
                 WHERE datasets.name = $1 AND systems.code = $2",
            )
            .bind(name.as_str())
            .bind(self.system.as_str())
            .fetch_optional(refers.conn)
            .await?;
            if own.is_none() {
                let why = "the system's institution gives out no data set of this name: take one of its own, or none";
                refers.check.fault("datasets", "unknown", why);
            }
        }
        Ok(())
    }
}
