//! A record that comes or changes.

use dagr_model::{
    leaves::LeafSet,
    record::{RecordRef, changed_leaves},
};

use super::Run;
use crate::{
    kv::{KvError, Sink, Table},
    set::{
        change::Entry,
        keys,
        stored::{self, At, Meta, Stored},
    },
};

/// A record that comes, and its digest.
type New<'a> = (RecordRef<'a>, &'a [u8; 32]);

impl Run<'_, '_> {
    pub(super) fn upsert(
        &mut self,
        key: &[u8],
        new: New<'_>,
        old: Option<&[u8]>,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        let Some(bytes) = old else {
            self.outcome.accepted += 1;
            return self.insert(key, new, sink);
        };
        let old = Stored::read(bytes)?;
        if old.record.json == new.0.json {
            self.outcome.unchanged += 1;
            return Ok(());
        }
        self.outcome.accepted += 1;
        self.update(key, &old, new, sink)
    }

    fn insert(&mut self, key: &[u8], new: New<'_>, sink: &mut dyn Sink) -> Result<(), KvError> {
        let at = self.step();
        self.head.records += 1;
        self.put_record(key, &Meta::created(at), new, at, sink)?;
        self.index_changes(key, None, Some(new.0), sink)?;
        self.events(key, None, Some(new.0), at, sink)
    }

    fn update(
        &mut self,
        key: &[u8],
        old: &Stored<'_>,
        (new, digest): New<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        let at = self.step();
        let mut changed = changed_leaves(&self.rules.schema, old.record, new);
        if changed.is_empty() {
            // The bytes differ, so somebody must hear of it.
            changed = self.rules.schema.all_leaves.clone();
        }
        self.digest.remove(old.digest);
        let mut meta = old.meta()?;
        for freed in meta.touch(&changed, at) {
            if self.writing {
                sink.delete(Table::Change, &keys::sequence(freed))?;
            }
        }
        self.scope_changes(key, &mut meta, old.record, new, &changed, at, sink)?;
        self.put_record(key, &meta, (new, digest), at, sink)?;
        if self.indexed_changed(&changed) {
            self.index_changes(key, Some(old.record), Some(new), sink)?;
        }
        self.events(key, Some(old.record), Some(new), at, sink)
    }

    fn indexed_changed(&self, changed: &LeafSet) -> bool {
        let schema = &self.rules.schema;
        self.rules
            .indexes
            .iter()
            .flat_map(|index| &index.nodes)
            .any(|node| schema.nodes[*node].leaves.intersects(changed))
    }

    fn put_record(
        &mut self,
        key: &[u8],
        meta: &Meta,
        (new, digest): New<'_>,
        at: At,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        self.digest.add(digest);
        if !self.writing {
            return Ok(());
        }
        let buffers = &mut self.buffers;
        stored::write(&mut buffers.value, &mut buffers.scratch, digest, meta, new);
        sink.put(Table::Record, key, &buffers.value)?;
        Entry::upsert(key, at.time_ms).write(&mut buffers.value);
        sink.put(Table::Change, &keys::sequence(at.sequence), &buffers.value)?;
        if self.rules.schema.definition.history {
            stored::write(
                &mut buffers.value,
                &mut buffers.scratch,
                digest,
                &Meta::created(at),
                new,
            );
            sink.put(Table::Version, &keys::version(key, at.sequence), &buffers.value)?;
        }
        Ok(())
    }

    /// Index entries of `old` that `new` has not go; those of `new` that `old` had not come.
    pub(super) fn index_changes(
        &mut self,
        key: &[u8],
        old: Option<RecordRef<'_>>,
        new: Option<RecordRef<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        if !self.writing {
            return Ok(());
        }
        let schema = &self.rules.schema;
        for index in &self.rules.indexes {
            let values = |record: Option<RecordRef<'_>>| {
                record
                    .map(|record| schema.index_values(&index.nodes, record))
                    .unwrap_or_default()
            };
            let (before, after) = (values(old), values(new));
            for gone in before.iter().filter(|value| !after.contains(value)) {
                self.index_ops.delete(index.id, gone, key, sink)?;
            }
            for come in after.iter().filter(|value| !before.contains(value)) {
                self.index_ops.put(index.id, come, key, sink)?;
            }
        }
        Ok(())
    }
}
