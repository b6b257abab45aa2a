//! Changes as they are committed: which keys they touch, and up to where. The records themselves are read by the feed's
//! own query in one snapshot, so lists, joins and values that a change does not carry are right without any rule.

pub mod binlog;
mod pgoutput;
pub mod postgres;
pub mod sqlite;

use std::collections::BTreeSet;

use crate::{error::Result, feed::Followed};

/// Keys touched in one look; more, and everything is compared instead.
pub const TOUCHED: usize = 200_000;
/// Changes asked for at once; a transaction is never cut.
pub const CHANGES: i32 = 50_000;

/// What one look found.
#[derive(Debug, Default)]
pub struct Touched {
    /// Values of the feed's key columns, in key order.
    pub keys: BTreeSet<Vec<String>>,
    /// Too much, or a whole table emptied: compare everything.
    pub everything: bool,
    /// The log is another than the one that was left, with what came after it: what was found counts, and everything is compared
    /// after it.
    pub moved: bool,
    /// Transactions seen.
    pub transactions: u64,
    pub changes: u64,
    /// The followed tables are others than they were.
    pub altered: bool,
    /// The log cannot be read from where the feed stands.
    pub unreadable: bool,
    /// What is noted with the place: names and values.
    pub notes: Vec<(&'static str, String)>,
    /// Up to where: what comes after has yet to be looked at.
    pub position: Option<String>,
    /// Nothing was committed up to here.
    pub idle: Option<String>,
    /// When the last of them was committed, milliseconds since 1970.
    pub committed_ms: Option<i64>,
}

/// A column of a changed row.
enum Cell {
    Text(String),
    /// Null is no key; what is not told is that of the row's other state.
    Nothing,
    /// There was no such column then, or it cannot be read.
    Unknown,
}

impl Touched {
    /// The key of the record that a row of a followed table belongs to. `cell` gives a column of the row.
    fn row(&mut self, table: &Followed, key_columns: &[String], cell: impl Fn(&str) -> Cell) -> Result<()> {
        let mut key = Vec::with_capacity(key_columns.len());
        for column in key_columns {
            match cell(table.column(column)?) {
                Cell::Text(text) => key.push(text),
                Cell::Nothing => return Ok(()),
                Cell::Unknown => {
                    self.everything = true;
                    return Ok(());
                }
            }
        }
        self.add(key);
        Ok(())
    }

    /// Notes what is not noted yet.
    fn note(&mut self, name: &'static str, noted: &str, now: &str) {
        if noted != now {
            self.notes.push((name, now.to_owned()));
        }
    }

    fn add(&mut self, key: Vec<String>) {
        if self.keys.len() < TOUCHED {
            self.keys.insert(key);
        } else if !self.keys.contains(&key) {
            self.everything = true;
        }
    }
}
