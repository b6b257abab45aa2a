use std::{io, sync::Arc};

/// `Busy` and `Full`: come again. `TooLarge` and `Invalid`: the entry or the configuration is wrong.
/// The rest: call the operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    #[error("the journal's queue is full")]
    Busy,
    #[error("no space left for the journal")]
    Full,
    #[error("the journal cannot write: {0}")]
    Failed(Arc<io::Error>),
    #[error("the journal is closed")]
    Closed,
    #[error("the entry is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("{0}")]
    Invalid(&'static str),
    #[error("the journal is damaged: {0}")]
    Corrupt(String),
    #[error("the journal cannot read: {0}")]
    Io(Arc<io::Error>),
}

pub type Result<T, E = JournalError> = std::result::Result<T, E>;

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Io(Arc::new(error))
        }
    }
}

impl JournalError {
    /// The same fault, told to whoever waits for an append.
    pub(super) fn of_write(error: io::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Failed(Arc::new(error))
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
