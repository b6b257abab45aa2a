//! The decision: checked against the definitions, sealed, and in one transaction with the permissions it makes.

use std::{collections::HashSet, sync::Arc};

use dagr_model::{
    application::{Application, Asked, DataAsked, Decision, Event, InstitutionRole, Stage, Verb, Verdict},
    fault::Fault,
    ids::{PermissionNumber, Section},
    permission::{Permission, Way},
    role::Role,
};
use dagr_policy::Grant;
use dagr_registry::{Fields, Outcome, PermissionCreate, Versioned};

use super::{ApplicationView, step::told};
use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    seal::{Act, Seal},
};

impl App {
    /// Approves wholly, in part, or refuses. What is granted serves when this returns.
    pub async fn application_decide(
        &self,
        ctx: &Ctx,
        number: &str,
        verdict: Verdict,
        expected: Option<i64>,
    ) -> Result<Versioned<ApplicationView>, Problem> {
        let _one = self.changing.lock().await;
        let before = self.expected(ctx, number, expected).await?;
        let event = Event::Decide {
            verdict,
            seal: String::new(),
        };
        let attached = self.attached(&before.value).await?;
        let (next, event) = self.judged(ctx, &before.value, event, (&attached, Vec::new()))?;
        let amended = self.amendment(&next).await?;
        let permissions = if amended.is_some() {
            Vec::new()
        } else {
            // What the rule gave stays, if it is what was decided; else it ends first.
            let same = matches!(
                &next.stage,
                Stage::Decided {
                    decision: Decision::Approved { .. },
                    ..
                }
            );
            let stands = same && self.test_access_stands(&next).await?;
            let permissions = self.granted(&next, stands.then_some(Section::Sandbox)).await?;
            // The decision can be made: only now.
            if !stands {
                self.test_access_revoke(ctx, &next, "the application was decided")
                    .await?;
            }
            permissions
        };
        let outcome = Outcome {
            permissions,
            amended,
            role: role_granted(&next),
            notifications: told(&next, Some(Verb::Decide), true),
        };
        let moved = self
            .registry
            .application_move(&ctx.actor(), before.version, &next, &event, &outcome)
            .await?;
        for permission in moved.permissions {
            self.put_permission(permission);
        }
        self.viewed(ctx, moved.application).await
    }

    pub(super) fn seal_of_decision(
        &self,
        ctx: &Ctx,
        next: &Application,
        role: Role,
        attached: &[String],
    ) -> Result<Seal, Problem> {
        let Stage::Decided { decision, .. } = &next.stage else {
            return Err(Problem::internal("a decision that decides nothing"));
        };
        let ways = next.ways_with(decision.granted());
        let act = Act::Decide {
            decision,
            ways: &ways,
        };
        self.seal(ctx, next, role, (&act, attached))
    }

    /// What still stands in the way of submitting: gaps, what no definition would accept, what the provider's template
    /// does not hold.
    pub(super) async fn missing(&self, ctx: &Ctx, application: &Application) -> Result<Vec<Fault>, Problem> {
        let mut faults = self.unready(application);
        faults.extend(self.beyond_template(ctx, application).await?);
        let mut seen = HashSet::new();
        faults.retain(|fault| seen.insert((fault.place.clone(), fault.rule.clone())));
        Ok(faults)
    }

    /// Gaps, and what no definition would accept.
    fn unready(&self, application: &Application) -> Vec<Fault> {
        let mut faults = application.asked.completeness();
        let Asked::Data(asked) = &application.asked else {
            return faults;
        };
        faults.extend(self.unamendable(asked, &application.applicant));
        let fields: Vec<String> = application.asked.fields().map(str::to_owned).collect();
        let told: HashSet<String> = faults.iter().map(|fault| fault.place.clone()).collect();
        for section in &asked.environments {
            let create = create(application, asked, *section, &fields, asked.ways.clone());
            // A gap is told once, in the application's own words.
            faults.extend(
                self.unfit(&create, &fields)
                    .into_iter()
                    .filter(|fault| !told.contains(&fault.place)),
            );
        }
        faults
    }

    /// What the permission would be refused for.
    pub(crate) fn unfit(&self, create: &PermissionCreate, fields: &[String]) -> Vec<Fault> {
        let catalog = self.catalog();
        let Some(set) = catalog.live(create.environment, create.dataset.as_str()) else {
            let message = format!(
                "the data set is not in the {} section",
                create.environment.as_str()
            );
            return vec![Fault::new("environments", "unknown", message)];
        };
        let wanted = create.granted(PermissionNumber::new("0"), fields.to_vec());
        Grant::compile(Arc::new(wanted), Arc::clone(&set.schema)).map_or_else(|faults| faults, |_| Vec::new())
    }

    /// One permission for each environment, checked, with the scope lists it needs.
    /// `given`: a section that needs none any more.
    pub(crate) async fn granted(
        &self,
        next: &Application,
        given: Option<Section>,
    ) -> Result<Vec<(PermissionCreate, Vec<String>)>, Problem> {
        let fields = next.granted().to_vec();
        let Asked::Data(asked) = &next.asked else {
            return Ok(Vec::new());
        };
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let ways = left_ways(next, &fields)?;
        let mut out = Vec::with_capacity(asked.environments.len());
        for section in asked
            .environments
            .iter()
            .filter(|section| given != Some(**section))
        {
            let create = create(next, asked, *section, &fields, ways.clone());
            let wanted: Permission = create.granted(PermissionNumber::new("0"), fields.clone());
            let set = self.set_of(*section, create.dataset.as_str())?;
            self.fits(&set, wanted).await?;
            out.push((create, fields.clone()));
        }
        Ok(out)
    }
}

/// The ways that go with what is granted; a decision that leaves none would grant nothing.
pub(super) fn left_ways(next: &Application, fields: &[String]) -> Result<Vec<Way>, Problem> {
    let ways = next.ways_with(fields);
    if !ways.is_empty() {
        return Ok(ways);
    }
    Err(Problem::invalid(vec![Fault::new(
        "refused",
        "no_way",
        "every way asked searches by a refused field, so nothing could be read: return the application, \
         or refuse it as a whole",
    )]))
}

fn role_granted(next: &Application) -> Option<InstitutionRole> {
    match (&next.asked, &next.stage) {
        (Asked::Role(asked), Stage::Decided { decision, .. }) if !decision.is_refusal() => Some(asked.role),
        _ => None,
    }
}

pub(super) fn create(
    application: &Application,
    asked: &DataAsked,
    environment: Section,
    fields: &[String],
    ways: Vec<Way>,
) -> PermissionCreate {
    PermissionCreate {
        dataset: asked.dataset.clone(),
        recipient: application.applicant.clone(),
        environment,
        purpose: asked.purpose.clone(),
        legal_basis: asked.legal_basis.clone(),
        fields: Fields::Named(fields.to_vec()),
        scope: asked.scope.clone(),
        ways,
        quota: asked.quota,
        quota_unit: Some(asked.quota_unit),
        rate_per_second: asked.rate_per_second,
        misses_per_hour: asked.misses_per_hour,
        valid_from: asked.valid_from,
        valid_to: asked.valid_to,
        case_required: Some(asked.case_required),
    }
}
