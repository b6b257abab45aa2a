//! How a feed or a replica can fail.

use std::{io::ErrorKind, path::Path, time::Duration};

use dagr_model::fault::Fault;
use rusqlite::ErrorCode;

use crate::client::CallError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that describes it is wrong; every fault.
    #[error("{what}")]
    Faults { what: String, faults: Vec<Fault> },
    #[error("{0}")]
    Call(#[from] CallError),
    /// What passes by itself, and is no fault of the source.
    #[error("{0}")]
    Passing(String),
    /// The source cannot be read, or gives what a feed cannot take.
    #[error("source: {0}")]
    Source(String),
    /// The state directory.
    #[error("{0}")]
    State(String),
    /// The disk of the state: what was begun is taken back, and there may be room again.
    #[error("{0}")]
    Full(String),
    /// There is not as much room as the feed would need, however often it tries.
    #[error("{0}")]
    Room(String),
    /// Nothing is wrong, but somebody has to decide.
    #[error("{0}")]
    Decide(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        let text = format!("{}: {error}", path.display());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full(text),
            _ => Self::State(text),
        }
    }

    /// All of it in one line, for the status.
    pub fn at_once(&self) -> String {
        /// Faults told.
        const MOST: usize = 20;
        let Self::Faults { what, faults } = self else {
            return self.to_string();
        };
        let told: Vec<String> = faults
            .iter()
            .take(MOST)
            .map(|fault| format!("{}: {}", fault.place, fault.message))
            .collect();
        format!("{what}: {}", told.join("; "))
    }

    /// A file of a source: it may be there again.
    pub fn away(path: &Path, error: &std::io::Error) -> Self {
        Self::Source(format!("{}: {error}", path.display()))
    }

    /// What went wrong is the source's.
    pub fn of_source(self) -> Self {
        match self {
            Self::State(text) | Self::Full(text) => Self::Source(text),
            other => other,
        }
    }

    /// What went wrong is not the source's: where a replica's copy lies.
    pub fn of_target(self) -> Self {
        match self {
            Self::Source(text) => Self::Passing(text),
            other => other,
        }
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Call(error) => error.retry_after(),
            _ => Duration::ZERO,
        }
    }

    /// Is trying the same again of use?
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Call(error) => match error {
                CallError::Unreachable { .. } | CallError::Silent { .. } | CallError::CutOff(_) => true,
                CallError::Refused(refusal) => {
                    // An open package is one that the network cut off: the server gives it up soon.
                    refusal.status >= 500
                        || matches!(refusal.status, 408 | 429)
                        // A definition was published meanwhile: what came is dropped, and comes again.
                        || matches!(refusal.code.as_str(), "package_open" | "package_outdated")
                }
                CallError::Key(_) | CallError::Unexpected(_) => false,
            },
            Self::Passing(_) | Self::Source(_) | Self::Full(_) => true,
            Self::Faults { .. } | Self::State(_) | Self::Room(_) | Self::Decide(_) => false,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let text = format!("the state: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            _ => Self::State(text),
        }
    }
}
