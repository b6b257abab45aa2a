//! Tests only: what the compiler does not check about this repository.

#![cfg(test)]

mod dependencies;
mod edges;
mod licences;
mod links;
mod sizes;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The repository.
fn root() -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    found.expect("this crate lies in crates/tidy").to_owned()
}

/// Names that are never part of the repository.
const LEFT_OUT: [&str; 6] = [".git", "target", "dagr-data", "dagr-demo", "corpus", "artifacts"];

/// Every file of the repository, relative to its root, in order.
fn files() -> Vec<PathBuf> {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if LEFT_OUT.iter().any(|left_out| name == *left_out) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), root, out);
            } else {
                out.push(entry.path().strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    let root = root();
    let mut out = Vec::new();
    walk(&root, &root, &mut out);
    out.sort();
    out
}

/// Files that end in one of these, with their text.
fn texts(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let wanted = |path: &PathBuf| {
        endings
            .iter()
            .any(|ending| path.to_string_lossy().ends_with(ending))
    };
    let read = |path: PathBuf| {
        fs::read_to_string(root().join(&path))
            .ok()
            .map(|text| (path, text))
    };
    files().into_iter().filter(wanted).filter_map(read).collect()
}

/// Fails with every fault at once.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}
