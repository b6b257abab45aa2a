//! An engine in memory, for tests and trials: copy-on-write tables, so that a snapshot is two counters.
//!
//! A write changes the tables in place unless a snapshot holds them; then the touched ones are copied first.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::kv::{
    BulkMaker, Direction, Engine, Health, Kv, KvError, MAX_KEY, Op, Precondition, Range, Scan, Sink,
    Snapshot, Table,
};

mod copy;

type Entries = BTreeMap<Box<[u8]>, Arc<[u8]>>;

/// One map a table, by its number.
#[derive(Debug, Default, Clone)]
struct Tables([Arc<Entries>; Table::ALL.len()]);

impl Tables {
    fn of(&self, table: Table) -> &Entries {
        &self.0[table as usize]
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Put { table, key, value } => {
                Arc::make_mut(&mut self.0[table as usize]).insert(key.into(), value.into());
            }
            Op::Delete { table, key } => {
                // Looked up first: deleting what is absent must not copy a table.
                if self.of(table).contains_key(key.as_slice()) {
                    Arc::make_mut(&mut self.0[table as usize]).remove(key.as_slice());
                }
            }
        }
    }
}

/// Data sets in memory, by name.
#[derive(Default)]
pub struct MemoryEngine {
    sets: Mutex<BTreeMap<String, Arc<MemoryKv>>>,
}

impl MemoryEngine {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what `checkpoint` wrote, under `name`; what was there is replaced.
    ///
    /// # Errors
    /// `Io` when the copy cannot be read, `Corrupt` when it is cut or not one.
    pub fn restore(&self, name: &str, from: &Path) -> Result<Arc<dyn Kv>, KvError> {
        let restored = Arc::new(MemoryKv::default());
        *restored.tables.write() = copy::read(from)?;
        self.sets.lock().insert(name.to_owned(), Arc::clone(&restored));
        Ok(restored)
    }
}

impl Engine for MemoryEngine {
    fn open(&self, name: &str) -> Result<Arc<dyn Kv>, KvError> {
        Ok(Arc::clone(self.sets.lock().entry(name.to_owned()).or_default()) as Arc<dyn Kv>)
    }

    fn exists(&self, name: &str) -> bool {
        self.sets.lock().contains_key(name)
    }

    fn remove(&self, name: &str) -> Result<(), KvError> {
        if let Some(set) = self.sets.lock().remove(name) {
            set.removed.store(true, Ordering::Release);
            *set.tables.write() = Tables::default();
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, KvError> {
        Ok(self.sets.lock().keys().cloned().collect())
    }
}

/// One data set in memory.
#[derive(Default)]
pub struct MemoryKv {
    tables: RwLock<Tables>,
    removed: AtomicBool,
}

impl MemoryKv {
    pub fn new() -> Self {
        Self::default()
    }

    fn view(&self) -> Result<MemorySnapshot, KvError> {
        if self.removed.load(Ordering::Acquire) {
            return Err(KvError::Engine("the data set has been removed".to_owned()));
        }
        Ok(MemorySnapshot {
            tables: self.tables.read().clone(),
        })
    }

    fn apply(&self, ops: Vec<Op>, preconditions: &[Precondition]) -> Result<(), KvError> {
        let mut tables = self.tables.write();
        if self.removed.load(Ordering::Acquire) {
            return Err(KvError::Engine("the data set has been removed".to_owned()));
        }
        for condition in preconditions {
            let found = tables.of(condition.table).get(condition.key.as_slice());
            if found.map(AsRef::as_ref) != condition.value.as_deref() {
                return Err(KvError::Conflict);
            }
        }
        for op in ops {
            tables.apply(op);
        }
        Ok(())
    }
}

impl Kv for MemoryKv {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, KvError> {
        Ok(Box::new(self.view()?))
    }

    fn commit(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), KvError> {
        for op in ops {
            if let Op::Put { key, .. } = op {
                check_key(key)?;
            }
        }
        self.apply(ops.to_vec(), preconditions)
    }

    fn bulk(&self, _bytes_hint: u64, make: &mut BulkMaker<'_>) -> Result<(), KvError> {
        let mut collected = Collected(Vec::new());
        {
            let before = self.view()?;
            make(&before, &mut collected)?;
        }
        self.apply(collected.0, &[])
    }

    fn checkpoint(&self, to: &Path) -> Result<(), KvError> {
        copy::write(&self.view()?.tables, to)
    }

    fn health(&self) -> Result<Health, KvError> {
        let tables = self.view()?.tables;
        let used_bytes = Table::ALL
            .iter()
            .flat_map(|table| tables.of(*table))
            .map(|(key, value)| (key.len() + value.len()) as u64)
            .sum();
        Ok(Health {
            used_bytes,
            file_bytes: 0,
        })
    }
}

/// Operations wait here until the maker is done: an error leaves nothing.
struct Collected(Vec<Op>);

impl Sink for Collected {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        check_key(key)?;
        self.0.push(Op::Put {
            table,
            key: key.to_vec(),
            value: value.to_vec(),
        });
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), KvError> {
        self.0.push(Op::Delete {
            table,
            key: key.to_vec(),
        });
        Ok(())
    }
}

fn check_key(key: &[u8]) -> Result<(), KvError> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(KvError::Engine(format!(
            "a key must have 1 to {MAX_KEY} bytes, not {}",
            key.len()
        )));
    }
    Ok(())
}

struct MemorySnapshot {
    tables: Tables,
}

impl Snapshot for MemorySnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<&[u8]>, KvError> {
        Ok(self.tables.of(table).get(key).map(AsRef::as_ref))
    }

    fn scan<'a>(&'a self, table: Table, range: Range<'_>, direction: Direction) -> Result<Scan<'a>, KvError> {
        if let (Some(from), Some(to)) = (range.from, range.to)
            && from >= to
        {
            return Ok(Box::new(std::iter::empty()));
        }
        let from = range.from.map_or(Bound::Unbounded, Bound::Included);
        let to = range.to.map_or(Bound::Unbounded, Bound::Excluded);
        let pairs = self
            .tables
            .of(table)
            .range::<[u8], _>((from, to))
            .map(|(key, value)| Ok((key.as_ref(), value.as_ref())));
        Ok(match direction {
            Direction::Forward => Box::new(pairs),
            Direction::Backward => Box::new(pairs.rev()),
        })
    }
}
