//! A permission as people read it: with names and meanings, how much of it is used, and what may be done to it.

use std::collections::BTreeMap;

use dagr_model::{
    clock::riga_date,
    ids::{ApplicationNumber, PermissionNumber, PersonId},
    permission::{Permission, PermissionState},
};
use dagr_registry::{Page, PermissionRevision, Versioned};
use jiff::Timestamp;
use serde::Serialize;

use super::{PermissionQuery, Transition};
use crate::{
    App,
    ctx::Ctx,
    disclosure::{FieldMeaning, meaning},
    institution::ListQuery,
    problem::Problem,
    service::Provider,
};

/// What a permission is good for today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Active,
    NotYet,
    Suspended,
    Expired,
    Revoked,
}

impl Standing {
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::NotYet,
        Self::Suspended,
        Self::Expired,
        Self::Revoked,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotYet => "not-yet",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    fn of(permission: &Permission, now: Timestamp) -> Self {
        let today = riga_date(now);
        match permission.state {
            PermissionState::Revoked => Self::Revoked,
            PermissionState::Suspended => Self::Suspended,
            PermissionState::Active if permission.valid_to.is_some_and(|to| to < today) => Self::Expired,
            PermissionState::Active if permission.valid_from.is_some_and(|from| from > today) => Self::NotYet,
            PermissionState::Active => Self::Active,
        }
    }
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermissionRow {
    pub version: i64,
    pub permission: Permission,
    pub standing: Standing,
    /// The data set's description, else its name.
    pub description: String,
    pub recipient: Provider,
    pub provider: Option<Provider>,
    /// Uses so far, and the last since the program started (or of the hour before it did).
    pub used: u64,
    pub last_use: Option<Timestamp>,
}

/// One permission, whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermissionSeen {
    #[serde(flatten)]
    pub row: PermissionRow,
    pub fields: Vec<FieldMeaning>,
    /// What the caller may do to it now.
    pub possible: Vec<Transition>,
    /// What suspended or revoked it; none while it is as granted.
    pub reason: Option<RevisionSeen>,
    /// The application it came from.
    pub application: Option<ApplicationNumber>,
}

/// A value it had: who set it, when and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RevisionSeen {
    pub version: u32,
    pub at: Timestamp,
    /// A person's name; `operator` and the like where it was none.
    pub who: String,
    pub reason: Option<String>,
    pub state: PermissionState,
    /// Members that differ from the version before, by their names; empty for the first.
    pub changed: Vec<&'static str>,
}

impl Transition {
    pub const ALL: [Self; 3] = [Self::Suspend, Self::Resume, Self::Revoke];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke => "revoke",
        }
    }

    fn fits(self, state: PermissionState) -> bool {
        matches!(
            (self, state),
            (Self::Suspend, PermissionState::Active)
                | (Self::Resume, PermissionState::Suspended)
                | (Self::Revoke, PermissionState::Active | PermissionState::Suspended)
        )
    }
}

impl App {
    /// As `permission_list`, with names, standing and use.
    pub async fn permission_rows(
        &self,
        ctx: &Ctx,
        query: PermissionQuery,
    ) -> Result<Page<PermissionRow>, Problem> {
        let page = self.permission_list(ctx, query).await?;
        Ok(page.map(|found| self.permission_row(ctx, found)))
    }

    /// As `permission_get`, with everything a page about it says.
    pub async fn permission_show(&self, ctx: &Ctx, number: &str) -> Result<PermissionSeen, Problem> {
        let found = self.permission_get(ctx, number).await?;
        let number = found.value.number.clone();
        let stands_as_granted = found.value.state == PermissionState::Active;
        let reason = if stands_as_granted {
            None
        } else {
            let newest = self.revisions(&number, None, 2).await?;
            newest
                .items
                .into_iter()
                .find(|revision| revision.reason.is_some())
        };
        let row = self.permission_row(ctx, found);
        Ok(PermissionSeen {
            fields: self.meanings(&row.permission),
            possible: Transition::ALL
                .into_iter()
                .filter(|transition| transition.fits(row.permission.state))
                .filter(|transition| self.may_move(ctx, number.as_str(), *transition).is_ok())
                .collect(),
            application: self.registry.permission_application(&number).await?,
            reason,
            row,
        })
    }

    /// Every value it had, newest first: for whoever may see the permission.
    pub async fn permission_revision_list(
        &self,
        ctx: &Ctx,
        number: &str,
        page: ListQuery,
    ) -> Result<Page<RevisionSeen>, Problem> {
        let found = self.permission_get(ctx, number).await?;
        self.revisions(&found.value.number, page.after, page.limit).await
    }

    async fn revisions(
        &self,
        number: &PermissionNumber,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<RevisionSeen>, Problem> {
        // One more than is shown: the oldest shown is told apart from the one before it.
        let found = self
            .registry
            .permission_revisions(number, after, limit.saturating_add(1))
            .await?;
        let all = found.items;
        let shown = all.len().min(limit as usize);
        let mut names = BTreeMap::new();
        let mut items = Vec::with_capacity(shown);
        for (at, revision) in all.iter().enumerate().take(shown) {
            items.push(RevisionSeen {
                version: revision.version,
                at: revision.at,
                who: self.actor_named(&revision.actor, &mut names).await?,
                reason: revision.reason.clone(),
                state: revision.permission.state,
                changed: all
                    .get(at + 1)
                    .map_or_else(Vec::new, |before| changed(before, revision)),
            });
        }
        let next = (all.len() > shown).then(|| items.last().map(|item| item.version.to_string()));
        Ok(Page {
            items,
            next: next.flatten(),
        })
    }

    /// Whoever acts on a permission does so in office: the parties may know the name.
    async fn actor_named(
        &self,
        actor: &str,
        known: &mut BTreeMap<String, String>,
    ) -> Result<String, Problem> {
        if let Some(name) = known.get(actor) {
            return Ok(name.clone());
        }
        let person = actor.strip_prefix("person:").and_then(|id| id.parse().ok());
        let name = match person {
            Some(id) => self
                .registry
                .person_get(PersonId(id))
                .await?
                .map(|person| person.value.name),
            None => None,
        };
        let name = name.unwrap_or_else(|| actor.to_owned());
        known.insert(actor.to_owned(), name.clone());
        Ok(name)
    }

    fn permission_row(&self, ctx: &Ctx, found: Versioned<Permission>) -> PermissionRow {
        let catalog = self.catalog();
        let Versioned {
            value: permission,
            version,
        } = found;
        let named = |number: &dagr_model::ids::RegistrationNumber| Provider {
            name: catalog.institution_name(number).to_owned(),
            registration_number: number.clone(),
        };
        let usage = catalog
            .permissions
            .get(&permission.number)
            .map(|held| &held.usage);
        let set = catalog.live(permission.environment, permission.dataset.as_str());
        let description = set.map(|set| set.definition().description.clone());
        let provider = catalog.datasets.get(&permission.dataset);
        let last = usage.and_then(|usage| usage.last_use_ms());
        PermissionRow {
            version,
            standing: Standing::of(&permission, ctx.now),
            description: description
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| permission.dataset.to_string()),
            recipient: named(&permission.recipient),
            provider: provider.map(|dataset| named(&dataset.provider)),
            used: usage.map_or(0, |usage| usage.taken()),
            last_use: last.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            permission,
        }
    }

    fn meanings(&self, permission: &Permission) -> Vec<FieldMeaning> {
        let catalog = self.catalog();
        let set = catalog.live(permission.environment, permission.dataset.as_str());
        let meaning = |path: &String| FieldMeaning {
            meaning: set.map_or_else(|| path.clone(), |set| meaning(set.definition(), path)),
            path: path.clone(),
        };
        permission.fields.iter().map(meaning).collect()
    }
}

fn changed(before: &PermissionRevision, after: &PermissionRevision) -> Vec<&'static str> {
    let (before, after) = (&before.permission, &after.permission);
    let members = [
        ("state", before.state == after.state),
        ("purpose", before.purpose == after.purpose),
        ("legal_basis", before.legal_basis == after.legal_basis),
        ("fields", before.fields == after.fields),
        ("scope", before.scope == after.scope),
        ("ways", before.ways == after.ways),
        (
            "quota",
            before.quota == after.quota && before.quota_unit == after.quota_unit,
        ),
        (
            "limits",
            before.rate_per_second == after.rate_per_second
                && before.misses_per_hour == after.misses_per_hour,
        ),
        (
            "validity",
            before.valid_from == after.valid_from && before.valid_to == after.valid_to,
        ),
        ("case_required", before.case_required == after.case_required),
    ];
    let differs = members.into_iter().filter(|(_, same)| !same);
    differs.map(|(name, _)| name).collect()
}
