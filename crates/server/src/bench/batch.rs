//! The engine's own bulk load of the entries an intake wrote: what an intake is held against.

use std::{path::Path, time::Instant};

use dagr_store::kv::{Direction, Engine, Kv, KvError, Range, Snapshot, Table};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};

use crate::demo::usage;

/// What one entry takes beside its bytes, for the hint of a bulk.
const ENTRY_OVERHEAD: u64 = 16;

/// Which order the puts of a batch have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As the package gives them: for each record, in key order, the record, its change, its index entry. The index is
    /// met in no order.
    ByRecord,
    /// Each table's entries in the order of its keys: every put is an append. No engine loads them faster.
    ByTable,
}

pub struct Batch {
    pub seconds: f64,
    pub processor: f64,
    pub entries: u64,
}

type Entry = (Table, Vec<u8>, Vec<u8>);

/// Processor seconds of this process since an earlier reading.
pub fn since(earlier: Option<f64>) -> f64 {
    usage::processor_seconds().unwrap_or(0.0) - earlier.unwrap_or(0.0)
}

/// Copies everything an intake wrote into a new environment, each data set in one bulk as the intake did. Reading it
/// is not measured.
pub fn load(from: &Path, to: &Path, order: Order) -> Result<Batch, KvError> {
    let source = LmdbEngine::new(from.to_owned(), LmdbConfig::default())?;
    let target = LmdbEngine::new(to.to_owned(), LmdbConfig::default())?;
    let (mut entries, mut seconds, mut processor) = (0, 0.0, 0.0);
    for name in source.names()? {
        let kv = source.open(&name)?;
        let snapshot = kv.snapshot()?;
        let pairs = match order {
            Order::ByRecord => by_record(&*snapshot)?,
            Order::ByTable => by_table(&*snapshot)?,
        };
        let into = target.open(&name)?;
        let (begun, before) = (Instant::now(), usage::processor_seconds());
        put(&*into, &pairs)?;
        seconds += begun.elapsed().as_secs_f64();
        processor += since(before);
        entries += pairs.len() as u64;
    }
    Ok(Batch {
        seconds,
        processor,
        entries,
    })
}

fn put(into: &dyn Kv, pairs: &[Entry]) -> Result<(), KvError> {
    let bytes = pairs
        .iter()
        .map(|(_, key, value)| (key.len() + value.len()) as u64 + ENTRY_OVERHEAD)
        .sum();
    into.bulk(bytes, &mut |_, sink| {
        pairs
            .iter()
            .try_for_each(|(table, key, value)| sink.put(*table, key, value))
    })
}

fn table(snapshot: &dyn Snapshot, table: Table) -> Result<Vec<Entry>, KvError> {
    let scan = snapshot.scan(table, Range::default(), Direction::Forward)?;
    scan.map(|pair| pair.map(|(key, value)| (table, key.to_vec(), value.to_vec())))
        .collect()
}

fn by_table(snapshot: &dyn Snapshot) -> Result<Vec<Entry>, KvError> {
    let mut all = Vec::new();
    for each in Table::ALL {
        all.extend(table(snapshot, each)?);
    }
    Ok(all)
}

fn by_record(snapshot: &dyn Snapshot) -> Result<Vec<Entry>, KvError> {
    const OF_RECORDS: [Table; 3] = [Table::Record, Table::Change, Table::Index];
    // A first package gives sequences in key order. An index entry's value is the record's key.
    let mut index = table(snapshot, Table::Index)?;
    index.sort_by(|a, b| a.2.cmp(&b.2));
    let mut parts = [
        table(snapshot, Table::Record)?.into_iter(),
        table(snapshot, Table::Change)?.into_iter(),
        index.into_iter(),
    ];
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(parts.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            break;
        }
    }
    for each in Table::ALL.into_iter().filter(|each| !OF_RECORDS.contains(each)) {
        all.extend(table(snapshot, each)?);
    }
    Ok(all)
}
