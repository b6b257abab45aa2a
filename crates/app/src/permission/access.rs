//! Who may know of a permission, and who may move one.

use dagr_model::{
    ids::{DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, PermissionState},
    role::Role,
};
use dagr_registry::{Page, PermissionFilter, Versioned};

use super::{Transition, permission_unknown};
use crate::{
    App,
    catalog::{Catalog, Held},
    ctx::{Caller, Ctx},
    institution::ListQuery,
    problem::Problem,
};

/// Which permissions. A person sees those of the institution they act for.
#[derive(Debug, Clone, Default)]
pub struct PermissionQuery {
    pub dataset: Option<String>,
    pub recipient: Option<String>,
    pub provider: Option<String>,
    pub environment: Option<Section>,
    pub state: Option<PermissionState>,
    pub page: ListQuery,
}

impl App {
    /// For the operator, and for people of the recipient or of the set's provider.
    pub async fn permission_get(&self, ctx: &Ctx, number: &str) -> Result<Versioned<Permission>, Problem> {
        if ctx.operator().is_err() {
            ctx.acting(&[])?;
        }
        let number = PermissionNumber::new(number);
        let found = self.registry.permission_get(&number).await?;
        found
            .filter(|found| ctx.operator().is_ok() || self.is_party(ctx, &found.value))
            .ok_or_else(permission_unknown)
    }

    /// In the order they were granted. A person names the side: `recipient` or `provider`, else sees those that the
    /// own institution received.
    pub async fn permission_list(
        &self,
        ctx: &Ctx,
        query: PermissionQuery,
    ) -> Result<Page<Versioned<Permission>>, Problem> {
        let mut filter = PermissionFilter {
            dataset: query.dataset.map(DatasetName::new),
            recipient: query.recipient.map(RegistrationNumber::new),
            provider: query.provider.map(RegistrationNumber::new),
            environment: query.environment,
            state: query.state,
        };
        if ctx.operator().is_err() {
            let (_, acting) = ctx.acting(&[])?;
            let own = &acting.institution;
            let named = filter.recipient.as_ref() == Some(own) || filter.provider.as_ref() == Some(own);
            if !named && (filter.recipient.is_some() || filter.provider.is_some()) {
                return Err(Problem::role_required(
                    "permissions that the institution you act for received or gave, and no others",
                ));
            }
            if !named {
                filter.recipient = Some(own.clone());
            }
        }
        let (after, limit) = (query.page.after, query.page.limit);
        Ok(self.registry.permission_list(&filter, after, limit).await?)
    }

    /// The operator may; a provider's head or data manager stops and resumes what rests on the own set; a
    /// recipient's may give up what it holds. A person operator never widens.
    pub(super) fn may_move(&self, ctx: &Ctx, number: &str, transition: Transition) -> Result<(), Problem> {
        if !matches!(ctx.caller, Caller::Person(_)) {
            return ctx.operator();
        }
        let (_, acting) = ctx.acting(&[])?;
        let catalog = self.catalog();
        let operates = acting.roles.contains(&Role::Operator);
        let held = catalog
            .permissions
            .get(number)
            .filter(|held| operates || self.is_party(ctx, &held.permission))
            .ok_or_else(permission_unknown)?;
        let permission = &held.permission;
        let provider = provider(&catalog, permission) == Some(&acting.institution);
        let answers = acting.holds(&[Role::Head, Role::DataManager]);
        let may = match transition {
            Transition::Suspend => (provider && answers) || operates,
            Transition::Resume => provider && answers,
            Transition::Revoke => answers || operates,
        };
        if may {
            return Ok(());
        }
        Err(Problem::role_required(
            "a head or data manager of the provider does this; a recipient's may revoke what it holds",
        ))
    }

    fn is_party(&self, ctx: &Ctx, permission: &Permission) -> bool {
        ctx.acting_for()
            .is_some_and(|acting| is_party_of(&self.catalog(), permission, &acting.institution))
    }
}

pub(super) fn may_ask(ctx: &Ctx, held: &Held, catalog: &Catalog) -> bool {
    let institution = match &ctx.caller {
        Caller::Operator => return true,
        Caller::Anonymous => return false,
        Caller::Connection(connection, _) => &connection.institution,
        Caller::Person(_) if ctx.operator().is_ok() => return true,
        Caller::Person(_) => match ctx.acting_for() {
            Some(acting) => &acting.institution,
            None => return false,
        },
    };
    is_party_of(catalog, &held.permission, institution)
}

fn is_party_of(catalog: &Catalog, permission: &Permission, institution: &RegistrationNumber) -> bool {
    permission.recipient == *institution || provider(catalog, permission) == Some(institution)
}

fn provider<'a>(catalog: &'a Catalog, permission: &Permission) -> Option<&'a RegistrationNumber> {
    catalog
        .datasets
        .get(&permission.dataset)
        .map(|dataset| &dataset.provider)
}
