//! What a data directory holds before a backup takes its place.

use std::{collections::BTreeMap, path::Path};

use dagr_registry::Epochs;
use dagr_store::{
    journal::{Journal, JournalError, StoredEntry},
    kv::{Engine, KvError},
    set::head::Head,
};

use super::{RestoreError, erasures};
use crate::{
    config::Config,
    serve::{StartError, open_engine, open_journal, open_registry},
};

/// Place and key of an erasure.
type Erasure = (Vec<u8>, Vec<u8>);

pub struct Live {
    /// The newest entry of the disclosure log; an error: it cannot be read.
    last: Result<Option<StoredEntry>, String>,
    /// By store: the greatest that its head or the registry tells.
    pub epochs: BTreeMap<String, u32>,
    erasures: BTreeMap<String, Vec<Erasure>>,
}

impl Live {
    pub async fn read(config: &Config, dir: &Path) -> Result<Self, RestoreError> {
        let last = match open_journal(config, dir) {
            Ok(journal) => last_entry(&journal).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let engine = open_engine(config, dir)?;
        let mut live = Self {
            last,
            epochs: registry_epochs(config, dir).await,
            erasures: BTreeMap::new(),
        };
        for name in engine.names()? {
            // A set too damaged to be read is why somebody restores: it holds nothing to carry over.
            match read_set(&engine, &name) {
                Ok((epoch, erased)) => {
                    let known = live.epochs.entry(name.clone()).or_default();
                    *known = epoch.max(*known);
                    live.erasures.insert(name, erased);
                }
                Err(error) => eprintln!("dagr: {name} as it was cannot be read: {error}"),
            }
        }
        Ok(live)
    }

    /// What would be lost with this log in the place of the directory's: `None` = it holds the same, or more.
    pub fn lost_to(&self, restored: &Journal) -> Option<String> {
        match &self.last {
            Err(error) => Some(format!("cannot be read ({error})")),
            Ok(None) => None,
            // Ids alone would not do: after an earlier restore two logs may have gone on from one place.
            Ok(Some(last)) => {
                let is_there = matches!(restored.read(last.id), Ok(Some(entry)) if entry == *last);
                (!is_there).then(|| "holds entries that the backup does not".to_owned())
            }
        }
    }

    /// Keys erased that the restored sets do not know as erased, by set.
    pub fn newer_erasures(&self, restored: &dyn Engine) -> Result<BTreeMap<String, Vec<Vec<u8>>>, KvError> {
        let mut newer = BTreeMap::new();
        for (name, erased) in &self.erasures {
            let known = if restored.exists(name) {
                erasures(&*restored.open(name)?)?
            } else {
                Vec::new()
            };
            let unknown = erased
                .iter()
                .filter(|(place, _)| known.binary_search_by(|(other, _)| other.cmp(place)).is_err());
            let keys: Vec<Vec<u8>> = unknown.map(|(_, key)| key.clone()).collect();
            if !keys.is_empty() {
                newer.insert(name.clone(), keys);
            }
        }
        Ok(newer)
    }
}

/// As the registry knows them: the only ones known of a set that cannot be read.
async fn registry_epochs(config: &Config, dir: &Path) -> BTreeMap<String, u32> {
    if config.registry.url.is_none() && !dir.join("registry.sqlite").exists() {
        return BTreeMap::new();
    }
    let read = async {
        let registry = open_registry(config, dir).await?;
        let epochs = registry.epochs().await;
        registry.close().await;
        epochs.map_err(|error| StartError::App(error.to_string()))
    };
    let epochs = read.await.unwrap_or_else(|error| {
        eprintln!("dagr: the registry as it was cannot be read: {error}");
        Vec::new()
    });
    let by_store = |epochs: Epochs| {
        let name = &epochs.dataset;
        [
            (format!("sandbox/{name}"), epochs.sandbox),
            (format!("main/{name}"), epochs.main),
        ]
    };
    epochs.into_iter().flat_map(by_store).collect()
}

fn read_set(engine: &dyn Engine, name: &str) -> Result<(u32, Vec<Erasure>), KvError> {
    let kv = engine.open(name)?;
    let epoch = Head::read(&*kv.snapshot()?)?.epoch;
    Ok((epoch, erasures(&*kv)?))
}

fn last_entry(journal: &Journal) -> Result<Option<StoredEntry>, JournalError> {
    match journal.last_id()? {
        Some(id) => journal.read(id),
        None => Ok(None),
    }
}
