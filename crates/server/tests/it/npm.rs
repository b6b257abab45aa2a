//! What tests run from the npm registry, as lock files in `tests/` say.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// Its directory. The error says what is missing.
pub fn installed(what: &str) -> Result<PathBuf, String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm").join(what);
    let install = Command::new(tests.join("install-npm"))
        .arg(what)
        .arg(&dir)
        .output();
    let install = install.map_err(|error| format!("bash is missing: {error}"))?;
    if install.status.success() {
        return Ok(dir);
    }
    let text = String::from_utf8_lossy(&install.stderr);
    let first = text.lines().find(|line| !line.is_empty());
    Err(first.unwrap_or("npm failed").to_owned())
}
