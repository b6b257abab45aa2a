//! The first checks of every data call, in the order of the interface: token, kind, data set, limits, permission.

use std::sync::Arc;

use dagr_model::{clock::riga_date, ids::Section, permission::Way};
use dagr_policy::{Ask, Grant, Refusal, Target};

use crate::{
    App,
    catalog::{Catalog, Held},
    ctx::{Caller, Ctx},
    problem::Problem,
    set::LiveSet,
};

/// A call that may go on to be decided.
pub struct Admission {
    pub set: Arc<LiveSet>,
    pub held: Arc<Held>,
    pub grant: Arc<Grant>,
    /// An open set: nobody asks, nothing is entered.
    pub open: bool,
    /// Name of the connection, for the entry.
    pub connection: String,
}

impl App {
    pub fn admit(&self, ctx: &Ctx, section: Section, dataset: &str) -> Result<Admission, Problem> {
        self.admit_counting(ctx, section, dataset, true)
    }

    /// A call that waited and is decided again is not a new call to the rate limit.
    pub(crate) fn admit_counting(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        new_call: bool,
    ) -> Result<Admission, Problem> {
        let catalog = self.catalog();
        let set = catalog.live(section, dataset);
        if let Some(set) = set
            && set.gives_without_permission()
            && let Some(held) = &set.open_grant
        {
            let grant = compiled(held)?;
            let (set, held) = (Arc::clone(set), Arc::clone(held));
            return Ok(Admission {
                set,
                held,
                grant,
                open: true,
                connection: String::new(),
            });
        }
        let connection = match &ctx.caller {
            Caller::Connection(connection, _) => connection,
            Caller::Anonymous | Caller::Operator | Caller::Person(_) => {
                return Err(Problem::token_invalid());
            }
        };
        ctx.reader(section)?;
        let set = set.ok_or_else(Problem::dataset_unknown)?;
        let held = ctx
            .permission
            .as_deref()
            .and_then(|number| catalog.permissions.get(number.trim()))
            .filter(|held| held.permission.recipient == connection.institution)
            .filter(|held| held.permission.dataset == set.name && held.permission.environment == section);
        if let Some(held) = held {
            Self::within_limits(ctx, held, new_call)?;
        }
        let held = held.ok_or_else(|| {
            Problem::new(
                403,
                "permission_missing",
                "send the number of a permission of yours for this data set in X-DAGR-Permission; \
                 /current_user_permissions lists them",
            )
        })?;
        let grant = compiled(held)?;
        Ok(Admission {
            set: Arc::clone(set),
            held: Arc::clone(held),
            grant,
            open: false,
            connection: connection.client_id.to_string(),
        })
    }

    fn within_limits(ctx: &Ctx, held: &Held, new_call: bool) -> Result<(), Problem> {
        if new_call
            && !held
                .usage
                .within_rate(held.permission.rate_per_second, ctx.now_ms())
        {
            return Err(rate_limited());
        }
        within_misses(ctx, held)
    }
}

/// What the limits would answer a call made now, which is not counted as one.
pub(crate) fn limits(ctx: &Ctx, held: &Held) -> Result<(), Problem> {
    if held
        .usage
        .is_rate_reached(held.permission.rate_per_second, ctx.now_ms())
    {
        return Err(rate_limited());
    }
    within_misses(ctx, held)
}

fn rate_limited() -> Problem {
    Problem::new(
        429,
        "rate_limited",
        "more calls a second than the permission allows; slow down",
    )
    .retry_after(1)
}

fn within_misses(ctx: &Ctx, held: &Held) -> Result<(), Problem> {
    if held
        .usage
        .misses_left(held.permission.misses_per_hour, ctx.now_ms())
        > 0
    {
        return Ok(());
    }
    Err(Problem::new(
        429,
        "misses_limited",
        "too many keys asked in the last hour named no record; the provider has been told; try again later",
    )
    .retry_after(3_600))
}

fn compiled(held: &Held) -> Result<Arc<Grant>, Problem> {
    held.grant().map(Arc::clone).map_err(|faults| {
        let number = &held.permission.number;
        Problem::internal(format!(
            "permission {number} does not fit its definition: {faults:?}"
        ))
    })
}

impl Admission {
    /// What is asked, as the policy judges it.
    pub fn ask(&self, ctx: &Ctx, way: Way, fields: Option<Vec<String>>, target: Target) -> Ask {
        Ask {
            way,
            fields,
            target,
            case: ctx.case.clone(),
            today: riga_date(ctx.now),
            left: self.held.usage.left(self.held.permission.quota),
        }
    }

    /// Refuses, or lets the read begin.
    pub fn decide(&self, ask: &Ask) -> Result<(), Problem> {
        dagr_policy::refuse(&self.grant, ask).map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// The entry waits for the disk: persons are named, or uses or misses are counted.
    pub fn is_urgent(&self) -> bool {
        self.set.is_personal() || self.held.is_counted()
    }

    /// Is it still in force as it was when it was admitted?
    pub fn stands(&self, catalog: &Catalog) -> bool {
        let held = if self.open {
            catalog
                .live(self.set.section, self.set.name.as_str())
                .and_then(|set| set.open_grant.as_ref())
        } else {
            catalog.permissions.get(&self.held.permission.number)
        };
        held.is_some_and(|held| Arc::ptr_eq(held, &self.held))
    }

    pub fn schema(&self) -> &Arc<dagr_model::schema::Schema> {
        &self.set.schema
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code.status(), refusal.code.as_str(), refusal.detail).with_faults(refusal.faults)
    }
}
