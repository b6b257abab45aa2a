//! Key lists of a scope: JSON values → key bytes.

use dagr_model::{fault::Fault, schema::Schema};

use crate::{
    grant::{invalid, under},
    key_set::KeySet,
};

/// Faults told at once.
const MAX_FAULTS: usize = 1_000;

/// The key set of a scope list; faults name the position, never the values (a key may be a person).
pub fn key_set(schema: &Schema, keys: &[Vec<serde_json::Value>]) -> Result<KeySet, Vec<Fault>> {
    if keys.is_empty() {
        return Err(vec![invalid(
            "scope.keys",
            "name at least one key, or leave scope out for all records",
        )]);
    }
    let mut prefixes = Vec::with_capacity(keys.len().min(KeySet::MAX));
    let mut faults = Vec::new();
    for (at, key) in keys.iter().enumerate().take(KeySet::MAX + 1) {
        let place = format!("scope.keys[{at}]");
        match schema.key_from_values(key) {
            Ok(bytes) => prefixes.push(bytes),
            Err(more) if faults.len() < MAX_FAULTS => {
                faults.extend(more.into_iter().map(|fault| under(&place, fault)));
            }
            Err(_) => {}
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    KeySet::new(prefixes).ok_or_else(|| {
        vec![invalid(
            "scope.keys",
            format!("more than {} keys: use a condition", KeySet::MAX),
        )]
    })
}
