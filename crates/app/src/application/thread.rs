//! What was said about an application, and what happened to it.

use dagr_model::application::Application;
use dagr_registry::{CommentCreate, CommentView, EventView, NotificationCreate, Page, To};

use crate::{App, ctx::Ctx, institution::ListQuery, problem::Problem};

impl App {
    /// Every version it had, oldest first, with seals.
    pub async fn application_events(
        &self,
        ctx: &Ctx,
        number: &str,
        page: ListQuery,
    ) -> Result<Page<EventView>, Problem> {
        let found = self.seen(ctx, number).await?;
        let number = &found.value.number;
        let mut events = self
            .registry
            .application_events(number, page.after, page.limit)
            .await?;
        if !is_applicant(ctx, &found.value) {
            without_drafts(&mut events.items);
        }
        Ok(events)
    }

    pub async fn comment_create(&self, ctx: &Ctx, number: &str, text: &str) -> Result<CommentView, Problem> {
        let (person, acting) = ctx.acting(&[])?;
        let found = self.seen(ctx, number).await?;
        let application = found.value;
        let create = CommentCreate {
            person: person.id,
            person_name: person.name.clone(),
            institution: acting.institution.clone(),
            text: text.to_owned(),
        };
        if application.stage.submission().is_none() {
            return Err(Problem::new(
                409,
                "state_conflict",
                "a draft has no thread yet: what is said here is read by the provider once it is submitted",
            ));
        }
        let parties = [Some(&application.applicant), application.provider.as_ref()];
        let notify: Vec<NotificationCreate> = parties
            .into_iter()
            .flatten()
            .filter(|party| **party != acting.institution)
            .map(|party| NotificationCreate {
                to: To::Institution(party.clone()),
                kind: "application_commented".to_owned(),
                object: format!("applications/{}", application.number),
                once: None,
            })
            .collect();
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .comment_insert(&ctx.actor(), &application.number, &create, &notify)
            .await?)
    }

    /// Oldest first.
    pub async fn comment_list(
        &self,
        ctx: &Ctx,
        number: &str,
        page: ListQuery,
    ) -> Result<Page<CommentView>, Problem> {
        let found = self.seen(ctx, number).await?;
        Ok(self
            .registry
            .comment_list(&found.value.number, page.after, page.limit)
            .await?)
    }
}

fn is_applicant(ctx: &Ctx, application: &Application) -> bool {
    ctx.acting_for()
        .is_some_and(|acting| acting.institution == application.applicant)
}

/// Drafts are the applicant's alone: others see from the first submission on what was submitted.
fn without_drafts(events: &mut Vec<EventView>) {
    events.retain(|event| !matches!(event.kind.as_str(), "create" | "amend"));
}
