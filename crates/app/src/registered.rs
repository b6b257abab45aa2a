//! Resources and services of information systems: anybody reads, the system's institution writes.

use std::collections::HashMap;

use dagr_model::ids::{RegistrationNumber, SystemCode};
use dagr_registry::{Kept, Page, Put, Registered, Resource, Service, ServiceState};

use crate::{
    App,
    ctx::Ctx,
    institution::{ListQuery, unknown},
    problem::Problem,
    service::{Provider, finder},
};

/// Resources and services shown with one system, at most.
const MOST: u32 = 1_000;

/// One thing registered, as anybody sees it.
#[derive(Debug, Clone)]
pub struct RegisteredSeen<T> {
    pub now: Registered<T>,
    pub institution: RegistrationNumber,
    pub system_name: String,
    /// Whether who looks may describe it.
    pub may_describe: bool,
}

/// What one system has.
#[derive(Debug, Clone)]
pub struct SystemHolds {
    pub resources: Vec<Registered<Resource>>,
    pub services: Vec<Registered<Service>>,
}

/// A service as a catalogue lists it.
#[derive(Debug, Clone)]
pub struct ServiceOffered {
    pub service: Registered<Service>,
    pub provider: Provider,
}

/// What was found; `of` services in all.
#[derive(Debug, Clone)]
pub struct Offered {
    pub services: Vec<ServiceOffered>,
    pub of: usize,
}

impl App {
    /// Public: a register of services is there to be found.
    pub async fn registered_seen<T: Kept>(
        &self,
        ctx: &Ctx,
        code: &str,
    ) -> Result<RegisteredSeen<T>, Problem> {
        let found = self.registry.registered_get::<T>(code).await?;
        let now = found.ok_or_else(|| unknown(T::WORD))?;
        let system = self.registry.system_get(now.described.system()).await?;
        let system = system.ok_or_else(|| unknown("system"))?.value;
        Ok(RegisteredSeen {
            may_describe: ctx.keeps(&system.institution, "system").is_ok(),
            now,
            institution: system.institution,
            system_name: system.name,
        })
    }

    /// Each as it is now, in the order of codes.
    pub async fn registered_list<T: Kept>(&self, page: ListQuery) -> Result<Page<Registered<T>>, Problem> {
        let ListQuery { after, limit } = page;
        Ok(self.registry.registered_list(None, after, limit).await?)
    }

    /// Every version, newest first.
    pub async fn registered_versions<T: Kept>(
        &self,
        ctx: &Ctx,
        code: &str,
        page: ListQuery,
    ) -> Result<Page<Registered<T>>, Problem> {
        self.registered_seen::<T>(ctx, code).await?;
        let ListQuery { after, limit } = page;
        Ok(self.registry.registered_versions(code, after, limit).await?)
    }

    /// A new version. `expected`: the one the caller saw, 0 before the first.
    pub async fn registered_put<T: Kept>(
        &self,
        ctx: &Ctx,
        code: &str,
        put: &Put<T>,
        expected: Option<i64>,
    ) -> Result<Registered<T>, Problem> {
        self.describes_system(ctx, put.described.system()).await?;
        let _one = self.changing.lock().await;
        // A code that is taken stays with its system: the registry refuses to move it.
        Ok(self
            .registry
            .registered_put(&ctx.actor(), code, put, expected)
            .await?)
    }

    /// A system that is not there is the registry's to tell of, but only to an operator.
    async fn describes_system(&self, ctx: &Ctx, system: &SystemCode) -> Result<(), Problem> {
        match self.registry.system_get(system).await? {
            Some(found) => ctx.keeps(&found.value.institution, "system"),
            None => ctx.operator(),
        }
    }

    pub async fn system_holds(&self, system: &SystemCode) -> Result<SystemHolds, Problem> {
        let resources = self.registry.registered_list(Some(system), None, MOST).await?;
        let services = self.registry.registered_list(Some(system), None, MOST).await?;
        Ok(SystemHolds {
            resources: resources.items,
            services: services.items,
        })
    }

    /// Services in use, each with the institution that gives it.
    pub async fn offered_list(&self) -> Result<Vec<ServiceOffered>, Problem> {
        let mut all = Vec::new();
        let mut providers = HashMap::new();
        let mut after = None;
        loop {
            let page = self
                .registry
                .registered_list::<Service>(None, after, MOST)
                .await?;
            for service in page.items {
                if service.described.state != ServiceState::InUse {
                    continue;
                }
                let system = &service.described.system;
                if !providers.contains_key(system) {
                    providers.insert(system.clone(), self.owner_of(system).await?);
                }
                let provider = providers.get(system).cloned();
                all.extend(provider.map(|provider| ServiceOffered { service, provider }));
            }
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    async fn owner_of(&self, system: &SystemCode) -> Result<Provider, Problem> {
        let system = self.registry.system_get(system).await?;
        let registration_number = system.ok_or_else(|| unknown("system"))?.value.institution;
        let name = self.catalog().institution_name(&registration_number).to_owned();
        Ok(Provider {
            registration_number,
            name,
        })
    }

    /// Services in use that fit the words, the best first; all by code where there are no words.
    pub async fn offered_search(&self, words: &str, from: usize, limit: usize) -> Result<Offered, Problem> {
        let score = finder(words);
        let mut found: Vec<(u32, ServiceOffered)> = self
            .offered_list()
            .await?
            .into_iter()
            .filter_map(|one| {
                let described = &one.service.described;
                let text = format!(
                    "{} {} {}",
                    described.title_lv, described.title_en, described.description
                );
                Some((score(&one.service.code, &text, &one.provider.name)?, one))
            })
            .collect();
        // Stable: equals stay by code.
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let of = found.len();
        let page = found.into_iter().skip(from).take(limit);
        Ok(Offered {
            services: page.map(|(_, one)| one).collect(),
            of,
        })
    }
}
