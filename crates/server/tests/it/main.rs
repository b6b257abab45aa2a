//! Tests of the real binary: one program, a module a subject.

// Outside a `#[test]` the lint does not see that these are tests.
#![allow(clippy::unwrap_used, clippy::panic)]
// What `server` offers is used as the modules come.
#![allow(dead_code)]

mod backup;
mod changes;
mod classifiers;
mod command_line;
mod connector;
mod definition_text;
mod demo;
mod digests;
mod draining;
mod durability;
mod event_stream;
mod faults;
mod full_disk;
mod intake;
mod matrix;
mod npm;
mod oidc;
mod on_postgres;
mod operations;
mod people;
mod persons;
mod plans;
mod portal;
mod raw;
mod readme;
mod registers;
mod registry;
#[path = "../../../registry/src/tests/seen.rs"]
mod seen;
mod server;
mod synced;
#[path = "../../../registry/src/tests/throwaway.rs"]
mod throwaway;
mod tls;
mod token;
mod trace;
