//! Numbers of named change lists, scope lists and indexes of one data set. Numbers are never used again.

use std::collections::BTreeMap;

use dagr_model::ids::Sequence;
use serde::{Deserialize, Serialize};

use super::{corrupt, keys, keys::ListId, stored::At};
use crate::kv::{KvError, Snapshot, Table};

/// At most this many predicates may share one data set.
pub const MAX_SCOPES: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    pub next: ListId,
    /// Named change lists: name → id and the CEL text it was made for.
    pub changes: BTreeMap<String, Named>,
    /// Scope lists: predicate text → id and where it started.
    pub scopes: BTreeMap<String, ScopeList>,
    /// Indexes: field names joined with `,` → id and whether it is whole.
    pub indexes: BTreeMap<String, IndexState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: ListId,
    pub when: String,
    /// The newest purged delete. Stores made before it was kept begin at 0.
    #[serde(default)]
    pub floor: Sequence,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeList {
    pub id: ListId,
    pub started: Sequence,
    /// When, milliseconds.
    #[serde(default)]
    pub started_ms: i64,
    /// The newest purged leave. Stores made before it was kept begin at 0.
    #[serde(default)]
    pub floor: Sequence,
    /// Since when no permission reads it, milliseconds: it is kept for cursors of earlier revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    pub id: ListId,
    /// Not whole yet: asking it answers `index_building`.
    pub building: bool,
}

impl ScopeList {
    pub fn started(&self) -> At {
        At {
            sequence: self.started,
            time_ms: self.started_ms,
        }
    }
}

impl Lists {
    pub fn read(snapshot: &dyn Snapshot) -> Result<Self, KvError> {
        match snapshot.get(Table::Meta, keys::LISTS)? {
            None => Ok(Self::default()),
            Some(bytes) => serde_json::from_slice(bytes).map_err(|_| corrupt("lists")),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The id for the next list.
    pub fn allot(&mut self) -> ListId {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_written_before_floors_were_kept_are_read() {
        let written = r#"{"next":2,"changes":{"died":{"id":1,"when":"new == null"}},"scopes":{"A == 1":{"id":2,"started":7}},"indexes":{}}"#;
        let lists: Lists = serde_json::from_str(written).unwrap();
        let (named, scope) = (&lists.changes["died"], &lists.scopes["A == 1"]);
        assert_eq!((named.floor, scope.floor, scope.started), (0, 0, 7));
    }
}
