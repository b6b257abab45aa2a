//! The HTTP interface: recipients, providers, registry, tokens, public files and its own description.

pub mod answer;
pub mod api;
pub mod body;
mod catalogue;
pub mod data;
mod events;
pub mod front;
pub mod intake;
pub mod path;
pub mod public;
pub mod registry;
pub mod routes;
pub mod token;

pub use front::Front;
pub use routes::router;
