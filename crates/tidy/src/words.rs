//! Words that do not belong in this repository.

use std::path::Path;

use crate::{none, texts};

/// Parts of type and module names that say nothing.
const EMPTY_WORDS: [&str; 8] = [
    "Manager", "Helper", "Helpers", "Util", "Utils", "Dto", "Dtos", "Mgr",
];
/// Unfinished work.
const STUBS: [&str; 3] = ["todo!", "unimplemented!", "#[ignore"];
/// Paths of somebody's machine.
const MACHINE_PATHS: [&str; 3] = ["/root/", "/home/", "/Users/"];

/// This file names what it forbids.
fn is_own(path: &Path) -> bool {
    path.starts_with("crates/tidy")
}

#[test]
fn names_say_something() {
    let mut faults = Vec::new();
    for (path, text) in texts(&[".rs"]) {
        for (number, line) in text.lines().enumerate() {
            for name in declared(line) {
                if camel_parts(&name)
                    .iter()
                    .any(|part| EMPTY_WORDS.contains(&part.as_str()))
                    && !is_own(&path)
                {
                    faults.push(format!("{}:{}: {name}", path.display(), number + 1));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn nothing_is_left_for_later() {
    let mut faults = Vec::new();
    for (path, text) in texts(&[".rs"]).into_iter().filter(|(path, _)| !is_own(path)) {
        for (number, line) in text.lines().enumerate() {
            if STUBS.iter().any(|stub| line.contains(stub)) {
                faults.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none(faults);
}

#[test]
fn no_paths_of_a_machine() {
    let mut faults = Vec::new();
    let endings = [
        ".rs", ".md", ".toml", ".json", ".yaml", ".sql", ".py", ".sh", "/run", ".lock",
    ];
    for (path, text) in texts(&endings).into_iter().filter(|(path, _)| !is_own(path)) {
        for (number, line) in text.lines().enumerate() {
            if MACHINE_PATHS.iter().any(|machine| begins_a_path(line, machine)) {
                faults.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none(faults);
}

/// Does the path stand by itself, not inside a longer one?
fn begins_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/".contains(c))
    })
}

/// Names a line declares: types, and modules as if they were types.
fn declared(line: &str) -> Vec<String> {
    let mut words = line
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    let mut out = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "struct" | "enum" | "trait" | "type" => out.extend(words.next().map(str::to_owned)),
            "mod" => out.extend(words.next().map(camel)),
            _ => {}
        }
    }
    if line.trim_start().starts_with("//") {
        Vec::new()
    } else {
        out
    }
}

fn camel(snake: &str) -> String {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    snake
        .split('_')
        .filter(|p| p.is_ascii() && !p.is_empty())
        .map(part)
        .collect()
}

fn camel_parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in name.chars() {
        match parts.last_mut() {
            Some(last) if !c.is_uppercase() => last.push(c),
            _ => parts.push(c.to_string()),
        }
    }
    parts
}

#[test]
fn the_rules_find_what_they_look_for() {
    assert_eq!(declared("pub struct PoolManager {"), ["PoolManager"]);
    assert_eq!(declared("mod row_utils;"), ["RowUtils"]);
    assert_eq!(declared("// struct Helper"), Vec::<String>::new());
    assert_eq!(camel_parts("PoolManager"), ["Pool", "Manager"]);
    assert!(begins_a_path("in /home/x", "/home/") && !begins_a_path("a/home/x", "/home/"));
}
