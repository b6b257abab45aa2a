//! Every dependency may be used under licences `deny.toml` allows, and nothing it bans is compiled.

use std::{collections::BTreeSet, fs};

use toml::Table;

use crate::{dependencies::compiled, none, root};

fn deny() -> Table {
    fs::read_to_string(root().join("deny.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn licences_are_allowed() {
    let deny = deny();
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    let packages = compiled();
    assert!(
        packages.len() > 100,
        "cargo tree told of {} packages only",
        packages.len()
    );
    let refused = packages
        .into_iter()
        .filter(|package| !holds(&package.licence, &allowed));
    none(
        refused
            .map(|package| format!("{}: {:?}", package.name, package.licence))
            .collect(),
    );
}

#[test]
fn banned_packages_are_not_compiled() {
    let deny = deny();
    let banned: BTreeSet<&str> = deny["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|ban| ban["crate"].as_str())
        .collect();
    assert!(banned.contains("openssl-sys") && banned.contains("ring"));
    let found = compiled()
        .into_iter()
        .filter(|package| banned.contains(package.name.as_str()));
    none(found.map(|package| package.name).collect());
}

/// Is a licence expression satisfied by these licences? `/` is the old way to write `OR`.
fn holds(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let answer = any_of(&mut words, allowed);
    answer && words.next().is_none()
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut answer = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        answer |= all_of(words, allowed);
    }
    answer
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut answer = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        answer &= one(words, allowed);
    }
    answer
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    match words.next() {
        Some("(") => any_of(words, allowed) && words.next() == Some(")"),
        Some(name) => {
            let exception = words.next_if_eq(&"WITH").and_then(|_| words.next());
            let whole =
                exception.map_or_else(|| name.to_owned(), |exception| format!("{name} WITH {exception}"));
            allowed.contains(whole.as_str())
        }
        None => false,
    }
}

#[test]
fn expressions_are_read() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0"]);
    assert!(holds("MIT OR GPL-3.0", &allowed) && holds("MIT/Apache-2.0", &allowed));
    assert!(holds("(GPL-2.0 OR MIT) AND ISC", &allowed) && !holds("(GPL-2.0 OR MIT) AND BSD", &allowed));
    assert!(
        !holds("Apache-2.0 WITH LLVM-exception", &allowed)
            && !holds("", &allowed)
            && !holds("MIT MIT", &allowed)
    );
}
