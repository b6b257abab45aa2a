//! Who changed what, when, from what to what.

use dagr_registry::{AuditFilter, AuditView, Page};
use jiff::Timestamp;

use crate::{App, ctx::Ctx, problem::Problem};

#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub object: Option<String>,
    /// `permissions`: whatever lies below it.
    pub noun: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub after: Option<String>,
    pub limit: u32,
}

impl App {
    /// Newest first.
    pub async fn audit_list(&self, ctx: &Ctx, query: AuditQuery) -> Result<Page<AuditView>, Problem> {
        ctx.operator()?;
        let AuditQuery {
            actor,
            action,
            object,
            noun,
            from,
            to,
            after,
            limit,
        } = query;
        let filter = AuditFilter {
            actor,
            action,
            object,
            noun,
            from,
            to,
        };
        Ok(self.registry.audit_list(&filter, after, limit).await?)
    }
}
