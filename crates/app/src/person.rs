//! People and their roles. A head gives the roles of the own institution; an operator those of any, but what widens
//! the operator's own reach takes a second operator.

use dagr_model::{
    ids::{PersonId, RegistrationNumber},
    role::Role,
    value::person_code,
};
use dagr_registry::{Page, PersonCreate, PersonView, RoleCreate, RoleFilter, RoleState, RoleView, Versioned};

use crate::{
    App,
    ctx::{Caller, Ctx},
    institution::{ListQuery, own},
    problem::Problem,
};

/// Roles one person may hold at once, over all institutions.
const MAX_ROLES: u32 = 1_000;

impl App {
    pub async fn person_create(
        &self,
        ctx: &Ctx,
        create: &PersonCreate,
    ) -> Result<Versioned<PersonView>, Problem> {
        keeper(ctx)?;
        let _one = self.changing.lock().await;
        Ok(self.registry.person_insert(&ctx.actor(), create).await?)
    }

    /// The operator sees everybody; others those who have a role in their institution, and themselves.
    pub async fn person_get(&self, ctx: &Ctx, id: PersonId) -> Result<Versioned<PersonView>, Problem> {
        if ctx.operator().is_err() && ctx.person()?.id != id {
            let own = self.roles_seen(ctx, Some(id)).await?;
            if own.is_empty() {
                return Err(unknown_person());
            }
        }
        self.registry.person_get(id).await?.ok_or_else(unknown_person)
    }

    pub async fn person_list(
        &self,
        ctx: &Ctx,
        page: ListQuery,
    ) -> Result<Page<Versioned<PersonView>>, Problem> {
        ctx.operator()?;
        Ok(self.registry.person_list(page.after, page.limit).await?)
    }

    /// By their code, which only whoever gives roles may try.
    pub async fn person_find(&self, ctx: &Ctx, code: &str) -> Result<Option<Versioned<PersonView>>, Problem> {
        keeper(ctx)?;
        let Ok(code) = person_code(code) else {
            return Ok(None);
        };
        let code: String = code.iter().map(|digit| char::from(*digit)).collect();
        Ok(self.registry.person_by_code(&code).await?)
    }

    /// Gives a role to whoever has this code; somebody not known yet is registered under this name.
    pub async fn role_give(
        &self,
        ctx: &Ctx,
        person: &PersonCreate,
        create: &RoleCreate,
    ) -> Result<RoleView, Problem> {
        if ctx.operator().is_err() {
            heads(ctx, &create.institution, create.role)?;
        }
        let found = match self.person_find(ctx, &person.code).await? {
            Some(found) => found,
            None => self.person_create(ctx, person).await?,
        };
        self.role_grant(ctx, found.value.id, create).await
    }

    /// Roles of the platform: the operator's to ask by institution and state, others those of their own institution.
    pub async fn role_search(
        &self,
        ctx: &Ctx,
        mut filter: RoleFilter,
        page: ListQuery,
    ) -> Result<Page<RoleView>, Problem> {
        if let Some(own) = own(ctx)? {
            filter.institution = Some(own.clone());
        }
        Ok(self.registry.role_list(&filter, page.after, page.limit).await?)
    }

    /// Roles of one person, or of everybody in the institution acted for; ended ones too.
    pub async fn role_list(
        &self,
        ctx: &Ctx,
        person: Option<PersonId>,
        page: ListQuery,
    ) -> Result<Page<RoleView>, Problem> {
        let mut filter = RoleFilter {
            person,
            ..RoleFilter::default()
        };
        if ctx.operator().is_err() && Some(ctx.person()?.id) != person {
            let (_, acting) = ctx.acting(&[])?;
            filter.institution = Some(acting.institution.clone());
        }
        Ok(self.registry.role_list(&filter, page.after, page.limit).await?)
    }

    /// Active at once, unless a second operator has to confirm it.
    pub async fn role_grant(
        &self,
        ctx: &Ctx,
        person: PersonId,
        create: &RoleCreate,
    ) -> Result<RoleView, Problem> {
        let state = match &ctx.caller {
            Caller::Operator => RoleState::Active,
            Caller::Person(_) if ctx.operator().is_ok() => {
                // A role for oneself is a way around the other eyes, whatever role it is.
                let own = ctx.person()?.id == person;
                if own || create.role.widens_operation() {
                    RoleState::Proposed
                } else {
                    RoleState::Active
                }
            }
            _ => {
                heads(ctx, &create.institution, create.role)?;
                RoleState::Active
            }
        };
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .role_insert(&ctx.actor(), person, create, state)
            .await?)
    }

    /// By an operator who neither proposed the role nor receives it.
    pub async fn role_confirm(&self, ctx: &Ctx, person: PersonId, id: i64) -> Result<RoleView, Problem> {
        ctx.operator()?;
        let role = self.role_of(person, id).await?;
        if matches!(&ctx.caller, Caller::Person(me) if me.id == role.person) {
            return Err(Problem::role_required(
                "nobody confirms a role for themselves: another operator has to",
            ));
        }
        let _one = self.changing.lock().await;
        Ok(self.registry.role_confirm(&ctx.actor(), id).await?)
    }

    /// In force with the person's next call. Narrowing needs no second eyes.
    pub async fn role_end(
        &self,
        ctx: &Ctx,
        person: PersonId,
        id: i64,
        reason: &str,
    ) -> Result<RoleView, Problem> {
        keeper(ctx)?;
        let role = self.role_of(person, id).await?;
        if ctx.operator().is_err() {
            heads(ctx, &role.institution, role.role)?;
        }
        let _one = self.changing.lock().await;
        Ok(self.registry.role_end(&ctx.actor(), id, reason).await?)
    }

    pub(crate) async fn active_roles(&self, person: PersonId) -> Result<Vec<RoleView>, Problem> {
        let filter = RoleFilter {
            person: Some(person),
            state: Some(RoleState::Active),
            ..RoleFilter::default()
        };
        Ok(self.registry.role_list(&filter, None, MAX_ROLES).await?.items)
    }

    async fn roles_seen(&self, ctx: &Ctx, person: Option<PersonId>) -> Result<Vec<RoleView>, Problem> {
        let page = ListQuery {
            after: None,
            limit: 1,
        };
        Ok(self.role_list(ctx, person, page).await?.items)
    }

    async fn role_of(&self, person: PersonId, id: i64) -> Result<RoleView, Problem> {
        self.registry
            .role_get(id)
            .await?
            .filter(|role| role.person == person)
            .ok_or_else(|| Problem::new(404, "not_found", "there is no such role of this person"))
    }
}

/// An operator, or a head of some institution.
fn keeper(ctx: &Ctx) -> Result<(), Problem> {
    match &ctx.caller {
        Caller::Person(_) => ctx.acting(&[Role::Head, Role::Operator]).map(|_| ()),
        _ => ctx.operator(),
    }
}

/// The head of this institution; the operator's role is not the head's to give or to take.
fn heads(ctx: &Ctx, institution: &RegistrationNumber, role: Role) -> Result<(), Problem> {
    let (_, acting) = ctx.acting(&[Role::Head])?;
    if acting.institution != *institution {
        return Err(Problem::role_required(
            "a head gives and ends the roles of the own institution only",
        ));
    }
    if role.widens_operation() {
        return Err(Problem::role_required(
            "the operator's role is given by operators",
        ));
    }
    Ok(())
}

fn unknown_person() -> Problem {
    Problem::new(404, "not_found", "there is no such person")
}
