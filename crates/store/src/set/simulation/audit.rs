//! Every row of every table: those that should be there, and no other.

use std::collections::{BTreeMap, BTreeSet};

use dagr_model::{
    record::{Mask, project},
    schema::NodeId,
};

use super::{
    model::{Change, Model},
    world::Permission,
};
use crate::{
    kv::{Direction, Kv, Range, Snapshot, Table},
    set::{
        change::{Entry, Kind},
        head::Head,
        keys::{self, ListId},
        stored::{At, Stored},
    },
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the store was told to keep besides records.
pub(super) struct Kept<'a> {
    pub scopes: Vec<(ListId, At, &'a Permission)>,
    pub indexes: &'a [(ListId, NodeId)],
    /// Masks of one leaf or two.
    pub masks: &'a [Mask],
}

pub(super) fn audit(kv: &dyn Kv, model: &Model, kept: &Kept<'_>) {
    let snapshot = kv.snapshot().expect("snapshot");
    let table = |table| rows(&*snapshot, table);
    head(&*snapshot, model);
    assert_eq!(
        table(Table::Record).keys().collect::<Vec<_>>(),
        model.live().map(|(key, _)| key).collect::<Vec<_>>()
    );
    records(&table(Table::Record), model);
    changes(&table(Table::Change), &table(Table::Record), model, kept);
    lists(&table(Table::List), model, kept);
    let latest: Rows = model
        .events
        .iter()
        .map(|((list, key), (at, _))| (keys::under_id(*list, key), keys::sequence(*at).to_vec()))
        .collect();
    assert_eq!(table(Table::Latest), latest, "newest events");
    let mut index = Rows::new();
    for (id, node) in kept.indexes {
        for (key, record) in model.live() {
            for value in model.schema.index_values(&[*node], record.as_ref()) {
                index.insert(keys::index(*id, &value, key), key.clone());
            }
        }
    }
    assert_eq!(table(Table::Index), index, "index entries");
    versions(&table(Table::Version), model);
    let erasures: Vec<_> = model
        .erasures
        .iter()
        .map(|(at, key)| [&keys::sequence(*at)[..], key].concat())
        .collect();
    assert_eq!(
        table(Table::Erasure).into_keys().collect::<Vec<_>>(),
        erasures,
        "erasures"
    );
    assert!(table(Table::Package).is_empty() && table(Table::Quarantine).is_empty());
    assert!(table(Table::Meta).len() <= 1);
}

fn rows(snapshot: &dyn Snapshot, table: Table) -> Rows {
    let scan = snapshot
        .scan(table, Range::default(), Direction::Forward)
        .expect("scan");
    scan.map(|pair| {
        pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
            .expect("row")
    })
    .collect()
}

fn head(snapshot: &dyn Snapshot, model: &Model) {
    let head = Head::read(snapshot).expect("head");
    assert_eq!(
        head.sequence, model.sequence,
        "sequences have no gaps and none is wasted"
    );
    assert_eq!(head.records, model.live().count() as u64);
    assert_eq!(head.digest, model.digest());
    assert_eq!(
        (head.packages, head.applied_ms),
        (model.packages, model.applied_ms)
    );
}

/// Changes of a live record since it was made.
fn present(history: &[Change]) -> &[Change] {
    let gone = history.iter().rposition(|change| change.record.is_none());
    &history[gone.map_or(0, |at| at + 1)..]
}

fn records(table: &Rows, model: &Model) {
    for (key, record) in model.live() {
        let stored = Stored::read(&table[key]).expect("record");
        assert_eq!(stored.record, record.as_ref());
        assert_eq!(stored.digest, &dagr_model::digest::record_digest(&record.json));
        let meta = stored.meta().expect("meta");
        assert_eq!(meta.creation, present(&model.histories[key])[0].at);
        let mut leaves = dagr_model::leaves::LeafSet::new();
        for group in &meta.groups {
            assert!(
                !group.leaves.is_empty() && !group.leaves.intersects(&leaves),
                "each leaf has one last change"
            );
            leaves.union(&group.leaves);
        }
    }
}

fn changes(table: &Rows, records: &Rows, model: &Model, kept: &Kept<'_>) {
    let mut expected = BTreeMap::new();
    for (key, history) in &model.histories {
        let mut created = 0;
        let mut before: Option<&Change> = None;
        for change in history {
            match (&change.record, before.and_then(|before| before.record.as_ref())) {
                (Some(_), None) => created = change.at.sequence,
                (None, Some(old)) => {
                    let subjects = if model.schema.subjects.is_empty() {
                        Vec::new()
                    } else {
                        model
                            .schema
                            .subjects_of(old.as_ref(), None)
                            .join("\0")
                            .into_bytes()
                    };
                    let entry = Entry {
                        kind: Kind::Delete,
                        time_ms: change.at.time_ms,
                        entered: created,
                        key,
                        subjects: &subjects,
                    };
                    expected.insert(change.at.sequence, written(&entry));
                }
                _ => {}
            }
            before = Some(change);
        }
        if let Some(bytes) = records.get(key) {
            let history = present(history);
            let meta = Stored::read(bytes).expect("record").meta().expect("meta");
            let own: BTreeSet<u64> = meta
                .groups
                .iter()
                .map(|group| group.at.sequence)
                .chain([meta.creation.sequence])
                .collect();
            for mask in kept.masks {
                assert!(
                    own.contains(&place(model, history, mask)),
                    "the entry where something shown last changed stays"
                );
            }
            for change in history.iter().filter(|change| own.contains(&change.at.sequence)) {
                expected.insert(
                    change.at.sequence,
                    written(&Entry::upsert(key, change.at.time_ms)),
                );
            }
        }
    }
    let expected: Rows = expected
        .into_iter()
        .map(|(at, value)| (keys::sequence(at).to_vec(), value))
        .collect();
    assert_eq!(*table, expected, "change entries");
}

/// Where a mask sees the last change of a live record.
fn place(model: &Model, history: &[Change], mask: &Mask) -> u64 {
    let mut place = 0;
    let mut shown = None;
    for change in history {
        let mut now = Vec::new();
        if let Some(record) = &change.record {
            project(&model.schema, record.as_ref(), mask, &mut now);
        }
        if shown.as_ref() != Some(&now) {
            (place, shown) = (change.at.sequence, Some(now));
        }
    }
    place
}

fn written(entry: &Entry<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    entry.write(&mut out);
    out
}

fn lists(table: &Rows, model: &Model, kept: &Kept<'_>) {
    let told = |bytes: &[u8]| {
        let entry = Entry::read(bytes).expect("entry");
        (entry.kind, entry.entered, entry.key.to_vec(), entry.time_ms)
    };
    let time = |key: &[u8], at: u64| {
        let change = model.histories[key]
            .iter()
            .find(|change| change.at.sequence == at);
        change
            .map(|change| change.at.time_ms)
            .expect("an event is a change")
    };
    let mut expected = BTreeMap::new();
    for ((list, key), (at, kind)) in &model.events {
        expected.insert(
            keys::list(*list, *at).to_vec(),
            (*kind, 0, key.clone(), time(key, *at)),
        );
    }
    for (list, started, permission) in &kept.scopes {
        for key in model.histories.keys() {
            for life in model.lives(permission, key) {
                let by_change = life.entered > *started && life.entered.sequence != life.created;
                let entered = if by_change {
                    life.entered.sequence
                } else {
                    life.created
                };
                match life.gone {
                    None if by_change => {
                        let entry = (Kind::Upsert, 0, key.clone(), life.entered.time_ms);
                        expected.insert(keys::list(*list, entered).to_vec(), entry);
                    }
                    Some(gone) if gone > *started => {
                        let entry = (Kind::Delete, entered, key.clone(), gone.time_ms);
                        expected.insert(keys::list(*list, gone.sequence).to_vec(), entry);
                    }
                    _ => {}
                }
            }
        }
    }
    let found: BTreeMap<_, _> = table
        .iter()
        .map(|(key, value)| (key.clone(), told(value)))
        .collect();
    assert_eq!(found, expected, "list entries");
}

fn versions(table: &Rows, model: &Model) {
    let expected: BTreeSet<_> = model
        .versions
        .iter()
        .map(|(key, at)| keys::version(key, *at))
        .collect();
    assert_eq!(
        table.keys().cloned().collect::<BTreeSet<_>>(),
        expected,
        "versions"
    );
    for (key, at) in &model.versions {
        let change = model.histories[key]
            .iter()
            .find(|change| change.at.sequence == *at)
            .expect("change");
        let stored = Stored::read(&table[&keys::version(key, *at)]).expect("version");
        assert_eq!(
            Some(stored.record),
            change.record.as_ref().map(dagr_model::record::Canonical::as_ref)
        );
        assert_eq!(stored.meta().expect("meta").creation, change.at);
    }
}
