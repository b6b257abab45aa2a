//! What a change means to named change lists and to scope lists.

use dagr_model::{leaves::LeafSet, record::RecordRef};

use super::Run;
use crate::{
    kv::{KvError, Sink, Table},
    set::{
        change::{Entry, Kind},
        keys,
        stored::{At, Meta},
    },
};

/// Faults of expressions kept for the provider; the first say enough.
const MAX_FAULTS: usize = 20;

impl Run<'_, '_> {
    /// Puts the record's newest event into every named list whose expression holds.
    pub(super) fn events(
        &mut self,
        key: &[u8],
        old: Option<RecordRef<'_>>,
        new: Option<RecordRef<'_>>,
        at: At,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        for change in &self.rules.changes {
            match change.when.holds(&self.rules.schema, old, new) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(why) => {
                    if self.outcome.expression_faults.len() < MAX_FAULTS {
                        self.outcome.expression_faults.push((change.name.clone(), why));
                    }
                    continue;
                }
            }
            if !self.writing {
                continue;
            }
            let latest = keys::under_id(change.id, key);
            if let Some(before) = self
                .snapshot
                .get(Table::Latest, &latest)?
                .and_then(keys::read_sequence)
            {
                sink.delete(Table::List, &keys::list(change.id, before))?;
            }
            let kind = if new.is_some() { Kind::Upsert } else { Kind::Delete };
            let subjects = old
                .filter(|_| new.is_none())
                .map(|old| self.key_subjects(old))
                .unwrap_or_default();
            Entry {
                kind,
                time_ms: at.time_ms,
                entered: 0,
                key,
                subjects: &subjects,
            }
            .write(&mut self.buffers.value);
            sink.put(
                Table::List,
                &keys::list(change.id, at.sequence),
                &self.buffers.value,
            )?;
            sink.put(Table::Latest, &latest, &keys::sequence(at.sequence))?;
        }
        Ok(())
    }

    /// Enters and leaves scopes whose predicate reads what changed.
    pub(super) fn scope_changes(
        &mut self,
        key: &[u8],
        meta: &mut Meta,
        old: RecordRef<'_>,
        new: RecordRef<'_>,
        changed: &LeafSet,
        at: At,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        for scope in &self.rules.scopes {
            if !scope.holds.reads().intersects(changed) {
                continue;
            }
            let schema = &self.rules.schema;
            // A failing predicate is "not in scope", before and after.
            let was = scope.holds.holds(schema, old).unwrap_or(false);
            let is = scope.holds.holds(schema, new).unwrap_or(false);
            match (was, is) {
                (false, true) => {
                    meta.scopes.retain(|(id, _)| *id != scope.id);
                    meta.scopes.push((scope.id, at));
                    if self.writing {
                        Entry::upsert(key, at.time_ms).write(&mut self.buffers.value);
                        sink.put(
                            Table::List,
                            &keys::list(scope.id, at.sequence),
                            &self.buffers.value,
                        )?;
                    }
                }
                (true, false) => {
                    let entered = meta.entered(scope.id);
                    meta.scopes.retain(|(id, _)| *id != scope.id);
                    if self.writing {
                        sink.delete(Table::List, &keys::list(scope.id, entered))?;
                        let subjects = self.key_subjects(old);
                        let left = Entry {
                            kind: Kind::Delete,
                            time_ms: at.time_ms,
                            entered,
                            key,
                            subjects: &subjects,
                        };
                        left.write(&mut self.buffers.value);
                        sink.put(
                            Table::List,
                            &keys::list(scope.id, at.sequence),
                            &self.buffers.value,
                        )?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Subjects that the key alone names, joined with NUL.
    pub(super) fn key_subjects(&self, record: RecordRef<'_>) -> Vec<u8> {
        let schema = &self.rules.schema;
        if schema.subjects.is_empty() {
            return Vec::new();
        }
        schema
            .subjects_of(record, Some(&self.key_mask))
            .join("\0")
            .into_bytes()
    }
}
