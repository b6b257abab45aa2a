//! The three ways of transition and the typical steps of each, as data.

use serde::{Deserialize, Serialize};

use super::{MAX_TITLE, step::EvidenceKind};
use crate::{fault::Fault, ids::DatasetName};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// A data set nobody receives yet.
    NewDataset,
    /// An integration there is, which moves to the platform.
    MoveToDagr,
    /// An integration there is, which stays and is reached through the API manager.
    BehindApiManager,
}

/// Whose step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanSide {
    Provider,
    Recipient,
}

/// A typical step. Its words for people are the portal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    PlanIntegration,
    /// Inform and consult future recipients on the data, ways of retrieval and time needed.
    ConsultRecipients,
    SetTransitionPeriod,
    BuildFeed,
    /// Put the interface there is behind the API manager.
    ConnectApiManager,
    /// In VIRSIS.
    Describe,
    GrantPermissions,
    /// After the period; not applicable where it is kept.
    CloseHistoricInterface,
    PlanRetrieval,
    /// Tell the provider what is needed, how, and by when.
    StateNeeds,
    BuildRetrieval,
    ApplyForPermission,
}

/// What a plan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// By the name it has or will have.
    Dataset { dataset: DatasetName },
    /// A service or an integration, by the name its people use.
    Service { service: String },
}

impl Scenario {
    pub const ALL: [Self; 3] = [Self::NewDataset, Self::MoveToDagr, Self::BehindApiManager];

    pub fn steps(self, side: PlanSide) -> &'static [StepKind] {
        use StepKind::{
            ApplyForPermission, BuildFeed, BuildRetrieval, CloseHistoricInterface, ConnectApiManager,
            ConsultRecipients, Describe, GrantPermissions, PlanIntegration, PlanRetrieval,
            SetTransitionPeriod, StateNeeds,
        };
        match (side, self) {
            (PlanSide::Recipient, _) => &[PlanRetrieval, StateNeeds, BuildRetrieval, ApplyForPermission],
            (PlanSide::Provider, Self::NewDataset) => &[
                PlanIntegration,
                ConsultRecipients,
                SetTransitionPeriod,
                BuildFeed,
                Describe,
                GrantPermissions,
            ],
            (PlanSide::Provider, Self::MoveToDagr) => &[
                PlanIntegration,
                ConsultRecipients,
                SetTransitionPeriod,
                BuildFeed,
                Describe,
                GrantPermissions,
                CloseHistoricInterface,
            ],
            (PlanSide::Provider, Self::BehindApiManager) => &[
                PlanIntegration,
                ConsultRecipients,
                SetTransitionPeriod,
                ConnectApiManager,
                Describe,
                GrantPermissions,
                CloseHistoricInterface,
            ],
        }
    }
}

impl StepKind {
    /// Due at the period's end unless it has a date of its own.
    pub fn is_bound_by_period(self) -> bool {
        matches!(self, Self::BuildRetrieval | Self::ApplyForPermission)
    }

    /// What the system can see of it.
    pub fn found_by(self) -> Option<EvidenceKind> {
        match self {
            Self::BuildFeed => Some(EvidenceKind::FirstPackageReceived),
            Self::Describe => Some(EvidenceKind::DefinitionPublished),
            Self::GrantPermissions | Self::ApplyForPermission => Some(EvidenceKind::PermissionGranted),
            Self::BuildRetrieval => Some(EvidenceKind::FirstLookUp),
            _ => None,
        }
    }
}

impl Subject {
    pub fn dataset(&self) -> Option<&DatasetName> {
        match self {
            Self::Dataset { dataset } => Some(dataset),
            Self::Service { .. } => None,
        }
    }

    pub(super) fn faults(&self, scenario: Scenario) -> Vec<Fault> {
        let mut found = Vec::new();
        match self {
            Self::Dataset { dataset } => {
                let text = dataset.as_str();
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if text.is_empty() || text.len() > 100 || !text.chars().all(allowed) {
                    found.push(Fault::new(
                        "subject.dataset",
                        "name",
                        "1 to 100 lower-case letters, digits and _",
                    ));
                }
            }
            Self::Service { service } => {
                super::event::words("subject.service", service, MAX_TITLE, &mut found);
                if scenario == Scenario::NewDataset {
                    found.push(Fault::new(
                        "subject.kind",
                        "scenario",
                        "a new data set is named by `dataset`",
                    ));
                }
            }
        }
        found
    }
}
