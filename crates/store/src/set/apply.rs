//! A staged package merged against its data set, in key order, in one bulk.
//!
//! Every key's outcome is decided from the whole package and the state before it. Nothing is visible before the
//! last operation, which moves the head.

mod delete;
mod events;
mod index_ops;
mod rules;
mod upsert;

use dagr_model::{
    digest::SetDigest,
    ids::Sequence,
    record::{Mask, RecordRef},
};

pub use rules::{ChangeRule, IndexRule, Rules, ScopeRule};

use index_ops::IndexOps;

use super::{
    head::Head,
    keys,
    stored::{At, Stored},
};
use crate::{
    kv::{Direction, Kv, KvError, Range, Sink, Snapshot, Table},
    stage::{
        Staged, Verb,
        groups::{Group, Groups, Resolve},
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Delta,
    /// Replaces the whole set: what is not in the package goes.
    Snapshot,
}

/// How one package is to be applied.
pub struct Package<'a> {
    pub mode: Mode,
    pub resolve: Resolve,
    pub now_ms: i64,
    /// Most removals, as a share of the live records in hundredths of a per cent; `None` = confirmed, or first.
    pub guard_bp: Option<u32>,
    /// Is this record past its retention?
    pub expired: &'a dyn Fn(RecordRef<'_>) -> bool,
    /// Check and count only.
    pub dry_run: bool,
    /// Rows quarantined while reading, already known to the caller.
    pub quarantined: u64,
    /// Rows of differing content under one key, by line.
    pub differing: &'a mut dyn FnMut(&[u8], &[u64]),
    /// Keys that were erased, for the caller's quarantine and log.
    pub erased: &'a mut dyn FnMut(&[u8]),
    /// The last operations of the bulk: the caller's package row and quarantine rows. Gets the outcome and the
    /// package's order.
    pub finish: &'a mut dyn FnMut(&Outcome, &mut Head, &mut dyn Sink) -> Result<(), KvError>,
}

/// What a package did (or would do).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub accepted: u64,
    pub unchanged: u64,
    /// Delete operations that removed something.
    pub deletes: u64,
    /// Records a snapshot no longer holds.
    pub vanished: u64,
    pub duplicates: u64,
    pub expired: u64,
    /// Of `expired`: those whose record was there and went.
    pub lapsed: u64,
    pub quarantined: u64,
    pub first_sequence: Option<Sequence>,
    pub last_sequence: Option<Sequence>,
    /// Expressions that failed: list name and why (no values).
    pub expression_faults: Vec<(String, String)>,
}

impl Outcome {
    pub fn removed(&self) -> u64 {
        self.deletes + self.vanished
    }

    /// Rows or operations of the package.
    pub fn received(&self) -> u64 {
        self.accepted + self.unchanged + self.duplicates + self.expired + self.quarantined + self.deletes
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    Done(Outcome),
    /// It would remove more than the guard allows; nothing was done.
    Held {
        would_delete: u64,
    },
    /// Rows were there and none could be accepted; nothing was done.
    Refused(Outcome),
}

/// Applies a staged package.
pub fn apply(
    kv: &dyn Kv,
    rules: &Rules,
    staged: &Staged,
    package: &mut Package<'_>,
) -> Result<Applied, KvError> {
    if package.dry_run {
        let snapshot = kv.snapshot()?;
        let mut sink = Discard;
        return Run::new(&*snapshot, rules, package)?.all(staged, &mut sink);
    }
    let mut ended = None;
    // Records, their changes and indexes take about three times the staged bytes.
    let result = kv.bulk(
        staged.bytes.saturating_mul(3).saturating_add(1 << 20),
        &mut |snapshot, sink| {
            let applied = Run::new(snapshot, rules, package)?.all(staged, sink)?;
            let done = matches!(applied, Applied::Done(_));
            ended = Some(applied);
            if done {
                Ok(())
            } else {
                Err(KvError::Caller("nothing to apply".to_owned()))
            }
        },
    );
    match (result, ended) {
        (Err(KvError::Caller(_)) | Ok(()), Some(applied)) => Ok(applied),
        (Err(error), _) => Err(error),
        (Ok(()), None) => Err(KvError::Engine("the bulk did not run".to_owned())),
    }
}

/// One pass over package and set.
struct Run<'a, 'p> {
    snapshot: &'a dyn Snapshot,
    rules: &'a Rules,
    package: &'a mut Package<'p>,
    head: Head,
    digest: SetDigest,
    outcome: Outcome,
    next: Sequence,
    most_removed: u64,
    writing: bool,
    buffers: Buffers,
    index_ops: IndexOps,
    /// Shows the key's own fields.
    key_mask: Mask,
}

/// Reused for every record.
#[derive(Default)]
struct Buffers {
    value: Vec<u8>,
    scratch: Vec<u8>,
}

impl<'a, 'p> Run<'a, 'p> {
    fn new(
        snapshot: &'a dyn Snapshot,
        rules: &'a Rules,
        package: &'a mut Package<'p>,
    ) -> Result<Self, KvError> {
        let head = Head::read(snapshot)?;
        let digest = head.set_digest().ok_or_else(|| super::corrupt("set digest"))?;
        let first_delivery = head.applied_ms.is_none();
        let most_removed = match package.guard_bp {
            Some(bp) if !first_delivery => (u128::from(head.records) * u128::from(bp) / 10_000) as u64,
            _ => u64::MAX,
        };
        let outcome = Outcome {
            quarantined: package.quarantined,
            ..Outcome::default()
        };
        let next = head.sequence + 1;
        let writing = !package.dry_run;
        let schema = &rules.schema;
        let key_paths: Vec<String> = schema
            .key
            .iter()
            .map(|node| schema.nodes[*node].path.clone())
            .collect();
        Ok(Self {
            snapshot,
            rules,
            package,
            head,
            digest,
            outcome,
            next,
            most_removed,
            writing,
            buffers: Buffers::default(),
            index_ops: IndexOps::default(),
            key_mask: rules.schema.mask(&key_paths),
        })
    }

    fn all(mut self, staged: &Staged, sink: &mut dyn Sink) -> Result<Applied, KvError> {
        let mut groups = Groups::new(staged, self.package.resolve)?;
        match self.package.mode {
            Mode::Delta => {
                let was_empty = self.head.records == 0;
                while let Some(group) = groups.next_group()? {
                    let old = if was_empty {
                        None
                    } else {
                        self.snapshot.get(Table::Record, group.key())?
                    };
                    self.group(&group, old, sink)?;
                }
            }
            Mode::Snapshot => self.replace(&mut groups, sink)?,
        }
        self.end(sink)
    }

    /// Walks package and set side by side.
    fn replace(&mut self, groups: &mut Groups, sink: &mut dyn Sink) -> Result<(), KvError> {
        let snapshot = self.snapshot;
        let mut live = snapshot.scan(Table::Record, Range::default(), Direction::Forward)?;
        let mut record = live.next().transpose()?;
        while let Some(group) = groups.next_group()? {
            while let Some((key, bytes)) = record
                && key < group.key()
            {
                self.vanish(key, bytes, sink)?;
                record = live.next().transpose()?;
            }
            let old = match record {
                Some((key, bytes)) if key == group.key() => {
                    record = live.next().transpose()?;
                    Some(bytes)
                }
                _ => None,
            };
            self.group(&group, old, sink)?;
        }
        while let Some((key, bytes)) = record {
            self.vanish(key, bytes, sink)?;
            record = live.next().transpose()?;
        }
        Ok(())
    }

    fn group(&mut self, group: &Group<'_>, old: Option<&[u8]>, sink: &mut dyn Sink) -> Result<(), KvError> {
        match group {
            Group::Protected { .. } => Ok(()),
            Group::Differing { key, lines } => {
                self.outcome.quarantined += lines.len() as u64;
                (self.package.differing)(key, lines);
                Ok(())
            }
            Group::One {
                key,
                verb,
                digest,
                record,
                duplicates,
                erased,
                ..
            } => {
                self.outcome.duplicates += duplicates;
                if *erased {
                    let came_again = *verb == Verb::Upsert && !(self.package.expired)(*record);
                    let same = old
                        .map(Stored::read)
                        .transpose()?
                        .is_some_and(|old| old.record.json == record.json);
                    self.forget(key, came_again && same, sink)?;
                }
                self.one(key, *verb, (*record, *digest), old, sink)
            }
        }
    }

    fn one(
        &mut self,
        key: &[u8],
        verb: Verb,
        (record, digest): (RecordRef<'_>, &[u8; 32]),
        old: Option<&[u8]>,
        sink: &mut dyn Sink,
    ) -> Result<(), KvError> {
        match (verb, old) {
            (Verb::Protect, _) => Ok(()),
            (Verb::Upsert, _) if (self.package.expired)(record) => {
                self.outcome.expired += 1;
                // The provider's record is past its retention, so the one we hold is out of date and goes too.
                let Some(bytes) = old else { return Ok(()) };
                self.outcome.lapsed += 1;
                self.delete(key, bytes, false, sink)
            }
            (Verb::Upsert, old) => self.upsert(key, (record, digest), old, sink),
            (Verb::Delete | Verb::Erase, None) => {
                self.outcome.unchanged += 1;
                Ok(())
            }
            (Verb::Delete | Verb::Erase, Some(bytes)) => {
                self.outcome.deletes += 1;
                self.delete(key, bytes, verb == Verb::Erase, sink)
            }
        }
    }

    fn vanish(&mut self, key: &[u8], bytes: &[u8], sink: &mut dyn Sink) -> Result<(), KvError> {
        self.outcome.vanished += 1;
        self.delete(key, bytes, false, sink)
    }

    /// The next sequence and its time.
    fn step(&mut self) -> At {
        let at = At {
            sequence: self.next,
            time_ms: self.package.now_ms,
        };
        self.next += 1;
        at
    }

    fn would_remove(&self) -> u64 {
        self.outcome.removed() + self.outcome.lapsed
    }

    /// From here on only counted: the package will be held.
    fn check_guard(&mut self) {
        if self.would_remove() > self.most_removed {
            self.writing = false;
        }
    }

    fn end(mut self, sink: &mut dyn Sink) -> Result<Applied, KvError> {
        if self.outcome.quarantined > 0 && self.outcome.quarantined == self.outcome.received() {
            return Ok(Applied::Refused(self.outcome));
        }
        if self.would_remove() > self.most_removed {
            return Ok(Applied::Held {
                would_delete: self.would_remove(),
            });
        }
        let outcome = &mut self.outcome;
        if self.next > self.head.sequence + 1 {
            outcome.first_sequence = Some(self.head.sequence + 1);
            outcome.last_sequence = Some(self.next - 1);
        }
        if !self.package.dry_run {
            self.index_ops.flush(sink)?;
            self.head.sequence = self.next - 1;
            self.head.digest = self.digest.hex();
            self.head.packages += 1;
            self.head.applied_ms = Some(self.package.now_ms);
            (self.package.finish)(&self.outcome, &mut self.head, sink)?;
            sink.put(Table::Meta, keys::HEAD, &self.head.bytes())?;
        }
        Ok(Applied::Done(self.outcome))
    }
}

/// For a dry run.
struct Discard;

impl Sink for Discard {
    fn put(&mut self, _: Table, _: &[u8], _: &[u8]) -> Result<(), KvError> {
        Ok(())
    }
    fn delete(&mut self, _: Table, _: &[u8]) -> Result<(), KvError> {
        Ok(())
    }
}
