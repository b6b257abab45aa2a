//! Changes as they are committed: which keys they touch, and up to where. The records themselves are read by the feed's
//! own query in one snapshot, so lists, joins and values that a change does not carry are right without any rule.

pub mod mariadb;
mod pgoutput;
pub mod postgres;
pub mod sqlite;

use std::collections::BTreeSet;

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
    /// Transactions seen.
    pub transactions: u64,
    pub changes: u64,
    /// Up to where: what comes after has yet to be looked at.
    pub position: Option<String>,
    /// Nothing was committed up to here.
    pub idle: Option<String>,
    /// When the last of them was committed, milliseconds since 1970.
    pub committed_ms: Option<i64>,
}

impl Touched {
    fn add(&mut self, key: Vec<String>) {
        if self.keys.len() < TOUCHED {
            self.keys.insert(key);
        } else if !self.keys.contains(&key) {
            self.everything = true;
        }
    }
}
