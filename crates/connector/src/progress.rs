//! How far a feed or a replica is: of use to whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Progress {
    /// Rows of the source read by this process; of a replica changes taken in.
    pub rows: AtomicU64,
    /// Bytes of packages sent by this process, as they are on the wire.
    pub sent: AtomicU64,
    /// Rows that a reading may come to, by the one before; 0 = nobody knows.
    pub expected: AtomicU64,
}

impl Progress {
    /// All of a source is read that had so many records before.
    pub fn begin(&self, expected: u64) {
        self.rows.store(0, Ordering::Relaxed);
        self.expected.store(expected, Ordering::Relaxed);
    }
}
