//! What went wrong, for the caller: one shape for every use case, mapped to RFC 9457 by `web`.

use dagr_model::fault::Fault;
pub use dagr_policy::Code as ProblemCode;

/// Faults listed in one answer; the total is given besides.
pub const MAX_FAULTS: usize = 1_000;

/// A refusal or a failure. `detail` says what to do and never holds a personal value or a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub status: u16,
    pub code: &'static str,
    pub detail: String,
    pub faults: Vec<Fault>,
    /// All faults, listed or not.
    pub total: usize,
    pub retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            faults: Vec::new(),
            total: 0,
            retry_after_s: None,
        }
    }

    pub fn with_faults(mut self, mut faults: Vec<Fault>) -> Self {
        self.total = faults.len();
        faults.truncate(MAX_FAULTS);
        self.faults = faults;
        self
    }

    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// 422 `invalid`: the body was read and is wrong.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [one] => format!("{}: {}", one.place, one.message),
            many => format!("{} faults; correct each and send again", many.len()),
        };
        Self::new(422, "invalid", detail).with_faults(faults)
    }

    pub fn not_found() -> Self {
        Self::new(
            404,
            "not_found",
            "there is nothing at this path; /api lists every call",
        )
    }

    pub fn dataset_unknown() -> Self {
        Self::new(
            404,
            "dataset_unknown",
            "no such data set; /service_list names the published ones",
        )
    }

    pub fn token_invalid() -> Self {
        Self::new(
            401,
            "token_invalid",
            "send a valid access token in Authorization; POST /token gives one",
        )
    }

    pub fn role_required(detail: impl Into<String>) -> Self {
        Self::new(403, "role_required", detail)
    }

    pub fn query_invalid(place: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(400, "query_invalid", format!("{place}: {message}")).with_faults(vec![Fault::new(
            place,
            "query_invalid",
            message,
        )])
    }

    pub fn key_invalid(fault: Fault) -> Self {
        Self::new(400, "key_invalid", fault.message.clone()).with_faults(vec![fault])
    }

    pub fn disclosure_unavailable() -> Self {
        Self::new(
            503,
            "disclosure_unavailable",
            "the disclosure log cannot be written, so nothing is given; try again, and tell the operator if it lasts",
        )
        .retry_after(5)
    }

    /// The cause is logged here, once; the caller gets the request id only.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "unforeseen fault");
        Self::new(
            500,
            "internal",
            "an unforeseen fault; give the request id to the operator",
        )
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<dagr_store::kv::KvError> for Problem {
    fn from(error: dagr_store::kv::KvError) -> Self {
        match error {
            dagr_store::kv::KvError::Full => {
                tracing::error!("no space left for the store");
                Self::new(
                    503,
                    "storage_full",
                    "no space is left; nothing was changed; try again later",
                )
                .retry_after(60)
            }
            other => Self::internal(other),
        }
    }
}
