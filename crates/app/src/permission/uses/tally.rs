//! Entries of the log, added up: by permission, day and way, and by field.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use dagr_model::{
    clock::riga_date,
    ids::{PermissionNumber, Section},
    leaves::LeafSet,
};
use dagr_registry::{UseDay, UseField, UsePosition};
use dagr_store::journal::StoredEntry;
use jiff::{Timestamp, civil::Date};

use crate::{
    catalog::Catalog,
    disclosure::entry::{Entry, Kind},
};

pub(super) struct Tally {
    catalog: Arc<Catalog>,
    days: BTreeMap<(String, Date, String), Counts>,
    /// Leaves given, by permission, set, day and whether the call named its fields.
    given: HashMap<Given, LeafSet>,
    /// All a permission shows, with the revision it is of.
    whole: HashMap<String, Option<(u32, LeafSet)>>,
    last: UsePosition,
}

#[derive(Default)]
struct Counts {
    calls: u64,
    narrowed: u64,
    records: u64,
    misses: u64,
}

#[derive(PartialEq, Eq, Hash)]
struct Given {
    permission: String,
    section: Section,
    dataset: String,
    day: Date,
    narrowed: bool,
}

impl Tally {
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            days: BTreeMap::new(),
            given: HashMap::new(),
            whole: HashMap::new(),
            last: UsePosition {
                entry: String::new(),
                at: Timestamp::UNIX_EPOCH,
            },
        }
    }

    pub fn add(&mut self, stored: &StoredEntry) {
        let at = Timestamp::from_millisecond(stored.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        // Entries may be a moment out of order; the time told never goes back.
        let at = at.max(self.last.at);
        self.last = UsePosition {
            entry: stored.id.to_string(),
            at,
        };
        let Some(entry) = Entry::from_bytes(&stored.payload) else {
            return;
        };
        if entry.kind != Kind::Data || !self.catalog.permissions.contains_key(entry.permission.as_ref()) {
            return;
        }
        let day = riga_date(at);
        let narrowed = self.is_narrowed(&entry);
        let key = (entry.permission.to_string(), day, entry.way.to_string());
        let counts = self.days.entry(key).or_default();
        counts.calls += 1;
        counts.narrowed += u64::from(narrowed);
        counts.records += entry.count;
        counts.misses += u64::from(entry.misses);
        if entry.count == 0 {
            return;
        }
        let given = Given {
            permission: entry.permission.into_owned(),
            section: entry.section,
            dataset: entry.dataset.into_owned(),
            day,
            narrowed,
        };
        self.given.entry(given).or_default().union(&entry.fields);
    }

    /// Fewer fields than the permission shows. Of an earlier revision it is no longer known what it showed: such a
    /// call counts as whole.
    fn is_narrowed(&mut self, entry: &Entry<'_>) -> bool {
        let whole = self.whole.entry(entry.permission.to_string()).or_insert_with(|| {
            let permission = &self
                .catalog
                .permissions
                .get(entry.permission.as_ref())?
                .permission;
            let set = self
                .catalog
                .live(permission.environment, permission.dataset.as_str())?;
            Some((permission.revision, set.schema.mask(&permission.fields).leaves))
        });
        whole
            .as_ref()
            .is_some_and(|(revision, leaves)| *revision == entry.revision && *leaves != entry.fields)
    }

    pub fn position(&self) -> UsePosition {
        // As it will be read back: milliseconds are whole microseconds.
        self.last.clone()
    }

    pub fn rows(&self) -> (Vec<UseDay>, Vec<UseField>) {
        let days = self.days.iter().map(|((permission, day, way), counts)| UseDay {
            permission: PermissionNumber::new(permission),
            day: *day,
            way: way.clone(),
            calls: counts.calls,
            narrowed: counts.narrowed,
            records: counts.records,
            misses: counts.misses,
        });
        (days.collect(), self.fields())
    }

    fn fields(&self) -> Vec<UseField> {
        let mut found: BTreeMap<(&str, &str), (Date, Option<Date>)> = BTreeMap::new();
        for (given, leaves) in &self.given {
            let Some(set) = self.catalog.live(given.section, &given.dataset) else {
                continue;
            };
            let paths = set.schema.leaf_paths.iter();
            for (path, _) in paths.filter(|(_, leaf)| leaves.contains(*leaf)) {
                let last = found
                    .entry((&given.permission, path))
                    .or_insert((given.day, None));
                last.0 = last.0.max(given.day);
                if given.narrowed {
                    last.1 = last.1.max(Some(given.day));
                }
            }
        }
        found
            .into_iter()
            .map(|((permission, field), (given, narrowed))| UseField {
                permission: PermissionNumber::new(permission),
                field: field.to_owned(),
                given,
                narrowed,
            })
            .collect()
    }
}
