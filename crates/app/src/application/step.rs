//! One step of an application: judged by the model, sealed where a person accepts something, kept with all that
//! comes of it.

use dagr_model::{
    application::{Application, Asked, Event, Refused, Remark, Verb},
    clock::riga_date,
    fault::Fault,
    working_days::add_working_days,
};
use dagr_registry::{EventCreate, NotificationCreate, Outcome, To, Versioned};
use serde_json::Value;

use super::{ApplicationView, merge};
use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    seal::{Act, Seal},
};

impl App {
    /// A merge-patch (RFC 7396) of what is asked; while it is a draft, or returned.
    pub async fn application_update(
        &self,
        ctx: &Ctx,
        number: &str,
        patch: &Value,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let before = self.seen(ctx, number).await?;
        let mut asked = serde_json::to_value(&before.value.asked).map_err(Problem::internal)?;
        merge(&mut asked, patch);
        let asked: Asked = serde_json::from_value(asked)
            .map_err(|error| Problem::invalid(vec![Fault::new("body", "shape", without_values(&error))]))?;
        // Merged into this version: another in between is not overwritten.
        let expected = expected.or(Some(before.version));
        self.application_amend(ctx, number, asked, expected).await
    }

    /// All of what is asked, anew.
    pub async fn application_amend(
        &self,
        ctx: &Ctx,
        number: &str,
        asked: Asked,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let event = Event::Amend {
            asked: Box::new(self.resolved(asked)),
        };
        self.step(ctx, number, expected, event).await
    }

    /// Seals what is asked and hands it to whoever decides. Also what was returned.
    pub async fn application_submit(
        &self,
        ctx: &Ctx,
        number: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let event = Event::Submit {
            due: add_working_days(riga_date(ctx.now), self.settings.decision_days),
            seal: String::new(),
        };
        self.step(ctx, number, expected, event).await
    }

    /// The same for one that was returned, and for no other.
    pub async fn application_resubmit(
        &self,
        ctx: &Ctx,
        number: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let before = self.seen(ctx, number).await?;
        let name = before.value.stage.name();
        if name != "returned" {
            return Err(Problem::new(
                409,
                "state_conflict",
                format!("the application is {name}: only a returned one is submitted again"),
            ));
        }
        let expected = expected.or(Some(before.version));
        self.application_submit(ctx, number, expected).await
    }

    pub async fn application_return(
        &self,
        ctx: &Ctx,
        number: &str,
        remarks: Vec<Remark>,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        self.step(ctx, number, expected, Event::Return { remarks }).await
    }

    /// The lawyer has read it and passes it on.
    pub async fn application_review(
        &self,
        ctx: &Ctx,
        number: &str,
        note: Option<String>,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        self.step(ctx, number, expected, Event::Review { note }).await
    }

    pub async fn application_withdraw(
        &self,
        ctx: &Ctx,
        number: &str,
        reason: String,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        self.step(ctx, number, expected, Event::Withdraw { reason }).await
    }

    /// A step that grants nothing; decisions go their own way.
    async fn step(
        &self,
        ctx: &Ctx,
        number: &str,
        expected: Option<i64>,
        event: Event,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let _one = self.changing.lock().await;
        let before = self.expected(ctx, number, expected).await?;
        let attached = self.attached(&before.value).await?;
        let missing = match event.verb() {
            Verb::Submit => self.missing(ctx, &before.value).await?,
            _ => Vec::new(),
        };
        let (next, event) = self.judged(ctx, &before.value, event, (&attached, missing))?;
        let was_submitted = before.value.stage.submission().is_some();
        let verb = event.event.as_ref().map(Event::verb);
        let mut notifications = told(&next, verb, was_submitted);
        if next.provider.is_none() && verb == Some(Verb::Submit) {
            let operators = self.operators().await?;
            notifications.extend(operators.into_iter().map(|to| NotificationCreate {
                to,
                kind: "application_submitted".to_owned(),
                object: format!("applications/{}", next.number),
                once: None,
            }));
        }
        let outcome = Outcome {
            notifications,
            ..Outcome::default()
        };
        let rule = match verb {
            Some(Verb::Submit) => self.test_rule(&next).await?,
            _ => None,
        };
        if matches!(verb, Some(Verb::Submit | Verb::Withdraw)) {
            self.test_access_revoke(ctx, &next, "the application was submitted again or withdrawn")
                .await?;
        }
        let moved = self
            .registry
            .application_move(&ctx.actor(), before.version, &next, &event, &outcome)
            .await?;
        let mut application = moved.application;
        if let Some(rule) = rule {
            match self.test_access_give(ctx, application.clone(), rule).await {
                Ok(given) => application = given,
                // It is submitted, and waits for its decision like any other.
                Err(problem) => tracing::warn!(
                    code = problem.code,
                    detail = problem.detail,
                    "a rule gave no test access"
                ),
            }
        }
        self.viewed(ctx, application).await
    }

    pub(super) async fn expected(
        &self,
        ctx: &Ctx,
        number: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Application>, Problem> {
        let before = self.seen(ctx, number).await?;
        if expected.is_some_and(|version| version != before.version) {
            return Err(dagr_registry::RegistryError::Precondition.into());
        }
        Ok(before)
    }

    /// The application after the event, and the event as it is kept: sealed where somebody accepts something.
    /// `missing`: why what is submitted cannot be.
    pub(super) fn judged(
        &self,
        ctx: &Ctx,
        before: &Application,
        event: Event,
        (attached, missing): (&[String], Vec<Fault>),
    ) -> Result<(Application, EventCreate), Problem> {
        let by = ctx.signatory()?;
        let next = match before.apply(&event, &by, ctx.now) {
            // Gaps, and what the definition would not accept, are told together.
            Err(Refused::Invalid(_)) | Ok(_) if !missing.is_empty() => {
                return Err(Problem::invalid(missing));
            }
            judged => judged.map_err(refused)?,
        };
        let role = before.role_for(event.verb(), &by).map_err(refused)?;
        let (event, seal): (Event, Option<Seal>) = match event {
            Event::Submit { due, .. } => {
                let seal = self.seal(ctx, &next, role, (&Act::Submit, attached))?;
                let jws = seal.1.clone();
                (Event::Submit { due, seal: jws }, Some(seal))
            }
            Event::Decide { verdict, .. } => {
                let seal = self.seal_of_decision(ctx, &next, role, attached)?;
                let jws = seal.1.clone();
                (Event::Decide { verdict, seal: jws }, Some(seal))
            }
            other => (other, None),
        };
        let next = before.apply(&event, &by, ctx.now).map_err(refused)?;
        let kept = EventCreate {
            person: by.person,
            institution: by.institution,
            role,
            event: Some(event),
            seal,
        };
        Ok((next, kept))
    }
}

/// Whom an event concerns besides who did it.
pub(crate) fn told(next: &Application, verb: Option<Verb>, was_submitted: bool) -> Vec<NotificationCreate> {
    let applicant = Some(&next.applicant);
    let (to, kind) = match verb {
        Some(Verb::Submit) => (next.provider.as_ref(), "application_submitted"),
        Some(Verb::Withdraw) if was_submitted => (next.provider.as_ref(), "application_withdrawn"),
        Some(Verb::Return) => (applicant, "application_returned"),
        Some(Verb::Review) => (next.provider.as_ref(), "application_reviewed"),
        Some(Verb::Decide) => (applicant, "application_decided"),
        Some(Verb::Amend | Verb::Withdraw) | None => (None, ""),
    };
    to.map(|institution| NotificationCreate {
        to: To::Institution(institution.clone()),
        kind: kind.to_owned(),
        object: format!("applications/{}", next.number),
        once: None,
    })
    .into_iter()
    .collect()
}

/// The model's refusal, for the caller.
pub fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Invalid(faults) => Problem::invalid(faults),
        Refused::Stage { .. } => Problem::new(409, "state_conflict", refused.to_string()),
        Refused::Role { .. } | Refused::OwnApplication => Problem::role_required(refused.to_string()),
    }
}

/// Serde's words, which name member and type, without any value they quote.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split('"')
        .enumerate()
        .filter_map(|(at, part)| (at % 2 == 0).then_some(part))
        .collect::<Vec<_>>()
        .join("…")
}
