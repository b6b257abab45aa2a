//! Packages as providers send them, through the public door of the crate.

#[path = "../../registry/src/tests/seen.rs"]
mod seen;

mod formats {
    mod chunks;
    mod collect;
    mod csv;
    mod json;
    mod real;
}
