//! The default engine: LMDB, one environment per data set and section.
//!
//! ```text
//! <dir>/LOCK                       held by the one process that uses the directory
//! <dir>/<section>/<dataset>/FORMAT format version and the name of the data file
//! <dir>/<section>/<dataset>/data.mdb, data.mdb-lock
//! ```
//!
//! A checkpoint is a directory with `FORMAT` and `data.mdb`: put it in the place of a data set and it is one.

mod config;
mod engine;
mod environment;
mod error;
mod kv;
mod layout;
mod open_sets;
mod snapshot;

pub use config::LmdbConfig;
pub use engine::LmdbEngine;
pub use layout::FORMAT_VERSION;
