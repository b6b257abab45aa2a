//! Where records come from. Every source gives rows to a [`Collect`]; what it noted of itself is kept with the package.

pub mod files;
pub mod http;
pub mod sql;

use crate::error::Error;

/// Memory one JSON text that is read as a whole may take.
pub const WHOLE_BYTES: u64 = 256 << 20;

/// What a source remembers of a reading: names and values.
pub type Notes = Vec<(String, String)>;

pub fn fault(error: impl std::fmt::Display) -> Error {
    Error::Source(error.to_string())
}
