//! The registry's rows as the catalogue in force: at the start, and after every change.

use std::sync::Arc;

use dagr_model::{
    clock::riga_date,
    definition::{Definition, Type},
    expression::Transition,
    ids::{DatasetName, PermissionNumber, Section},
    permission::{Permission, PermissionState, QuotaUnit, Way},
    schema::Schema,
};
use dagr_registry::{
    Actor, ConnectionKind as RegistryKind, ConnectionState, ConnectionView, DatasetView, DefinitionVersion,
    RegistryError,
};

use crate::{
    App,
    catalog::{Catalog, Dataset, Held, Sharded, SignIn},
    classifier::InForce,
    ctx::{Connection, ConnectionKind, Ctx},
    problem::Problem,
    set::{LiveSet, NamedIndex, SetRuntime},
    usage::Usage,
};

impl App {
    /// Reads everything and puts it in force.
    pub(crate) async fn load(&self) -> Result<(), Problem> {
        let mut everything = self.registry.load().await?;
        if self.follow_stores(&everything.datasets).await? {
            everything = self.registry.load().await?;
        }
        let mut catalog = Catalog::default();
        for institution in everything.institutions {
            let view = institution.value;
            catalog
                .institutions
                .insert(view.registration_number, view.name.into());
        }
        for connection in everything.connections {
            catalog.put_connection(&connection.value);
        }
        for dataset in everything.datasets {
            let dataset = catalog.compiled(&dataset.value)?;
            catalog.put_dataset(Arc::new(dataset));
        }
        for kept in self.registry.classifiers_from(riga_date(self.now())).await? {
            let live = InForce::of(kept);
            catalog
                .classifiers
                .insert(live.classifier.id.clone(), Arc::new(live));
        }
        let counters = self.journal.counters();
        for permission in everything.permissions {
            let permission = permission.value;
            let number = permission.number.as_str().parse::<u64>().unwrap_or_default();
            let usage = Arc::new(Usage::starting_at(
                counters.get(&number).copied().unwrap_or_default(),
            ));
            catalog.put_permission(permission, usage);
        }
        self.recall_misses(&catalog)?;
        self.settle_all(&catalog).await;
        self.swap_catalog(|current| {
            let generation = current.generation;
            current.clone_from(&catalog);
            current.generation = generation;
        });
        Ok(())
    }
}

impl Catalog {
    pub(crate) fn put_connection(&mut self, view: &ConnectionView) {
        if view.state == ConnectionState::Withdrawn {
            self.connections.remove(&view.client_id);
            return;
        }
        let kind = match view.kind {
            RegistryKind::Producer => ConnectionKind::Producer,
            RegistryKind::Consumer => ConnectionKind::Consumer,
        };
        let connection = Arc::new(Connection {
            client_id: view.client_id.clone(),
            kind,
            institution: view.institution.clone(),
            token_lifetime_s: view.token_lifetime_s,
        });
        let certificates = view
            .certificates
            .iter()
            .map(|certificate| certificate.pem.clone())
            .collect();
        self.connections.insert(
            view.client_id.clone(),
            Arc::new(SignIn {
                connection,
                certificates,
            }),
        );
    }

    /// Both definitions, compiled; what is there of the set goes on.
    pub(crate) fn compiled(&self, view: &DatasetView) -> Result<Dataset, Problem> {
        let before = self.datasets.get(&view.name);
        let runtime = |section: Section| {
            let known = before.and_then(|dataset| dataset.section(section));
            known.map_or_else(
                || Arc::new(SetRuntime::new(section, &view.name)),
                |set| Arc::clone(&set.runtime),
            )
        };
        let live = |version: &Option<DefinitionVersion>, section: Section| {
            version
                .as_ref()
                .map(|version| live_set(view, version, runtime(section)).map(Arc::new))
                .transpose()
        };
        Ok(Dataset {
            name: view.name.clone(),
            provider: view.institution.clone(),
            main: live(&view.main, Section::Main)?,
            sandbox: live(&view.sandbox, Section::Sandbox)?,
            replaced_by: view.superseded_by.clone(),
        })
    }

    /// Permissions of the set are compiled anew when next used.
    pub(crate) fn put_dataset(&mut self, dataset: Arc<Dataset>) {
        let touched: Vec<Arc<Held>> = self.held_for(&dataset.name).cloned().collect();
        self.datasets.insert(dataset.name.clone(), dataset);
        for held in touched {
            self.put_permission(Permission::clone(&held.permission), Arc::clone(&held.usage));
        }
    }

    pub(crate) fn put_permission(&mut self, permission: Permission, usage: Arc<Usage>) {
        let Some(set) = self.live(permission.environment, permission.dataset.as_str()) else {
            return;
        };
        let schema = Arc::clone(&set.schema);
        self.put_held(Held::new(Arc::new(permission), schema, usage));
    }
}

fn live_set(
    view: &DatasetView,
    version: &DefinitionVersion,
    runtime: Arc<SetRuntime>,
) -> Result<LiveSet, Problem> {
    let definition: Definition = version
        .text
        .parse()
        .map_err(|faults| Problem::internal(format!("stored definition of {}: {faults:?}", view.name)))?;
    let schema = Arc::new(Schema::compile(Arc::new(definition), Some(&version.leaf_ids)));
    let changes = transitions(&schema)
        .map_err(|faults| Problem::internal(format!("stored change lists of {}: {faults:?}", view.name)))?;
    let section = version.section;
    let open = section == Section::Main && schema.definition.is_open();
    let open_grant = open.then(|| {
        let permission = Arc::new(everything_permission(&schema, &view.institution, section));
        Arc::new(Held::new(permission, Arc::clone(&schema), Arc::default()))
    });
    Ok(LiveSet {
        name: view.name.clone(),
        section,
        provider: view.institution.clone(),
        version: version.version,
        set_at: version.at,
        epoch: version.epoch,
        indexes: named_indexes(&schema),
        changes,
        open_grant,
        schema,
        runtime,
    })
}

/// Compiles the change lists of a definition; every fault at once.
pub(crate) fn transitions(
    schema: &Schema,
) -> Result<Vec<(String, Arc<Transition>)>, Vec<dagr_model::fault::Fault>> {
    let mut faults = Vec::new();
    let mut compiled = Vec::new();
    for list in &schema.definition.changes {
        match Transition::compile(&list.when, schema) {
            Ok(transition) => compiled.push((list.name.clone(), Arc::new(transition))),
            Err(more) => faults.extend(more.into_iter().map(|fault| dagr_model::fault::Fault {
                place: format!("changes {}: {}", list.name, fault.place),
                ..fault
            })),
        }
    }
    if faults.is_empty() {
        Ok(compiled)
    } else {
        Err(faults)
    }
}

fn named_indexes(schema: &Schema) -> Vec<NamedIndex> {
    let stored = |field: &String| match schema.node(field).map(|node| &schema.nodes[node].ty) {
        Some(ty @ (Type::Int | Type::Decimal)) => format!("{field}:{ty}"),
        _ => field.clone(),
    };
    let index = |fields: &Vec<String>| NamedIndex {
        name: fields.join(","),
        stored: fields.iter().map(stored).collect::<Vec<_>>().join(","),
        nodes: fields.iter().filter_map(|field| schema.node(field)).collect(),
    };
    schema.definition.indexes.iter().map(index).collect()
}

/// Every field by every way: what an open set gives to all, and a sandbox to its provider.
pub(crate) fn everything_permission(
    schema: &Schema,
    recipient: &dagr_model::ids::RegistrationNumber,
    section: Section,
) -> Permission {
    let definition = &schema.definition;
    let mut ways = vec![Way::Key, Way::Bulk, Way::Changes];
    ways.extend(
        definition
            .indexes
            .iter()
            .map(|fields| Way::Index(fields.join(","))),
    );
    ways.extend(definition.changes.iter().map(|list| Way::List(list.name.clone())));
    if definition.history {
        ways.push(Way::History);
    }
    Permission {
        number: PermissionNumber::new(""),
        dataset: definition.name.clone(),
        recipient: recipient.clone(),
        environment: section,
        purpose: "Datu kopas izmēģināšana".to_owned(),
        legal_basis: "Datu devēja paša dati".to_owned(),
        fields: schema.leaf_paths.iter().map(|(path, _)| path.clone()).collect(),
        scope: None,
        ways,
        quota: None,
        quota_unit: QuotaUnit::Call,
        rate_per_second: None,
        misses_per_hour: None,
        valid_from: None,
        valid_to: None,
        case_required: false,
        state: PermissionState::Active,
        revision: 1,
    }
}

impl Ctx {
    /// Who changes the registry.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            name: self.actor_name(),
            request_id: self.request_id.to_string(),
            at: self.now,
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Exists { what } => Self::new(409, "exists", format!("{what} exists already")),
            RegistryError::Unknown { what, id: _ } => {
                Self::new(404, "not_found", format!("there is no such {what}"))
            }
            RegistryError::State { detail } => Self::new(409, "state_conflict", detail),
            RegistryError::Precondition => Self::new(
                412,
                "precondition_failed",
                "it has changed in the meantime: read it again",
            ),
            // A list's `after` stands in the query, not in a body.
            RegistryError::Invalid(faults) if faults.iter().any(|fault| fault.rule == "page_token") => {
                Self::query_invalid("after", "send `next` of the page before, as it stands")
            }
            RegistryError::Invalid(faults) => Self::invalid(faults),
            RegistryError::Unavailable(cause) => {
                tracing::error!(%cause, "the registry is not available");
                Self::new(
                    503,
                    "registry_unavailable",
                    "the registry does not answer; try again",
                )
                .retry_after(5)
            }
        }
    }
}

/// Data sets by name, for views that go through all of them in order.
pub(crate) fn in_order<T: Clone>(map: &Sharded<DatasetName, T>) -> Vec<(&DatasetName, &T)> {
    let mut all: Vec<_> = map.iter().collect();
    all.sort_by(|a, b| a.0.cmp(b.0));
    all
}
