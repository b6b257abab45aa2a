//! Packages as providers send them, through the public door of the crate.

mod formats {
    mod chunks;
    mod collect;
    mod csv;
    mod json;
    mod real;
}
