//! The consultation: the thread, what happened, and the draft definition beside the published one.

use dagr_model::{
    definition::{Definition, Evolution, evolution},
    ids::{DatasetName, RegistrationNumber},
    plan::Plan,
};
use dagr_registry::{CommentCreate, CommentView, DefinitionVersion, Page, PlanEventView};
use jiff::Timestamp;
use serde::Serialize;

use super::{evidence::without_others, told};
use crate::{App, ctx::Ctx, institution::ListQuery, problem::Problem};

/// What is tried, and what is relied on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanDraft {
    pub dataset: DatasetName,
    /// Of the sandbox.
    pub draft: Option<DraftText>,
    /// Of main.
    pub published: Option<DraftText>,
    /// From the published to the draft; none when either is missing.
    pub evolution: Option<Evolution>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DraftText {
    pub version: u32,
    pub at: Timestamp,
    /// Canonical text.
    pub text: String,
}

impl App {
    /// For whoever sees the plan: consulting on a draft is what it is for.
    pub async fn plan_definition(&self, ctx: &Ctx, number: &str) -> Result<PlanDraft, Problem> {
        let plan = self.plan_seen(ctx, number).await?.value;
        let Some(name) = plan.subject.dataset() else {
            return Err(Problem::new(
                404,
                "not_found",
                "this plan is about a service: it has no definition of a data set",
            ));
        };
        let found = self.registry.dataset_get(name).await?.map(|found| found.value);
        // A set of this name that somebody else registered is none of this plan's.
        let (sandbox, main) = found
            .filter(|view| view.institution == plan.provider)
            .map_or((None, None), |view| (view.sandbox, view.main));
        let evolution = match (&main, &sandbox) {
            (Some(main), Some(sandbox)) => Some(evolution(&parsed(main)?, &parsed(sandbox)?, &[])),
            _ => None,
        };
        Ok(PlanDraft {
            dataset: name.clone(),
            draft: sandbox.map(shown),
            published: main.map(shown),
            evolution,
        })
    }

    /// Every version it had, oldest first.
    pub async fn plan_events(
        &self,
        ctx: &Ctx,
        number: &str,
        page: ListQuery,
    ) -> Result<Page<PlanEventView>, Problem> {
        let plan = self.plan_seen(ctx, number).await?.value;
        let mut events = self
            .registry
            .plan_events(&plan.number, page.after, page.limit)
            .await?;
        for event in &mut events.items {
            let mut kept: Plan = serde_json::from_value(event.plan.take()).map_err(Problem::internal)?;
            without_others(ctx, &mut kept);
            event.plan = serde_json::to_value(kept).map_err(Problem::internal)?;
        }
        Ok(events)
    }

    /// By anybody of either side; the others are told. Also of a closed plan.
    pub async fn plan_comment_create(
        &self,
        ctx: &Ctx,
        number: &str,
        text: &str,
    ) -> Result<CommentView, Problem> {
        let (person, acting) = ctx.acting(&[])?;
        let plan = self.plan_seen(ctx, number).await?.value;
        let create = CommentCreate {
            person: person.id,
            person_name: person.name.clone(),
            institution: acting.institution.clone(),
            text: text.to_owned(),
        };
        let parties = std::iter::once(&plan.provider).chain(&plan.recipients);
        let others: Vec<RegistrationNumber> = parties
            .filter(|party| **party != acting.institution)
            .cloned()
            .collect();
        let notify = told(&plan, "plan_commented", &others);
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .plan_comment_insert(&ctx.actor(), &plan.number, &create, &notify)
            .await?)
    }

    /// Oldest first.
    pub async fn plan_comment_list(
        &self,
        ctx: &Ctx,
        number: &str,
        page: ListQuery,
    ) -> Result<Page<CommentView>, Problem> {
        let plan = self.plan_seen(ctx, number).await?.value;
        Ok(self
            .registry
            .plan_comment_list(&plan.number, page.after, page.limit)
            .await?)
    }
}

fn parsed(kept: &DefinitionVersion) -> Result<Definition, Problem> {
    kept.text
        .parse()
        .map_err(|_| Problem::internal("stored definition"))
}

fn shown(kept: DefinitionVersion) -> DraftText {
    DraftText {
        version: kept.version,
        at: kept.at,
        text: kept.text,
    }
}
