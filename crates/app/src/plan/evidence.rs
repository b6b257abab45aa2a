//! What the system itself sees of a plan's steps: the definition published, the first package received, permissions
//! granted, the first look-up. Found when a plan is read, kept with the next event.

use std::sync::Arc;

use dagr_model::{
    ids::{DatasetName, PermissionNumber, RegistrationNumber, Section},
    plan::{Evidence, EvidenceKind, Plan, PlanSide, PlanStage, Step},
};
use jiff::Timestamp;

use crate::{App, ctx::Ctx, problem::Problem};

impl App {
    /// With the number of the step it belongs to. Nothing for a closed plan, which stays as it was closed.
    pub(super) async fn plan_evidence(&self, plan: &Plan) -> Result<Vec<(u32, Evidence)>, Problem> {
        let Some(name) = plan.subject.dataset() else {
            return Ok(Vec::new());
        };
        // A set of this name that somebody else registered shows nothing of this plan.
        let own = self
            .catalog()
            .datasets
            .get(name)
            .is_some_and(|dataset| dataset.provider == plan.provider);
        if !own || plan.stage != PlanStage::Open {
            return Ok(Vec::new());
        }
        let mut seen = self.seen_of_set(name).await?;
        for grant in self.registry.plan_first_grants(&plan.number, name).await? {
            let text = grant.permission.to_string();
            seen.push((
                Some(grant.recipient),
                Evidence::found(EvidenceKind::PermissionGranted, grant.at, text),
            ));
        }
        for recipient in &plan.recipients {
            if let Some((at, permission)) = self.first_use(recipient, name) {
                let found = Evidence::found(EvidenceKind::FirstLookUp, at, permission.to_string());
                seen.push((Some(recipient.clone()), found));
            }
        }
        Ok(attached(plan, &seen))
    }

    async fn seen_of_set(
        &self,
        name: &DatasetName,
    ) -> Result<Vec<(Option<RegistrationNumber>, Evidence)>, Problem> {
        let mut seen = Vec::new();
        if let Some(at) = self.registry.dataset_first_published(name).await? {
            let found = Evidence::found(EvidenceKind::DefinitionPublished, at, name.to_string());
            seen.push((None, found));
        }
        let live = self.catalog().live(Section::Main, name.as_str()).map(Arc::clone);
        if let Some(set) = live
            && let Some((at, package)) = self.first_package(&set).await?
        {
            seen.push((
                None,
                Evidence::found(EvidenceKind::FirstPackageReceived, at, package),
            ));
        }
        Ok(seen)
    }

    /// The earliest use this node knows of under the recipient's permissions for main: counters keep the last use
    /// only, so that it is the first one when a plan is looked at soon enough.
    fn first_use(
        &self,
        recipient: &RegistrationNumber,
        name: &DatasetName,
    ) -> Option<(Timestamp, PermissionNumber)> {
        let catalog = self.catalog();
        let held = catalog.held_by(recipient);
        held.filter(|held| held.permission.dataset == *name && held.permission.environment == Section::Main)
            .filter_map(|held| {
                let at = Timestamp::from_millisecond(held.usage.last_use_ms()?).ok()?;
                Some((at, held.permission.number.clone()))
            })
            .min()
    }
}

/// What another recipient was given, and when it is used, is between that one and the provider.
pub(super) fn without_others(ctx: &Ctx, plan: &mut Plan) {
    let own = ctx.acting_for().map(|acting| &acting.institution);
    if ctx.operator().is_ok() || own == Some(&plan.provider) {
        return;
    }
    let private = |one: &Evidence| {
        matches!(
            one.kind,
            EvidenceKind::PermissionGranted | EvidenceKind::FirstLookUp
        )
    };
    let others = plan.steps.iter_mut();
    for step in others.filter(|step| own != Some(&step.institution)) {
        step.evidence.retain(|one| !private(one));
    }
}

/// Each finding to the steps that it shows: a recipient's to its own and to the provider's. A kind that stands at a
/// recipient's step already is not found anew under another permission.
fn attached(plan: &Plan, seen: &[(Option<RegistrationNumber>, Evidence)]) -> Vec<(u32, Evidence)> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let of_step = seen.iter().filter(|(recipient, evidence)| {
            step.kind.found_by() == Some(evidence.kind) && concerns(step, recipient.as_ref())
        });
        for (_, evidence) in of_step {
            let once = evidence.kind == EvidenceKind::FirstLookUp;
            let known = step.evidence.iter().any(|one| one.kind == evidence.kind);
            if !(once && known) {
                found.push((step.number, evidence.clone()));
            }
        }
    }
    found
}

fn concerns(step: &Step, recipient: Option<&RegistrationNumber>) -> bool {
    match (step.side, recipient) {
        (PlanSide::Provider, _) => true,
        (PlanSide::Recipient, Some(recipient)) => step.institution == *recipient,
        (PlanSide::Recipient, None) => false,
    }
}
