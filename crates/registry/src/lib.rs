//! The control plane in SQL: institutions, systems, connections, data sets, permissions, and the trail
//! of who changed what.
//!
//! It stores; it decides no policy and knows no HTTP. Every change of a noun is one transaction that also
//! writes its audit entry. Used assertion ids, jobs and notices are records of operation, not changes
//! somebody makes: they have no audit entry.

mod application;
mod assertion;
mod audit;
mod certificate;
mod check;
mod classifier;
mod connection;
mod copy;
mod dataset;
mod db;
mod error;
mod everything;
mod export;
mod frame;
mod import;
mod institution;
mod job;
mod law;
mod mail;
mod notice;
mod notification;
mod open;
mod page;
mod permission;
mod person;
mod plan;
mod proposal;
mod registered;
mod row;
mod session;
mod setting;
mod system;
mod table;
mod template;
mod test_access;

#[cfg(test)]
mod tests;

pub use application::{
    ApplicationFilter, ApplicationOrder, AttachmentCreate, AttachmentView, CommentCreate, CommentView,
    EventCreate, EventView, Moved, Outcome, Side,
};
pub use audit::{Actor, AuditFilter, AuditView};
pub use certificate::{CertificateCreate, CertificateView};
pub use classifier::{
    Classifier, ClassifierKept, ClassifierVersionPut, ClassifierVersionView, ClassifierView, VersionKept,
    check_version,
};
pub use connection::{
    ConnectionCreate, ConnectionFilter, ConnectionKind, ConnectionPatch, ConnectionState, ConnectionView,
};
pub use dataset::{
    DatasetFilter, DatasetView, DefinitionPut, DefinitionVersion, Epochs, Rules, RulesDecider, RulesPut,
    RulesView, StopView, Stopped,
};
pub use error::RegistryError;
pub use everything::Everything;
pub use export::{FORMAT, VERSION};
pub use frame::FrameView;
pub use import::ImportError;
pub use institution::{InstitutionCreate, InstitutionPatch, InstitutionView};
pub use job::{JobCreate, JobFilter, JobState, JobView};
pub use law::{Act, ArticlePut, ArticleView, Cited, LawFlagFilter, LawFlagView};
pub use mail::{MailAddress, MailDue, MailOutcome, MailState};
pub use notice::{NoticeCreate, NoticeFilter, NoticeView};
pub use notification::{NotificationCreate, NotificationFilter, NotificationView, To};
pub use open::Registry;
pub use page::{MAX_PAGE, Page, Versioned};
pub use permission::{
    Fields, PermissionCreate, PermissionFilter, PermissionPatch, PermissionRevision, PermissionView, UseDay,
    UseField, UsePosition,
};
pub use person::{PersonCreate, PersonView, RoleCreate, RoleFilter, RoleState, RoleView};
pub use plan::{FirstGrant, PlanEventCreate, PlanEventView, PlanFilter};
pub use proposal::{ProposalFilter, ProposalState, ProposalView, Proposed, ProposedCertificate};
pub use registered::{Kept, Put, Registered, Resource, Service, ServiceKind, ServiceState};
pub use session::{SessionCreate, SessionView};
pub use system::{
    Criticality, SystemCreate, SystemFacts, SystemFactsPut, SystemFactsView, SystemFilter, SystemPatch,
    SystemView,
};
pub use template::{TemplatePut, TemplateState, TemplateView};

/// What every call answers.
pub type Result<T> = std::result::Result<T, RegistryError>;
