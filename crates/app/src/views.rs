//! What the registry's use cases take and give: surfaces know these shapes, not the registry.

pub use dagr_registry::{
    AuditView, ConnectionCreate, ConnectionPatch, ConnectionView, DatasetView, InstitutionCreate,
    InstitutionPatch, InstitutionView, Page, PermissionCreate, PermissionPatch, SystemCreate, SystemPatch,
    SystemView, Versioned,
};
