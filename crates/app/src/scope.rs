//! A permission's scope at the store: which keys and records are in it.

use dagr_model::record::RecordRef;
use dagr_policy::{CompiledScope, Grant, KeySet};
use dagr_store::set::feed::KeyScope;

/// Is this key possible under the permission? A predicate says nothing of keys.
pub fn key_in_scope(grant: &Grant, key: &[u8]) -> bool {
    match &grant.scope {
        CompiledScope::Keys(keys) => keys.contains(key),
        CompiledScope::All | CompiledScope::When(_) => true,
    }
}

/// Is this record in the permission's predicate? A predicate that fails on it is "no".
pub fn record_in_scope(grant: &Grant, record: RecordRef<'_>) -> bool {
    match &grant.scope {
        CompiledScope::When(predicate) => predicate.holds(&grant.schema, record).unwrap_or(false),
        CompiledScope::All | CompiledScope::Keys(_) => true,
    }
}

/// A key list as the store's scans want it.
pub struct Keys<'a>(pub &'a KeySet);

impl KeyScope for Keys<'_> {
    fn contains(&self, key: &[u8]) -> bool {
        self.0.contains(key)
    }
    fn seek(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.seek(key).map(<[u8]>::to_vec)
    }
}
