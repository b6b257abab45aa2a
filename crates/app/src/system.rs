//! What an information system is for, as the law wants it registered: anybody reads, its institution writes.

use dagr_model::ids::SystemCode;
use dagr_registry::{Page, SystemFactsPut, SystemFactsView, SystemView};

use crate::{
    App,
    ctx::Ctx,
    institution::{ListQuery, unknown},
    problem::Problem,
};

/// A system as anybody sees it.
#[derive(Debug, Clone)]
pub struct SystemSeen {
    pub system: SystemView,
    /// None: not described yet.
    pub facts: Option<SystemFactsView>,
    /// Whether who looks may describe it.
    pub may_describe: bool,
}

impl App {
    /// The register of systems is public; their connections are not.
    pub async fn system_seen(&self, ctx: &Ctx, code: &str) -> Result<SystemSeen, Problem> {
        let code = SystemCode::new(code);
        let found = self.registry.system_get(&code).await?;
        let system = found.ok_or_else(|| unknown("system"))?.value;
        Ok(SystemSeen {
            facts: self.registry.system_facts_get(&code).await?,
            may_describe: ctx.keeps(&system.institution, "system").is_ok(),
            system,
        })
    }

    pub async fn system_facts_get(&self, ctx: &Ctx, code: &str) -> Result<SystemFactsView, Problem> {
        let seen = self.system_seen(ctx, code).await?;
        seen.facts.ok_or_else(|| {
            let why = "the system is not described yet: its institution's head or data manager does that";
            Problem::new(404, "not_found", why)
        })
    }

    /// Every version, newest first.
    pub async fn system_facts_versions(
        &self,
        ctx: &Ctx,
        code: &str,
        page: ListQuery,
    ) -> Result<Page<SystemFactsView>, Problem> {
        let system = self.system_seen(ctx, code).await?.system;
        let ListQuery { after, limit } = page;
        Ok(self
            .registry
            .system_facts_versions(&system.code, after, limit)
            .await?)
    }

    /// A new version. `expected`: the one the caller saw, 0 before the first.
    pub async fn system_facts_put(
        &self,
        ctx: &Ctx,
        code: &str,
        put: &SystemFactsPut,
        expected: Option<i64>,
    ) -> Result<SystemFactsView, Problem> {
        let system = self.system_seen(ctx, code).await?.system;
        ctx.keeps(&system.institution, "system")?;
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .system_facts_put(&ctx.actor(), &system.code, put, expected)
            .await?)
    }
}
