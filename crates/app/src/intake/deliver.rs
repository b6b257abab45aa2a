//! A staged package applied, with everything that is written beside the data: its row, and what was set aside.

use std::{cell::RefCell, collections::HashSet, path::Path};

use dagr_model::{fault::Fault, retention::Cutoff};
use dagr_store::{
    kv::{Kv, KvError, Sink, Table},
    set::{
        apply::{self, Applied, Mode, Outcome, Package},
        head::Head,
        keys,
    },
    stage::{Staged, groups::Resolve},
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    aside::{self, AsideRow, AsideWriter, MAX_ROWS},
    lists,
    package::{Facts, PackageRow, State},
    receipt,
    rows::UNREAD,
};
use crate::{problem::MAX_FAULTS, secrets::Secrets, set::LiveSet};

/// File of rows set aside while the package was applied.
const DIFFERING: &str = "differing";
/// Erased keys of one package that are remembered to leave its own quarantined rows out.
const MAX_ERASED: usize = 100_000;

/// One package, ready to be applied.
pub(super) struct Delivery<'a> {
    pub set: &'a LiveSet,
    pub secrets: &'a Secrets,
    pub id: &'a str,
    pub facts: &'a Facts,
    pub staged: &'a Staged,
    /// Directory of the stage.
    pub dir: &'a Path,
    pub now: Timestamp,
    /// `false`: the provider has confirmed it.
    pub guarded: bool,
    pub dry_run: bool,
    /// Order of an earlier row of the same id, which goes.
    pub replaces: Option<u64>,
}

/// How it ended, with the receipt of what was applied (unsigned after a dry run).
pub(super) struct Delivered {
    pub applied: Applied,
    pub receipt: Option<Value>,
    /// Faults of rows that differ under one key: the first, and how many.
    pub differing: Vec<Fault>,
    pub total_differing: usize,
}

/// What the hooks of an application gather.
struct Notes {
    differing: AsideWriter,
    faults: Vec<Fault>,
    total: usize,
    /// Keys come in order: one that is not greater begins a new pass.
    last_key: Vec<u8>,
    erased: Erased,
}

#[derive(Default)]
struct Erased {
    keys: HashSet<Vec<u8>>,
    /// Too many to remember: no quarantined row of the package keeps a key.
    too_many: bool,
}

impl Delivery<'_> {
    /// Runs it. Blocks; the caller holds the data set's turn. A store that was too small has grown after a failure,
    /// so that a second attempt finds room if the disk has any.
    pub fn run(&self, kv: &dyn Kv) -> Result<Delivered, KvError> {
        match self.attempt(kv) {
            Err(KvError::Full) => self.attempt(kv),
            ended => ended,
        }
    }

    fn attempt(&self, kv: &dyn Kv) -> Result<Delivered, KvError> {
        let (rules, head) = if self.dry_run {
            lists::rules(kv, self.set)?
        } else {
            lists::kept_by(kv, self.set, self.dir)?
        };
        let cutoff = Cutoff::of(&self.set.schema, self.now);
        let notes = RefCell::new(Notes {
            differing: AsideWriter::new(self.dir.join(DIFFERING)),
            faults: Vec::new(),
            total: 0,
            last_key: Vec::new(),
            erased: Erased::default(),
        });
        let failed = RefCell::new(None);
        let mut given = None;
        let definition = self.set.definition();
        let mut package = Package {
            mode: self.facts.mode(),
            resolve: self.resolve(),
            now_ms: self.now.as_millisecond(),
            guard_bp: self.guarded.then_some(definition.guard_bp),
            expired: &|record| {
                cutoff
                    .as_ref()
                    .is_some_and(|cutoff| cutoff.is_past(&self.set.schema, record))
            },
            dry_run: self.dry_run,
            quarantined: self.facts.quarantined,
            differing: &mut |key, lines| {
                if let Err(error) = notes.borrow_mut().differing(key, lines) {
                    failed.borrow_mut().get_or_insert(error);
                }
            },
            erased: &mut |key| notes.borrow_mut().erased.note(key),
            finish: &mut |outcome, head, sink| {
                if let Some(error) = failed.borrow_mut().take() {
                    return Err(error);
                }
                given = Some(self.finish(outcome, head, &mut notes.borrow_mut(), sink)?);
                Ok(())
            },
        };
        let applied = apply::apply(kv, &rules, self.staged, &mut package)?;
        if let (Applied::Done(outcome), true) = (&applied, self.dry_run) {
            // Nothing changed, so no sequence was used.
            let outcome = Outcome {
                first_sequence: None,
                last_sequence: None,
                ..outcome.clone()
            };
            given = Some(receipt::unsigned(self.id, self.facts, &outcome, &head));
        }
        let Notes { faults, total, .. } = notes.into_inner();
        Ok(Delivered {
            applied,
            receipt: given,
            differing: faults,
            total_differing: total,
        })
    }

    fn resolve(&self) -> Resolve {
        if self.facts.is_csv() || self.facts.mode() == Mode::Snapshot {
            Resolve::Rows(self.set.definition().csv.duplicates)
        } else {
            Resolve::LastOperation
        }
    }

    /// The last operations of the bulk: they become visible with the data.
    fn finish(
        &self,
        outcome: &Outcome,
        head: &mut Head,
        notes: &mut Notes,
        sink: &mut dyn Sink,
    ) -> Result<Value, KvError> {
        head.last_package = Some(self.id.to_owned());
        notes.differing.flush()?;
        let mut quarantine = Quarantine {
            order: head.packages,
            rows: 0,
            erased: &notes.erased,
        };
        for file in [UNREAD, DIFFERING] {
            // A file of an earlier attempt may lie there: only what this one wrote counts.
            if file == UNREAD || notes.differing.rows > 0 {
                aside::each(&self.dir.join(file), &mut |value| quarantine.put(value, sink))?;
            }
        }
        let unsigned = receipt::unsigned(self.id, self.facts, outcome, head);
        let receipt = receipt::signed(self.secrets, unsigned);
        let mut row = PackageRow::new(self.id, head.packages, State::Applied, self.facts.clone());
        row.receipt = Some(receipt.clone());
        if let Some(order) = self.replaces {
            sink.delete(Table::Package, &keys::package_order(order))?;
        }
        sink.put(Table::Package, &keys::package(self.id), &row.bytes())?;
        sink.put(
            Table::Package,
            &keys::package_order(row.order),
            self.id.as_bytes(),
        )?;
        Ok(receipt)
    }
}

impl Notes {
    fn differing(&mut self, key: &[u8], lines: &[u64]) -> Result<(), KvError> {
        if key <= self.last_key.as_slice() {
            self.differing.restart();
            self.faults.clear();
            self.total = 0;
        }
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        let others = lines.len().saturating_sub(1);
        let fault = Fault::new(
            "",
            "duplicates",
            format!("{others} other rows of the package differ under the same key"),
        );
        self.total += lines.len();
        for line in lines {
            let row = AsideRow::new(*line, &fault);
            self.differing.push(key, &row)?;
            if self.faults.len() < MAX_FAULTS {
                self.faults.push(row.fault());
            }
        }
        Ok(())
    }
}

impl Erased {
    fn note(&mut self, key: &[u8]) {
        if self.keys.len() < MAX_ERASED {
            self.keys.insert(key.to_vec());
        } else {
            self.too_many = true;
        }
    }
}

/// Writes the quarantine rows of a package.
struct Quarantine<'e> {
    order: u64,
    rows: u64,
    erased: &'e Erased,
}

impl Quarantine<'_> {
    fn put(&mut self, value: &[u8], sink: &mut dyn Sink) -> Result<(), KvError> {
        let Some((key, _)) = aside::read(value) else {
            return Err(KvError::Corrupt("set-aside row".to_owned()));
        };
        if self.rows >= MAX_ROWS || self.erased.keys.contains(key) {
            return Ok(());
        }
        let place = keys::quarantine(self.order, self.rows);
        self.rows += 1;
        if key.is_empty() {
            return sink.put(Table::Quarantine, &place, value);
        }
        if self.erased.too_many {
            return sink.put(
                Table::Quarantine,
                &place,
                &aside::without_key(value).unwrap_or_default(),
            );
        }
        sink.put(Table::Quarantine, &place, value)?;
        sink.put(Table::Quarantine, &keys::quarantine_of_key(key, &place), b"1")
    }
}
