//! A definition looked at before it is kept: every fault, what changes, whom it would hit, what a record would look like.

use std::sync::Arc;

use dagr_model::{
    definition::{Definition, Evolution, check_publish},
    fault::Fault,
    ids::Section,
    schema::Schema,
};
use serde_json::value::RawValue;

use super::ANSWERING;
use crate::{
    App,
    ctx::Ctx,
    dataset::Touched,
    load::transitions,
    preview::{PreviewQuery, generated},
    problem::Problem,
};

/// A text without a fault.
#[derive(Debug, Clone)]
pub struct DefinitionChecked {
    pub definition: Arc<Definition>,
    /// Against the published text; `None`: there is none.
    pub evolution: Option<Evolution>,
    /// Permissions in force on the published set.
    pub touches: Vec<Touched>,
    /// Generated, never delivered.
    pub sample: Vec<Box<RawValue>>,
    /// What should be known and stops nothing.
    pub remarks: Vec<Fault>,
    /// What would stop it from being published as it is.
    pub unpublishable: Vec<Fault>,
}

impl App {
    /// Checks a text for a set of the institution acted for; `dataset` is `None` for a new one. Changes nothing. Every
    /// fault of the text comes at once, as 422.
    pub async fn definition_check(
        &self,
        ctx: &Ctx,
        dataset: Option<&str>,
        text: &str,
    ) -> Result<DefinitionChecked, Problem> {
        let catalog = self.catalog();
        if let Some(dataset) = dataset {
            let set = catalog
                .datasets
                .get(dataset)
                .ok_or_else(Problem::dataset_unknown)?;
            ctx.changes_sets_of(&set.provider)?;
        } else {
            let (_, acting) = ctx.acting(ANSWERING)?;
            if !self.may_provide(&acting.institution).await? {
                return Err(not_admitted());
            }
        }
        let definition: Definition = text.parse().map_err(Problem::invalid)?;
        let name = definition.name.as_str();
        let fault = match (dataset, catalog.datasets.get(name)) {
            (Some(dataset), _) if dataset != name => {
                Some(format!("this is the data set {dataset}: its name cannot change"))
            }
            (None, Some(_)) => Some(format!("a data set {name} is there already; choose another name")),
            _ => None,
        };
        if let Some(message) = fault {
            let fault = Fault::new(name_place(text), "name_taken", message);
            return Err(Problem::invalid(vec![fault]));
        }
        let definition = Arc::new(definition);
        let name = definition.name.as_str();
        let schema = Schema::compile(Arc::clone(&definition), None);
        transitions(&schema).map_err(Problem::invalid)?;
        let main = catalog.live(Section::Main, name);
        let paths = schema.leaf_paths.iter().map(|(path, _)| path.clone()).collect();
        let query = PreviewQuery {
            seed: 1,
            records: Some(1),
        };
        let schema = Arc::new(schema);
        Ok(DefinitionChecked {
            evolution: main.map(|main| self.evolution(main.definition(), &definition)),
            touches: if main.is_some() {
                self.touched(&definition.name)
            } else {
                Vec::new()
            },
            sample: generated(
                &schema,
                &catalog.codes(&schema, ctx.now),
                Section::Sandbox,
                paths,
                &query,
            )?
            .records,
            remarks: self.remarks(ctx, &definition),
            unpublishable: check_publish(&definition),
            definition: Arc::clone(&definition),
        })
    }
}

pub(crate) fn not_admitted() -> Problem {
    Problem::role_required(
        "this institution was not admitted as a provider yet: apply for the provider's role first",
    )
}

/// The line that names the set.
fn name_place(text: &str) -> String {
    let at = text.lines().position(|line| line.starts_with("name"));
    format!("line {}", at.unwrap_or(0) + 1)
}
