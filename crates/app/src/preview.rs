//! Records that are generated from a definition alone, masked as a permission would: what an applicant and a decider
//! look at. No delivered record is ever read here; the module knows no store.

mod generate;

use std::sync::Arc;

use dagr_model::{
    classifier::Codes,
    fault::Fault,
    ids::{DatasetName, Section},
    record::{Mask, project},
    schema::Schema,
};
use dagr_policy::fields::leaf_paths;
use serde_json::{Value, value::RawValue};

use crate::{App, ctx::Ctx, problem::Problem};

pub use generate::record;

/// Records of one preview, at most and by default.
pub const MAX_RECORDS: u32 = 20;
const DEFAULT_RECORDS: u32 = 3;

/// What is shown.
#[derive(Debug, Clone, Default)]
pub struct PreviewQuery {
    /// The same seed shows the same records.
    pub seed: u64,
    pub records: Option<u32>,
}

/// Marked as generated wherever it goes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    pub generated: bool,
    pub dataset: DatasetName,
    pub section: Section,
    pub seed: u64,
    /// Leaf paths shown, in definition order.
    pub fields: Vec<String>,
    /// Canonical JSON, as a look-up would give it.
    pub records: Vec<Box<RawValue>>,
}

impl App {
    /// What these fields of a set would look like; every field when none is named. For everybody: a definition is
    /// public, and so is what it generates.
    pub fn preview(
        &self,
        ctx: &Ctx,
        dataset: &str,
        fields: Option<&[String]>,
        query: &PreviewQuery,
    ) -> Result<Preview, Problem> {
        let set = self
            .described(&DatasetName::new(dataset))
            .ok_or_else(Problem::dataset_unknown)?;
        let paths = match fields {
            Some(fields) => leaf_paths(&set.schema, fields).map_err(Problem::invalid)?,
            None => set
                .schema
                .leaf_paths
                .iter()
                .map(|(path, _)| path.clone())
                .collect(),
        };
        let codes = self.catalog().codes(&set.schema, ctx.now);
        generated(&set.schema, &codes, set.section, paths, query)
    }

    /// Exactly what an application asks; once it was decided, exactly what it got.
    pub async fn application_preview(
        &self,
        ctx: &Ctx,
        number: &str,
        query: &PreviewQuery,
    ) -> Result<Preview, Problem> {
        let application = self.seen(ctx, number).await?.value;
        let Some(asked) = application.asked.data() else {
            return Err(Problem::new(
                404,
                "not_found",
                "an application for a role gives no records",
            ));
        };
        let set = self
            .described(&asked.dataset)
            .ok_or_else(Problem::dataset_unknown)?;
        let granted = application.granted();
        let wanted: Vec<&str> = if granted.is_empty() {
            application.asked.fields().collect()
        } else {
            granted.iter().map(String::as_str).collect()
        };
        // A draft may name what is not there (yet): the check says so, the preview shows the rest.
        let known = set.schema.leaf_paths.iter().map(|(path, _)| path);
        let paths = known
            .filter(|path| wanted.contains(&path.as_str()))
            .cloned()
            .collect();
        let codes = self.catalog().codes(&set.schema, ctx.now);
        generated(&set.schema, &codes, set.section, paths, query)
    }
}

pub(crate) fn generated(
    schema: &Arc<Schema>,
    codes: &Codes,
    section: Section,
    fields: Vec<String>,
    query: &PreviewQuery,
) -> Result<Preview, Problem> {
    let count = query.records.unwrap_or(DEFAULT_RECORDS);
    if !(1..=MAX_RECORDS).contains(&count) {
        return Err(Problem::query_invalid(
            "records",
            format!("a whole number from 1 to {MAX_RECORDS}"),
        ));
    }
    let mask = schema.mask(&fields);
    let records = (0..count)
        .map(|at| masked(schema, codes, &mask, query.seed.wrapping_add(u64::from(at))))
        .collect::<Result<_, _>>()?;
    Ok(Preview {
        generated: true,
        dataset: schema.definition.name.clone(),
        section,
        seed: query.seed,
        fields,
        records,
    })
}

fn masked(schema: &Schema, codes: &Codes, mask: &Mask, seed: u64) -> Result<Box<RawValue>, Problem> {
    let raw = record(schema, codes, seed);
    let unfit = |faults: Vec<Fault>| Problem::internal(format!("a generated record: {faults:?}"));
    let canonical = schema.read_json_by(codes, &text(&raw)).map_err(unfit)?;
    let mut out = Vec::new();
    project(schema, canonical.as_ref(), mask, &mut out);
    let json = String::from_utf8(out).map_err(Problem::internal)?;
    RawValue::from_string(json).map_err(Problem::internal)
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
