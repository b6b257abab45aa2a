//! A permission's scope at the store: which keys and records are in it.

use dagr_model::{ids::Sequence, record::RecordRef, schema::Schema};
use dagr_policy::{CompiledScope, Grant, KeySet};
use dagr_store::set::{
    feed::{KeyScope, Scope},
    keys::ListId,
    lists::Lists,
    stored::At,
};

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

/// A compiled scope as a feed wants it.
pub(crate) enum Reach<'a> {
    All,
    Keys(Keys<'a>),
    When {
        list: ListId,
        started: At,
        floor: Sequence,
        holds: Box<dyn Fn(RecordRef<'_>) -> bool + 'a>,
    },
}

impl<'a> Reach<'a> {
    /// `None` = the store keeps no list of its predicate.
    pub fn of(scope: &'a CompiledScope, schema: &'a Schema, lists: &Lists) -> Option<Self> {
        Some(match scope {
            CompiledScope::All => Self::All,
            CompiledScope::Keys(keys) => Self::Keys(Keys(keys)),
            CompiledScope::When(predicate) => {
                let list = lists.scopes.get(predicate.text())?;
                Self::When {
                    list: list.id,
                    started: list.started(),
                    floor: list.floor,
                    holds: Box::new(|record| predicate.holds(schema, record).unwrap_or(false)),
                }
            }
        })
    }

    /// What happened before this is not in its list.
    pub fn started(&self) -> Sequence {
        match self {
            Self::All | Self::Keys(_) => 0,
            Self::When { started, .. } => started.sequence,
        }
    }

    /// Who left up to here may be forgotten.
    pub fn floor(&self) -> Sequence {
        match self {
            Self::All | Self::Keys(_) => 0,
            Self::When { floor, .. } => *floor,
        }
    }

    pub fn scope(&self) -> Scope<'_> {
        match self {
            Self::All => Scope::All,
            Self::Keys(keys) => Scope::Keys(keys),
            Self::When {
                list, started, holds, ..
            } => Scope::When {
                list: *list,
                started: *started,
                holds: &**holds,
            },
        }
    }
}
