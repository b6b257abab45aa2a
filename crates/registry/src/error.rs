//! The one error of this crate.

use dagr_model::fault::Fault;

/// `Exists` … `Invalid`: change the request. `Unavailable`: try again, then call the operator.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegistryError {
    /// The id is taken. `what` names noun and id: `institution 90000000001`.
    #[error("{what} exists already")]
    Exists { what: String },
    /// The thing addressed is not there. Unknown things named *in a body* are faults of `Invalid`.
    #[error("there is no {what} {id}")]
    Unknown { what: &'static str, id: String },
    /// Not possible in the present state.
    #[error("{detail}")]
    State { detail: String },
    /// The row has changed since the caller saw it.
    #[error("changed in the meantime: read it again")]
    Precondition,
    #[error("{} faults in what was sent", .0.len())]
    Invalid(Vec<Fault>),
    /// The database does not answer; the text is for the log.
    #[error("the registry is not available: {0}")]
    Unavailable(String),
}

impl RegistryError {
    pub(crate) fn unknown(what: &'static str, id: impl ToString) -> Self {
        Self::Unknown {
            what,
            id: id.to_string(),
        }
    }

    pub(crate) fn state(detail: impl Into<String>) -> Self {
        Self::State {
            detail: detail.into(),
        }
    }

    pub(crate) fn fault(place: &str, rule: &str, message: &str) -> Self {
        Self::Invalid(vec![Fault::new(place, rule, message)])
    }
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // Refused before it is sent: see `db::Query`.
            sqlx::Error::Encode(_) => Self::fault("", "characters", "no text may hold the character NUL"),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for RegistryError {
    /// Only stored JSON is read here. Category and place, not the text: it may quote a value.
    fn from(error: serde_json::Error) -> Self {
        Self::Unavailable(format!("stored JSON unreadable ({:?})", error.classify()))
    }
}
