//! What the registry's use cases take and give: surfaces know these shapes, not the registry.

pub use dagr_policy::{Answer as ExplainAnswer, Explanation, Reason as ExplainReason};
pub use dagr_registry::{
    Act, ApplicationOrder, ArticlePut, ArticleView, AttachmentView, AuditView, CertificateView, Classifier,
    ClassifierKept, ClassifierVersionView, ClassifierView, CommentView, ConnectionCreate, ConnectionKind,
    ConnectionPatch, ConnectionState, ConnectionView, Criticality, DatasetView, EventView, InstitutionCreate,
    InstitutionPatch, InstitutionView, JobState, JobView, Kept, LawFlagView, MailAddress, MailState,
    NoticeView, NotificationView, Page, PermissionCreate, PermissionPatch, PersonCreate, PersonView,
    PlanEventView, ProposalState, ProposalView, Proposed, Put, Registered, Resource, RoleCreate, RoleFilter,
    RoleState, RoleView, Rules, RulesPut, RulesView, Service as RegisteredService, ServiceKind, ServiceState,
    StopView, SystemCreate, SystemFacts, SystemFactsPut, SystemFactsView, SystemPatch, SystemView,
    TemplatePut, TemplateState, TemplateView, VersionKept, Versioned,
};

pub use crate::{
    disclosure::{FieldMeaning, OwnDisclosure, OwnDisclosureWhole},
    permission::{PermissionRow, PermissionSeen, RevisionSeen, Standing},
    service::Provider,
};
