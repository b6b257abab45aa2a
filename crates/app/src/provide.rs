//! The data sets of the institution a person acts for: who may read and change them, and what they see of them.
//!
//! Everybody who acts for the provider reads; its head and its data manager change. Another institution's set is none.

mod check;

use std::sync::Arc;

use dagr_model::{
    application::InstitutionRole,
    ids::{DatasetName, RegistrationNumber, Section},
    role::Role,
};
use dagr_store::{
    kv::{Direction, KvError, Range, Snapshot, Table},
    set::{head::Head, keys},
};
use jiff::Timestamp;

use crate::{
    App,
    catalog::Dataset,
    ctx::{Caller, Ctx},
    intake::seen::held_among_newest,
    load::in_order,
    problem::Problem,
    set::{LiveSet, blocking},
};

pub use check::DefinitionChecked;
pub(crate) use check::not_admitted;

/// They answer for a provider's data.
pub const ANSWERING: &[Role] = &[Role::Head, Role::DataManager];
/// Quarantined rows of a set that are counted one by one; beyond it is "more".
pub const MAX_COUNTED: u64 = 10_000;

/// One data set as its provider sees it.
#[derive(Debug, Clone)]
pub struct Provided {
    pub name: DatasetName,
    pub description: String,
    pub main: Option<SectionSeen>,
    pub sandbox: Option<SectionSeen>,
    /// Institutions that may read the main section now.
    pub recipients: usize,
    pub replaced_by: Option<DatasetName>,
}

/// One section of a set.
#[derive(Debug, Clone)]
pub struct SectionSeen {
    pub section: Section,
    pub records: u64,
    /// When the last package was applied.
    pub applied: Option<Timestamp>,
    pub promise_s: Option<u64>,
    /// The promise is broken now. Only main promises anything.
    pub is_late: bool,
    /// Snapshots that wait for the provider's word, among the newest packages.
    pub held: usize,
    /// Rows that were not accepted, up to `MAX_COUNTED`.
    pub quarantined: u64,
    /// Share of the records one package may remove, in hundredths of a per cent.
    pub guard_bp: u32,
}

/// A page of the institution's sets, by name.
#[derive(Debug, Clone)]
pub struct ProvidedPage {
    pub sets: Vec<Provided>,
    pub next: Option<String>,
    /// All of them.
    pub of: usize,
}

impl Ctx {
    /// May the caller change the provider's data sets? The operator may; a person who acts for the provider and answers
    /// for its data may. To another institution the set is none.
    pub(crate) fn changes_sets_of(&self, provider: &RegistrationNumber) -> Result<(), Problem> {
        self.reads_sets_of(provider)?;
        if self.operator().is_ok() {
            return Ok(());
        }
        self.acting(ANSWERING).map(|_| ())
    }

    /// May the caller read what only the provider reads?
    pub(crate) fn reads_sets_of(&self, provider: &RegistrationNumber) -> Result<(), Problem> {
        if self.operator().is_ok() {
            return Ok(());
        }
        let (_, acting) = self.acting(&[])?;
        if acting.institution == *provider {
            Ok(())
        } else {
            Err(Problem::dataset_unknown())
        }
    }

    /// An operator, or the head or data manager of the institution whose `thing` this is; else why not.
    pub(crate) fn keeps(&self, institution: &RegistrationNumber, thing: &str) -> Result<(), Problem> {
        if self.operator().is_ok() {
            return Ok(());
        }
        let (_, acting) = self.acting(ANSWERING)?;
        if acting.institution == *institution {
            Ok(())
        } else {
            Err(Problem::role_required(format!(
                "the {thing} is institution {institution}'s: its head or data manager does this"
            )))
        }
    }

    /// Head or data manager of whatever institution they act for.
    pub fn answers_for_data(&self) -> bool {
        self.acting(ANSWERING).is_ok()
    }
}

impl App {
    pub(crate) async fn may_provide(&self, institution: &RegistrationNumber) -> Result<bool, Problem> {
        if self.provides(institution) {
            return Ok(true);
        }
        let roles = self.registry.institution_roles(institution).await?;
        Ok(roles.contains(&InstitutionRole::Provider))
    }

    /// A data set of it is in force.
    pub(crate) fn provides(&self, institution: &RegistrationNumber) -> bool {
        let catalog = self.catalog();
        catalog.datasets.values().any(|set| set.provider == *institution)
    }

    /// The sets of the institution acted for, from the one behind `after` on.
    pub async fn provided_list(
        &self,
        ctx: &Ctx,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ProvidedPage, Problem> {
        let (_, acting) = ctx.acting(&[])?;
        let catalog = self.catalog();
        let own: Vec<Arc<Dataset>> = in_order(&catalog.datasets)
            .into_iter()
            .filter(|(_, set)| set.provider == acting.institution)
            .map(|(_, set)| Arc::clone(set))
            .collect();
        let of = own.len();
        let mut rest = own
            .into_iter()
            .filter(|set| after.is_none_or(|after| set.name.as_str() > after));
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let next = rest.next().and(page.last()).map(|last| last.name.to_string());
        let mut sets = Vec::with_capacity(page.len());
        for set in page {
            sets.push(self.provided(ctx, set).await?);
        }
        Ok(ProvidedPage { sets, next, of })
    }

    /// One of them.
    pub async fn provided_get(&self, ctx: &Ctx, dataset: &str) -> Result<Provided, Problem> {
        let found = self.catalog().datasets.get(dataset).cloned();
        let Some(set) = found else {
            ctx.acting(&[])?;
            return Err(Problem::dataset_unknown());
        };
        ctx.reads_sets_of(&set.provider)?;
        self.provided(ctx, set).await
    }

    /// The set of a section for what its provider does with packages: by a connection, or by a person.
    pub(crate) fn supplied_set(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        changes: bool,
    ) -> Result<Arc<LiveSet>, Problem> {
        if !matches!(ctx.caller, Caller::Person(_)) {
            return self.provider_set(ctx, section, dataset);
        }
        let (_, acting) = ctx.acting(&[])?;
        let catalog = self.catalog();
        let set = catalog
            .live(section, dataset)
            .filter(|set| set.provider == acting.institution)
            .ok_or_else(Problem::dataset_unknown)?;
        if changes {
            ctx.acting(ANSWERING)?;
        }
        Ok(Arc::clone(set))
    }

    async fn provided(&self, ctx: &Ctx, set: Arc<Dataset>) -> Result<Provided, Problem> {
        let recipients = self.catalog().recipients_of(&set.name);
        let (engine, now) = (Arc::clone(&self.engine), ctx.now);
        blocking(move || {
            let live = set.main.as_ref().or(set.sandbox.as_ref());
            let description = live.map_or_else(String::new, |live| live.definition().description.clone());
            let look = |live: &Option<Arc<LiveSet>>| {
                let look = |live: &Arc<LiveSet>| {
                    if !live.is_settled() {
                        return Ok(SectionSeen::of(live, &Head::default(), now));
                    }
                    let kv = live.open(&*engine)?;
                    let snapshot = kv.snapshot()?;
                    let mut seen = SectionSeen::of(live, &Head::read(&*snapshot)?, now);
                    seen.held = held_among_newest(&*snapshot)?;
                    seen.quarantined = quarantined(&*snapshot)?;
                    Ok::<_, Problem>(seen)
                };
                live.as_ref().map(look).transpose()
            };
            Ok(Provided {
                main: look(&set.main)?,
                sandbox: look(&set.sandbox)?,
                name: set.name.clone(),
                description,
                recipients,
                replaced_by: set.replaced_by.clone(),
            })
        })
        .await
    }
}

impl SectionSeen {
    fn of(live: &LiveSet, head: &Head, now: Timestamp) -> Self {
        let definition = live.definition();
        let promise_s = definition.freshness_s;
        let late = |promise: u64| {
            let promised_ms = i64::try_from(promise.saturating_mul(1_000)).unwrap_or(i64::MAX);
            // Nothing came yet: the promise runs from the definition that gave it.
            let since_ms = head.applied_ms.unwrap_or(live.set_at.as_millisecond());
            now.as_millisecond().saturating_sub(since_ms) > promised_ms
        };
        Self {
            section: live.section,
            records: head.records,
            applied: head
                .applied_ms
                .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            is_late: live.section == Section::Main && promise_s.is_some_and(late),
            promise_s,
            held: 0,
            quarantined: 0,
            guard_bp: definition.guard_bp,
        }
    }
}

fn quarantined(snapshot: &dyn Snapshot) -> Result<u64, KvError> {
    let end = [keys::QUARANTINE_OF_KEY];
    let range = Range {
        from: None,
        to: Some(&end),
    };
    let mut count = 0;
    for row in snapshot
        .scan(Table::Quarantine, range, Direction::Forward)?
        .take(MAX_COUNTED as usize)
    {
        row?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
