//! Where records come from. Every source gives rows to a [`Collect`]; what it noted of itself is kept with the package.

mod document;
pub mod files;
pub mod http;
pub mod parquet;
pub mod soap;
pub mod sql;
mod text;
pub mod web;
mod xml;

use std::path::Path;

use dagr_model::definition::CsvOptions;

use crate::error::Error;

/// What a source remembers of a reading: names and values.
pub type Notes = Vec<(String, String)>;

/// What a reading works with besides its source.
pub struct Means<'m> {
    pub csv: &'m CsvOptions,
    /// Where what is too large for memory lies meanwhile.
    pub dir: &'m Path,
}

pub fn fault(error: impl std::fmt::Display) -> Error {
    Error::Source(error.to_string())
}
