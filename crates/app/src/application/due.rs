//! Deadlines: a reminder before, an escalation after.

use std::collections::BTreeSet;

use dagr_model::{
    application::Application,
    clock::riga_date,
    ids::{PersonId, RegistrationNumber},
    role::Role,
    working_days::{add_working_days, working_days_between},
};
use dagr_registry::{ApplicationFilter, ApplicationOrder, NotificationCreate, RoleFilter, RoleState, To};
use jiff::{Timestamp, civil::Date};

use crate::{App, problem::Problem};

/// Working days before the deadline that the provider is reminded.
const REMINDED_DAYS: u32 = 2;
const PAGE: u32 = 500;
/// Heads of one institution, or operators of all, told in person.
const MAX_PEOPLE: u32 = 5_000;

impl App {
    /// Tells providers what falls due and, past the day, their heads in person. Each is told once. Answers how many
    /// applications were looked at.
    pub async fn application_due_run(&self) -> Result<usize, Problem> {
        let now = self.clock.now();
        let today = riga_date(now);
        let filter = ApplicationFilter {
            order: ApplicationOrder::Due,
            due_by: Some(add_working_days(today, REMINDED_DAYS)),
            ..ApplicationFilter::default()
        };
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.registry.application_list(&filter, after, PAGE).await?;
            count += page.items.len();
            for found in page.items {
                self.remind(&found.value, today, now).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(count),
            }
        }
    }

    async fn remind(&self, application: &Application, today: Date, now: Timestamp) -> Result<(), Problem> {
        let (Some(provider), Some(due)) = (&application.provider, application.stage.due()) else {
            return Ok(());
        };
        let late = working_days_between(today, due) < 0 || due < today;
        let kind = if late {
            "application_overdue"
        } else {
            "application_due"
        };
        let mut to = vec![To::Institution(provider.clone())];
        if late {
            to.extend(self.heads(provider).await?);
        }
        for to in to {
            let whom = match &to {
                To::Institution(number) => number.to_string(),
                To::Person(person) => person.to_string(),
            };
            let create = NotificationCreate {
                once: Some(format!("{kind}/{}/{due}/{whom}", application.number)),
                to,
                kind: kind.to_owned(),
                object: format!("applications/{}", application.number),
            };
            self.registry.notification_insert(&create, now).await?;
        }
        Ok(())
    }

    pub(crate) async fn heads(&self, institution: &RegistrationNumber) -> Result<Vec<To>, Problem> {
        let filter = RoleFilter {
            institution: Some(institution.clone()),
            state: Some(RoleState::Active),
            role: Some(Role::Head),
            person: None,
        };
        self.people_with(&filter).await
    }

    /// Every operator in person, of whatever institution: what nobody's institution decides, they decide.
    pub(super) async fn operators(&self) -> Result<Vec<To>, Problem> {
        let filter = RoleFilter {
            state: Some(RoleState::Active),
            role: Some(Role::Operator),
            ..RoleFilter::default()
        };
        self.people_with(&filter).await
    }

    async fn people_with(&self, filter: &RoleFilter) -> Result<Vec<To>, Problem> {
        let roles = self.registry.role_list(filter, None, MAX_PEOPLE).await?;
        let people: BTreeSet<PersonId> = roles.items.into_iter().map(|held| held.person).collect();
        Ok(people.into_iter().map(To::Person).collect())
    }
}
