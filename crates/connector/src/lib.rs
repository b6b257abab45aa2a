//! What runs at the provider's and the recipient's side: feeds from a provider's source to a data set, and replicas
//! from a permission to a recipient's own copy. Knows the interface, the definition language and nothing of the server.

pub mod client;
mod collect;
mod compare;
mod deliver;
pub mod error;
pub mod feed;
pub mod init;
mod lock;
mod map;
mod metrics;
mod progress;
mod range;
mod reconcile;
pub mod replica;
pub mod run;
mod sort;
mod source;
mod state;
mod survey;
mod words;
