//! One data set in one section: records, changes, lists, indexes, versions, packages — once over `Kv`.

pub mod apply;
pub mod change;
pub mod feed;
pub mod head;
pub mod keys;
pub mod lists;
pub mod position;
pub mod read;
pub mod scrub;
pub mod simulation;
pub mod stored;
#[cfg(test)]
mod tests;

use crate::kv::KvError;

pub(crate) fn corrupt(what: &str) -> KvError {
    KvError::Corrupt(what.to_owned())
}
