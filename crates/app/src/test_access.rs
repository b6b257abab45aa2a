//! Test access by rule: a sandbox filled by the platform, and what a provider decided for it beforehand. What the rule
//! gives stands on the provider's own decision, sealed when the rule was made; a delivery ends it.

use std::sync::Arc;

use bytes::Bytes;
use dagr_model::{
    application::{Application, Asked, Event, Signatory, Verb, Verdict},
    ids::{DatasetName, Section},
    permission::{PermissionState, Way},
};
use dagr_registry::{Actor, EventCreate, Outcome, Rules, RulesDecider, RulesView, Versioned};
use dagr_store::set::head::Head;
use serde_json::json;

use crate::{
    App,
    application::{refused, told},
    ctx::Ctx,
    intake::{PackageAnswer, PackageOptions, generated_only},
    jws::{canonical, sign_detached},
    preview,
    problem::Problem,
    provide::ANSWERING,
    set::{LiveSet, blocking},
};

/// Records the platform generates for one sandbox, at most.
pub const MAX_GENERATED: u64 = 10_000;

impl App {
    /// Puts generated records in the place of whatever the sandbox holds. By the provider's head or data manager.
    pub async fn sandbox_fill(
        self: &Arc<Self>,
        ctx: &Ctx,
        dataset: &str,
        records: u64,
        seed: u64,
    ) -> Result<PackageAnswer, Problem> {
        let set = self.supplied_set(ctx, Section::Sandbox, dataset, true)?;
        if !(1..=MAX_GENERATED).contains(&records) {
            let message = format!("from 1 to {MAX_GENERATED}");
            let fault = dagr_model::fault::Fault::new("records", "range", message);
            return Err(Problem::invalid(vec![fault]));
        }
        let codes = self.catalog().codes(&set.schema, ctx.now);
        let schema = Arc::clone(&set.schema);
        let lines = (0..records).map(move |number| {
            // Seeds far apart: the next seed is no shift of this one.
            let dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number);
            let record = preview::record(&schema, &codes, dice);
            Ok(Bytes::from(format!(
                "{}\n",
                json!({ "op": "upsert", "record": record })
            )))
        });
        let options = PackageOptions {
            content_type: "application/x-ndjson".to_owned(),
            mode: Some("snapshot".to_owned()),
            ..PackageOptions::default()
        };
        let id = format!("generated-{}", self.secrets.random_id());
        // What somebody's records are replaced by is somebody's decision.
        let object = format!("datasets/{}/packages/{id}", set.name);
        let asked = json!({ "section": set.section, "records": records, "seed": seed });
        self.registry
            .audit_enter(&ctx.actor(), "sandbox_fill", object, &asked)
            .await?;
        self.package_receive(ctx, set, &id, (options, true), futures_util::stream::iter(lines))
            .await
    }

    /// Does the sandbox hold records, and none but generated ones, with nothing on its way in?
    pub async fn sandbox_is_generated(&self, dataset: &DatasetName) -> Result<bool, Problem> {
        let Some(set) = self.catalog().live(Section::Sandbox, dataset.as_str()).cloned() else {
            return Ok(false);
        };
        if !set.runtime.packages.is_empty() || !set.is_settled() {
            return Ok(false);
        }
        let engine = Arc::clone(&self.engine);
        blocking(move || {
            let kv = set.open(&*engine)?;
            let snapshot = kv.snapshot()?;
            let head = Head::read(&*snapshot)?;
            Ok(head.records > 0 && generated_only(&*snapshot, &head)?)
        })
        .await
    }

    /// Who decided for the provider, with what they signed; an operator decides for nobody.
    pub(crate) fn rules_decider(&self, ctx: &Ctx, set: &LiveSet, rules: Rules) -> Option<RulesDecider> {
        let (person, acting) = ctx.acting(&[]).ok()?;
        if acting.institution != set.provider {
            return None;
        }
        let role = *ANSWERING.iter().find(|role| acting.roles.contains(role))?;
        let statement = json!({
            "act": "rules",
            "dataset": set.name,
            "rules": rules,
            "person": person.id,
            "institution": acting.institution,
            "role": role,
            "signed_in_by": person.signed_in_by,
            "signed_in_at": person.signed_in_at,
            "at": ctx.now,
        });
        let seal = sign_detached(&self.secrets, &canonical(&statement));
        Some(RulesDecider {
            person: person.id,
            institution: acting.institution.clone(),
            role,
            statement,
            seal,
        })
    }

    /// The rule that gives the sandbox to what was just submitted. The caller lets nothing change meanwhile.
    pub(crate) async fn test_rule(
        &self,
        submitted: &Application,
    ) -> Result<Option<(RulesView, RulesDecider)>, Problem> {
        let Asked::Data(asked) = &submitted.asked else {
            return Ok(None);
        };
        // Earlier versions may have been delivered.
        let looks_back = asked.ways.contains(&Way::History);
        if asked.amends.is_some() || looks_back || !asked.environments.contains(&Section::Sandbox) {
            return Ok(None);
        }
        let rules = self.registry.rules_get(&asked.dataset).await?;
        let Some(decider) = rules.decider.clone().filter(|_| rules.rules.test_access) else {
            return Ok(None);
        };
        // Nobody decides what they asked for, not even beforehand.
        if submitted.role_for(Verb::Decide, &signatory(&decider)).is_err() {
            return Ok(None);
        }
        if !self.sandbox_is_generated(&asked.dataset).await? {
            return Ok(None);
        }
        Ok(Some((rules, decider)))
    }

    /// Gives the sandbox by rule. An application for the sandbox alone is decided by it; one for both sections waits
    /// for the decision about main.
    pub(crate) async fn test_access_give(
        &self,
        ctx: &Ctx,
        submitted: Versioned<Application>,
        (rules, decider): (RulesView, RulesDecider),
    ) -> Result<Versioned<Application>, Problem> {
        let verdict = Event::Decide {
            verdict: Verdict::Approve,
            seal: decider.seal.clone(),
        };
        // Judged as the provider's decision is.
        let decided = submitted
            .value
            .apply(&verdict, &signatory(&decider), ctx.now)
            .map_err(refused)?;
        let by = Actor {
            name: format!("rule:{}/{}", rules.dataset, rules.version),
            ..ctx.actor()
        };
        let mut for_sandbox = decided.clone();
        let mut alone = false;
        if let Asked::Data(asked) = &mut for_sandbox.asked {
            alone = asked.environments == [Section::Sandbox];
            asked.environments = vec![Section::Sandbox];
        }
        for (create, fields) in self.granted(&for_sandbox, None).await? {
            let given = self
                .registry
                .test_access_grant(&by, &decided.number, (&create, fields), rules.version)
                .await?;
            self.put_permission(given);
        }
        if !alone {
            return Ok(submitted);
        }
        let kept = EventCreate {
            person: decider.person,
            institution: decider.institution,
            role: decider.role,
            event: Some(verdict),
            seal: Some((decider.statement, decider.seal)),
        };
        let outcome = Outcome {
            notifications: told(&decided, Some(Verb::Decide), true),
            ..Outcome::default()
        };
        let moved = self
            .registry
            .application_move(&by, submitted.version, &decided, &kept, &outcome)
            .await?;
        Ok(moved.application)
    }

    /// Whether what the rule gave for an application is in force: a decision that gives the same leaves it.
    pub(crate) async fn test_access_stands(&self, application: &Application) -> Result<bool, Problem> {
        let Some(number) = self.registry.test_access_of(&application.number).await? else {
            return Ok(false);
        };
        let catalog = self.catalog();
        let held = catalog.permissions.get(&number);
        Ok(held.is_some_and(|held| held.permission.state == PermissionState::Active))
    }

    /// What the rule gave for an application ends; that of the decision takes its place, or nothing does.
    pub(crate) async fn test_access_revoke(
        &self,
        ctx: &Ctx,
        application: &Application,
        reason: &str,
    ) -> Result<(), Problem> {
        if let Some(number) = self.registry.test_access_of(&application.number).await? {
            let ended = self
                .registry
                .permission_revoke(&ctx.actor(), &number, reason, None)
                .await?;
            self.put_permission(ended);
        }
        Ok(())
    }

    /// Somebody's records come into a sandbox: what its rule gave is suspended before they can be read.
    pub(crate) async fn test_access_end(&self, set: &LiveSet, request_id: &str) -> Result<(), Problem> {
        let _one = self.changing.lock().await;
        let by = Actor {
            name: "delivery".to_owned(),
            request_id: request_id.to_owned(),
            at: self.clock.now(),
        };
        let reason = "records were delivered to the sandbox: it no longer holds only generated ones";
        for ended in self.registry.test_access_end(&by, &set.name, reason).await? {
            self.put_permission(ended);
        }
        Ok(())
    }
}

fn signatory(decider: &RulesDecider) -> Signatory {
    Signatory {
        person: decider.person,
        institution: decider.institution.clone(),
        roles: std::iter::once(decider.role).collect(),
    }
}
