//! A permission that was amended: what was given under earlier revisions and no longer stands is told as a delete.
//!
//! The reader loads anew under the present revision. On the way, in key order, it is told what it holds and may hold no
//! longer, whether it is still there or went meanwhile: which of the two is hidden from it.

use std::collections::BTreeMap;

use dagr_model::ids::Sequence;

use super::{Page, Peeked, Take, Told, view::Earlier};
use crate::{
    kv::KvError,
    set::{
        change::{Entry, Kind},
        position::Layer,
        stored::{At, Stored},
    },
};

impl<'p> Page<'p> {
    /// One record of a load that began at `began`; `went`: its key was given under an earlier revision, and went.
    pub(super) fn load_one(
        &mut self,
        began: Sequence,
        key: &[u8],
        stored: Stored<'_>,
        held: &[(&Layer, &Earlier<'_>)],
        went: Option<Entry<'_>>,
    ) -> Result<Take, KvError> {
        let view = self.view;
        let place = view.scope.place(view.leaves, &stored)?;
        // What came after the load began is told by the changes that follow it.
        if place.entered <= began && view.scope.holds(key, stored.record) {
            if self.is_known(key, &stored, held)? {
                return Ok(Take::Taken);
            }
            let at = place.at;
            return (self.visit)(Told::Upsert { key, at, stored });
        }
        for (layer, earlier) in held {
            if self.holds(layer, earlier, key, &stored)? {
                let at = self.taken_back(began);
                return (self.visit)(Told::TakenBack { key, at, stored });
            }
        }
        match went {
            Some(entry) => self.tell_went(began, key, entry),
            None => Ok(Take::Taken),
        }
    }

    fn tell_went(&mut self, began: Sequence, key: &[u8], entry: Entry<'_>) -> Result<Take, KvError> {
        let at = self.taken_back(began);
        (self.visit)(Told::Delete { key, at, entry })
    }

    /// Was the record given under an earlier revision, and is it still in its view?
    fn holds(
        &self,
        layer: &Layer,
        earlier: &Earlier<'_>,
        key: &[u8],
        stored: &Stored<'_>,
    ) -> Result<bool, KvError> {
        let entered = earlier.scope.place(self.view.leaves, stored)?.entered;
        Ok(layer.holds(key, entered) && earlier.scope.holds(key, stored.record))
    }

    /// Does the reader hold the record as it is? Only where one earlier revision showed the very same of it.
    fn is_known(
        &self,
        key: &[u8],
        stored: &Stored<'_>,
        held: &[(&Layer, &Earlier<'_>)],
    ) -> Result<bool, KvError> {
        let [(layer, earlier)] = held else {
            return Ok(false);
        };
        let known = earlier.same_leaves && self.holds(layer, earlier, key, stored)?;
        Ok(known && earlier.scope.place(self.view.leaves, stored)?.at.sequence <= layer.at())
    }

    fn taken_back(&self, sequence: Sequence) -> At {
        At {
            sequence,
            time_ms: self.view.now_ms,
        }
    }

    /// What went from the views that the layers were read under, of keys behind `after`.
    pub(super) fn gone(
        &self,
        began: Sequence,
        after: &[u8],
        held: &[(&Layer, &Earlier<'_>)],
    ) -> Result<Gone<'p>, KvError> {
        let mut gone = Gone::default();
        for (layer, earlier) in held {
            let scope = &earlier.scope;
            // With a predicate, what is gone has left the scope list.
            let mut entries = match scope.list() {
                None => Peeked::changes(self.snapshot, layer.at())?,
                Some(list) => Peeked::list(self.snapshot, list, layer.at())?,
            };
            while let Some(at) = entries.sequence()? {
                let entry = Entry::read(entries.value()?)?;
                let goes = entry.kind == Kind::Delete
                    && entry.key > after
                    && scope.covers(entry.key)
                    && layer.was_given(entry.key, entry.entered, at)
                    && !self.is_told_later(began, at, entry.key);
                if goes {
                    gone.put(entry);
                }
                entries.next();
            }
        }
        Ok(gone)
    }

    /// What went from an earlier view after the load began: do the changes that follow it tell so?
    fn is_told_later(&self, began: Sequence, gone: Sequence, key: &[u8]) -> bool {
        let scope = &self.view.scope;
        gone > began && scope.list().is_none() && scope.covers(key)
    }

    /// Tells what went of keys before `key`, or all of it. `true` = it is told.
    pub(super) fn tell_gone(
        &mut self,
        began: Sequence,
        gone: &mut Gone<'p>,
        key: Option<&[u8]>,
        after: &mut Vec<u8>,
    ) -> Result<bool, KvError> {
        while let Some(entry) = gone.before(key) {
            let went = entry.key;
            if self.tell_went(began, went, entry)? == Take::Full {
                return Ok(false);
            }
            after.clear();
            after.extend_from_slice(went);
        }
        // Where more went than is remembered, what comes next is not known.
        Ok(!gone.cut || !gone.entries.is_empty())
    }
}

/// More than a page tells.
const REMEMBERED: usize = 16_384;

/// What went from earlier views, by key: of very many the first ones.
#[derive(Default)]
pub(super) struct Gone<'p> {
    entries: BTreeMap<&'p [u8], Entry<'p>>,
    cut: bool,
}

impl<'p> Gone<'p> {
    fn put(&mut self, entry: Entry<'p>) {
        self.entries.insert(entry.key, entry);
        if self.entries.len() > REMEMBERED {
            self.entries.pop_last();
            self.cut = true;
        }
    }

    /// The one of this key.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<Entry<'p>> {
        self.entries.remove(key)
    }

    /// The first one, if its key comes before this one.
    fn before(&mut self, key: Option<&[u8]>) -> Option<Entry<'p>> {
        let (first, _) = self.entries.first_key_value()?;
        if key.is_some_and(|key| *first >= key) {
            return None;
        }
        self.entries.pop_first().map(|(_, entry)| entry)
    }
}
