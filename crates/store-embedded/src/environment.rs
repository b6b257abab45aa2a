//! One open LMDB environment with its tables. The only unsafe lines of the product are here.

use std::fs::OpenOptions;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dagr_store::kv::{Health, KvError, Table};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, WithoutTls};
use rustix::{fs::FallocateFlags, io::Errno};

use crate::config::LmdbConfig;
use crate::error::{from_heed, from_io};

pub(crate) type TableDb = Database<'static, Bytes, Bytes>;

/// A database a table, by its number.
pub(crate) type TableDbs = [TableDb; Table::ALL.len()];

/// Map sizes are multiples of this: the page size of every platform divides it.
const MAP_UNIT_BYTES: u64 = 1 << 20;
/// LMDB's lock file: its name after the data file's, and at least what it holds.
const LOCK_SUFFIX: &str = "-lock";
const LOCK_HEAD_BYTES: u64 = 4 << 10;
const LOCK_READER_BYTES: u64 = 64;

pub(crate) struct Environment {
    pub env: Env<WithoutTls>,
    pub tables: TableDbs,
}

impl Environment {
    /// Opens the data file, or makes it.
    pub fn open(data_file: &Path, config: &LmdbConfig) -> Result<Self, KvError> {
        let existing = std::fs::metadata(data_file).map_or(0, |file| file.len());
        let map = round_map(
            config
                .map_initial_bytes
                .min(config.map_max_bytes)
                .max(existing.saturating_mul(2)),
        );
        reserve_lock_file(data_file, config.readers_max)?;
        let env = open_file(data_file, map, config.readers_max).map_err(from_heed)?;
        let tables = open_tables(&env).map_err(from_heed)?;
        Ok(Self { env, tables })
    }

    pub fn map_bytes(&self) -> u64 {
        self.env.info().map_size as u64
    }

    pub fn file_bytes(&self) -> Result<u64, KvError> {
        self.env.real_disk_size().map_err(from_heed)
    }

    /// The caller has the environment for itself: `&mut` says that no transaction is open.
    pub fn resize(&mut self, map_bytes: u64) -> Result<(), KvError> {
        // SAFETY: growing moves the map. No transaction can be open: each lives inside a read guard of the gate
        // of its data set, and this is only reachable through the write guard.
        #[allow(unsafe_code)]
        unsafe { self.env.resize(round_map(map_bytes)) }.map_err(from_heed)
    }

    /// Pages that hold data, counted from the trees: what the free list holds is not in use.
    pub fn health(&self) -> Result<Health, KvError> {
        let txn = self.env.read_txn().map_err(from_heed)?;
        let mut used_bytes = 0;
        for table in &self.tables {
            let stat = table.stat(&txn).map_err(from_heed)?;
            let pages = stat.branch_pages + stat.leaf_pages + stat.overflow_pages;
            used_bytes += pages as u64 * u64::from(stat.page_size);
        }
        Ok(Health {
            used_bytes,
            file_bytes: self.file_bytes()?,
        })
    }
}

/// Takes the space of the table of readers on the disk. LMDB makes it a file with holes and maps it: on a full disk
/// a reader that came to a new page of it would end the process by SIGBUS.
fn reserve_lock_file(data_file: &Path, readers: u32) -> Result<(), KvError> {
    let mut path = data_file.as_os_str().to_owned();
    path.push(LOCK_SUFFIX);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(from_io)?;
    let len = LOCK_HEAD_BYTES + u64::from(readers) * LOCK_READER_BYTES;
    // What has its space is not asked for again: a disk that is full now must not hinder the opening.
    if file.metadata().map_err(from_io)?.blocks() * 512 >= len {
        return Ok(());
    }
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, len) {
        // Some file systems cannot: there it stays as LMDB makes it.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(from_io(error.into())),
    }
}

fn open_file(data_file: &Path, map: usize, readers: u32) -> Result<Env<WithoutTls>, heed::Error> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options
        .map_size(map)
        .max_readers(readers)
        .max_dbs(Table::ALL.len() as u32);
    // SAFETY: a memory map is sound while nobody else changes the file. The lock file of the engine's directory
    // keeps other processes of ours out, and `NO_SUB_DIR` only says that the path is the file itself.
    #[allow(unsafe_code)]
    unsafe {
        options.flags(EnvFlags::NO_SUB_DIR).open(data_file)
    }
}

/// Makes the tables that are missing. With all there nothing is written, so a full disk does not hinder it.
fn open_tables(env: &Env<WithoutTls>) -> Result<TableDbs, heed::Error> {
    let txn = env.write_txn()?;
    let opened = env.create_databases_and_commit(txn, |opener, txn| {
        let mut made = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            made.push(opener.create_database::<Bytes, Bytes>(txn, Some(table_name(table)))?);
        }
        let made = <[_; Table::ALL.len()]>::try_from(made).map_err(|_| heed::MdbError::Problem)?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(made))
    })?;
    opened.commit().ok_or(heed::Error::Mdb(heed::MdbError::Problem))
}

/// Stored names: never change one.
const fn table_name(table: Table) -> &'static str {
    match table {
        Table::Meta => "meta",
        Table::Record => "record",
        Table::Change => "change",
        Table::List => "list",
        Table::Latest => "latest",
        Table::Index => "index",
        Table::Version => "version",
        Table::Package => "package",
        Table::Quarantine => "quarantine",
        Table::Erasure => "erasure",
    }
}

fn round_map(bytes: u64) -> usize {
    bytes.max(MAP_UNIT_BYTES).next_multiple_of(MAP_UNIT_BYTES) as usize
}
