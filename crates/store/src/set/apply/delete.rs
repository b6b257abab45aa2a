//! A record that goes, and one that must be forgotten.

use super::Run;
use crate::{
    codec::{put_bytes, put_time},
    kv::{Direction, KvError, Range, Sink, Table},
    set::{
        change::{Entry, Kind},
        keys,
        stored::{At, Stored},
    },
};

impl Run<'_, '_> {
    /// `silent` leaves no event in named lists: the record is to be forgotten.
    pub(super) fn delete(
        &mut self,
        key: &[u8],
        bytes: &[u8],
        silent: bool,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        self.check_guard();
        let old = Stored::read(bytes)?;
        let meta = old.meta()?;
        let at = self.step();
        self.digest.remove(old.digest);
        self.head.records = self.head.records.saturating_sub(1);
        self.index_changes(key, Some(old.record), None, sink)?;
        if !silent {
            self.events(key, Some(old.record), None, at, sink)?;
        }
        if !self.writing {
            return Ok(());
        }
        let subjects = self.key_subjects(old.record);
        for scope in &self.rules.scopes {
            if scope.holds.holds(&self.rules.schema, old.record).unwrap_or(false) {
                let entered = meta.entered(scope.id);
                sink.delete(Table::List, &keys::list(scope.id, entered))?;
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
        sink.delete(Table::Record, key)?;
        sink.delete(Table::Change, &keys::sequence(meta.creation.sequence))?;
        for group in &meta.groups {
            sink.delete(Table::Change, &keys::sequence(group.at.sequence))?;
        }
        let entered = meta.creation.sequence;
        let tombstone = Entry {
            kind: Kind::Delete,
            time_ms: at.time_ms,
            entered,
            key,
            subjects: &subjects,
        };
        tombstone.write(&mut self.buffers.value);
        sink.put(Table::Change, &keys::sequence(at.sequence), &self.buffers.value)
    }

    /// Forgets versions and events of a key, and notes the erasure. `stays`: the record came again as it is, so its
    /// newest version is no past one.
    pub(super) fn forget(&mut self, key: &[u8], stays: bool, sink: &mut dyn Sink) -> Result<(), KvError> {
        (self.package.erased)(key);
        if !self.writing {
            return Ok(());
        }
        let to = keys::version(key, u64::MAX);
        let range = Range {
            from: Some(key),
            to: Some(&to),
        };
        let mut keep = stays;
        for pair in self.snapshot.scan(Table::Version, range, Direction::Backward)? {
            let (version, _) = pair?;
            if version.len() == key.len() + 8 && !std::mem::take(&mut keep) {
                sink.delete(Table::Version, version)?;
            }
        }
        self.forget_quarantined(key, sink)?;
        for change in &self.rules.changes {
            let latest = keys::under_id(change.id, key);
            if let Some(at) = self
                .snapshot
                .get(Table::Latest, &latest)?
                .and_then(keys::read_sequence)
            {
                sink.delete(Table::List, &keys::list(change.id, at))?;
                sink.delete(Table::Latest, &latest)?;
            }
        }
        // The place in the erasure log is the package's order and the key: a restore replays what is newer.
        let at = At {
            sequence: self.head.packages + 1,
            time_ms: self.package.now_ms,
        };
        let mut value = Vec::new();
        put_time(&mut value, at.time_ms);
        put_bytes(&mut value, key);
        let place = [&keys::sequence(at.sequence)[..], key].concat();
        sink.put(Table::Erasure, &place, &value)
    }
    /// Rows that earlier packages had quarantined under this key.
    fn forget_quarantined(&mut self, key: &[u8], sink: &mut dyn Sink) -> Result<(), KvError> {
        let from = [&[keys::QUARANTINE_OF_KEY], key].concat();
        let to = keys::after_prefix(&from);
        let range = Range {
            from: Some(&from),
            to: to.as_deref(),
        };
        for pair in self.snapshot.scan(Table::Quarantine, range, Direction::Forward)? {
            let (entry, _) = pair?;
            if entry.len() == from.len() + 16 {
                sink.delete(Table::Quarantine, &entry[from.len()..])?;
                sink.delete(Table::Quarantine, entry)?;
            }
        }
        Ok(())
    }
}
