//! One open LMDB environment with its tables. The only unsafe lines of the product are here.

use std::path::Path;

use dagr_store::kv::{Health, KvError, Table};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, WithoutTls};

use crate::config::LmdbConfig;
use crate::error::from_heed;

pub(crate) type TableDb = Database<'static, Bytes, Bytes>;

/// A database a table, by its number.
pub(crate) type TableDbs = [TableDb; Table::ALL.len()];

/// Map sizes are multiples of this: the page size of every platform divides it.
const MAP_UNIT_BYTES: u64 = 1 << 20;

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
