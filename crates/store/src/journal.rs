//! Append-only log.
