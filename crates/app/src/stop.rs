//! The emergency stop of a data set: nothing of it is given under any permission until it is ended.

use dagr_model::{ids::DatasetName, role::Role};
use dagr_registry::{Page, StopView, Stopped};

use crate::{
    App,
    ctx::{Caller, Ctx},
    institution::ListQuery,
    problem::Problem,
    usage::Usage,
};

impl App {
    /// Suspends every active permission of both sections: durable and in force when this returns. The provider's head
    /// or data manager, or an operator.
    pub async fn dataset_stop(&self, ctx: &Ctx, dataset: &str, reason: &str) -> Result<StopView, Problem> {
        let dataset = self.may_stop(ctx, dataset, true)?;
        let _one = self.changing.lock().await;
        let stopped = self.registry.dataset_stop(&ctx.actor(), &dataset, reason).await?;
        Ok(self.put_stopped(stopped))
    }

    /// Resumes exactly what the stop suspended. A person operator stops and does not resume: one person alone never
    /// widens.
    pub async fn dataset_resume(&self, ctx: &Ctx, dataset: &str, reason: &str) -> Result<StopView, Problem> {
        let dataset = self.may_stop(ctx, dataset, false)?;
        let _one = self.changing.lock().await;
        let stopped = self
            .registry
            .dataset_resume(&ctx.actor(), &dataset, reason)
            .await?;
        Ok(self.put_stopped(stopped))
    }

    /// Newest first; the first has no end while the set is stopped. For the provider, holders of permissions, operators.
    pub async fn dataset_stop_list(
        &self,
        ctx: &Ctx,
        dataset: &str,
        page: ListQuery,
    ) -> Result<Page<StopView>, Problem> {
        let name = DatasetName::new(dataset);
        if ctx.operator().is_err() {
            let (_, acting) = ctx.acting(&[])?;
            let catalog = self.catalog();
            let own = catalog
                .datasets
                .get(&name)
                .is_some_and(|set| set.provider == acting.institution);
            let holds = catalog
                .held_by(&acting.institution)
                .any(|held| held.permission.dataset == name);
            if !own && !holds {
                return Err(Problem::dataset_unknown());
            }
        } else if !self.catalog().datasets.contains_key(&name) {
            return Err(Problem::dataset_unknown());
        }
        Ok(self
            .registry
            .dataset_stop_list(&name, page.after, page.limit)
            .await?)
    }

    fn may_stop(&self, ctx: &Ctx, dataset: &str, stops: bool) -> Result<DatasetName, Problem> {
        let name = DatasetName::new(dataset);
        if !matches!(ctx.caller, Caller::Person(_)) {
            ctx.operator()?;
        }
        let provider = {
            let catalog = self.catalog();
            let set = catalog.datasets.get(&name);
            set.map(|set| set.provider.clone())
        };
        let provider = provider.ok_or_else(Problem::dataset_unknown)?;
        if matches!(ctx.caller, Caller::Operator) {
            return Ok(name);
        }
        let (_, acting) = ctx.acting(&[])?;
        let answers = acting.institution == provider && acting.holds(&[Role::Head, Role::DataManager]);
        if answers || (stops && acting.roles.contains(&Role::Operator)) {
            return Ok(name);
        }
        Err(Problem::role_required(
            "a head or data manager of the provider does this",
        ))
    }

    /// All at once: no call sees half of a stop.
    fn put_stopped(&self, stopped: Stopped) -> StopView {
        self.swap_catalog(|catalog| {
            for permission in &stopped.permissions {
                let known = catalog
                    .permissions
                    .get(&permission.value.number)
                    .map(|held| std::sync::Arc::clone(&held.usage));
                let usage = known.unwrap_or_else(|| std::sync::Arc::new(Usage::default()));
                catalog.put_permission(permission.value.clone(), usage);
            }
        });
        stopped.stop
    }
}
