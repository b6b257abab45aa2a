//! Pure decision: permission × definition × request → the fields given, or a refusal with reasons.
//!
//! Nothing here reads a record, a clock or a disk. `refuse` is the whole decision; `decide` and `explain` tell it
//! with its reasons.

pub mod access_tree;
pub mod ask;
pub mod code;
pub mod decide;
pub mod explain;
pub mod fields;
pub mod grant;
pub mod key_set;
mod scope;

pub use access_tree::access_tree;
pub use ask::{Ask, Target};
pub use code::Code;
pub use decide::{Decision, Reason, Refusal, decide, refuse, refuse_whatever};
pub use explain::{Answer, Explanation, explain};
pub use fields::resolve_fields;
pub use grant::{CompiledScope, Given, Grant};
pub use key_set::KeySet;

#[cfg(test)]
mod tests;
