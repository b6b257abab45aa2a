//! Rows of a first load that come in the order of their keys, as most tables are stored: they are not sorted. What was
//! written of them is a sorted run for those that come after the first that does not.

use dagr_model::digest::SetDigest;

use super::rows::Staged;
use crate::{
    error::Result,
    sort::Entry,
    state::{BaseRows, BaseWriter},
};

pub struct InOrder {
    base: BaseWriter,
    first_row: u64,
    last: Vec<u8>,
    pub sum: SetDigest,
    pub records: u64,
}

impl InOrder {
    pub fn begin(base: BaseWriter, first_row: u64) -> Self {
        Self {
            base,
            first_row,
            last: Vec::new(),
            sum: SetDigest::default(),
            records: 0,
        }
    }

    /// Takes the row if its key comes after the one before, and its number and its line in the body are the next ones.
    pub fn push(&mut self, row: u64, line: u64, key: &[u8], digest: &[u8; 32]) -> Result<bool> {
        if key <= self.last.as_slice() || row != self.first_row + self.records || line != self.records {
            return Ok(false);
        }
        self.base.push(key, digest)?;
        self.last.clear();
        self.last.extend_from_slice(key);
        self.sum.add(digest);
        self.records += 1;
        Ok(true)
    }

    /// All of the source came so.
    pub fn end(self) -> BaseWriter {
        self.base
    }

    /// What came so is read again, in among the others.
    pub fn into_run(self) -> Result<Run> {
        Ok(Run {
            rows: self.base.read_back()?,
            first_row: self.first_row,
            next: 0,
        })
    }
}

pub struct Run {
    rows: BaseRows,
    first_row: u64,
    next: u64,
}

impl Run {
    pub fn next(&mut self) -> Result<Option<Entry>> {
        let Some((key, digest)) = self.rows.next()? else {
            return Ok(None);
        };
        let staged = Staged {
            row: self.first_row + self.next,
            digest: Some(digest),
            line: Some(self.next),
            expired: false,
        };
        self.next += 1;
        Ok(Some(Entry {
            key,
            value: staged.bytes(),
        }))
    }
}
