//! Who reads a feed: what it is shown, of which records, and what it was shown before.

use dagr_model::{leaves::LeafSet, record::RecordRef};

use crate::{
    kv::KvError,
    set::{
        corrupt,
        keys::ListId,
        position::Layer,
        stored::{At, Place, Stored},
    },
};

/// Who reads: what it is shown, and of which records.
pub struct View<'a> {
    /// Leaves of the permission (not of `fields=`), alignments included.
    pub leaves: &'a LeafSet,
    pub scope: Scope<'a>,
    /// Of every revision that the position has a layer of.
    pub earlier: &'a [Earlier<'a>],
    /// The time told of what is taken back, milliseconds: nothing that happened to the record shows in it.
    pub now_ms: i64,
}

/// What an earlier revision of the permission showed.
pub struct Earlier<'a> {
    pub revision: u32,
    pub scope: Scope<'a>,
    /// It showed the very leaves that are shown now.
    pub same_leaves: bool,
}

pub enum Scope<'a> {
    All,
    Keys(&'a dyn KeyScope),
    /// `started`: where the list of the predicate began and when.
    When {
        list: ListId,
        started: At,
        holds: &'a dyn Fn(RecordRef<'_>) -> bool,
    },
}

/// A list of keys and leading parts.
pub trait KeyScope {
    fn contains(&self, key: &[u8]) -> bool;
    /// `key` itself where the list covers it, else the smallest covered key after it; `None` = nothing more.
    fn seek(&self, key: &[u8]) -> Option<Vec<u8>>;
}

impl<'a> View<'a> {
    /// The scopes that the layers were read under.
    pub(super) fn held<'l>(&self, layers: &'l [Layer]) -> Result<Vec<(&'l Layer, &'a Earlier<'a>)>, KvError> {
        layers
            .iter()
            .map(|layer| Ok((layer, self.earlier(layer.revision)?)))
            .collect()
    }

    pub(super) fn earlier(&self, revision: u32) -> Result<&'a Earlier<'a>, KvError> {
        self.earlier
            .iter()
            .find(|earlier| earlier.revision == revision)
            .ok_or_else(|| corrupt("a position's revision"))
    }
}

impl Scope<'_> {
    pub(super) fn list(&self) -> Option<ListId> {
        match self {
            Self::When { list, .. } => Some(*list),
            Self::All | Self::Keys(_) => None,
        }
    }

    /// Is this key possible in it? A predicate says nothing of keys.
    pub(super) fn covers(&self, key: &[u8]) -> bool {
        match self {
            Self::Keys(keys) => keys.contains(key),
            Self::All | Self::When { .. } => true,
        }
    }

    pub(super) fn holds(&self, key: &[u8], record: RecordRef<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Keys(keys) => keys.contains(key),
            Self::When { holds, .. } => holds(record),
        }
    }

    /// The first key from `key` on that is possible in it.
    pub(super) fn seek(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Keys(keys) => keys.seek(key),
            Self::All | Self::When { .. } => Some(key.to_vec()),
        }
    }

    /// Where a record stands. What lies before a predicate's list began stands at its beginning: when such a record
    /// came into the scope is not known, and its changes outside the scope must not show in a time.
    pub(super) fn place(&self, leaves: &LeafSet, stored: &Stored<'_>) -> Result<Place, KvError> {
        let (list, started) = match self {
            Self::When { list, started, .. } => (Some(*list), *started),
            Self::All | Self::Keys(_) => (None, At::default()),
        };
        let place = stored.place(leaves, list)?;
        Ok(if place.at.sequence > started.sequence {
            place
        } else {
            Place { at: started, ..place }
        })
    }
}
