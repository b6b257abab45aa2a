//! Templates of applications, and what a provider decides beforehand: anybody reads, the provider writes.

use std::sync::Arc;

use dagr_model::{
    application::{Application, Asked, DataAsked, Stage, resolve_asked},
    clock::riga_date,
    fault::Fault,
    ids::DatasetName,
};
use dagr_registry::{
    Fields, Page, PermissionCreate, RulesPut, RulesView, TemplatePut, TemplateState, TemplateView,
};

use crate::{
    App,
    ctx::Ctx,
    institution::{ListQuery, unknown},
    problem::Problem,
    set::LiveSet,
};

impl App {
    /// In use, and with `retired` all there were.
    pub async fn template_list(
        &self,
        _ctx: &Ctx,
        dataset: &str,
        retired: bool,
        page: ListQuery,
    ) -> Result<Page<TemplateView>, Problem> {
        let set = self.set_known(dataset)?;
        let ListQuery { after, limit } = page;
        Ok(self
            .registry
            .template_list(&set.name, retired, after, limit)
            .await?)
    }

    pub async fn template_get(&self, _ctx: &Ctx, number: i64) -> Result<TemplateView, Problem> {
        let found = self.registry.template_get(number).await?;
        found.ok_or_else(|| unknown("template"))
    }

    /// By the provider's head or data manager, or an operator.
    pub async fn template_create(
        &self,
        ctx: &Ctx,
        dataset: &str,
        put: TemplatePut,
    ) -> Result<TemplateView, Problem> {
        let set = self.set_known(dataset)?;
        ctx.keeps(&set.provider, "data set")?;
        let put = self.fitting(&set, put)?;
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .template_insert(&ctx.actor(), &set.name, &put)
            .await?)
    }

    /// The next version: drafts under the one before are told to choose again.
    pub async fn template_update(
        &self,
        ctx: &Ctx,
        number: i64,
        put: TemplatePut,
        expected: Option<i64>,
    ) -> Result<TemplateView, Problem> {
        let (set, _) = self.template_own(ctx, number).await?;
        let put = self.fitting(&set, put)?;
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .template_update(&ctx.actor(), number, &put, expected)
            .await?)
    }

    pub async fn template_retire(
        &self,
        ctx: &Ctx,
        number: i64,
        reason: &str,
    ) -> Result<TemplateView, Problem> {
        self.template_own(ctx, number).await?;
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .template_retire(&ctx.actor(), number, reason)
            .await?)
    }

    pub async fn rules_get(&self, _ctx: &Ctx, dataset: &str) -> Result<RulesView, Problem> {
        let set = self.set_known(dataset)?;
        Ok(self.registry.rules_get(&set.name).await?)
    }

    pub async fn rules_put(
        &self,
        ctx: &Ctx,
        dataset: &str,
        put: &RulesPut,
        expected: Option<i64>,
    ) -> Result<RulesView, Problem> {
        let set = self.set_known(dataset)?;
        ctx.keeps(&set.provider, "data set")?;
        let decider = self.rules_decider(ctx, &set, put.rules);
        if put.rules.test_access && decider.is_none() {
            return Err(Problem::role_required(
                "test access by rule is the provider's decision: its head or data manager makes it",
            ));
        }
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .rules_put(&ctx.actor(), &set.name, put, decider.as_ref(), expected)
            .await?)
    }

    /// What a page offers.
    pub fn may_make_templates(&self, ctx: &Ctx, dataset: &str) -> bool {
        self.set_known(dataset)
            .is_ok_and(|set| ctx.keeps(&set.provider, "data set").is_ok())
    }

    async fn template_own(&self, ctx: &Ctx, number: i64) -> Result<(Arc<LiveSet>, TemplateView), Problem> {
        let found = self.template_get(ctx, number).await?;
        let set = self.set_known(found.dataset.as_str())?;
        ctx.keeps(&set.provider, "data set")?;
        Ok((set, found))
    }

    fn set_known(&self, dataset: &str) -> Result<Arc<LiveSet>, Problem> {
        self.described(&DatasetName::new(dataset))
            .ok_or_else(Problem::dataset_unknown)
    }

    /// Structured fields become their leaves; what no permission could be made of is refused.
    fn fitting(&self, set: &LiveSet, mut put: TemplatePut) -> Result<TemplatePut, Problem> {
        put.template.fields = resolve_asked(&set.schema, &put.template.fields);
        let mut faults = put.template.faults();
        let template = &put.template;
        let fields: Vec<String> = template.fields.iter().map(|one| one.field.clone()).collect();
        let create = PermissionCreate {
            dataset: set.name.clone(),
            recipient: set.provider.clone(),
            environment: set.section,
            purpose: template.purpose.clone(),
            legal_basis: template.legal_basis.clone(),
            fields: Fields::Named(fields.clone()),
            scope: template.scope.clone(),
            ways: template.ways.clone(),
            quota: template.quota,
            quota_unit: Some(template.quota_unit),
            rate_per_second: None,
            misses_per_hour: None,
            valid_from: None,
            valid_to: None,
            case_required: None,
        };
        for fault in self.unfit(&create, &fields) {
            if !faults.iter().any(|known| known.place == fault.place) {
                faults.push(fault);
            }
        }
        let unsaid = put.reason.trim().is_empty();
        if faults.is_empty() && !unsaid {
            return Ok(put);
        }
        let inside = |fault: Fault| Fault {
            place: format!("template.{}", fault.place),
            ..fault
        };
        let mut faults: Vec<Fault> = faults.into_iter().map(inside).collect();
        if unsaid {
            faults.push(Fault::new("reason", "required", "say why: the trail keeps it"));
        }
        Err(Problem::invalid(faults))
    }

    /// A new draft under a template begins as the template says.
    pub(crate) async fn filled(&self, ctx: &Ctx, asked: Asked) -> Result<Asked, Problem> {
        let Asked::Data(mut data) = asked else {
            return Ok(asked);
        };
        if let Some(chosen) = data.template.filter(|_| data.fields.is_empty()) {
            let found = self
                .registry
                .template_version(chosen.number, chosen.version)
                .await?;
            if let Some(found) = found.filter(|found| found.dataset == data.dataset) {
                found.template.fill(&mut data, riga_date(ctx.now));
            }
        }
        Ok(Asked::Data(data))
    }

    /// What the provider's templates and rules do not allow.
    pub(crate) async fn beyond_template(
        &self,
        ctx: &Ctx,
        application: &Application,
    ) -> Result<Vec<Fault>, Problem> {
        let Asked::Data(asked) = &application.asked else {
            return Ok(Vec::new());
        };
        let one = |rule: &str, message: &str| vec![Fault::new("template", rule, message)];
        let Some(chosen) = asked.template else {
            return Ok(if self.needs_template(asked).await? {
                one(
                    "required",
                    "the provider takes applications under a template only: choose one of the data set's",
                )
            } else {
                Vec::new()
            });
        };
        let found = self
            .registry
            .template_version(chosen.number, chosen.version)
            .await?;
        let Some(found) = found.filter(|found| found.dataset == asked.dataset) else {
            return Ok(one(
                "unknown",
                "the data set has no such template: choose one of the data set's",
            ));
        };
        let newest = self.registry.template_get(chosen.number).await?;
        let stands = newest
            .is_some_and(|newest| newest.state == TemplateState::Active && newest.version == chosen.version);
        // What was submitted under it once, and what amends a permission under it, stays under it.
        if !stands && application.stage == Stage::Draft && asked.amends.is_none() {
            return Ok(one(
                "outdated",
                "the provider has changed or retired the template: choose one of the data set's again",
            ));
        }
        Ok(found.template.excess(asked, riga_date(ctx.now)))
    }

    async fn needs_template(&self, asked: &DataAsked) -> Result<bool, Problem> {
        if asked.amends.is_some() {
            return Ok(false);
        }
        Ok(self.registry.rules_get(&asked.dataset).await?.rules.template_only)
    }
}
