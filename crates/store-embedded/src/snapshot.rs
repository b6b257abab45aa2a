//! A read transaction, and the gate that keeps the map where it is meanwhile.

use std::ops::Bound;

use dagr_store::kv::{Direction, KvError, MAX_KEY, Range, Scan, Snapshot, Table};
use heed::{RoTxn, WithoutTls};
use parking_lot::RwLockReadGuard;

use crate::environment::{Environment, TableDbs};
use crate::error::from_heed;

/// The view alone, for a bulk, which holds the gate itself.
pub(crate) struct View {
    txn: RoTxn<'static, WithoutTls>,
    tables: TableDbs,
}

impl View {
    pub fn new(environment: &Environment) -> Result<Self, KvError> {
        let txn = environment.env.clone().static_read_txn().map_err(from_heed)?;
        Ok(Self {
            txn,
            tables: environment.tables,
        })
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<&[u8]>, KvError> {
        // LMDB calls such keys an error; to the waist they are just absent.
        if key.is_empty() || key.len() > MAX_KEY {
            return Ok(None);
        }
        self.tables[table as usize].get(&self.txn, key).map_err(from_heed)
    }

    fn scan<'a>(&'a self, table: Table, range: Range<'_>, direction: Direction) -> Result<Scan<'a>, KvError> {
        let from = range.from.filter(|from| !from.is_empty());
        if range
            .to
            .is_some_and(|to| to.is_empty() || from.is_some_and(|from| from >= to))
        {
            return Ok(Box::new(std::iter::empty()));
        }
        let bounds = (
            from.map_or(Bound::Unbounded, Bound::Included),
            range.to.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let db = self.tables[table as usize];
        Ok(match direction {
            Direction::Forward => {
                let pairs = db.range(&self.txn, &bounds).map_err(from_heed)?;
                Box::new(pairs.map(|pair| pair.map_err(from_heed)))
            }
            Direction::Backward => {
                let pairs = db.rev_range(&self.txn, &bounds).map_err(from_heed)?;
                Box::new(pairs.map(|pair| pair.map_err(from_heed)))
            }
        })
    }
}

/// A view that holds the gate. Fields drop in this order: the transaction ends before the gate opens.
pub(crate) struct GatedView<'g> {
    view: View,
    _gate: RwLockReadGuard<'g, Option<Environment>>,
}

impl<'g> GatedView<'g> {
    pub fn new(view: View, gate: RwLockReadGuard<'g, Option<Environment>>) -> Self {
        Self { view, _gate: gate }
    }
}

impl Snapshot for GatedView<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<&[u8]>, KvError> {
        self.view.get(table, key)
    }

    fn scan<'a>(&'a self, table: Table, range: Range<'_>, direction: Direction) -> Result<Scan<'a>, KvError> {
        self.view.scan(table, range, direction)
    }
}
