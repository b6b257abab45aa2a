//! What the registry's use cases take and give: surfaces know these shapes, not the registry.

pub use dagr_registry::{
    ApplicationOrder, AuditView, CertificateView, CommentView, ConnectionCreate, ConnectionKind,
    ConnectionPatch, ConnectionState, ConnectionView, DatasetView, EventView, InstitutionCreate,
    InstitutionPatch, InstitutionView, JobState, JobView, NoticeView, NotificationView, Page,
    PermissionCreate, PermissionPatch, PersonCreate, PersonView, ProposalState, ProposalView, Proposed,
    RoleCreate, RoleFilter, RoleState, RoleView, SystemCreate, SystemPatch, SystemView, Versioned,
};
