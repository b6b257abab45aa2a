//! What is in force, compiled and in memory: swapped whole at every change, read without a lock.

mod sharded;

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use dagr_model::{
    fault::Fault,
    ids::{ClientId, DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, PermissionState, Scope},
    schema::Schema,
};
use dagr_policy::Grant;

pub use sharded::Sharded;

use crate::{changes::KeptTerms, classifier::InForce, ctx::Connection, set::LiveSet, usage::Usage};

/// Permissions, in the order they were put in force.
type Numbers = Arc<Vec<PermissionNumber>>;

/// The state every request is judged by.
#[derive(Default, Clone)]
pub struct Catalog {
    /// Grows with every change; cached tokens and documents are checked against it.
    pub generation: u64,
    pub institutions: Sharded<RegistrationNumber, Arc<str>>,
    pub connections: Sharded<ClientId, Arc<SignIn>>,
    pub datasets: Sharded<DatasetName, Arc<Dataset>>,
    pub permissions: Sharded<PermissionNumber, Arc<Held>>,
    /// By the LIST of `code(LIST)`.
    pub classifiers: Sharded<String, Arc<InForce>>,
    by_recipient: Sharded<RegistrationNumber, Numbers>,
    by_dataset: Sharded<DatasetName, Numbers>,
}

/// A connection and the certificates it may sign in with.
#[derive(Debug)]
pub struct SignIn {
    pub connection: Arc<Connection>,
    /// PEM texts.
    pub certificates: Vec<String>,
}

/// A data set's name in both sections.
pub struct Dataset {
    pub name: DatasetName,
    pub provider: RegistrationNumber,
    pub main: Option<Arc<LiveSet>>,
    pub sandbox: Option<Arc<LiveSet>>,
    /// The set that succeeds this one, if any.
    pub replaced_by: Option<DatasetName>,
}

impl Dataset {
    pub fn section(&self, section: Section) -> Option<&Arc<LiveSet>> {
        match section {
            Section::Main => self.main.as_ref(),
            Section::Sandbox => self.sandbox.as_ref(),
        }
    }

    pub(crate) fn section_mut(&mut self, section: Section) -> &mut Option<Arc<LiveSet>> {
        match section {
            Section::Main => &mut self.main,
            Section::Sandbox => &mut self.sandbox,
        }
    }

    pub fn sections(&self) -> impl Iterator<Item = &Arc<LiveSet>> {
        [&self.main, &self.sandbox].into_iter().flatten()
    }
}

/// A permission in force, compiled when first used; its use counts outlive its revisions.
pub struct Held {
    pub permission: Arc<Permission>,
    pub usage: Arc<Usage>,
    schema: Arc<Schema>,
    grant: OnceLock<Result<Arc<Grant>, Vec<Fault>>>,
    /// Of earlier revisions whose cursors came.
    pub earlier: KeptTerms,
}

impl Held {
    pub fn new(permission: Arc<Permission>, schema: Arc<Schema>, usage: Arc<Usage>) -> Self {
        Self {
            permission,
            usage,
            schema,
            grant: OnceLock::new(),
            earlier: KeptTerms::default(),
        }
    }

    /// The compiled permission. A definition that changed under it can leave it without a meaning: then faults.
    pub fn grant(&self) -> Result<&Arc<Grant>, &Vec<Fault>> {
        self.grant
            .get_or_init(|| {
                Grant::compile(Arc::clone(&self.permission), Arc::clone(&self.schema)).map(Arc::new)
            })
            .as_ref()
    }

    /// The predicate of its scope.
    pub fn predicate(&self) -> Option<&str> {
        match &self.permission.scope {
            Some(Scope::When(text)) => Some(text),
            _ => None,
        }
    }

    /// Its entries are durable before the answer even when nobody is named in them.
    pub fn is_counted(&self) -> bool {
        self.permission.quota.is_some() || self.permission.misses_per_hour.is_some()
    }
}

impl Catalog {
    pub fn live(&self, section: Section, name: &str) -> Option<&Arc<LiveSet>> {
        self.datasets.get(name)?.section(section)
    }

    /// Every permission of a recipient, whatever its state.
    pub fn held_by(&self, recipient: &RegistrationNumber) -> impl Iterator<Item = &Arc<Held>> {
        self.each(self.by_recipient.get(recipient))
    }

    /// Every permission to a set, in both sections and whatever its state.
    pub fn held_for(&self, dataset: &DatasetName) -> impl Iterator<Item = &Arc<Held>> {
        self.each(self.by_dataset.get(dataset))
    }

    fn each<'a>(&'a self, numbers: Option<&'a Numbers>) -> impl Iterator<Item = &'a Arc<Held>> {
        let numbers = numbers.map_or(&[][..], |numbers| numbers);
        numbers.iter().filter_map(|number| self.permissions.get(number))
    }

    /// How many read the set in main.
    pub fn recipients_of(&self, dataset: &DatasetName) -> usize {
        let serving = self
            .held_for(dataset)
            .map(|held| &held.permission)
            .filter(|permission| {
                permission.environment == Section::Main && permission.state == PermissionState::Active
            });
        let recipients: HashSet<_> = serving.map(|permission| &permission.recipient).collect();
        recipients.len()
    }

    /// Puts a permission in the place of what stood under its number. Recipient and set of a number never change.
    pub(crate) fn put_held(&mut self, held: Held) {
        let permission = Arc::clone(&held.permission);
        let number = &permission.number;
        if self.permissions.insert(number.clone(), Arc::new(held)).is_none() {
            let of_recipient = self.by_recipient.entry(permission.recipient.clone()).or_default();
            Arc::make_mut(of_recipient).push(number.clone());
            let of_dataset = self.by_dataset.entry(permission.dataset.clone()).or_default();
            Arc::make_mut(of_dataset).push(number.clone());
        }
    }

    pub fn institution_name(&self, number: &RegistrationNumber) -> &str {
        self.institutions.get(number).map_or("", |name| name)
    }
}
