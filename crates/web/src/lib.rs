//! Shared HTTP glue: request context, who may call, problem+json, query words.

pub mod caller;
pub mod context;
pub mod problem;
pub mod query;

pub use caller::{Anyone, Operator, Producer, SignedIn};
pub use problem::Rejected;
pub use query::Query;
