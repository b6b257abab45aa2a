//! What a data set is, from first principles: every key with its whole history, in sorted maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dagr_model::{
    definition::Duplicates,
    digest::{SetDigest, record_digest},
    expression::Transition,
    record::{Canonical, RecordRef},
    schema::Schema,
};

use super::world::Permission;
use crate::{
    set::{
        apply::{Applied, Mode, Outcome},
        change::Kind,
        keys::ListId,
        stored::At,
    },
    stage::{Verb, groups::Resolve},
};

type Key = Vec<u8>;

/// One row of a package.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub key: Key,
    pub verb: Verb,
    /// Empty unless `Upsert`.
    pub record: Canonical,
}

/// One package, as a provider sent it.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub mode: Mode,
    pub resolve: Resolve,
    pub guard_bp: Option<u32>,
    pub now_ms: i64,
    pub rows: Vec<Row>,
    /// Records that hold these bytes are past their retention.
    pub expired: Option<&'static [u8]>,
}

impl Delivery {
    pub fn is_expired(&self, record: RecordRef<'_>) -> bool {
        self.expired
            .is_some_and(|mark| record.json.windows(mark.len()).any(|part| part == mark))
    }

    pub fn quarantined(&self) -> u64 {
        self.rows.iter().filter(|row| row.verb == Verb::Protect).count() as u64
    }
}

pub(super) struct Change {
    pub at: At,
    pub record: Option<Canonical>,
}

/// One stay of a record in what a permission sees.
pub(super) struct Life {
    /// When it became visible.
    pub entered: At,
    /// When the record itself was made.
    pub created: u64,
    /// Where it stood, and what was seen of it there.
    pub places: Vec<(At, Vec<u8>)>,
    pub gone: Option<At>,
}

impl Life {
    pub fn is_there_at(&self, head: u64) -> bool {
        self.entered.sequence <= head && self.gone.is_none_or(|gone| gone.sequence > head)
    }

    /// Place and content at a head at which it is there.
    pub fn place_at(&self, head: u64) -> &(At, Vec<u8>) {
        let until = self.places.partition_point(|(at, _)| at.sequence <= head);
        &self.places[until - 1]
    }
}

pub(super) struct Model {
    pub schema: Arc<Schema>,
    pub changes: Vec<(ListId, Arc<Transition>)>,
    pub histories: BTreeMap<Key, Vec<Change>>,
    pub sequence: u64,
    pub packages: u64,
    pub applied_ms: Option<i64>,
    pub versions: BTreeSet<(Key, u64)>,
    pub erasures: BTreeSet<(u64, Key)>,
    /// Newest event of each record in each named list.
    pub events: BTreeMap<(ListId, Key), (u64, Kind)>,
}

/// What becomes of one key.
struct Fate {
    new: Option<Canonical>,
    erased: bool,
    silent: bool,
}

impl Model {
    pub fn new(schema: Arc<Schema>, changes: Vec<(ListId, Arc<Transition>)>) -> Self {
        Self {
            schema,
            changes,
            histories: BTreeMap::new(),
            sequence: 0,
            packages: 0,
            applied_ms: None,
            versions: BTreeSet::new(),
            erasures: BTreeSet::new(),
            events: BTreeMap::new(),
        }
    }

    pub fn current(&self, key: &[u8]) -> Option<&Canonical> {
        self.histories.get(key)?.last()?.record.as_ref()
    }

    pub fn live(&self) -> impl Iterator<Item = (&Key, &Canonical)> {
        self.histories
            .keys()
            .filter_map(|key| Some((key, self.current(key)?)))
    }

    pub fn all(&self) -> Vec<(Key, Canonical)> {
        self.live()
            .map(|(key, record)| (key.clone(), record.clone()))
            .collect()
    }

    pub fn digest(&self) -> String {
        let mut digest = SetDigest::default();
        self.live()
            .for_each(|(_, record)| digest.add(&record_digest(&record.json)));
        digest.hex()
    }

    /// Applies a package; `Done` tells what it did.
    pub fn deliver(&mut self, delivery: &Delivery) -> Applied {
        let mut outcome = Outcome {
            quarantined: delivery.quarantined(),
            ..Outcome::default()
        };
        let fates = self.fates(delivery, &mut outcome);
        if outcome.quarantined > 0 && outcome.quarantined == outcome.received() {
            return Applied::Refused(outcome);
        }
        let removed = outcome.removed() + outcome.lapsed;
        let allowed = delivery.guard_bp.filter(|_| self.applied_ms.is_some());
        if allowed.is_some_and(|bp| removed * 10_000 > self.live().count() as u64 * u64::from(bp)) {
            return Applied::Held {
                would_delete: removed,
            };
        }
        let before = self.sequence;
        for (key, fate) in fates {
            self.happen(key, fate, delivery.now_ms);
        }
        if self.sequence > before {
            (outcome.first_sequence, outcome.last_sequence) = (Some(before + 1), Some(self.sequence));
        }
        self.packages += 1;
        self.applied_ms = Some(delivery.now_ms);
        Applied::Done(outcome)
    }

    fn fates(&self, delivery: &Delivery, outcome: &mut Outcome) -> BTreeMap<Key, Fate> {
        let mut fates = BTreeMap::new();
        let mut named: BTreeMap<&Key, Vec<&Row>> = BTreeMap::new();
        for row in &delivery.rows {
            let rows = named.entry(&row.key).or_default();
            if row.verb != Verb::Protect {
                rows.push(row);
            }
        }
        if delivery.mode == Mode::Snapshot {
            for (key, _) in self.live().filter(|(key, _)| !named.contains_key(key)) {
                outcome.vanished += 1;
                fates.insert(
                    key.clone(),
                    Fate {
                        new: None,
                        erased: false,
                        silent: false,
                    },
                );
            }
        }
        for (key, rows) in named {
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
                continue;
            };
            let same = |row: &&&Row| row.verb == first.verb && row.record == first.record;
            let row = match delivery.resolve {
                Resolve::Rows(Duplicates::Quarantine) if !rows.iter().all(|row| same(&row)) => {
                    outcome.quarantined += rows.len() as u64;
                    continue;
                }
                Resolve::Rows(Duplicates::Quarantine | Duplicates::First) => first,
                Resolve::Rows(Duplicates::Last) | Resolve::LastOperation => last,
            };
            outcome.duplicates += rows.len() as u64 - 1;
            let erased = rows.iter().any(|row| row.verb == Verb::Erase);
            fates.insert(key.clone(), self.fate(delivery, row, erased, outcome));
        }
        fates
    }

    fn fate(&self, delivery: &Delivery, row: &Row, erased: bool, outcome: &mut Outcome) -> Fate {
        let old = self.current(&row.key);
        let mut fate = Fate {
            new: None,
            erased,
            silent: false,
        };
        if row.verb == Verb::Upsert {
            let past = delivery.is_expired(row.record.as_ref());
            match old {
                _ if past => {
                    outcome.expired += 1;
                    outcome.lapsed += u64::from(old.is_some());
                }
                Some(old) if *old == row.record => outcome.unchanged += 1,
                _ => outcome.accepted += 1,
            }
            fate.new = (!past).then(|| row.record.clone());
        } else {
            *(if old.is_some() {
                &mut outcome.deletes
            } else {
                &mut outcome.unchanged
            }) += 1;
            fate.silent = row.verb == Verb::Erase;
        }
        fate
    }

    fn happen(&mut self, key: Key, fate: Fate, now_ms: i64) {
        let old = self.current(&key).cloned();
        if fate.erased {
            let newest = self
                .newest_version(&key)
                .filter(|_| fate.new.is_some() && fate.new == old);
            self.versions
                .retain(|(known, at)| *known != key || Some(*at) == newest);
            self.events.retain(|(_, known), _| *known != key);
            self.erasures.insert((self.packages + 1, key.clone()));
        }
        if fate.new == old {
            return;
        }
        self.sequence += 1;
        let (at, new) = (self.sequence, fate.new);
        if !fate.silent {
            let kind = if new.is_some() { Kind::Upsert } else { Kind::Delete };
            for (list, when) in &self.changes {
                let (old, new) = (
                    old.as_ref().map(Canonical::as_ref),
                    new.as_ref().map(Canonical::as_ref),
                );
                if when.holds(&self.schema, old, new) == Ok(true) {
                    self.events.insert((*list, key.clone()), (at, kind));
                }
            }
        }
        if new.is_some() && self.schema.definition.history {
            self.versions.insert((key.clone(), at));
        }
        let change = Change {
            at: At {
                sequence: at,
                time_ms: now_ms,
            },
            record: new,
        };
        self.histories.entry(key).or_default().push(change);
    }

    fn newest_version(&self, key: &[u8]) -> Option<u64> {
        self.versions
            .iter()
            .filter(|(known, _)| known == key)
            .map(|(_, at)| *at)
            .max()
    }

    /// The stays of one record in what a permission sees, oldest first.
    pub fn lives(&self, permission: &Permission, key: &[u8]) -> Vec<Life> {
        let mut lives: Vec<Life> = Vec::new();
        let mut created = 0;
        let mut existed = false;
        for change in self.histories.get(key).into_iter().flatten() {
            if change.record.is_some() && !existed {
                created = change.at.sequence;
            }
            existed = change.record.is_some();
            let shown = change
                .record
                .as_ref()
                .and_then(|r| permission.shown(&self.schema, key, r.as_ref()));
            let open = lives.last_mut().filter(|life| life.gone.is_none());
            match (open, shown) {
                (Some(life), None) => life.gone = Some(change.at),
                (Some(life), Some(shown)) => {
                    if life.places.last().is_some_and(|(_, before)| *before != shown) {
                        life.places.push((change.at, shown));
                    }
                }
                (None, Some(shown)) => {
                    lives.push(Life {
                        entered: change.at,
                        created,
                        places: vec![(change.at, shown)],
                        gone: None,
                    });
                }
                (None, None) => {}
            }
        }
        lives
    }
}
