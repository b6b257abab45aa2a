//! LMDB's errors in the words of the waist.

use std::io;

use dagr_store::kv::KvError;
use heed::MdbError;

const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

pub(crate) fn from_io(error: io::Error) -> KvError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => KvError::Full,
        _ => KvError::Io(error),
    }
}

pub(crate) fn from_heed(error: heed::Error) -> KvError {
    match error {
        heed::Error::Io(error) => from_io(error),
        heed::Error::Mdb(MdbError::MapFull | MdbError::Other(ENOSPC | EDQUOT)) => KvError::Full,
        heed::Error::Mdb(MdbError::Other(code)) => KvError::Io(io::Error::from_raw_os_error(code)),
        heed::Error::Mdb(
            damage @ (MdbError::Corrupted | MdbError::PageNotFound | MdbError::Invalid | MdbError::Panic),
        ) => KvError::Corrupt(damage.to_string()),
        other => KvError::Engine(other.to_string()),
    }
}

/// What a write transaction ran into: growing the map may help, or not.
pub(crate) enum WriteError {
    MapFull,
    /// A commit failed: LMDB may refuse everything from now on, so the environment must be opened anew.
    Broken(KvError),
    Other(KvError),
}

impl WriteError {
    pub fn of_commit(error: heed::Error) -> Self {
        match Self::from(error) {
            Self::Other(error) => Self::Broken(error),
            other => other,
        }
    }
}

impl From<heed::Error> for WriteError {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Mdb(MdbError::MapFull) => Self::MapFull,
            heed::Error::Mdb(MdbError::Panic) => Self::Broken(KvError::Corrupt(
                "a write could not be finished; nothing of it was stored".to_owned(),
            )),
            other => Self::Other(from_heed(other)),
        }
    }
}

impl From<KvError> for WriteError {
    fn from(error: KvError) -> Self {
        Self::Other(error)
    }
}
