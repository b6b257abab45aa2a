//! What is in fact compiled, as cargo resolves it for this platform, without the network.

use std::process::Command;

use crate::root;

/// One package that is compiled, with its licence expression.
pub struct Package {
    pub name: String,
    pub licence: String,
}

/// Everything the workspace compiles here, tests and build scripts included.
pub fn compiled() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = [
        "tree",
        "--workspace",
        "--offline",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}|{l}",
    ];
    let output = Command::new(cargo)
        .args(words)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
        .into_iter()
        .map(|line| {
            let (package, licence) = line.split_once('|').unwrap();
            let name = package.split(' ').next().unwrap();
            Package {
                name: name.to_owned(),
                licence: licence.to_owned(),
            }
        })
        .collect()
}
