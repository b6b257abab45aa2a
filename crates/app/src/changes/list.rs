//! Named change lists: the newest event of each record, in order.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use dagr_model::{ids::Sequence, record::project};
use dagr_policy::CompiledScope;
use dagr_store::{
    kv::Snapshot,
    set::{change::Kind, head::Head, lists::Lists, read, stored::Stored},
};

use super::{FORGOTTEN, Fed, Read, expired, put_item};
use crate::{
    admit::Admission,
    given::Given,
    page::{PATIENCE, Page},
    problem::Problem,
    records::{Standing, cursor_problem},
    scope::{key_in_scope, record_in_scope},
};

impl Read {
    /// Events after the cursor, of records in scope.
    pub(super) fn events(&self, snapshot: &dyn Snapshot, head: &Head, lists: &Lists) -> Result<Fed, Problem> {
        let mut page = Page::new(Arc::clone(&self.set.schema), Arc::clone(&self.mask), self.limit);
        // What was told of records that are no longer shown is not told back here.
        if self.is_amended() {
            return Err(expired("the permission's fields or scope changed"));
        }
        let mut place = match &self.cursor {
            None => Place::first(head.sequence),
            Some(cursor) => Place::from_bytes(&cursor.position)
                .ok_or_else(|| cursor_problem(Admission::cursor_fault()))?,
        };
        let (mut end, mut last_ms) = (true, None);
        let began = Instant::now();
        if let Some(list) = self.list.as_ref().and_then(|name| lists.changes.get(name)) {
            if place.since() < list.floor {
                return Err(expired(FORGOTTEN));
            }
            read::events(snapshot, list.id, place.at, &mut |sequence, entry| {
                let stored = read::record(snapshot, entry.key)?;
                if self.tells(entry.key, entry.kind, stored.as_ref()) {
                    let added = page.add_with(entry.key, |schema, mask, out| {
                        let deleted = entry.kind == Kind::Delete;
                        let operation = if deleted { "delete" } else { "upsert" };
                        put_item(schema, out, operation, entry.key, entry.time_ms);
                        let Some(stored) = stored.filter(|_| !deleted) else {
                            out.push(b'}');
                            return entry.subject_texts().map(str::to_owned).collect();
                        };
                        if self.include_record {
                            out.extend_from_slice(b",\"record\":");
                            project(schema, stored.record, mask, out);
                        }
                        out.push(b'}');
                        schema.subjects_of(stored.record, Some(mask))
                    });
                    if !added {
                        end = false;
                        return Ok(ControlFlow::Break(()));
                    }
                    last_ms = Some(entry.time_ms);
                }
                place.at = sequence;
                if began.elapsed() > PATIENCE {
                    end = false;
                    return Ok(ControlFlow::Break(()));
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if end {
            place.at = head.sequence;
        }
        Ok(Fed {
            page,
            end,
            amended: false,
            standing: Standing {
                epoch: head.epoch,
                position: place.to_bytes(),
                given: Given::default(),
                told_ms: self.told_ms(end, last_ms),
            },
        })
    }

    /// Is the event of a record that the permission covers?
    fn tells(&self, key: &[u8], kind: Kind, stored: Option<&Stored<'_>>) -> bool {
        let grant = &self.grant;
        match (kind, stored) {
            // What is gone is in no predicate.
            (Kind::Delete, _) => key_in_scope(grant, key) && !matches!(grant.scope, CompiledScope::When(_)),
            (Kind::Upsert, Some(stored)) => key_in_scope(grant, key) && record_in_scope(grant, stored.record),
            (Kind::Upsert, None) => false,
        }
    }
}

/// Where a reader of a named list is.
struct Place {
    /// The last event it was told.
    at: Sequence,
    /// The set's head when it read its first page: what was deleted by then, it was never given.
    began: Sequence,
}

impl Place {
    fn first(head: Sequence) -> Self {
        Self { at: 0, began: head }
    }

    /// Deletes after this have yet to be told: they must not be forgotten.
    fn since(&self) -> Sequence {
        self.at.max(self.began)
    }

    fn to_bytes(&self) -> Vec<u8> {
        [self.at.to_be_bytes(), self.began.to_be_bytes()].concat()
    }

    /// A cursor of an earlier build ends in zeros: it began with the set.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let began = rest.first_chunk()?;
        Some(Self {
            at: Sequence::from_be_bytes(*at),
            began: Sequence::from_be_bytes(*began),
        })
    }
}
