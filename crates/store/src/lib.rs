//! The narrow waist `Kv`, and the layouts of records, changes and the journal, once over it.

pub mod codec;
pub mod contract;
pub mod faulty;
pub mod journal;
mod key_head;
pub mod kv;
pub mod memory;
pub mod set;
pub mod stage;
