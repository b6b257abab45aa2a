//! A permission that was amended: what was given under earlier revisions and no longer stands is told as a delete.
//!
//! The reader loads anew under the present revision. On the way it is told what it holds and may hold no longer;
//! behind the last key, what went from the earlier views before the load came to it. Only then it follows on.

use dagr_model::ids::Sequence;

use super::{Page, Peeked, Take, Told, view::Earlier};
use crate::{
    kv::KvError,
    set::{
        change::{Entry, Kind},
        position::Layer,
        read,
        stored::{At, Stored},
    },
};

impl Page<'_> {
    /// One record of a load that began at `began`.
    pub(super) fn load_one(
        &mut self,
        began: Sequence,
        key: &[u8],
        stored: Stored<'_>,
        held: &[(&Layer, &Earlier<'_>)],
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
        Ok(Take::Taken)
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

    /// Tells what went from the earlier views, up to the present; the load began at `began`. `true` = all of it.
    pub(super) fn take_back(&mut self, began: Sequence, layers: &mut [Layer]) -> Result<bool, KvError> {
        for layer in layers {
            if !self.gone_from(began, layer)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn gone_from(&mut self, began: Sequence, layer: &mut Layer) -> Result<bool, KvError> {
        let scope = &self.view.earlier(layer.revision)?.scope;
        // With a predicate, what is gone has left the scope list.
        let mut entries = match scope.list() {
            None => Peeked::changes(self.snapshot, layer.looked)?,
            Some(list) => Peeked::list(self.snapshot, list, layer.looked)?,
        };
        while let Some(at) = entries.sequence()? {
            let entry = Entry::read(entries.value()?)?;
            let goes = entry.kind == Kind::Delete
                && scope.covers(entry.key)
                && layer.was_given(entry.key, entry.entered, at)
                && !self.stays(began, at, entry.key)?;
            if goes {
                let told = Told::Delete {
                    key: entry.key,
                    at: self.taken_back(at),
                    entry,
                };
                if (self.visit)(told)? == Take::Full {
                    layer.looked = at - 1;
                    return Ok(false);
                }
            }
            entries.next();
            if self.tired() {
                layer.looked = at;
                return Ok(false);
            }
        }
        layer.looked = self.head;
        Ok(true)
    }

    /// What went from an earlier view at `gone`: was it told by the load and is there, or is it told by the changes
    /// that follow it?
    fn stays(&self, began: Sequence, gone: Sequence, key: &[u8]) -> Result<bool, KvError> {
        let scope = &self.view.scope;
        if gone > began && scope.list().is_none() && scope.covers(key) {
            return Ok(true);
        }
        let Some(stored) = read::record(self.snapshot, key)? else {
            return Ok(false);
        };
        let entered = scope.place(self.view.leaves, &stored)?.entered;
        Ok(entered <= began && scope.holds(key, stored.record))
    }
}
