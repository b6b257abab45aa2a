//! `Kv`: bytes under ordered keys in a few tables. One `Kv` is one data set in one section.
//!
//! A key is partition ‖ sort; scans stay inside one table. An engine may place partitions apart: nothing above
//! needs a transaction across data sets. There is at most one writer at a time (the caller sees to it: a data
//! set's packages apply one after another); readers never wait for it.

use std::path::Path;

/// The tables of one data set. The catalogue of keys is in `set::keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    Meta = 0,
    Record = 1,
    Change = 2,
    List = 3,
    Latest = 4,
    Index = 5,
    Version = 6,
    Package = 7,
    Quarantine = 8,
    Erasure = 9,
}

impl Table {
    pub const ALL: [Self; 10] = [
        Self::Meta,
        Self::Record,
        Self::Change,
        Self::List,
        Self::Latest,
        Self::Index,
        Self::Version,
        Self::Package,
        Self::Quarantine,
        Self::Erasure,
    ];
}

/// Longest key an engine must take, in bytes.
pub const MAX_KEY: usize = 511;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Put {
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    /// Deleting what is absent is no error.
    Delete { table: Table, key: Vec<u8> },
}

/// Must hold when a `commit` is applied, else nothing of it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    pub table: Table,
    pub key: Vec<u8>,
    /// `None` = absent.
    pub value: Option<Vec<u8>>,
}

/// `from` inclusive, `to` exclusive; `None` = open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range<'a> {
    pub from: Option<&'a [u8]>,
    pub to: Option<&'a [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

pub type Pair<'a> = (&'a [u8], &'a [u8]);
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Pair<'a>, KvError>> + 'a>;

/// One unmoving view. Short-lived, except for a backup or the build of a public file.
pub trait Snapshot: Send {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<&[u8]>, KvError>;
    fn scan<'a>(&'a self, table: Table, range: Range<'_>, direction: Direction) -> Result<Scan<'a>, KvError>;
}

/// Takes the operations of a bulk, one by one. Keys and values are borrowed: nothing is allocated per operation.
pub trait Sink {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), KvError>;
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), KvError>;
}

/// Makes the operations of a bulk from the state before it.
pub type BulkMaker<'m> = dyn FnMut(&dyn Snapshot, &mut dyn Sink) -> Result<(), KvError> + 'm;

/// What an engine is, to everything above it.
pub trait Kv: Send + Sync {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, KvError>;
    /// A few operations, durable when this returns.
    fn commit(&self, ops: &[Op], preconditions: &[Precondition]) -> Result<(), KvError>;
    /// Any number of operations, mostly sorted within each table; all become visible at once and are durable
    /// when this returns; an error from `make` leaves nothing. `make` gets a snapshot of the state before the
    /// bulk (opened by the engine, after it has reserved space) and a sink for the operations.
    /// `bytes_hint` is about how many bytes of keys and values will come.
    fn bulk(&self, bytes_hint: u64, make: &mut BulkMaker<'_>) -> Result<(), KvError>;
    /// A consistent copy for a backup, written while others read and write. `to` is a directory that is made.
    fn checkpoint(&self, to: &Path) -> Result<(), KvError>;
    fn health(&self) -> Result<Health, KvError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Bytes in use by live pages.
    pub used_bytes: u64,
    /// Bytes of the file on disk.
    pub file_bytes: u64,
}

/// Opens data sets by name. Names are `section/dataset`; safe as relative paths.
pub trait Engine: Send + Sync {
    /// The same name gives the same `Kv` while it is open.
    fn open(&self, name: &str) -> Result<std::sync::Arc<dyn Kv>, KvError>;
    fn exists(&self, name: &str) -> bool;
    /// Removes all data of a name; readers that still hold it finish undisturbed.
    fn remove(&self, name: &str) -> Result<(), KvError>;
    fn names(&self) -> Result<Vec<String>, KvError>;
}

/// What to do about it: `Full` wait for space, `Conflict` read again, the rest call the operator.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    #[error("a precondition did not hold")]
    Conflict,
    #[error("no space left for the store")]
    Full,
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    #[error("the store cannot read or write: {0}")]
    Io(#[from] std::io::Error),
    #[error("the store refused: {0}")]
    Engine(String),
    /// Carried through `bulk` from the caller's own `make`.
    #[error("{0}")]
    Caller(String),
}
