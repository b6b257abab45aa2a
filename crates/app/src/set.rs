//! A data set in one section as it is served: compiled definition, its store, who waits for its changes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use dagr_model::{
    definition::Definition,
    expression::{Predicate, Transition},
    ids::{DatasetName, RegistrationNumber, Section},
    schema::{NodeId, Schema},
};
use dagr_registry::DefinitionVersion;
use dagr_store::{
    kv::{Engine, Kv},
    set::{
        apply::{ChangeRule, IndexRule, Rules, ScopeRule},
        lists::Lists,
    },
};
use jiff::Timestamp;

use crate::{catalog::Held, intake::OpenPackages, problem::Problem, public_file::PublicState};

/// One data set in one section. Replaced whole when its definition changes; `runtime` goes on.
pub struct LiveSet {
    pub name: DatasetName,
    pub section: Section,
    pub provider: RegistrationNumber,
    /// Of its definition in this section.
    pub version: u32,
    /// When its definition was set in this section.
    pub set_at: Timestamp,
    /// Of the records it is the definition of.
    pub epoch: u32,
    pub schema: Arc<Schema>,
    pub indexes: Vec<NamedIndex>,
    pub changes: Vec<(String, Arc<Transition>)>,
    /// What everybody may do with an open set of the main section.
    pub open_grant: Option<Arc<Held>>,
    pub runtime: Arc<SetRuntime>,
}

pub struct NamedIndex {
    /// Field names joined with `,`.
    pub name: String,
    /// Its name in the store: numbers carry their type, so that a widened one is another index, built anew.
    pub stored: String,
    pub nodes: Vec<NodeId>,
}

/// What outlives a change of definition.
pub struct SetRuntime {
    pub store_name: String,
    /// Of the records the store holds; 0 while they are of no definition in force.
    epoch: AtomicU32,
    /// Packages, index builds and purges: one at a time, in the order they came.
    pub apply: tokio::sync::Mutex<()>,
    /// Moves whenever a package is applied; the number says nothing to anybody outside.
    pub applied: tokio::sync::watch::Sender<u64>,
    pub public: PublicState,
    /// Packages whose bodies are coming in.
    pub packages: OpenPackages,
}

impl SetRuntime {
    pub fn new(section: Section, name: &DatasetName) -> Self {
        Self {
            store_name: store_name(section, name),
            epoch: AtomicU32::new(0),
            apply: tokio::sync::Mutex::new(()),
            applied: tokio::sync::watch::channel(0).0,
            public: PublicState::default(),
            packages: OpenPackages::default(),
        }
    }

    /// From now on the store is of this epoch, and no definition of another reads or writes it; 0 = none does.
    pub(crate) fn enter(&self, epoch: u32) {
        self.epoch.store(epoch, Ordering::Release);
    }

    pub fn announce(&self) {
        self.applied.send_modify(|count| *count += 1);
    }
}

impl LiveSet {
    pub fn definition(&self) -> &Definition {
        &self.schema.definition
    }

    pub fn is_personal(&self) -> bool {
        self.definition().is_personal()
    }

    /// `open` holds in the main section only: in the sandbox every read needs a permission.
    pub fn gives_without_permission(&self) -> bool {
        self.section == Section::Main && self.definition().is_open()
    }

    /// The one way to its store: no definition gets at records that are not of it.
    pub fn open(&self, engine: &dyn Engine) -> Result<Arc<dyn Kv>, Problem> {
        let kv = engine.open(&self.runtime.store_name)?;
        // Looked at after the opening: a store that has taken the place of another is of another epoch.
        if self.is_settled() {
            Ok(kv)
        } else {
            Err(changing())
        }
    }

    /// Is the store of this definition?
    pub fn is_settled(&self) -> bool {
        self.runtime.epoch.load(Ordering::Acquire) == self.epoch
    }

    /// Is it of this version, and the store too?
    pub(crate) fn serves(&self, version: &DefinitionVersion) -> bool {
        (self.version, self.epoch) == (version.version, version.epoch) && self.is_settled()
    }

    pub fn index(&self, name: &str) -> Option<&NamedIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// What a package needs to know. Scope lists are those the store holds.
    pub fn rules(&self, lists: &Lists) -> Rules {
        let changes = self.changes.iter().filter_map(|(name, when)| {
            let id = lists.changes.get(name)?.id;
            Some(ChangeRule {
                id,
                name: name.clone(),
                when: Arc::clone(when),
            })
        });
        let scopes = lists.scopes.iter().filter_map(|(text, scope)| {
            // A predicate that no longer compiles belongs to no live permission.
            let holds = Predicate::compile(text, &self.schema).ok()?;
            Some(ScopeRule {
                id: scope.id,
                holds: Arc::new(holds),
            })
        });
        let indexes = self.indexes.iter().filter_map(|index| {
            let id = lists.indexes.get(&index.stored)?.id;
            Some(IndexRule {
                id,
                nodes: index.nodes.clone(),
            })
        });
        Rules {
            schema: Arc::clone(&self.schema),
            changes: changes.collect(),
            scopes: scopes.collect(),
            indexes: indexes.collect(),
        }
    }
}

/// `section/dataset`.
pub(crate) fn store_name(section: Section, name: &DatasetName) -> String {
    format!("{}/{name}", section.as_str())
}

fn changing() -> Problem {
    let detail = "the definition of the data set is being replaced; try again";
    Problem::new(503, "dataset_changing", detail).retry_after(5)
}

/// The position of one record's key texts as a problem names it: never the values.
pub fn key_place(position: usize) -> String {
    format!("keys[{position}]")
}

/// Runs work to its end, whether or not the caller waits.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(Problem::internal)?
}

/// Runs blocking work off the async threads; a panic inside is an internal fault.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Problem::internal)?
}
