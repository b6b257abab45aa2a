//! Files that fit a head.

use crate::{none, texts};

const WARN_LINES: usize = 400;
const MOST_LINES: usize = 800;
const STYLE_LINES: usize = 150;

#[test]
fn files_are_short() {
    let mut faults = Vec::new();
    for (path, text) in texts(&[".rs"]) {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            faults.push(format!(
                "{} has {lines} lines; at most {MOST_LINES}",
                path.display()
            ));
        } else if lines > WARN_LINES {
            eprintln!("long: {} has {lines} lines", path.display());
        }
    }
    none(faults);
}

#[test]
fn the_style_is_short() {
    for (path, text) in texts(&["docs/STYLE.md"]) {
        assert!(
            text.lines().count() <= STYLE_LINES,
            "{} has over {STYLE_LINES} lines",
            path.display()
        );
    }
}

#[test]
fn modules_lie_beside_their_directory() {
    none(
        texts(&["/mod.rs"])
            .into_iter()
            .map(|(path, _)| path.display().to_string())
            .collect(),
    );
}
