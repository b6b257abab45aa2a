//! Shared HTTP glue: request context, who may call, problem+json, query words, files to be saved.

pub mod caller;
pub mod context;
pub mod problem;
pub mod query;
pub mod saved;

pub use caller::{Anyone, Operator, Person, Producer, SignedIn, Steward, Supplier};
pub use problem::Rejected;
pub use query::Query;
