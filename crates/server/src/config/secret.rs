//! Secrets by reference: a file with one line.

use std::{fs::File, io::Read, path::Path};

/// A secret is a line, no document.
const MAX_SECRET_BYTES: u64 = 4 << 10;

/// `name` is the setting that names the file, for the fault.
pub(super) fn read_line(name: &str, path: &Path) -> Result<String, String> {
    let fault = |what: &str| format!("{name} {}: {what}", path.display());
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| fault(&error.to_string()))?;
    let secret = text.trim();
    if secret.is_empty() || secret.contains(char::is_control) || text.len() as u64 > MAX_SECRET_BYTES {
        return Err(fault("one line with the secret is wanted"));
    }
    Ok(secret.to_owned())
}
