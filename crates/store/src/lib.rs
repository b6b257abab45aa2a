//! The narrow waist `Kv`, and the layouts of records, changes and the journal, once over it.

pub mod contract;
pub mod journal;
pub mod kv;
pub mod memory;
