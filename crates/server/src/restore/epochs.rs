//! Epochs after a restore: greater than any there was, so that no cursor of before is valid.

use std::collections::{BTreeMap, BTreeSet};

use dagr_model::ids::DatasetName;
use dagr_registry::{Actor, Epochs, Registry, RegistryError};
use dagr_store::{
    kv::{Engine, Kv, KvError, Op, Table},
    set::{head::Head, keys},
};

use super::{RestoreError, RestoredSet};

/// Cursors of before expire: what they stand on may not be there any more. What a store's epoch says of the registry's
/// stays true: one that is newer, which the backup holds so, is not served after it either.
pub async fn raise_epochs(
    engine: &dyn Engine,
    registry: &Registry,
    before: &BTreeMap<String, u32>,
) -> Result<Vec<RestoredSet>, RestoreError> {
    let failed = |error: RegistryError| RestoreError::App(error.to_string());
    let asked = by_store(&registry.epochs().await.map_err(failed)?);
    let (mut sets, mut unsettled) = (Vec::new(), Vec::new());
    let mut raised: BTreeMap<String, u32> = before
        .iter()
        .map(|(name, epoch)| (name.clone(), epoch + 1))
        .collect();
    let mut names = engine.names()?;
    names.sort();
    for name in names {
        let kv = engine.open(&name)?;
        let mut head = Head::read(&*kv.snapshot()?)?;
        let asked = asked.get(&name).copied().unwrap_or(head.epoch);
        if head.epoch < asked {
            unsettled.push(name);
            continue;
        }
        let is_newer = head.epoch > asked;
        let epoch = raised.entry(name.clone()).or_default();
        *epoch = (*epoch).max(head.epoch + 1);
        head.epoch = *epoch + u32::from(is_newer);
        put_head(&*kv, &head)?;
        sets.push(RestoredSet {
            name,
            records: head.records,
            last_sequence: head.sequence,
            epoch: head.epoch,
            last_package: head.last_package,
        });
    }
    if !unsettled.is_empty() {
        let detail = format!(
            "{} could not be emptied for the definition that the backup holds (the reason is logged above); \
             give the command again when there is room",
            unsettled.join(", ")
        );
        return Err(RestoreError::App(detail));
    }
    let by = Actor {
        name: "restore".to_owned(),
        request_id: "-".to_owned(),
        at: jiff::Timestamp::now(),
    };
    let raised = by_dataset(&raised);
    registry.raise_epochs(&by, &raised).await.map_err(failed)?;
    let known = registry.epochs().await.map_err(failed)?;
    let is_known = |epochs: &Epochs| known.iter().any(|known| known.dataset == epochs.dataset);
    for epochs in raised.iter().filter(|epochs| !is_known(epochs)) {
        keep_epochs(engine, epochs)?;
    }
    Ok(sets)
}

/// Of a data set that the restored registry does not know: should it be made again, no epoch comes again.
fn keep_epochs(engine: &dyn Engine, epochs: &Epochs) -> Result<(), KvError> {
    for (section, epoch) in [("sandbox", epochs.sandbox), ("main", epochs.main)] {
        let kv = engine.open(&format!("{section}/{}", epochs.dataset))?;
        let mut head = Head::read(&*kv.snapshot()?)?;
        head.epoch = head.epoch.max(epoch);
        put_head(&*kv, &head)?;
    }
    Ok(())
}

/// By store, `section/dataset`.
fn by_store(epochs: &[Epochs]) -> BTreeMap<String, u32> {
    let stores = |epochs: &Epochs| {
        let store = |section: &str| format!("{section}/{}", epochs.dataset);
        [(store("sandbox"), epochs.sandbox), (store("main"), epochs.main)]
    };
    epochs.iter().flat_map(stores).collect()
}

/// From epochs by store, `section/dataset`.
fn by_dataset(stores: &BTreeMap<String, u32>) -> Vec<Epochs> {
    let of = |section: &str, name: &str| stores.get(&format!("{section}/{name}")).copied().unwrap_or(0);
    let names: BTreeSet<&str> = stores
        .keys()
        .filter_map(|store| Some(store.split_once('/')?.1))
        .collect();
    let epochs = |name: &str| Epochs {
        dataset: DatasetName::new(name),
        sandbox: of("sandbox", name),
        main: of("main", name),
    };
    names.into_iter().map(epochs).collect()
}

fn put_head(kv: &dyn Kv, head: &Head) -> Result<(), KvError> {
    kv.commit(
        &[Op::Put {
            table: Table::Meta,
            key: keys::HEAD.to_vec(),
            value: head.bytes(),
        }],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use dagr_model::{ids::RegistrationNumber, schema::LeafIds};
    use dagr_registry::{DefinitionPut, InstitutionCreate};
    use dagr_store::memory::MemoryEngine;

    use super::*;

    const STORE: &str = "sandbox/persons";

    /// A registry that knows a set in this epoch, and its store in that one.
    async fn apart(asked: u32, held: u32) -> (tempfile::TempDir, Registry, MemoryEngine) {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::open(dir.path().join("registry.sqlite")).await.unwrap();
        let by = Actor {
            name: "operator".to_owned(),
            request_id: "-".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let institution = RegistrationNumber::new("90000000001");
        let create = InstitutionCreate {
            registration_number: institution.clone(),
            name: "Iestāde".to_owned(),
            kind: None,
            parent: None,
        };
        registry.institution_insert(&by, &create).await.unwrap();
        let put = DefinitionPut {
            name: DatasetName::new("persons"),
            institution,
            text: "name: persons".to_owned(),
            leaf_ids: LeafIds::default(),
            replaces: None,
            above: 0,
        };
        registry.put_sandbox_definition(&by, &put, None).await.unwrap();
        let of = |sandbox| Epochs {
            dataset: DatasetName::new("persons"),
            sandbox,
            main: 0,
        };
        registry.raise_epochs(&by, &[of(asked)]).await.unwrap();
        let engine = MemoryEngine::new();
        let head = Head {
            epoch: held,
            ..Head::default()
        };
        put_head(&*engine.open(STORE).unwrap(), &head).unwrap();
        (dir, registry, engine)
    }

    async fn epochs(registry: &Registry, engine: &MemoryEngine) -> (u32, u32) {
        let asked = by_store(&registry.epochs().await.unwrap())[STORE];
        let kv = engine.open(STORE).unwrap();
        let head = Head::read(&*kv.snapshot().unwrap()).unwrap();
        (asked, head.epoch)
    }

    #[tokio::test]
    async fn both_are_raised_above_what_there_was() {
        let (_dir, registry, engine) = apart(3, 3).await;
        let before = BTreeMap::from([(STORE.to_owned(), 8)]);
        let sets = raise_epochs(&engine, &registry, &before).await.unwrap();
        assert_eq!((epochs(&registry, &engine).await, sets[0].epoch), ((9, 9), 9));
    }

    /// Not served before the restore, and not after it.
    #[tokio::test]
    async fn a_store_newer_than_its_registry_stays_newer() {
        let (_dir, registry, engine) = apart(3, 5).await;
        raise_epochs(&engine, &registry, &BTreeMap::new()).await.unwrap();
        let (asked, held) = epochs(&registry, &engine).await;
        assert!(asked > 5 && held > asked, "{asked} {held}");
    }

    /// Its records are of another definition: raised, they would be taken for those of the present one.
    #[tokio::test]
    async fn a_store_that_could_not_be_emptied_fails_the_restore() {
        let (_dir, registry, engine) = apart(3, 2).await;
        let failed = raise_epochs(&engine, &registry, &BTreeMap::new()).await;
        assert!(
            failed
                .unwrap_err()
                .to_string()
                .contains("sandbox/persons could not be emptied")
        );
        assert_eq!(epochs(&registry, &engine).await, (3, 2));
    }
}
