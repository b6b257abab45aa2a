//! A store is brought to the definition that the registry holds, before anything is served by it.
//!
//! The registry commits first; where records must go, with an epoch greater than theirs. So whatever broke the work
//! off, a store of a smaller epoch is one that has still to be emptied, and no epoch comes twice: the next one is
//! durable before the store with the present one goes.

use std::{path::Path, sync::Arc};

use dagr_model::ids::{DatasetName, Section};
use dagr_registry::{Actor, DatasetView, Epochs, Versioned};
use dagr_store::{
    kv::{Engine, KvError, Op, Table},
    set::{head::Head, keys},
};

use super::{lists::ensure_lists, stage_dir::stage_problem};
use crate::{
    App,
    catalog::Catalog,
    problem::Problem,
    set::{LiveSet, blocking, store_name},
};

impl App {
    /// The caller holds the data set's turn.
    pub(crate) async fn settle(&self, set: &Arc<LiveSet>) -> Result<(), Problem> {
        let (engine, root, name) = (
            Arc::clone(&self.engine),
            self.stage_root(),
            self.secrets.random_id(),
        );
        let set = Arc::clone(set);
        let now_ms = self.now().as_millisecond();
        blocking(move || settle(&*engine, &set, (&root, &name), now_ms).map_err(stage_problem)).await
    }

    /// At the start. A store of another epoch that cannot be emptied is not served; everything else is.
    pub(crate) async fn settle_all(&self, catalog: &Catalog) {
        for set in catalog.datasets.values().flat_map(|dataset| dataset.sections()) {
            if let Err(problem) = self.settle(set).await {
                let (store, served) = (&set.runtime.store_name, set.is_settled());
                tracing::error!(set = store, served, %problem, "a data set is not as its definition asks");
            }
        }
    }

    /// The epoch of the records a section holds; 0 = it has no store.
    pub(crate) async fn epoch_held(&self, section: Section, name: &DatasetName) -> Result<u32, Problem> {
        Ok(self.head_held(section, name).await?.epoch)
    }

    /// The head of a section's store; where there is none, one of epoch 0.
    pub(crate) async fn head_held(&self, section: Section, name: &DatasetName) -> Result<Head, Problem> {
        let (engine, store) = (Arc::clone(&self.engine), store_name(section, name));
        let none = || Head {
            epoch: 0,
            ..Head::default()
        };
        blocking(move || Ok(head_of(&*engine, &store)?.unwrap_or_else(none))).await
    }

    /// Stores of earlier builds had epochs that the registry was not told. Did any?
    pub(crate) async fn follow_stores(&self, datasets: &[Versioned<DatasetView>]) -> Result<bool, Problem> {
        let engine = Arc::clone(&self.engine);
        let names: Vec<DatasetName> = datasets
            .iter()
            .map(|dataset| dataset.value.name.clone())
            .collect();
        let held = blocking(move || Ok(unmarked_epochs(&*engine, names))).await?;
        if held.is_empty() {
            return Ok(false);
        }
        let known = self.registry.epochs().await?;
        let is_behind = |held: &Epochs| {
            let known = known.iter().find(|known| known.dataset == held.dataset);
            known.is_some_and(|known| known.sandbox < held.sandbox || known.main < held.main)
        };
        let behind: Vec<Epochs> = held.into_iter().filter(is_behind).collect();
        if behind.is_empty() {
            return Ok(false);
        }
        let by = Actor {
            name: "start".to_owned(),
            request_id: "-".to_owned(),
            at: self.now(),
        };
        self.registry.raise_epochs(&by, &behind).await?;
        Ok(true)
    }
}

fn head_of(engine: &dyn Engine, store: &str) -> Result<Option<Head>, KvError> {
    if !engine.exists(store) {
        return Ok(None);
    }
    Ok(Some(Head::read(&*engine.open(store)?.snapshot()?)?))
}

fn unmarked_epochs(engine: &dyn Engine, names: Vec<DatasetName>) -> Vec<Epochs> {
    let epoch = |section: Section, name: &DatasetName| {
        // What cannot be read is told when it is to be settled.
        let head = head_of(engine, &store_name(section, name)).ok().flatten();
        let unmarked = head.filter(|head| head.definition.is_none());
        unmarked.map_or(0, |head| head.epoch)
    };
    let epochs = |dataset: DatasetName| Epochs {
        sandbox: epoch(Section::Sandbox, &dataset),
        main: epoch(Section::Main, &dataset),
        dataset,
    };
    let held = names.into_iter().map(epochs);
    held.filter(|held| held.sandbox > 0 || held.main > 0).collect()
}

/// Empties the store if its records are of another epoch, gives it its lists and indexes, and notes in it which
/// definition its records are of. Can be done again at any point. `stage`: root and name of a directory for sorting.
fn settle(engine: &dyn Engine, set: &LiveSet, stage: (&Path, &str), now_ms: i64) -> Result<(), KvError> {
    let store = &set.runtime.store_name;
    let mut had = head_of(engine, store)?.unwrap_or_default();
    if is_newer(&had, set.epoch, set.version) {
        return Err(newer(set, &had));
    }
    if had.epoch < set.epoch {
        set.runtime.enter(0);
        engine.remove(store)?;
        had = Head::default();
    } else {
        set.runtime.enter(set.epoch);
    }
    let kv = engine.open(store)?;
    ensure_lists(&*kv, set, stage)?;
    let mut head = Head {
        epoch: set.epoch,
        definition: Some(set.version),
        ..had.clone()
    };
    head.remember(set.definition().tombstones_days, now_ms);
    if head != had {
        let put = Op::Put {
            table: Table::Meta,
            key: keys::HEAD.to_vec(),
            value: head.bytes(),
        };
        kv.commit(&[put], &[])?;
    }
    set.runtime.enter(set.epoch);
    Ok(())
}

/// Are the records of a definition that the registry does not know?
pub(crate) fn is_newer(had: &Head, epoch: u32, version: u32) -> bool {
    had.epoch > epoch || (had.epoch == epoch && had.definition.is_some_and(|had| had > version))
}

fn newer(set: &LiveSet, had: &Head) -> KvError {
    KvError::Engine(format!(
        "{} holds records of definition {} in epoch {}, the registry knows definition {} in epoch {}: \
         it is older than the data; restore both from one backup",
        set.runtime.store_name,
        had.definition.unwrap_or_default(),
        had.epoch,
        set.version,
        set.epoch
    ))
}
