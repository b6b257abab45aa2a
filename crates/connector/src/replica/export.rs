//! A copy as a file: written whole beside the old one, and swapped in one step.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
};

use dagr_formats::csv_out;
use dagr_model::schema::Schema;
use serde_json::Value;

use super::{FileFormat, Spec, TargetSpec, plan::Table, rows, target::Target};
use crate::error::{Error, Result};

/// Records read at once.
const PAGE: usize = 5_000;

/// Writes the file that the replica asks for, if it asks for one.
pub async fn write(spec: &Spec, target: &Target, table: &Table, schema: &Schema) -> Result<()> {
    let TargetSpec::Files { path, format, .. } = &spec.target else {
        return Ok(());
    };
    if target.note(&spec.name, "phase").await?.as_deref() == Some("loading") {
        return Ok(());
    }
    let beside = path.with_extension("part");
    let fault = |error: std::io::Error| Error::file(&beside, &error);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&beside).map_err(fault)?);
    let header: Vec<&str> = schema
        .definition
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    if *format == FileFormat::Csv {
        let mut row = Vec::new();
        csv_out::write_row(&mut row, header.iter());
        out.write_all(&row).map_err(fault)?;
    }
    let mut after: Option<Vec<u8>> = None;
    loop {
        let records = target.read(table, None, after.as_deref(), None, PAGE).await?;
        let Some((last, _)) = records.last() else { break };
        after = Some(last.clone());
        for (_, stored) in &records {
            let json = rows::to_record(table, stored, schema)
                .ok_or_else(|| Error::State("a record of the copy cannot be read; verify it".to_owned()))?;
            match format {
                FileFormat::NdJson => {
                    out.write_all(&json)
                        .and_then(|()| out.write_all(b"\n"))
                        .map_err(fault)?;
                }
                FileFormat::Csv => {
                    let record: Value = serde_json::from_slice(&json).unwrap_or_default();
                    let mut row = Vec::new();
                    csv_out::write_row(&mut row, header.iter().map(|name| cell(&record[*name])));
                    out.write_all(&row).map_err(fault)?;
                }
            }
        }
    }
    let file = out.into_inner().map_err(|error| fault(error.into_error()))?;
    file.sync_all().map_err(fault)?;
    fs::rename(&beside, path).map_err(fault)
}

/// Lists and objects as JSON text, as in the public file.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
