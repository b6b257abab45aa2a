//! An engine that fails when told to, around any other: for the tests of what stands above `Kv`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::kv::{BulkMaker, Engine, Health, Kv, KvError, Op, Precondition, Sink, Snapshot, Table};

/// What a planned write does instead of succeeding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written; `KvError::Full`.
    Full,
    /// Nothing is written; `KvError::Io`.
    Io,
    /// Nothing is written; `KvError::Conflict`.
    Conflict,
    /// The bulk fails with `Full` at its operation of this number (from 0); nothing is written. A commit, or a
    /// bulk with fewer operations, fails before it is applied.
    AtOp(u64),
    /// Everything is written and durable, but the caller learns `KvError::Io`: the answer was lost.
    AnswerLost,
}

impl Fault {
    fn error(self) -> KvError {
        match self {
            Self::Full | Self::AtOp(_) => KvError::Full,
            Self::Io | Self::AnswerLost => KvError::Io(std::io::Error::other("planned fault")),
            Self::Conflict => KvError::Conflict,
        }
    }
}

/// The plan, shared by all data sets of an engine. Writes are counted from 0 over all of them.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writes: u64,
    planned: BTreeMap<u64, Fault>,
    every_write: Option<Fault>,
    reads_fail: bool,
}

impl Faults {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The write (commit or bulk) that comes after `skip` others from now fails, once.
    pub fn fail_write(&self, skip: u64, fault: Fault) {
        let mut state = self.state.lock();
        let number = state.writes + skip;
        state.planned.insert(number, fault);
    }

    /// Every write fails until `None` is given.
    pub fn fail_writes(&self, fault: Option<Fault>) {
        self.state.lock().every_write = fault;
    }

    /// Every new snapshot fails with `Io` until `false` is given.
    pub fn fail_reads(&self, fail: bool) {
        self.state.lock().reads_fail = fail;
    }

    /// Writes tried so far, failed ones included.
    pub fn writes(&self) -> u64 {
        self.state.lock().writes
    }

    fn next_write(&self) -> Option<Fault> {
        let mut state = self.state.lock();
        let number = state.writes;
        state.writes += 1;
        state.planned.remove(&number).or(state.every_write)
    }
}

/// Wraps every data set of another engine.
pub struct FaultyEngine {
    inner: Arc<dyn Engine>,
    faults: Arc<Faults>,
    /// The same name must give the same `Kv`.
    opened: Mutex<BTreeMap<String, Arc<FaultyKv>>>,
}

impl FaultyEngine {
    pub fn new(inner: Arc<dyn Engine>, faults: Arc<Faults>) -> Self {
        Self {
            inner,
            faults,
            opened: Mutex::default(),
        }
    }
}

impl Engine for FaultyEngine {
    fn open(&self, name: &str) -> Result<Arc<dyn Kv>, KvError> {
        let mut opened = self.opened.lock();
        if let Some(known) = opened.get(name) {
            return Ok(Arc::clone(known) as Arc<dyn Kv>);
        }
        let kv = Arc::new(FaultyKv::new(self.inner.open(name)?, Arc::clone(&self.faults)));
        opened.insert(name.to_owned(), Arc::clone(&kv));
        Ok(kv)
    }

    fn exists(&self, name: &str) -> bool {
        self.inner.exists(name)
    }

    fn remove(&self, name: &str) -> Result<(), KvError> {
        self.opened.lock().remove(name);
        self.inner.remove(name)
    }

    fn names(&self) -> Result<Vec<String>, KvError> {
        self.inner.names()
    }
}

/// One data set that fails as planned.
pub struct FaultyKv {
    inner: Arc<dyn Kv>,
    faults: Arc<Faults>,
}

impl FaultyKv {
    pub fn new(inner: Arc<dyn Kv>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl Kv for FaultyKv {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, KvError> {
        if self.faults.state.lock().reads_fail {
            return Err(Fault::Io.error());
        }
        self.inner.snapshot()
    }

    fn commit(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), KvError> {
        match self.faults.next_write() {
            None => self.inner.commit(ops, preconditions),
            Some(Fault::AnswerLost) => {
                self.inner.commit(ops, preconditions)?;
                Err(Fault::AnswerLost.error())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn bulk(&self, bytes_hint: u64, make: &mut BulkMaker<'_>) -> Result<(), KvError> {
        match self.faults.next_write() {
            None => self.inner.bulk(bytes_hint, make),
            Some(Fault::AnswerLost) => {
                self.inner.bulk(bytes_hint, make)?;
                Err(Fault::AnswerLost.error())
            }
            Some(fault @ Fault::AtOp(left)) => self.inner.bulk(bytes_hint, &mut |before, sink| {
                make(before, &mut Breaking { inner: sink, left })?;
                Err(fault.error())
            }),
            Some(fault) => Err(fault.error()),
        }
    }

    fn checkpoint(&self, to: &Path) -> Result<(), KvError> {
        self.inner.checkpoint(to)
    }

    fn health(&self) -> Result<Health, KvError> {
        self.inner.health()
    }
}

/// Lets `left` operations through.
struct Breaking<'s> {
    inner: &'s mut dyn Sink,
    left: u64,
}

impl Breaking<'_> {
    fn count(&mut self) -> Result<(), KvError> {
        self.left = self.left.checked_sub(1).ok_or(KvError::Full)?;
        Ok(())
    }
}

impl Sink for Breaking<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        self.count()?;
        self.inner.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), KvError> {
        self.count()?;
        self.inner.delete(table, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryKv;

    fn put(kv: &dyn Kv, key: &str) -> Result<(), KvError> {
        kv.commit(
            &[Op::Put {
                table: Table::Record,
                key: key.into(),
                value: vec![],
            }],
            &[],
        )
    }

    fn has(kv: &dyn Kv, key: &str) -> bool {
        kv.snapshot()
            .unwrap()
            .get(Table::Record, key.as_bytes())
            .unwrap()
            .is_some()
    }

    #[test]
    fn planned_writes_fail_and_leave_what_they_say() {
        let faults = Faults::new();
        let kv = FaultyKv::new(Arc::new(MemoryKv::new()), Arc::clone(&faults));
        faults.fail_write(1, Fault::Full);
        faults.fail_write(2, Fault::AnswerLost);
        faults.fail_write(3, Fault::AtOp(1));
        put(&kv, "a").unwrap();
        assert!(matches!(put(&kv, "b"), Err(KvError::Full)));
        assert!(matches!(put(&kv, "c"), Err(KvError::Io(_))));
        let broken = kv.bulk(0, &mut |_, sink| {
            sink.put(Table::Record, b"d", b"")?;
            sink.put(Table::Record, b"e", b"")
        });
        assert!(matches!(broken, Err(KvError::Full)));
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|key| has(&kv, key)),
            [true, false, true, false, false]
        );
        assert_eq!(faults.writes(), 4);
        faults.fail_reads(true);
        assert!(kv.snapshot().is_err());
    }
}
