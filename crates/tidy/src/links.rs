//! Links between documents lead somewhere, and every decision is found.

use std::{collections::BTreeSet, fs};

use crate::{none, root, texts};

/// Targets of `[text](target)` outside fenced code.
fn links(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find(')') else { break };
            out.push(rest[..end].to_owned());
        }
    }
    out
}

/// A heading as the anchor that leads to it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter_map(|c| {
            if c == ' ' {
                Some('-')
            } else {
                (c.is_alphanumeric() || c == '-' || c == '_').then_some(c)
            }
        })
        .collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for (path, text) in texts(&[".md"]) {
        let file = root().join(&path);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, section) = link.split_once('#').unwrap_or((&link, ""));
            let place = if target.is_empty() {
                file.clone()
            } else {
                file.parent().unwrap().join(target)
            };
            if !place.exists() {
                faults.push(format!("{}: {link} leads nowhere", path.display()));
            } else if !section.is_empty() && !anchors(&fs::read_to_string(&place).unwrap()).contains(section)
            {
                faults.push(format!("{}: {link} has no such section", path.display()));
            }
        }
    }
    none(faults);
}

#[test]
fn decisions_are_listed_and_numbered_once() {
    let list = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut numbers = BTreeSet::new();
    let mut faults = Vec::new();
    for (path, _) in texts(&[".md"])
        .into_iter()
        .filter(|(path, _)| path.starts_with("docs/decisions"))
    {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !numbers.insert(name.chars().take(4).collect::<String>()) {
            faults.push(format!("{name}: this number is taken"));
        }
        if !list.contains(&format!("(decisions/{name})")) {
            faults.push(format!("{name} is not listed in docs/ARCHITECTURE.md"));
        }
    }
    none(faults);
}

#[test]
fn anchors_are_made_as_viewers_make_them() {
    assert_eq!(anchor(" What lies where (and why)"), "what-lies-where-and-why");
    assert_eq!(
        links("see [a](b.md#c) and [d](e)\n```\n[x](y)\n```"),
        ["b.md#c", "e"]
    );
}
