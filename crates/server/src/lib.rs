//! The program `dagr`: the server, the command line, and the client both it and the demo use.

mod bench;
pub mod cli;
mod commands;
pub mod config;
pub mod demo;
pub mod jobs;
pub mod keys;
pub mod mail;
pub mod restore;
pub mod serve;
pub mod tls;

pub use dagr_connector::client;
