//! Use cases: the only place where policy, disclosure log, registry and store meet.
//!
//! Every use case takes `&Ctx` first. Record data leave only as `disclose::Disclosed`.

pub mod admit;
pub mod application;
pub mod audit;
pub mod backup;
pub mod catalog;
pub mod changes;
pub mod classifier;
pub mod ctx;
pub mod cursor;
pub mod dataset;
pub mod definition_text;
pub mod digest;
pub mod disclose;
pub mod disclosure;
pub mod facts;
pub mod frame;
pub mod given;
pub mod health;
pub mod institution;
pub mod intake;
pub mod jws;
pub mod law;
mod load;
pub mod lookup;
pub mod mail;
pub mod notification;
pub mod odrl;
pub mod page;
pub mod permission;
pub mod person;
pub mod plan;
pub mod preview;
pub mod problem;
pub mod proposal;
pub mod provide;
pub mod public_file;
pub mod record;
pub mod records;
pub mod registered;
pub mod registry_export;
pub mod reservation;
pub mod scope;
pub mod seal;
pub mod search;
pub mod secrets;
pub mod service;
pub mod session;
pub mod set;
pub mod slots;
pub mod stop;
pub mod streams;
pub mod system;
pub mod template;
pub mod test_access;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
pub mod usage;
pub mod views;

mod platform;

pub use platform::{App, Parts, Settings};
