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

use crate::error::Error;

/// What a source remembers of a reading: names and values.
pub type Notes = Vec<(String, String)>;

pub fn fault(error: impl std::fmt::Display) -> Error {
    Error::Source(error.to_string())
}
