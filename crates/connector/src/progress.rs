//! How far a feed is: of use to whoever watches.

use std::sync::atomic::AtomicU64;

#[derive(Debug, Default)]
pub struct Progress {
    /// Rows of the source read by this process.
    pub rows: AtomicU64,
    /// Bytes of packages sent by this process, as they are on the wire.
    pub sent: AtomicU64,
}
