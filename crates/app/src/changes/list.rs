//! Named change lists: the newest event of each record, in order.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use dagr_model::record::project;
use dagr_policy::CompiledScope;
use dagr_store::{
    kv::Snapshot,
    set::{change::Kind, head::Head, lists::Lists, read, stored::Stored},
};

use super::{Fed, Read, expired, put_item};
use crate::{
    given::Given,
    page::{PATIENCE, Page},
    problem::Problem,
    scope::{key_in_scope, record_in_scope},
};

impl Read {
    /// Events after the cursor, of records in scope. The position is the last event's sequence.
    pub(super) fn events(&self, snapshot: &dyn Snapshot, head: &Head, lists: &Lists) -> Result<Fed, Problem> {
        let mut page = Page::new(Arc::clone(&self.set.schema), Arc::clone(&self.mask), self.limit);
        // What was told of records that are no longer shown is not told back here.
        if self.is_amended() {
            return Err(expired("the permission's fields or scope changed"));
        }
        let after = self
            .cursor
            .as_ref()
            .map_or(0, |cursor| read_position(&cursor.position));
        let (mut at, mut end) = (after, true);
        let began = Instant::now();
        if let Some(list) = self.list.as_ref().and_then(|name| lists.changes.get(name)) {
            read::events(snapshot, list.id, after, &mut |sequence, entry| {
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
                }
                at = sequence;
                if began.elapsed() > PATIENCE {
                    end = false;
                    return Ok(ControlFlow::Break(()));
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if end {
            at = head.sequence;
        }
        Ok(Fed {
            page,
            position: at.to_be_bytes().to_vec(),
            end,
            amended: false,
            epoch: head.epoch,
            given: Given::default(),
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

fn read_position(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
