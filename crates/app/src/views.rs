//! What the registry's use cases take and give: surfaces know these shapes, not the registry.

pub use dagr_policy::{Answer as ExplainAnswer, Explanation, Reason as ExplainReason};
pub use dagr_registry::{
    ApplicationOrder, AttachmentView, AuditView, CommentView, ConnectionCreate, ConnectionPatch,
    ConnectionView, DatasetView, EventView, InstitutionCreate, InstitutionPatch, InstitutionView,
    NotificationView, Page, PermissionCreate, PermissionPatch, PersonCreate, PersonView, PlanEventView,
    RoleCreate, RoleState, RoleView, StopView, SystemCreate, SystemPatch, SystemView, Versioned,
};

pub use crate::{
    disclosure::{FieldMeaning, OwnDisclosure, OwnDisclosureWhole},
    permission::{PermissionRow, PermissionSeen, RevisionSeen, Standing},
    service::Provider,
};
