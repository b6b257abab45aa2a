//! Streaming decoders of delivered packages, and the writer of the public CSV file.
//!
//! Bytes are pushed in as they arrive (content-encoding already undone), rows come out through a [`Sink`].
//! Nothing here does IO. Memory is bounded by the largest row ([`Limits::max_row_bytes`]), whatever the
//! length of the package, and how the bytes are cut into chunks never changes the rows.

pub mod charset;
mod csv;
pub mod csv_out;
mod decoder;
mod json;
mod json_array;
mod limits;
mod media;
mod ndjson;
mod partial;
mod text;
mod unreadable;

pub use csv::columns::map_columns;
pub use decoder::{Decoder, Row, Sink};
pub use limits::Limits;
pub use media::{MediaType, ReadAs};
pub use unreadable::Unreadable;
