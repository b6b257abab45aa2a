//! Shared HTTP glue: request context, who may call, problem+json, query words.

pub mod caller;
pub mod context;
pub mod problem;
pub mod query;

pub use caller::{Anyone, Operator, Person, Producer, SignedIn, Steward, Supplier};
pub use problem::Rejected;
pub use query::Query;
