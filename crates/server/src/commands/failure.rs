//! How a command ends when it does not end well.

use std::path::Path;

use dagr_model::fault::Fault;
use serde_json::json;

use crate::client::CallError;

#[derive(Debug)]
pub enum Failure {
    /// The server refused, or was not reached.
    Call(CallError),
    /// Something here is wrong: a file, a key.
    Here(String),
    /// What was checked here has faults.
    Faults { what: String, faults: Vec<Fault> },
    /// The words do not fit together.
    Usage(String),
}

impl Failure {
    pub fn here(message: String) -> Self {
        Self::Here(message)
    }

    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::Here(format!("{}: {error}", path.display()))
    }

    /// 1 refused or failed, 2 usage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }

    /// Says it: for people on stderr, with `--json` as a problem on stdout.
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", self.problem());
            return;
        }
        match self {
            Self::Call(error) => eprintln!("dagr: {error}"),
            Self::Here(message) | Self::Usage(message) => eprintln!("dagr: {message}"),
            Self::Faults { what, faults } => {
                eprintln!("dagr: {what}");
                for Fault { place, rule, message } in faults {
                    eprintln!("  {place}: {message} ({rule})");
                }
            }
        }
    }

    fn problem(&self) -> serde_json::Value {
        match self {
            Self::Call(CallError::Refused(refusal)) => serde_json::to_value(refusal).unwrap_or_default(),
            Self::Call(error) => json!({ "code": "failed", "detail": error.to_string(), "errors": [] }),
            Self::Here(message) => json!({ "code": "failed", "detail": message, "errors": [] }),
            Self::Usage(message) => json!({ "code": "usage", "detail": message, "errors": [] }),
            Self::Faults { what, faults } => json!({ "code": "invalid", "detail": what, "errors": faults }),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}
