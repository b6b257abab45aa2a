//! Permissions: granted, amended, suspended, resumed, revoked; explained; listed for those who hold them.

mod access;
mod narrow;
mod renewal;
mod seen;
mod uses;

use std::sync::Arc;

use dagr_model::{
    clock::riga_date,
    fault::Fault,
    ids::{PermissionNumber, Section},
    permission::{Permission, PermissionState, Scope, Way},
};
use dagr_policy::{Answer, Ask, Explanation, Grant, Reason, Target, access_tree, resolve_fields};
use dagr_registry::{Fields, PermissionCreate, PermissionPatch, Versioned};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{App, admit::limits, catalog::Held, ctx::Ctx, problem::Problem, set::LiveSet, usage::Usage};

pub use access::PermissionQuery;
pub use narrow::{Narrowing, Unused, UnusedQuery};
pub use seen::{PermissionRow, PermissionSeen, RevisionSeen, Standing};
pub use uses::{DayUse, FieldUse, PermissionUse};

/// A transition of a permission's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    Suspend,
    Resume,
    Revoke,
}

/// What `explain` is asked: way, fields and key as the real call would send them.
#[derive(Debug, Clone, Default)]
pub struct ExplainQuery {
    pub way: Option<String>,
    pub fields: Option<Vec<String>>,
    /// Key parts joined with `/`, percent-encoded as in a path.
    pub key: Option<Vec<String>>,
    pub case: Option<String>,
}

impl App {
    pub async fn permission_create(
        &self,
        ctx: &Ctx,
        create: &PermissionCreate,
    ) -> Result<Versioned<Permission>, Problem> {
        ctx.operator_token()?;
        let _one = self.changing.lock().await;
        let set = self.set_of(create.environment, create.dataset.as_str())?;
        let fields = resolve(&set, &create.fields)?;
        let wanted = create.granted(PermissionNumber::new("0"), fields.clone());
        self.fits(&set, wanted).await?;
        let made = self
            .registry
            .permission_insert(&ctx.actor(), create, fields)
            .await?;
        Ok(self.put_permission(made))
    }

    pub async fn permission_update(
        &self,
        ctx: &Ctx,
        number: &str,
        patch: &PermissionPatch,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>, Problem> {
        ctx.operator_token()?;
        let _one = self.changing.lock().await;
        let number = PermissionNumber::new(number);
        let before = self
            .registry
            .permission_get(&number)
            .await?
            .ok_or_else(permission_unknown)?;
        let set = self.set_of(before.value.environment, before.value.dataset.as_str())?;
        let fields = patch
            .fields
            .as_ref()
            .map(|fields| resolve(&set, fields))
            .transpose()?;
        let next = patch.applied(&before.value, fields);
        self.fits(&set, next.clone()).await?;
        self.permission_store_update(ctx, &number, next, expected).await
    }

    pub async fn permission_move(
        &self,
        ctx: &Ctx,
        number: &str,
        transition: Transition,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>, Problem> {
        self.may_move(ctx, number, transition)?;
        if reason.trim().is_empty() {
            return Err(Problem::invalid(vec![Fault::new(
                "reason",
                "required",
                "say why: it is kept",
            )]));
        }
        let _one = self.changing.lock().await;
        let (by, number) = (ctx.actor(), PermissionNumber::new(number));
        let registry = &self.registry;
        let moved = match transition {
            Transition::Suspend => registry.permission_suspend(&by, &number, reason, expected).await,
            Transition::Resume => registry.permission_resume(&by, &number, reason, expected).await,
            Transition::Revoke => registry.permission_revoke(&by, &number, reason, expected).await,
        };
        Ok(self.put_permission(moved.map_err(unknown_permission)?))
    }

    pub(crate) async fn permission_store_insert(&self, ctx: &Ctx, wanted: Permission) -> Result<(), Problem> {
        let create = PermissionCreate {
            dataset: wanted.dataset,
            recipient: wanted.recipient,
            environment: wanted.environment,
            purpose: wanted.purpose,
            legal_basis: wanted.legal_basis,
            fields: Fields::All,
            scope: wanted.scope,
            ways: wanted.ways,
            quota: None,
            quota_unit: None,
            rate_per_second: None,
            misses_per_hour: None,
            valid_from: None,
            valid_to: None,
            case_required: None,
        };
        let made = self
            .registry
            .permission_insert(&ctx.actor(), &create, wanted.fields)
            .await?;
        self.put_permission(made);
        Ok(())
    }

    pub(crate) async fn permission_store_update(
        &self,
        ctx: &Ctx,
        number: &PermissionNumber,
        next: Permission,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>, Problem> {
        let changed = self
            .registry
            .permission_update(&ctx.actor(), number, next, expected)
            .await;
        Ok(self.put_permission(changed.map_err(unknown_permission)?))
    }

    pub(crate) fn set_of(&self, section: Section, dataset: &str) -> Result<Arc<LiveSet>, Problem> {
        self.catalog().live(section, dataset).cloned().ok_or_else(|| {
            let message = format!("no such data set in the {} section", section.as_str());
            Problem::invalid(vec![Fault::new("dataset", "unknown", message)])
        })
    }

    /// Refuses what does not fit the definition; makes the scope list a predicate needs.
    pub(crate) async fn fits(&self, set: &Arc<LiveSet>, permission: Permission) -> Result<(), Problem> {
        let predicate = match &permission.scope {
            Some(Scope::When(text)) => Some(text.clone()),
            _ => None,
        };
        Grant::compile(Arc::new(permission), Arc::clone(&set.schema)).map_err(Problem::invalid)?;
        match predicate {
            Some(text) => self.prepare_scope(set, &text).await,
            None => Ok(()),
        }
    }

    pub(crate) fn put_permission(&self, view: Versioned<Permission>) -> Versioned<Permission> {
        self.swap_catalog(|catalog| {
            let known = catalog
                .permissions
                .get(&view.value.number)
                .map(|held| Arc::clone(&held.usage));
            catalog.put_permission(
                view.value.clone(),
                known.unwrap_or_else(|| Arc::new(Usage::default())),
            );
        });
        view
    }

    /// `GET /current_user_permissions`.
    pub fn current_user_permissions(&self, ctx: &Ctx) -> Result<Value, Problem> {
        let connection = ctx.connection()?;
        let catalog = self.catalog();
        let usable = catalog.held_by(&connection.institution).filter(|held| {
            let permission = &held.permission;
            permission.environment == Section::Main
                && permission.state == PermissionState::Active
                && is_valid(permission, ctx)
        });
        Ok(usable
            .filter_map(|held| held.grant().ok().map(|grant| usable_view(held, grant)))
            .collect())
    }

    /// Would the call be allowed now? Reads no record. For the operator, the holder and the set's provider.
    pub fn permission_explain(&self, ctx: &Ctx, number: &str, query: ExplainQuery) -> Result<Value, Problem> {
        let explanation = self.permission_explanation(ctx, number, query)?;
        serde_json::to_value(explanation).map_err(Problem::internal)
    }

    /// The same, typed.
    pub fn permission_explanation(
        &self,
        ctx: &Ctx,
        number: &str,
        query: ExplainQuery,
    ) -> Result<Explanation, Problem> {
        let catalog = self.catalog();
        let held = catalog
            .permissions
            .get(number)
            .filter(|held| access::may_ask(ctx, held, &catalog))
            .ok_or_else(permission_unknown)?;
        let grant = held
            .grant()
            .map_err(|faults| Problem::internal(format!("permission {number}: {faults:?}")))?;
        let way: Way = query
            .way
            .as_deref()
            .unwrap_or("key")
            .parse()
            .map_err(|message: String| Problem::query_invalid("way", message))?;
        let ask = Ask {
            target: explain_target(grant, &way, query.key.as_deref()),
            way,
            fields: query.fields,
            case: query.case.or_else(|| ctx.case.clone()),
            today: riga_date(ctx.now),
            left: held.usage.left(held.permission.quota),
        };
        Ok(match limits(ctx, held) {
            Ok(()) => within_limits(dagr_policy::explain(grant, &ask)),
            Err(problem) => limited(grant, problem),
        })
    }
}

/// The limits come before everything the policy judges.
fn within_limits(mut explanation: Explanation) -> Explanation {
    let detail = "the calls a second and the misses an hour are within their limits".to_owned();
    explanation.reasons.insert(
        0,
        Reason {
            rule: "limits",
            ok: true,
            code: None,
            detail,
        },
    );
    explanation
}

fn limited(grant: &Grant, problem: Problem) -> Explanation {
    let code = Some(problem.code);
    Explanation {
        permission: grant.permission.number.clone(),
        answer: Answer::Refused,
        code,
        reasons: vec![Reason {
            rule: "limits",
            ok: false,
            code,
            detail: problem.detail,
        }],
        fields: Vec::new(),
    }
}

fn explain_target(grant: &Grant, way: &Way, key: Option<&[String]>) -> Target {
    let schema = &grant.schema;
    let Some(parts) = key else {
        return match way {
            Way::Key | Way::History => Target::Keys(Vec::new()),
            _ => Target::Page(Ok(())),
        };
    };
    let texts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let encoded = schema.key_from_parts(&texts);
    if parts.len() < schema.key.len() && parts.len() >= schema.partition_len {
        return Target::Leading(encoded);
    }
    Target::Keys(vec![encoded])
}

fn is_valid(permission: &Permission, ctx: &Ctx) -> bool {
    let today = riga_date(ctx.now);
    permission.valid_from.is_none_or(|from| from <= today) && permission.valid_to.is_none_or(|to| today <= to)
}

fn usable_view(held: &Held, grant: &Grant) -> Value {
    let permission = &held.permission;
    json!({
        "service_name": permission.dataset,
        "permission_number": permission.number,
        "purpose_of_use": permission.purpose,
        "use_count": held.usage.taken(),
        "use_count_quota": permission.quota,
        "valid_from": permission.valid_from,
        "valid_to": permission.valid_to,
        "access_control_tree": access_tree(grant),
    })
}

fn resolve(set: &LiveSet, fields: &Fields) -> Result<Vec<String>, Problem> {
    match fields {
        Fields::All => Ok(set
            .schema
            .leaf_paths
            .iter()
            .map(|(path, _)| path.clone())
            .collect()),
        Fields::Named(names) => resolve_fields(&set.schema, names).map_err(Problem::invalid),
    }
}

pub(crate) fn permission_unknown() -> Problem {
    Problem::new(
        404,
        "permission_unknown",
        "there is no permission of this number that you may ask about",
    )
}

fn unknown_permission(error: dagr_registry::RegistryError) -> Problem {
    match error {
        dagr_registry::RegistryError::Unknown {
            what: "permission", ..
        } => permission_unknown(),
        other => other.into(),
    }
}
