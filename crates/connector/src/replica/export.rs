//! A copy as a file: written whole beside the old one, and swapped in one step.

mod columns;
mod shred;

use std::{
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{BufWriter, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use dagr_formats::csv_out;
use dagr_model::schema::Schema;
use serde_json::Value;

use super::{
    FileFormat, Spec, TargetSpec,
    plan::Table,
    rows::{self, Row},
    target::Target,
};
use crate::{
    error::{Error, Result},
    range::Range,
};
use shred::{Measures, Sheet};

/// Notes which file was written last; empty = it is behind the copy.
pub const FILE: &str = "file";

/// Notes the permissions of the file.
const MODE: &str = "file_mode";
/// Its owner alone.
const PRIVATE: u32 = 0o600;

/// Writes the file that the replica asks for, if it asks for one and it does not stand there as it was written last.
pub async fn write(spec: &Spec, target: &Target, table: &Table, schema: &Schema) -> Result<()> {
    let TargetSpec::Files { path, .. } = &spec.target else {
        return Ok(());
    };
    mode(spec, target, path).await?;
    let noted = target
        .note(&spec.name, FILE)
        .await?
        .filter(|noted| !noted.is_empty());
    if noted.is_some() && noted == fs::metadata(path).ok().and_then(|there| mark(path, &there)) {
        return Ok(());
    }
    write_now(spec, target, table, schema).await
}

/// The same, whatever was noted.
pub async fn write_now(spec: &Spec, target: &Target, table: &Table, schema: &Schema) -> Result<()> {
    let TargetSpec::Files { path, format, .. } = &spec.target else {
        return Ok(());
    };
    let beside = beside(path);
    let mode = mode(spec, target, path).await?;
    let copy = Copy {
        target,
        table,
        schema,
        mode,
        beside: &beside,
    };
    let file = match format {
        FileFormat::NdJson => copy.ndjson().await?,
        FileFormat::Csv => copy.csv().await?,
        FileFormat::Parquet => copy.parquet().await?,
    };
    file.sync_all().map_err(|error| copy.fault(error))?;
    let written = file.metadata().map_err(|error| copy.fault(error))?;
    fs::rename(&beside, path).map_err(|error| copy.fault(error))?;
    let mark = mark(path, &written).unwrap_or_default();
    target.set_note(&spec.name, FILE, &mark).await
}

/// Who else may read it is for the recipient to say: as with the file before, which may have been withdrawn.
async fn mode(spec: &Spec, target: &Target, path: &Path) -> Result<u32> {
    let noted = target.note(&spec.name, MODE).await?;
    let noted = noted.and_then(|text| u32::from_str_radix(&text, 8).ok());
    let Ok(before) = fs::metadata(path) else {
        return Ok(noted.unwrap_or(PRIVATE));
    };
    let mode = before.permissions().mode() & 0o777;
    if noted != Some(mode) {
        // Where there is no room for it, it is the one before, should the file have to go.
        let _ = target.set_note(&spec.name, MODE, &format!("{mode:o}")).await;
    }
    Ok(mode)
}

/// Where a file is written until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".part");
    beside.into()
}

/// Removes what a kill left half written: it may show what was taken back since.
pub fn remove_half(spec: &Spec) -> Result<()> {
    let TargetSpec::Files { path, .. } = &spec.target else {
        return Ok(());
    };
    let beside = beside(path);
    if !beside.is_file() {
        return Ok(());
    }
    fs::remove_file(&beside).map_err(|error| Error::file(&beside, &error))
}

/// By what a file is known again: its length, when it was written, and where it lies.
fn mark(path: &Path, file: &Metadata) -> Option<String> {
    let written = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!(
        "{} {} {}",
        file.len(),
        written.as_nanos(),
        path.display()
    ))
}

/// What is written, and where to.
struct Copy<'c> {
    target: &'c Target,
    table: &'c Table,
    schema: &'c Schema,
    /// Its permissions.
    mode: u32,
    beside: &'c Path,
}

impl Copy<'_> {
    fn fault(&self, error: std::io::Error) -> Error {
        Error::file(self.beside, &error)
    }

    fn create(&self) -> Result<BufWriter<File>> {
        let file = self.private().map_err(|error| self.fault(error))?;
        Ok(BufWriter::with_capacity(1 << 20, file))
    }

    fn private(&self) -> std::io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(PRIVATE)
            .open(self.beside)?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        Ok(file)
    }

    fn whole(&self, out: BufWriter<File>) -> Result<File> {
        out.into_inner().map_err(|error| self.fault(error.into_error()))
    }

    /// Gives every record, in the order of the keys.
    async fn each(&self, give: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut one = |_, rows: &[Vec<Row>]| {
            let json = rows::to_record(self.table, rows, self.schema).ok_or_else(|| {
                Error::Decide(
                    "a record of the copy cannot be read: `dagr replica verify` repairs it".to_owned(),
                )
            })?;
            give(&json)
        };
        self.target.each(self.table, &Range::default(), &mut one).await
    }

    async fn ndjson(&self) -> Result<File> {
        let mut out = self.create()?;
        self.each(&mut |json| {
            out.write_all(json)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|error| self.fault(error))
        })
        .await?;
        self.whole(out)
    }

    async fn csv(&self) -> Result<File> {
        let header: Vec<&str> = self
            .schema
            .definition
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        let mut out = self.create()?;
        let mut row = Vec::new();
        csv_out::write_row(&mut row, header.iter());
        out.write_all(&row).map_err(|error| self.fault(error))?;
        self.each(&mut |json| {
            let record: Value = serde_json::from_slice(json).unwrap_or_default();
            let mut row = Vec::new();
            csv_out::write_row(&mut row, header.iter().map(|name| cell(&record[*name])));
            out.write_all(&row).map_err(|error| self.fault(error))
        })
        .await?;
        self.whole(out)
    }

    /// Read twice: how many digits a decimal column needs is known at the end only.
    async fn parquet(&self) -> Result<File> {
        let fields = &self.schema.definition.fields;
        let mut measures = Measures::of(fields);
        if measures.are_needed() {
            self.each(&mut |json| {
                let record: Value = serde_json::from_slice(json).unwrap_or_default();
                measures.see(&record);
                Ok(())
            })
            .await?;
        }
        let told = |error: parquet::errors::ParquetError| {
            Error::State(format!("{}: {error}", self.beside.display()))
        };
        let out = self.create()?;
        let mut sheet = Sheet::new(fields, &measures).map_err(told)?;
        let mut file = columns::File::begin(out, sheet.ty()).map_err(told)?;
        self.each(&mut |json| {
            let record: Value = serde_json::from_slice(json).unwrap_or_default();
            sheet
                .push(&record)
                .map_err(|message| Error::State(format!("{}: {message}", self.beside.display())))?;
            if sheet.is_full() {
                file.group(sheet.take()).map_err(told)?;
            }
            Ok(())
        })
        .await?;
        file.group(sheet.take()).map_err(told)?;
        self.whole(file.end().map_err(told)?)
    }
}

/// Lists and objects as JSON text, as in the public file.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
