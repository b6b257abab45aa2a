//! The named maxima of a package's rows.

/// What one row may be at most. A row beyond a limit is a fault of that row; the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one NDJSON line, JSON array item or CSV row, as UTF-8 and without its line feed.
    pub max_row_bytes: usize,
    /// Objects and arrays inside each other in one row.
    pub max_depth: usize,
    /// Columns of a CSV header; more make the package unreadable.
    pub max_columns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_row_bytes: 8 << 20,
            max_depth: 64,
            max_columns: 10_000,
        }
    }
}
