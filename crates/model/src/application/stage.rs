//! Where an application stands. Each stage carries what belongs to it.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::event::{FieldRefused, Remark};
use crate::ids::PersonId;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Stage {
    Draft,
    Submitted {
        submission: Submission,
    },
    Returned {
        submission: Submission,
        by: PersonId,
        at: Timestamp,
        remarks: Vec<Remark>,
    },
    Resubmitted {
        submission: Submission,
    },
    /// The provider's lawyer has passed it on.
    LegalReview {
        submission: Submission,
        by: PersonId,
        at: Timestamp,
        note: Option<String>,
    },
    Decided {
        submission: Submission,
        by: PersonId,
        at: Timestamp,
        /// Detached JWS over what the decider accepted.
        seal: String,
        decision: Decision,
    },
    Withdrawn {
        /// None: it never left the applicant.
        submission: Option<Submission>,
        by: PersonId,
        at: Timestamp,
        reason: String,
    },
}

/// The last time it was handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    pub by: PersonId,
    pub at: Timestamp,
    /// The day the decision is due, in working days from `at`.
    pub due: Date,
    /// Detached JWS over what the submitter accepted.
    pub seal: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Decision {
    Approved {
        fields: Vec<String>,
    },
    Partial {
        fields: Vec<String>,
        refused: Vec<FieldRefused>,
    },
    Refused {
        reason: String,
    },
}

impl Decision {
    pub fn granted(&self) -> &[String] {
        match self {
            Self::Approved { fields } | Self::Partial { fields, .. } => fields,
            Self::Refused { .. } => &[],
        }
    }

    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

impl Stage {
    pub const NAMES: [&'static str; 7] = [
        "draft",
        "submitted",
        "returned",
        "resubmitted",
        "legal_review",
        "decided",
        "withdrawn",
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Resubmitted { .. } => "resubmitted",
            Self::LegalReview { .. } => "legal_review",
            Self::Decided { .. } => "decided",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    pub fn submission(&self) -> Option<&Submission> {
        match self {
            Self::Draft => None,
            Self::Withdrawn { submission, .. } => submission.as_ref(),
            Self::Submitted { submission }
            | Self::Resubmitted { submission }
            | Self::Returned { submission, .. }
            | Self::LegalReview { submission, .. }
            | Self::Decided { submission, .. } => Some(submission),
        }
    }

    /// When somebody has to decide: while it waits for the decision.
    pub fn due(&self) -> Option<Date> {
        match self {
            Self::Submitted { submission }
            | Self::Resubmitted { submission }
            | Self::LegalReview { submission, .. } => Some(submission.due),
            _ => None,
        }
    }
}
