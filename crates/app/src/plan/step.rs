//! Steps, moved by the institution whose they are.

use dagr_model::{
    fault::Fault,
    ids::PersonId,
    plan::{Event, StepMove},
};
use dagr_registry::{RoleFilter, RoleState, Versioned};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::{PlanView, refused};
use crate::{App, ctx::Ctx, problem::Problem};

/// A merge-patch: what is not named stays, null takes away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepAssign {
    #[serde(default, deserialize_with = "given")]
    pub person: Option<Option<PersonId>>,
    #[serde(default, deserialize_with = "given")]
    pub due: Option<Option<Date>>,
}

/// Present is `Some`, null is `Some(None)`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl App {
    /// Who answers for it, and until when.
    pub async fn plan_step_assign(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        assign: StepAssign,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        let StepAssign { person, due } = assign;
        if let Some(Some(person)) = person {
            self.holds_a_role(ctx, number, step, person).await?;
        }
        let change = StepMove::Assign { person, due };
        self.plan_step(ctx, number, step, change, expected).await
    }

    pub async fn plan_step_done(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        note: Option<String>,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_step(ctx, number, step, StepMove::Done { note }, expected)
            .await
    }

    pub async fn plan_step_not_applicable(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        reason: String,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_step(ctx, number, step, StepMove::NotApplicable { reason }, expected)
            .await
    }

    pub async fn plan_step_reopen(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        reason: String,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_step(ctx, number, step, StepMove::Reopen { reason }, expected)
            .await
    }

    /// Evidence in words.
    pub async fn plan_step_note(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        text: String,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_step(ctx, number, step, StepMove::Note { text }, expected)
            .await
    }

    async fn plan_step(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        change: StepMove,
        expected: Option<i64>,
    ) -> Result<Versioned<PlanView>, Problem> {
        self.plan_apply(ctx, number, expected, Event::Step { step, change })
            .await
    }

    /// Whoever answers for a step is somebody of its institution. Asked only by those who may assign: others learn
    /// nothing of who works where.
    async fn holds_a_role(
        &self,
        ctx: &Ctx,
        number: &str,
        step: u32,
        person: PersonId,
    ) -> Result<(), Problem> {
        let plan = self.plan_seen(ctx, number).await?.value;
        let assign = Event::Step {
            step,
            change: StepMove::Assign {
                person: None,
                due: None,
            },
        };
        plan.role_for(&assign, &ctx.signatory()?).map_err(refused)?;
        let filter = RoleFilter {
            person: Some(person),
            institution: Some(plan.step(step).map_err(refused)?.institution.clone()),
            state: Some(RoleState::Active),
            ..RoleFilter::default()
        };
        if self.registry.role_list(&filter, None, 1).await?.items.is_empty() {
            return Err(Problem::invalid(vec![Fault::new(
                "person",
                "unknown",
                "somebody who holds a role in the step's institution answers for it",
            )]));
        }
        Ok(())
    }
}
