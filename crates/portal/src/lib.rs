//! The pages: rendered on the server, whole without JavaScript, Latvian first.
//!
//! A page is a handler (extract → use case → template), one context struct and one template. Who may see it stands in
//! the handler's first argument; what may be done is the use case's to say.

mod application;
mod assets;
mod catalogue;
mod classifier;
mod connection;
mod cookie;
mod csrf;
mod dataset;
mod failed;
mod form;
mod institution;
mod lang;
mod mail;
mod my_data;
mod my_datasets;
mod notification;
mod operator;
mod page;
mod permission;
mod plan;
mod proposal;
mod provider;
mod registered;
mod routes;
mod secure;
mod settings;
mod sign_in;
mod system;
mod typed;
mod upload;
mod visitor;
mod words;
mod work;

pub use mail::{Mail, mail};
pub use routes::router;
pub use settings::{Cast, CastMember, Settings};
