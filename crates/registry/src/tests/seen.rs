//! What has to be seen when tests run, past their capture.

use std::io::Write;

/// A test that cannot be made here. With `DAGR_TRY_ALL` that is a failure.
#[allow(clippy::panic)]
pub fn not_tried(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "\nNOT TRIED ON {what}: {why}\n");
    assert!(
        std::env::var_os("DAGR_TRY_ALL").is_none(),
        "not tried on {what}: {why}"
    );
}

/// What a test measured.
#[allow(dead_code)]
pub fn figure(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
