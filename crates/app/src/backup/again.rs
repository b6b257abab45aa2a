//! What was erased after a backup was made is erased again when the backup is restored.

use std::sync::Arc;

use dagr_model::record::RecordRef;
use dagr_store::{
    kv::{Direction, Kv, KvError, Range, Table},
    set::apply::{self, Applied, Mode, Package},
    stage::{Stage, Verb, groups::Resolve},
};

use crate::{
    App,
    intake::kept_by,
    problem::Problem,
    set::{LiveSet, blocking},
};

/// Erasures of a data set: place in its log of erasures, encoded key. Places grow with time.
pub fn erasures(kv: &dyn Kv) -> Result<Vec<(Vec<u8>, Vec<u8>)>, KvError> {
    let snapshot = kv.snapshot()?;
    let rows = snapshot.scan(Table::Erasure, Range::default(), Direction::Forward)?;
    rows.map(|pair| {
        let (place, _) = pair?;
        // The place is the package's order (8 bytes), then the key.
        let key = place
            .get(8..)
            .ok_or_else(|| KvError::Corrupt("erasure".to_owned()))?;
        Ok((place.to_vec(), key.to_vec()))
    })
    .collect()
}

impl App {
    /// Erases keys of a data set (`section/name`) again. Gives how many records went; `None` = no such set.
    pub async fn erase_again(
        self: &Arc<Self>,
        store: &str,
        keys: Vec<Vec<u8>>,
    ) -> Result<Option<u64>, Problem> {
        let catalog = self.catalog.load_full();
        let sections = catalog
            .datasets
            .values()
            .flat_map(|dataset| [&dataset.main, &dataset.sandbox]);
        let Some(set) = sections
            .flatten()
            .find(|set| set.runtime.store_name == store)
            .cloned()
        else {
            return Ok(None);
        };
        let (engine, now_ms) = (Arc::clone(&self.engine), self.now().as_millisecond());
        blocking(move || Ok(Some(erase(&*set.open(&*engine)?, &set, &keys, now_ms)?))).await
    }
}

fn erase(kv: &dyn Kv, set: &LiveSet, keys: &[Vec<u8>], now_ms: i64) -> Result<u64, KvError> {
    let dir = tempfile::tempdir()?;
    let mut stage = Stage::new(dir.path());
    for key in keys {
        stage.push(
            key,
            0,
            Verb::Erase,
            RecordRef {
                json: &[],
                spans: &[],
            },
        )?;
    }
    let staged = stage.finish()?;
    let (rules, head) = kept_by(kv, set, dir.path())?;
    let mut package = Package {
        mode: Mode::Delta,
        resolve: Resolve::LastOperation,
        now_ms,
        guard_bp: None,
        expired: &|_| false,
        dry_run: false,
        quarantined: 0,
        differing: &mut |_, _| {},
        erased: &mut |_| {},
        finish: &mut |_, new, _| {
            // Nobody delivered anything.
            (new.packages, new.applied_ms) = (head.packages, head.applied_ms);
            Ok(())
        },
    };
    match apply::apply(kv, &rules, &staged, &mut package)? {
        Applied::Done(outcome) => Ok(outcome.removed()),
        Applied::Held { .. } | Applied::Refused(_) => Ok(0),
    }
}
