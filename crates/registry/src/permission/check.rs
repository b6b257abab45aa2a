//! What can be told about a permission without its definition.

use std::collections::HashSet;

use dagr_model::permission::{Permission, Scope};

use crate::check::Check;

const MAX_FIELDS: usize = 10_000;
const MAX_WAYS: usize = 1_000;
/// Entries of a key list.
const MAX_KEYS: usize = 10_000;
/// Parts of a key.
const MAX_KEY_PARTS: usize = 16;
/// Characters of a predicate: the language's own limit.
const MAX_PREDICATE: usize = 2_000;

pub(super) fn shape(permission: &Permission) -> Check {
    let mut check = Check::default();
    check.text("purpose", &permission.purpose, 2_000);
    check.text("legal_basis", &permission.legal_basis, 2_000);
    check.require(
        !permission.fields.is_empty(),
        "fields",
        "required",
        "must name at least one field",
    );
    check.require(
        permission.fields.len() <= MAX_FIELDS,
        "fields",
        "too_many",
        "must name at most 10000 fields",
    );
    check.require(
        distinct(&permission.fields),
        "fields",
        "repeated",
        "must name each field once",
    );
    check.require(
        !permission.ways.is_empty(),
        "ways",
        "required",
        "must name at least one way",
    );
    check.require(
        permission.ways.len() <= MAX_WAYS,
        "ways",
        "too_many",
        "must name at most 1000 ways",
    );
    check.require(
        distinct(&permission.ways),
        "ways",
        "repeated",
        "must name each way once",
    );
    check.require(
        permission.rate_per_second != Some(0),
        "rate_per_second",
        "range",
        "must be at least 1",
    );
    if let (Some(from), Some(to)) = (permission.valid_from, permission.valid_to) {
        check.require(from <= to, "valid_to", "range", "must not be before `valid_from`");
    }
    match &permission.scope {
        None => {}
        Some(Scope::Keys(keys)) => {
            check.require(
                !keys.is_empty(),
                "scope.keys",
                "required",
                "must hold at least one key",
            );
            check.require(
                keys.len() <= MAX_KEYS,
                "scope.keys",
                "too_many",
                "must hold at most 10000 keys",
            );
            check.require(
                keys.iter().all(|key| (1..=MAX_KEY_PARTS).contains(&key.len())),
                "scope.keys",
                "key_parts",
                "each key must have from 1 to 16 parts",
            );
        }
        Some(Scope::When(predicate)) => check.text("scope.when", predicate, MAX_PREDICATE),
    }
    check
}

fn distinct<T: std::hash::Hash + Eq>(items: &[T]) -> bool {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().all(|item| seen.insert(item))
}
