//! Reads that are no feed: one record, pages by leading key and by index, versions, named lists.

use std::ops::ControlFlow;

use dagr_model::ids::Sequence;

use super::{
    change::Entry,
    corrupt,
    keys::{self, ListId},
    stored::Stored,
};
use crate::kv::{Direction, KvError, Range, Snapshot, Table};

/// One record by its full key.
pub fn record<'a>(snapshot: &'a dyn Snapshot, key: &[u8]) -> Result<Option<Stored<'a>>, KvError> {
    snapshot.get(Table::Record, key)?.map(Stored::read).transpose()
}

/// Records whose key begins with `prefix`, after `after`, in key order, until `visit` breaks.
pub fn records(
    snapshot: &dyn Snapshot,
    prefix: &[u8],
    after: Option<&[u8]>,
    visit: &mut dyn FnMut(&[u8], Stored<'_>) -> Result<ControlFlow<()>, KvError>,
) -> Result<(), KvError> {
    let from = after.map_or_else(|| prefix.to_vec(), |after| [after, &[0]].concat());
    let to = keys::after_prefix(prefix);
    let range = Range {
        from: Some(&from),
        to: to.as_deref(),
    };
    for pair in snapshot.scan(Table::Record, range, Direction::Forward)? {
        let (key, bytes) = pair?;
        if visit(key, Stored::read(bytes)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Records under an index value, after the key `after`, in key order, until `visit` breaks. The caller re-checks
/// the record: long values are cut.
pub fn indexed(
    snapshot: &dyn Snapshot,
    index: ListId,
    value: &[u8],
    after: Option<&[u8]>,
    visit: &mut dyn FnMut(&[u8], Stored<'_>) -> Result<ControlFlow<()>, KvError>,
) -> Result<(), KvError> {
    let prefix = keys::under_id(index, value);
    let from = after.map_or_else(|| prefix.clone(), |after| [&prefix, after, &[0]].concat());
    let to = keys::after_prefix(&prefix);
    let range = Range {
        from: Some(&from),
        to: to.as_deref(),
    };
    for pair in snapshot.scan(Table::Index, range, Direction::Forward)? {
        let (_, key) = pair?;
        let stored = record(snapshot, key)?.ok_or_else(|| corrupt("index entry without a record"))?;
        if visit(key, stored)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The version of a record that stood at `time_ms`, not older than its present life.
pub fn version<'a>(
    snapshot: &'a dyn Snapshot,
    key: &[u8],
    created: Sequence,
    time_ms: i64,
) -> Result<Option<Stored<'a>>, KvError> {
    let (from, to) = (keys::version(key, created), keys::version(key, u64::MAX));
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    for pair in snapshot.scan(Table::Version, range, Direction::Backward)? {
        let (version, bytes) = pair?;
        if version.len() != key.len() + 8 {
            continue;
        }
        let stored = Stored::read(bytes)?;
        if stored.meta()?.creation.time_ms <= time_ms {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

/// Events of a named list after a sequence, until `visit` breaks.
pub fn events(
    snapshot: &dyn Snapshot,
    list: ListId,
    after: Sequence,
    visit: &mut dyn FnMut(Sequence, Entry<'_>) -> Result<ControlFlow<()>, KvError>,
) -> Result<(), KvError> {
    let (from, to) = (keys::list(list, after + 1), keys::under_id(list + 1, &[]));
    let range = Range {
        from: Some(&from),
        to: Some(&to),
    };
    for pair in snapshot.scan(Table::List, range, Direction::Forward)? {
        let (key, bytes) = pair?;
        let sequence = keys::read_list_sequence(key).ok_or_else(|| corrupt("list key"))?;
        if visit(sequence, Entry::read(bytes)?)?.is_break() {
            break;
        }
    }
    Ok(())
}
