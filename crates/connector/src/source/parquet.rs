//! Parquet, row by row: a group of rows is read page by page, and no more of it is held.

mod bounds;
mod declared;
mod int96;
#[cfg(test)]
mod tests;
mod thrift;
mod value;

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
};

use parquet::{
    basic::ConvertedType,
    file::reader::{FileReader, SerializedFileReader},
    record::{Row, reader::RowIter},
    schema::types::Type,
};

use crate::{
    collect::Collect,
    error::{Error, Result},
    map::Origin,
    source::parquet::{declared::declared, int96::Moments, value::Kind},
};

/// Columns a file may have, with those inside others.
const COLUMNS: usize = 10_000;
/// Bytes of a row.
const ROW: usize = 8 << 20;

/// Reads every row of the file.
pub fn read(mut file: File, name: &str, rows: &mut Collect<'_>) -> Result<()> {
    let fault = |message: &str| Error::Source(format!("{name}: {message}; it is not taken"));
    let broken = |error: std::io::Error| fault(&error.to_string());
    bounds::schema(&mut file).map_err(broken)?;
    let mut second = file.try_clone().map_err(broken)?;
    let third = file.try_clone().map_err(broken)?;
    let reader = guarded(|| SerializedFileReader::new(file)).map_err(|message| fault(&message))?;
    bounds::pages(&mut second, reader.metadata()).map_err(broken)?;
    let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
    let fields = schema.get_fields();
    // The library would end with a panic that tells the value.
    if let Some(interval) = fields.iter().find(|field| has_interval(field)) {
        return Err(fault(&format!(
            "column {} holds intervals, which are not read",
            interval.name()
        )));
    }
    let moments = guarded(|| SerializedFileReader::new(third)).map_err(|message| fault(&message))?;
    let mut moments = Moments::of(moments);
    let kinds: Vec<Kind> = fields.iter().map(|field| Kind::of(field)).collect();
    let columns: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    if let Some(survey) = rows.survey() {
        for field in fields {
            if let Some((ty, required)) = declared(field) {
                survey.declare(field.name(), ty, required);
            }
        }
    }
    rows.header(&columns, Origin::Parquet)?;
    if let Some(message) = moments.lost(|column| rows.reads(column)) {
        return Err(fault(&message));
    }
    let mut found = RowIter::from_file_into(Box::new(reader));
    let mut number = 0;
    while let Some(row) =
        next(&mut found).map_err(|message| fault(&format!("row {}: {message}", number + 1)))?
    {
        number += 1;
        let mut texts: Vec<Option<String>> = row
            .get_column_iter()
            .zip(&kinds)
            .map(|((_, field), kind)| kind.text(field))
            .collect();
        if moments.any() {
            guarded(|| moments.put(&mut texts))
                .map_err(|message| fault(&format!("row {number}: {message}")))?;
        }
        let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        if cells.iter().flatten().map(|cell| cell.len()).sum::<usize>() > ROW {
            return Err(fault(&format!("row {number} is larger than {} MiB", ROW >> 20)));
        }
        rows.cells(number, &cells)?;
    }
    Ok(())
}

fn has_interval(ty: &Type) -> bool {
    ty.get_basic_info().converted_type() == ConvertedType::INTERVAL
        || ty.is_group() && ty.get_fields().iter().any(|field| has_interval(field))
}

fn next(rows: &mut RowIter<'_>) -> std::result::Result<Option<Row>, String> {
    guarded(|| rows.next().transpose())
}

/// The library panics on some files that are none; that is an error of the file.
fn guarded<T>(read: impl FnOnce() -> parquet::errors::Result<T>) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|error| {
            // The library repeats bytes of a text that is none: values are not told.
            let text = error.to_string();
            let end = text.find("Bytes:").unwrap_or(text.len());
            text[..end].trim_end().to_owned()
        }),
        Err(_) => Err("it is damaged, or holds values of a kind that is not read".to_owned()),
    }
}
