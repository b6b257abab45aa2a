//! Sessions: from a sign-in to a token, from a token to a person, for one institution at a time.

use std::{collections::BTreeMap, sync::Arc};

use dagr_model::{
    ids::{PersonId, RegistrationNumber},
    role::Role,
};
use dagr_registry::{Actor, PersonCreate, RoleView, SessionCreate, SessionView};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    App,
    ctx::{Acting, Ctx, Person},
    problem::Problem,
};

/// Every session's token begins so: what does not is never looked up.
const PREFIX: &str = "dgs_";
/// The prefix and 32 bytes in base64url.
const TOKEN_BYTES: usize = PREFIX.len() + 43;
/// `last_used` is written once in this long: reading a page is no write.
const TOUCH_S: i64 = 60;

/// What a sign-in has proved about somebody.
#[derive(Clone)]
pub struct SignedIn {
    /// With or without hyphen.
    pub code: String,
    pub name: String,
    /// `oidc`, `development`.
    pub by: String,
}

/// A session just opened. The token is shown here and never again.
#[derive(Clone)]
pub struct SessionOpened {
    pub token: String,
    pub person: Arc<Person>,
    /// At the latest.
    pub ends: Timestamp,
}

/// Who somebody is here, and for whom they may act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionShown {
    pub person: PersonId,
    pub name: String,
    /// Null: for oneself.
    pub acting_for: Option<Place>,
    /// In the order of their numbers.
    pub may_act_for: Vec<Place>,
    pub signed_in_by: String,
    pub signed_in_at: Timestamp,
    /// At the latest; unused, it ends sooner.
    pub ends: Timestamp,
}

/// An institution with the roles somebody holds there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    pub institution: RegistrationNumber,
    pub name: String,
    pub roles: Vec<Role>,
}

pub(crate) fn is_session_token(token: &str) -> bool {
    token.len() == TOKEN_BYTES && token.starts_with(PREFIX)
}

impl App {
    /// After a sign-in. Whoever is not known yet becomes a person without roles. Somebody with roles in one
    /// institution acts for it at once.
    pub async fn session_open(&self, ctx: &Ctx, signed_in: &SignedIn) -> Result<SessionOpened, Problem> {
        let person = self.person_of(ctx, signed_in).await?;
        let token = format!(
            "{PREFIX}{}",
            self.secrets.random_token().map_err(Problem::internal)?
        );
        let places = places(self.active_roles(person).await?);
        let create = SessionCreate {
            hash: hash(&token),
            person,
            institution: match places.as_slice() {
                [one] => Some(one.institution.clone()),
                _ => None,
            },
            signed_in_by: signed_in.by.clone(),
        };
        self.registry.session_insert(&create, ctx.now).await?;
        let person = self
            .session_person(&token)
            .await?
            .ok_or_else(|| Problem::internal("a session just opened is not there"))?;
        Ok(SessionOpened {
            token,
            person,
            ends: self.session_ends(ctx.now),
        })
    }

    pub fn session_get(&self, ctx: &Ctx) -> Result<SessionShown, Problem> {
        Ok(self.session_shown(ctx.person()?, |person| person.acting.as_ref()))
    }

    /// Acts for another institution, and how that looks.
    pub async fn session_switch(
        &self,
        ctx: &Ctx,
        institution: Option<&str>,
    ) -> Result<SessionShown, Problem> {
        self.session_act_for(ctx, institution).await?;
        Ok(self.session_shown(ctx.person()?, |person| {
            let mut places = person.may_act_for.iter();
            places.find(|place| Some(place.institution.as_str()) == institution)
        }))
    }

    /// The person of a session that still runs. Roles are read each time: one that ended is gone at once.
    pub async fn session_person(&self, token: &str) -> Result<Option<Arc<Person>>, Problem> {
        if !is_session_token(token) {
            return Ok(None);
        }
        let hash = hash(token);
        let Some(view) = self.registry.session_get(&hash).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        if !self.runs(&view, now) {
            self.registry.session_delete(&hash).await?;
            return Ok(None);
        }
        if now.as_second() - view.last_used.as_second() >= TOUCH_S {
            self.registry.session_touch(&hash, now).await?;
        }
        Ok(Some(Arc::new(person(view, hash))))
    }

    /// Acts for another institution from the next call on; none: for oneself.
    pub async fn session_act_for(&self, ctx: &Ctx, institution: Option<&str>) -> Result<(), Problem> {
        let person = ctx.person()?;
        let number = institution.map(RegistrationNumber::new);
        let may = number.as_ref().is_none_or(|number| {
            person
                .may_act_for
                .iter()
                .any(|place| place.institution == *number)
        });
        if !may {
            return Err(Problem::role_required("you have no role in this institution"));
        }
        Ok(self
            .registry
            .session_act_for(&person.session, number.as_ref())
            .await?)
    }

    /// Signs out: the token is nobody's from now on.
    pub async fn session_close(&self, ctx: &Ctx) -> Result<(), Problem> {
        let person = ctx.person()?;
        Ok(self.registry.session_delete(&person.session).await?)
    }

    /// Removes sessions past their limits; answers how many.
    pub async fn session_purge_run(&self) -> Result<u64, Problem> {
        let now = self.clock.now();
        let before = |seconds: u32| now - SignedDuration::from_secs(i64::from(seconds));
        Ok(self
            .registry
            .session_purge(
                before(self.settings.session_idle_s),
                before(self.settings.session_absolute_s),
            )
            .await?)
    }

    fn session_ends(&self, opened: Timestamp) -> Timestamp {
        opened + SignedDuration::from_secs(i64::from(self.settings.session_absolute_s))
    }

    fn session_shown(
        &self,
        person: &Person,
        acting: impl FnOnce(&Person) -> Option<&Acting>,
    ) -> SessionShown {
        let catalog = self.catalog();
        let place = |acting: &Acting| Place {
            institution: acting.institution.clone(),
            name: catalog.institution_name(&acting.institution).to_owned(),
            roles: acting.roles.iter().copied().collect(),
        };
        SessionShown {
            person: person.id,
            name: person.name.clone(),
            acting_for: acting(person).map(place),
            may_act_for: person.may_act_for.iter().map(place).collect(),
            signed_in_by: person.signed_in_by.clone(),
            signed_in_at: person.signed_in_at,
            ends: self.session_ends(person.signed_in_at),
        }
    }

    fn runs(&self, view: &SessionView, now: Timestamp) -> bool {
        let idle = now.as_second() - view.last_used.as_second();
        let age = now.as_second() - view.created.as_second();
        // The last use may have been written a little before the last call.
        idle < i64::from(self.settings.session_idle_s) && age < i64::from(self.settings.session_absolute_s)
    }

    async fn person_of(&self, ctx: &Ctx, signed_in: &SignedIn) -> Result<PersonId, Problem> {
        let code = dagr_model::value::subject_code(signed_in.code.trim()).into_owned();
        if let Some(known) = self.registry.person_by_code(&code).await? {
            return Ok(known.value.id);
        }
        let by = Actor {
            name: "sign-in".to_owned(),
            ..ctx.actor()
        };
        let create = PersonCreate {
            code,
            name: signed_in.name.clone(),
        };
        Ok(self.registry.person_insert(&by, &create).await?.value.id)
    }
}

fn person(view: SessionView, session: String) -> Person {
    let may_act_for = places(view.roles);
    let acting = view.institution.and_then(|institution| {
        may_act_for
            .iter()
            .find(|place| place.institution == institution)
            .cloned()
    });
    Person {
        id: view.person.id,
        code: view.person.code,
        name: view.person.name,
        acting,
        may_act_for,
        signed_in_by: view.signed_in_by,
        signed_in_at: view.created,
        session,
    }
}

/// Roles by institution, in the order of numbers.
pub(crate) fn places(roles: Vec<RoleView>) -> Vec<Acting> {
    let mut places: BTreeMap<RegistrationNumber, Acting> = BTreeMap::new();
    for held in roles {
        places
            .entry(held.institution.clone())
            .or_insert_with(|| Acting {
                institution: held.institution,
                roles: std::collections::BTreeSet::new(),
            })
            .roles
            .insert(held.role);
    }
    places.into_values().collect()
}

fn hash(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
