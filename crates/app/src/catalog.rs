//! What is in force, compiled and in memory: swapped whole at every change, read without a lock.

mod sharded;

use std::sync::{Arc, OnceLock};

use dagr_model::{
    fault::Fault,
    ids::{ClientId, DatasetName, PermissionNumber, RegistrationNumber, Section},
    permission::{Permission, Scope},
    schema::Schema,
};
use dagr_policy::Grant;

pub use sharded::Sharded;

use crate::{ctx::Connection, set::LiveSet, usage::Usage};

/// The state every request is judged by.
#[derive(Default, Clone)]
pub struct Catalog {
    /// Grows with every change; cached tokens and documents are checked against it.
    pub generation: u64,
    pub institutions: Sharded<RegistrationNumber, Arc<str>>,
    pub connections: Sharded<ClientId, Arc<SignIn>>,
    pub datasets: Sharded<DatasetName, Arc<Dataset>>,
    pub permissions: Sharded<PermissionNumber, Arc<Held>>,
    pub by_recipient: Sharded<RegistrationNumber, Arc<Vec<PermissionNumber>>>,
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
}

/// A permission in force, compiled when first used; its use counts outlive its revisions.
pub struct Held {
    pub permission: Arc<Permission>,
    pub usage: Arc<Usage>,
    schema: Arc<Schema>,
    grant: OnceLock<Result<Arc<Grant>, Vec<Fault>>>,
}

impl Held {
    pub fn new(permission: Arc<Permission>, schema: Arc<Schema>, usage: Arc<Usage>) -> Self {
        Self {
            permission,
            usage,
            schema,
            grant: OnceLock::new(),
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

    pub fn institution_name(&self, number: &RegistrationNumber) -> &str {
        self.institutions.get(number).map_or("", |name| name)
    }
}
