//! Plans of transition: made by a provider for its recipients, moved by each side, closed when all is done. What
//! the system sees of a step stands beside what people say.

mod consult;
mod due;
mod evidence;
mod step;

use dagr_model::{
    application::Signatory,
    clock::riga_date,
    ids::{DatasetName, PlanNumber, RegistrationNumber},
    plan::{Event, Plan, PlanChange, PlanCreate, PlanStage, Refused, Step},
};
use dagr_registry::{NotificationCreate, Page, PlanEventCreate, PlanFilter, To, Versioned};
use jiff::civil::Date;
use serde::Serialize;

use crate::{
    App,
    ctx::{Caller, Ctx},
    institution::ListQuery,
    problem::Problem,
};

pub use consult::PlanDraft;
pub use step::StepAssign;

/// A plan as its reader sees it today.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanView {
    #[serde(flatten)]
    pub head: PlanHead,
    pub steps: Vec<StepView>,
}

/// A plan without its steps: a line of the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanHead {
    pub number: PlanNumber,
    pub scenario: dagr_model::plan::Scenario,
    pub subject: dagr_model::plan::Subject,
    pub title: String,
    pub description: String,
    pub provider: RegistrationNumber,
    pub provider_name: String,
    pub recipients: Vec<RegistrationNumber>,
    pub period: Option<dagr_model::plan::Period>,
    pub stage: PlanStage,
    /// When the next open step is due.
    pub due: Option<Date>,
    pub late: bool,
    pub steps_total: usize,
    pub steps_open: usize,
    pub steps_late: usize,
    /// Verbs on the plan itself that are open to the reader: `update`, `invite`, `close`.
    pub possible: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    #[serde(flatten)]
    pub step: Step,
    pub institution_name: String,
    /// Its own date, else the end of the period where that binds it.
    pub due_by: Option<Date>,
    pub late: bool,
    /// Moves that are open to the reader: `step_assign`, `step_done`, …
    pub possible: Vec<&'static str>,
}

/// Which plans. Of an institution, those it made and those it is invited to.
#[derive(Debug, Clone, Default)]
pub struct PlanQuery {
    /// Of this institution on either side: for the operator; a person's own is always meant.
    pub institution: Option<String>,
    pub provider: Option<String>,
    pub recipient: Option<String>,
    pub dataset: Option<String>,
    /// `open`, `closed`.
    pub stage: Option<String>,
    /// Only those with a step past its date.
    pub late: bool,
    pub page: ListQuery,
}

impl App {
    /// By a head or data manager: their institution is the provider.
    pub async fn plan_create(&self, ctx: &Ctx, create: PlanCreate) -> Result<Versioned<PlanView>, Problem> {
        let by = ctx.signatory()?;
        let plan = Plan::begin(create, &by).map_err(refused)?;
        self.is_own(&plan)?;
        let event = PlanEventCreate {
            person: by.person,
            institution: by.institution.clone(),
            role: plan
                .role_for(&Event::Close { note: None }, &by)
                .map_err(refused)?,
            event: None,
        };
        let _one = self.changing.lock().await;
        let made = self
            .registry
            .plan_insert(&ctx.actor(), &plan, &event, |plan| {
                told(plan, "plan_invited", &plan.recipients)
            })
            .await?;
        self.plan_viewed(ctx, made).await
    }

    pub async fn plan_get(&self, ctx: &Ctx, number: &str) -> Result<Versioned<PlanView>, Problem> {
        let found = self.plan_seen(ctx, number).await?;
        self.plan_viewed(ctx, found).await
    }

    /// Late ones first, closed ones last.
    pub async fn plan_list(&self, ctx: &Ctx, query: PlanQuery) -> Result<Page<Versioned<PlanHead>>, Problem> {
        let filter = filter(ctx, &query)?;
        let page = self
            .registry
            .plan_list(&filter, query.page.after, query.page.limit)
            .await?;
        let by = ctx.signatory().ok();
        Ok(page.map(|found| Versioned {
            value: self.plan_head(ctx, &found.value, by.as_ref()),
            version: found.version,
        }))
    }

    /// Title, description, period: by the provider.
    pub async fn plan_update(
        &self,
        ctx: &Ctx,
        number: &str,
        change: PlanChange,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_apply(ctx, number, expected, Event::Update { change })
            .await
    }

    /// Each invited institution gets its own steps.
    pub async fn plan_invite(
        &self,
        ctx: &Ctx,
        number: &str,
        institutions: Vec<RegistrationNumber>,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_apply(ctx, number, expected, Event::Invite { institutions })
            .await
    }

    /// When every step is done or not applicable. Final.
    pub async fn plan_close(
        &self,
        ctx: &Ctx,
        number: &str,
        note: Option<String>,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_apply(ctx, number, expected, Event::Close { note })
            .await
    }

    /// One event: judged by the model, kept with what the system has found until now.
    async fn plan_apply(
        &self,
        ctx: &Ctx,
        number: &str,
        expected: Option<i64>,
        event: Event,
    ) -> Result<Versioned<PlanView>, Problem> {
        let by = ctx.signatory()?;
        let _one = self.changing.lock().await;
        let before = self.plan_seen(ctx, number).await?;
        if expected.is_some_and(|version| version != before.version) {
            return Err(dagr_registry::RegistryError::Precondition.into());
        }
        let role = before.value.role_for(&event, &by).map_err(refused)?;
        let mut next = before.value.apply(&event, &by, ctx.now).map_err(refused)?;
        next.observe(&self.plan_evidence(&next).await?);
        let notify = match &event {
            Event::Invite { institutions } => told(&next, "plan_invited", institutions),
            Event::Close { .. } => told(&next, "plan_closed", &next.recipients),
            Event::Update { .. } | Event::Step { .. } => Vec::new(),
        };
        let kept = PlanEventCreate {
            person: by.person,
            institution: by.institution,
            role,
            event: Some(event),
        };
        let moved = self
            .registry
            .plan_move(&ctx.actor(), before.version, &next, &kept, &notify)
            .await?;
        self.plan_viewed(ctx, moved).await
    }

    /// The plan, if the caller may know of it; somebody else's looks like none.
    async fn plan_seen(&self, ctx: &Ctx, number: &str) -> Result<Versioned<Plan>, Problem> {
        if ctx.operator().is_err() {
            ctx.acting(&[])?;
        }
        self.registry
            .plan_get(&PlanNumber::new(number.trim()))
            .await?
            .filter(|found| may_see(ctx, &found.value))
            .ok_or_else(|| Problem::new(404, "not_found", "there is no such plan that you may see"))
    }

    async fn plan_viewed(
        &self,
        ctx: &Ctx,
        mut found: Versioned<Plan>,
    ) -> Result<Versioned<PlanView>, Problem> {
        let evidence = self.plan_evidence(&found.value).await?;
        found.value.observe(&evidence);
        evidence::without_others(ctx, &mut found.value);
        let by = ctx.signatory().ok();
        let (plan, catalog, today) = (&found.value, self.catalog(), riga_date(ctx.now));
        let step = |step: &Step| StepView {
            institution_name: catalog.institution_name(&step.institution).to_owned(),
            due_by: plan.due_of(step),
            late: plan.is_step_late(step, today),
            possible: by
                .as_ref()
                .map_or_else(Vec::new, |by| plan.step_open_to(step, by)),
            step: step.clone(),
        };
        Ok(Versioned {
            value: PlanView {
                head: self.plan_head(ctx, plan, by.as_ref()),
                steps: plan.steps.iter().map(step).collect(),
            },
            version: found.version,
        })
    }

    fn plan_head(&self, ctx: &Ctx, plan: &Plan, by: Option<&Signatory>) -> PlanHead {
        let today = riga_date(ctx.now);
        let late = plan.steps.iter().filter(|step| plan.is_step_late(step, today));
        PlanHead {
            number: plan.number.clone(),
            scenario: plan.scenario,
            subject: plan.subject.clone(),
            title: plan.title.clone(),
            description: plan.description.clone(),
            provider: plan.provider.clone(),
            provider_name: self.catalog().institution_name(&plan.provider).to_owned(),
            recipients: plan.recipients.clone(),
            period: plan.period.clone(),
            stage: plan.stage.clone(),
            due: plan.next_due(),
            late: plan.is_late(today),
            steps_total: plan.steps.len(),
            steps_open: plan.open_steps().len(),
            steps_late: late.count(),
            possible: by.map_or_else(Vec::new, |by| plan.open_to(by)),
        }
    }

    /// A set that is registered already belongs to whoever plans for it.
    fn is_own(&self, plan: &Plan) -> Result<(), Problem> {
        let catalog = self.catalog();
        let known = plan.subject.dataset().and_then(|name| catalog.datasets.get(name));
        if known.is_some_and(|dataset| dataset.provider != plan.provider) {
            return Err(Problem::invalid(vec![dagr_model::fault::Fault::new(
                "subject.dataset",
                "provider",
                "this data set is another institution's: its provider plans its transition",
            )]));
        }
        Ok(())
    }
}

/// The operator sees all; people of the provider and of whoever is invited see theirs.
fn may_see(ctx: &Ctx, plan: &Plan) -> bool {
    match &ctx.caller {
        Caller::Operator => true,
        Caller::Anonymous | Caller::Connection(..) => false,
        Caller::Person(_) => {
            ctx.operator().is_ok()
                || ctx
                    .acting_for()
                    .is_some_and(|acting| plan.is_party(&acting.institution))
        }
    }
}

fn filter(ctx: &Ctx, query: &PlanQuery) -> Result<PlanFilter, Problem> {
    let number = |text: &Option<String>| text.as_ref().map(RegistrationNumber::new);
    let party = if ctx.operator().is_ok() {
        number(&query.institution)
    } else {
        let (_, acting) = ctx.acting(&[])?;
        let own = acting.institution.as_str();
        if query.institution.as_ref().is_some_and(|asked| asked != own) {
            return Err(Problem::role_required(
                "the plans of the institution you act for, and no other's",
            ));
        }
        Some(acting.institution.clone())
    };
    if let Some(stage) = &query.stage
        && !PlanStage::NAMES.contains(&stage.as_str())
    {
        let known = PlanStage::NAMES.join(", ");
        return Err(Problem::query_invalid("stage", format!("one of {known}")));
    }
    Ok(PlanFilter {
        party,
        provider: number(&query.provider),
        recipient: number(&query.recipient),
        dataset: query.dataset.as_ref().map(DatasetName::new),
        stage: query.stage.clone(),
        late_on: query.late.then(|| riga_date(ctx.now)),
    })
}

fn told(plan: &Plan, kind: &str, institutions: &[RegistrationNumber]) -> Vec<NotificationCreate> {
    let one = |institution: &RegistrationNumber| NotificationCreate {
        to: To::Institution(institution.clone()),
        kind: kind.to_owned(),
        object: format!("plans/{}", plan.number),
        once: None,
    };
    institutions.iter().map(one).collect()
}

/// The model's refusal, for the caller.
fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Invalid(faults) => Problem::invalid(faults),
        Refused::Closed | Refused::StepsOpen(_) | Refused::StepSettled { .. } | Refused::StepOpen => {
            Problem::new(409, "state_conflict", refused.to_string())
        }
        Refused::NoStep(_) => Problem::new(404, "not_found", refused.to_string()),
        Refused::Role { .. } => Problem::role_required(refused.to_string()),
    }
}

#[cfg(test)]
mod tests;
