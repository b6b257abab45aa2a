//! Commits and bulks, each one write transaction with its sync.

use std::sync::atomic::Ordering;

use dagr_store::kv::{BulkMaker, KvError, MAX_KEY, Op, Precondition, Sink, Table};
use heed::{MdbError, PutFlags, RwTxn};

use super::{LmdbKv, opened};
use crate::environment::TableDbs;
use crate::error::{WriteError, from_heed};
use crate::snapshot::View;

/// A commit is small: more doublings than these mean that something else is wrong.
const GROWTHS_MAX: usize = 16;
/// After a failed write a disk with less free space than this counts as full.
const FULL_BELOW_BYTES: u64 = 1 << 20;
const EIO: i32 = 5;

impl LmdbKv {
    pub(super) fn commit_growing(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), KvError> {
        for op in ops {
            if let Op::Put { key, .. } = op {
                check_key(key)?;
            }
        }
        let _writer = self.writer.lock();
        for _ in 0..GROWTHS_MAX {
            match self.try_commit(ops, preconditions) {
                Err(WriteError::MapFull) if self.double(op_bytes(ops))? => {}
                result => return self.finish(result),
            }
        }
        Err(KvError::Full)
    }

    fn try_commit(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), WriteError> {
        let gate = self.enter()?;
        let environment = opened(&gate)?;
        let mut txn = environment.env.write_txn()?;
        for Precondition { table, key, value } in preconditions {
            let valid = !key.is_empty() && key.len() <= MAX_KEY;
            let found = if valid {
                environment.tables[*table as usize].get(&txn, key)?
            } else {
                None
            };
            if found != value.as_deref() {
                return Err(KvError::Conflict.into());
            }
        }
        for op in ops {
            match op {
                Op::Put { table, key, value } => {
                    environment.tables[*table as usize].put(&mut txn, key, value)?;
                }
                Op::Delete { key, .. } if key.is_empty() || key.len() > MAX_KEY => {}
                Op::Delete { table, key } => {
                    environment.tables[*table as usize].delete(&mut txn, key)?;
                }
            }
        }
        txn.commit().map_err(WriteError::of_commit)
    }

    pub(super) fn bulk_reserved(&self, bytes_hint: u64, make: &mut BulkMaker<'_>) -> Result<(), KvError> {
        let _writer = self.writer.lock();
        self.reserve(bytes_hint)?;
        let result = self.try_bulk(make);
        if matches!(result, Err(WriteError::MapFull)) {
            // `make` cannot be asked twice: the caller tries again, and then there is room.
            self.double(bytes_hint)?;
        }
        self.finish(result)
    }

    fn try_bulk(&self, make: &mut BulkMaker<'_>) -> Result<(), WriteError> {
        let gate = self.enter()?;
        let environment = opened(&gate)?;
        let before = View::new(environment)?;
        let txn = environment.env.write_txn()?;
        let mut writing = Writing::new(txn, environment.tables);
        let made = make(&before, &mut writing);
        if writing.map_full {
            return Err(WriteError::MapFull);
        }
        made?;
        // The view pins the pages it sees: let them go before the commit frees its own.
        drop(before);
        writing.txn.commit().map_err(WriteError::of_commit)
    }

    fn finish(&self, result: Result<(), WriteError>) -> Result<(), KvError> {
        match result {
            Ok(()) => Ok(()),
            Err(WriteError::MapFull) => Err(KvError::Full),
            Err(WriteError::Other(error)) => Err(error),
            Err(WriteError::Broken(error)) => {
                // Opens anew at the next use, from the last good meta page.
                self.broken.store(true, Ordering::Release);
                Err(self.cause(error))
            }
        }
    }

    /// LMDB calls a write that was cut short by a full disk an input/output error.
    fn cause(&self, error: KvError) -> KvError {
        match error {
            KvError::Io(error) if error.raw_os_error() == Some(EIO) && self.is_disk_full() => KvError::Full,
            other => other,
        }
    }

    fn is_disk_full(&self) -> bool {
        rustix::fs::statvfs(&self.data_file)
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < FULL_BELOW_BYTES)
    }
}

/// The sink of a bulk.
struct Writing<'e> {
    txn: RwTxn<'e>,
    tables: TableDbs,
    /// Tables whose puts have all come beyond the last key so far: those need no search.
    appending: [bool; Table::ALL.len()],
    map_full: bool,
}

impl<'e> Writing<'e> {
    fn new(txn: RwTxn<'e>, tables: TableDbs) -> Self {
        Self {
            txn,
            tables,
            appending: [true; Table::ALL.len()],
            map_full: false,
        }
    }

    fn fail(&mut self, error: heed::Error) -> KvError {
        self.map_full |= matches!(error, heed::Error::Mdb(MdbError::MapFull));
        from_heed(error)
    }
}

impl Sink for Writing<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), KvError> {
        check_key(key)?;
        let number = table as usize;
        let db = self.tables[number];
        if self.appending[number] {
            match db.put_with_flags(&mut self.txn, PutFlags::APPEND, key, value) {
                // Not beyond the last key: LMDB has changed nothing.
                Err(heed::Error::Mdb(MdbError::KeyExist)) => self.appending[number] = false,
                result => return result.map_err(|error| self.fail(error)),
            }
        }
        db.put(&mut self.txn, key, value)
            .map_err(|error| self.fail(error))
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), KvError> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Ok(());
        }
        match self.tables[table as usize].delete(&mut self.txn, key) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fail(error)),
        }
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

fn op_bytes(ops: &[Op]) -> u64 {
    ops.iter()
        .map(|op| match op {
            Op::Put { key, value, .. } => key.len() + value.len(),
            Op::Delete { key, .. } => key.len(),
        } as u64)
        .sum()
}
