//! Nouns, typed ids, definitions and their evolution, canonical records, keys and expressions.
//!
//! Pure: no IO, no async, no wall clock, no randomness.

pub mod application;
pub mod classifier;
pub mod clock;
pub mod definition;
pub mod digest;
pub mod expression;
pub mod fault;
pub mod ids;
pub mod jcs;
pub mod key;
pub mod law;
pub mod leaves;
pub mod permission;
pub mod plan;
pub mod record;
pub mod retention;
pub mod role;
pub mod schema;
pub mod template;
pub mod value;
pub mod web_address;
pub mod working_days;
