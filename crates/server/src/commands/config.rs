//! `dagr config`

use clap::Subcommand;
use serde_json::json;

use super::{Done, Failure, Output, configuration};
use crate::{cli::Global, config::Config};

#[derive(Subcommand)]
pub enum Command {
    /// Is the configuration in order? Every fault at once
    Check,
    /// The configuration in force, defaults included
    Print,
    /// Its JSON schema
    Schema,
}

pub fn run(global: &Global, command: Command) -> Done {
    let out = Output::new(global.json);
    match command {
        Command::Check => {
            configuration(global)?;
            out.line(&json!({ "ok": true }), "the configuration is in order");
        }
        Command::Print => {
            let config = configuration(global)?;
            let text = toml::to_string_pretty(&config).map_err(|error| Failure::here(error.to_string()))?;
            out.line(&json!(config), text.trim_end());
        }
        Command::Schema => print!("{}", Config::schema()),
    }
    Ok(())
}
