//! Definitions that are replaced, and what breaks that off at any of its steps.

use dagr_registry::{Actor, Epochs};
use dagr_store::{
    faulty::{Fault as Failure, Faults, FaultyEngine},
    kv::{Op, Table},
    memory::MemoryEngine,
    set::{head::Head, keys},
};
use serde_json::json;

use super::*;
use crate::{
    ctx::Caller,
    record::RecordQuery,
    testing::{PROVIDER, World},
};

const CARS: &str = "name: cars
key: Mark
classification: open
data_description: Automobiļi
fields:
  - Mark : Numurs
  - Owner : Īpašnieks
";
/// Another field at the old one's place.
const OTHER: &str = "name: cars
key: Mark
classification: open
data_description: Automobiļi
fields:
  - Mark : Numurs
  - Colour : Krāsa
";
const WIDER: &str = "name: cars
key: Mark
classification: open
data_description: Automobiļi
indexes: [Owner]
fields:
  - Mark : Numurs
  - Owner : Īpašnieks
  - Colour : Krāsa
";
const STORE: &str = "main/cars";

fn line(field: &str, value: &str) -> String {
    json!({ "op": "upsert", "record": { "Mark": "A", field: value } }).to_string() + "\n"
}

/// Main serves one record of `CARS`; `next` waits in the sandbox.
async fn waiting(world: World, next: &str) -> World {
    world.publish(CARS).await;
    world.deliver("cars", "p1", &line("Owner", "Anna")).await.unwrap();
    world.sandbox(next).await;
    world
}

async fn read(world: &World) -> Result<String, &'static str> {
    let anyone = world.ctx(Caller::Anonymous);
    let key = ["A".to_owned()];
    let app = &world.app;
    let read = app.record_get(&anyone, Section::Main, "cars", &key, RecordQuery::default());
    let answer = read.await.map_err(|problem| problem.code)?;
    Ok(String::from_utf8(answer.into_inner().body).unwrap())
}

async fn publish(world: &World) -> Result<u32, &'static str> {
    let operator = world.operator();
    let published = world.app.dataset_publish(&operator, "cars", None);
    let view = published.await.map_err(|problem| problem.code)?;
    Ok(view.value.version)
}

fn head(world: &World, store: &str) -> Head {
    let kv = world.engine.open(store).unwrap();
    Head::read(&*kv.snapshot().unwrap()).unwrap()
}

fn put_head(world: &World, store: &str, head: &Head) {
    let put = Op::Put {
        table: Table::Meta,
        key: keys::HEAD.to_vec(),
        value: head.bytes(),
    };
    world.engine.open(store).unwrap().commit(&[put], &[]).unwrap();
}

/// The head says what it serves by, and the registry the same.
async fn stands(world: &World, store: &str, epoch: u32, definition: u32, records: u64) {
    let head = head(world, store);
    assert_eq!(
        (head.epoch, head.definition, head.records),
        (epoch, Some(definition), records)
    );
    let known = world.app.registry.epochs().await.unwrap().remove(0);
    let known = if store == STORE { known.main } else { known.sandbox };
    assert_eq!(known, epoch);
}

fn by() -> Actor {
    Actor {
        name: "test".to_owned(),
        request_id: "-".to_owned(),
        at: "2024-06-01T12:00:00Z".parse().unwrap(),
    }
}

/// As a process that was killed when the registry had committed, and nothing else was done.
async fn published_no_further(world: &World, anew: bool) {
    let (registry, name) = (&world.app.registry, DatasetName::new("cars"));
    let held = head(world, STORE).epoch;
    let published = if anew {
        registry.publish_anew(&by(), &name, None, held).await
    } else {
        registry.publish(&by(), &name, None).await
    };
    published.unwrap();
}

#[tokio::test]
async fn a_publication_runs_to_its_end_without_its_caller() {
    let world = waiting(World::new().await, OTHER).await;
    let app = &world.app;
    let old = app.catalog().live(Section::Main, "cars").unwrap().clone();
    let package = old.runtime.apply.lock().await;
    let (publishing, operator) = (Arc::clone(app), world.operator());
    let call = tokio::spawn(async move { publishing.dataset_publish(&operator, "cars", None).await });
    let name = DatasetName::new("cars");
    let published = async || {
        let view = app.registry.dataset_get(&name).await.unwrap().unwrap();
        view.value.main.unwrap().version == 2
    };
    while !published().await {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert!(
        read(&world).await.unwrap().contains("Anna"),
        "the old one serves on"
    );
    drop(package);
    // Whoever changes the registry next comes behind it.
    drop(app.changing.lock().await);
    stands(&world, STORE, 2, 2, 0).await;
    assert_eq!(read(&world).await, Err("record_unknown"));
    let refused = old.open(&*world.engine).err().map(|problem| problem.code);
    assert_eq!(refused, Some("dataset_changing"), "not by the old definition");
    world.deliver("cars", "p2", &line("Colour", "red")).await.unwrap();
    assert!(read(&world).await.unwrap().contains("red"));
}

#[tokio::test]
async fn what_failed_is_finished_by_the_next_attempt() {
    let faults = Faults::new();
    let engine = FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::clone(&faults));
    let world = waiting(World::over(Arc::new(engine)).await, OTHER).await;
    faults.fail_writes(Some(Failure::Full));
    assert_eq!(publish(&world).await, Err("storage_full"));
    for _ in 0..2 {
        assert_eq!(read(&world).await, Err("dataset_changing"));
        let package = world.deliver("cars", "p2", &line("Owner", "Anna")).await;
        assert_eq!(package.unwrap_err().code, "dataset_changing");
        assert_eq!(publish(&world).await, Err("storage_full"));
    }
    faults.fail_writes(None);
    assert_eq!(publish(&world).await, Ok(2));
    stands(&world, STORE, 2, 2, 0).await;
    assert_eq!(read(&world).await, Err("record_unknown"));
    assert_eq!(publish(&world).await, Err("state_conflict"), "published already");

    // The sandbox the same, by the same text again.
    faults.fail_writes(Some(Failure::Io));
    let put = async || {
        let sent = DefinitionSent {
            text: WIDER.to_owned(),
            ..DefinitionSent::default()
        };
        let put = world.app.definition_put(&world.operator(), "cars", sent).await;
        put.map(|(view, _)| view.value.version)
            .map_err(|problem| problem.code)
    };
    assert_eq!(put().await, Err("internal"));
    assert_eq!(put().await, Err("internal"));
    faults.fail_writes(None);
    assert_eq!(put().await, Ok(3));
    stands(&world, "sandbox/cars", 3, 3, 0).await;
    let own = world.app.catalog().held_for(&DatasetName::new("cars")).count();
    assert_eq!(own, 1);
}

#[tokio::test]
async fn what_a_kill_broke_off_is_finished_at_the_start() {
    for store_is_gone in [false, true] {
        let world = waiting(World::new().await, OTHER).await;
        published_no_further(&world, true).await;
        if store_is_gone {
            world.engine.remove(STORE).unwrap();
        }
        world.app.load().await.unwrap();
        stands(&world, STORE, 2, 2, 0).await;
        assert_eq!(read(&world).await, Err("record_unknown"));
        world.app.load().await.unwrap();
        stands(&world, STORE, 2, 2, 0).await;
    }
}

#[tokio::test]
async fn another_section_that_was_broken_off_is_finished_first() {
    let world = waiting(World::new().await, OTHER).await;
    published_no_further(&world, true).await;
    world.sandbox(WIDER).await;
    stands(&world, STORE, 2, 2, 0).await;
    stands(&world, "sandbox/cars", 3, 3, 0).await;
}

#[tokio::test]
async fn a_sandbox_that_a_kill_left_behind_is_emptied_at_the_start() {
    let world = World::new().await;
    world.sandbox(CARS).await;
    let sandbox = Section::Sandbox;
    let body = crate::testing::pieces(&line("Owner", "Anna"));
    let options = crate::testing::ndjson();
    let producer = world.producer();
    let put = world
        .app
        .package_put(&producer, sandbox, "cars", "p1", options, body);
    put.await.unwrap();
    stands(&world, "sandbox/cars", 1, 1, 1).await;
    let definition: Arc<Definition> = Arc::new(OTHER.parse().unwrap());
    let put = DefinitionPut {
        name: definition.name.clone(),
        institution: RegistrationNumber::new(PROVIDER),
        text: definition.print(),
        leaf_ids: Schema::compile(definition, None).leaf_ids.clone(),
        replaces: None,
        above: 1,
    };
    let registry = &world.app.registry;
    registry.put_sandbox_definition(&by(), &put, None).await.unwrap();
    world.app.load().await.unwrap();
    stands(&world, "sandbox/cars", 2, 2, 0).await;
}

#[tokio::test]
async fn a_compatible_definition_keeps_every_record_whatever_broke_it_off() {
    let world = waiting(World::new().await, WIDER).await;
    published_no_further(&world, false).await;
    world.app.load().await.unwrap();
    stands(&world, STORE, 1, 2, 1).await;
    assert!(read(&world).await.unwrap().contains("Anna"));
    let kv = world.engine.open(STORE).unwrap();
    let lists = dagr_store::set::lists::Lists::read(&*kv.snapshot().unwrap()).unwrap();
    assert!(lists.indexes.contains_key("Owner"), "and the index is built");
}

#[tokio::test]
async fn a_store_of_an_earlier_build_goes_on_with_its_records_and_its_epoch() {
    let world = waiting(World::new().await, OTHER).await;
    let known = head(&world, STORE);
    // A restore had raised the store's epoch, and told the registry nothing.
    for (store, epoch) in [(STORE, 5), ("sandbox/cars", 7)] {
        let old = Head {
            epoch,
            definition: None,
            ..head(&world, store)
        };
        put_head(&world, store, &old);
    }
    world.app.load().await.unwrap();
    stands(&world, STORE, 5, 1, 1).await;
    stands(&world, "sandbox/cars", 7, 2, 0).await;
    assert_eq!(head(&world, STORE).digest, known.digest);
    assert!(read(&world).await.unwrap().contains("Anna"));
    publish(&world).await.unwrap();
    stands(&world, STORE, 6, 2, 0).await;
    world.sandbox(WIDER).await;
    stands(&world, "sandbox/cars", 8, 3, 0).await;
}

#[tokio::test]
async fn an_epoch_never_comes_again() {
    let world = waiting(World::new().await, OTHER).await;
    let at_least = Epochs {
        dataset: DatasetName::new("cars"),
        sandbox: 4,
        main: 9,
    };
    world.app.registry.raise_epochs(&by(), &[at_least]).await.unwrap();
    publish(&world).await.unwrap();
    stands(&world, STORE, 10, 2, 0).await;
    world.sandbox(WIDER).await;
    stands(&world, "sandbox/cars", 5, 3, 0).await;
    // A store without a definition here: of a set of this name that the registry has forgotten.
    let boats = |text: &str| text.replace("cars", "boats");
    put_head(
        &world,
        "main/boats",
        &Head {
            epoch: 3,
            records: 8,
            ..Head::default()
        },
    );
    world.publish(&boats(CARS)).await;
    let made = head(&world, "main/boats");
    assert_eq!((made.epoch, made.records), (4, 0));
}

#[tokio::test]
async fn nothing_is_served_by_a_registry_older_than_the_data() {
    for (epoch, definition) in [(2, 1), (1, 2)] {
        let world = waiting(World::new().await, OTHER).await;
        world.publish(&CARS.replace("cars", "boats")).await;
        let known = head(&world, STORE);
        let newer = Head {
            epoch,
            definition: Some(definition),
            ..known.clone()
        };
        put_head(&world, STORE, &newer);
        world.app.load().await.unwrap();
        assert_eq!(read(&world).await, Err("dataset_changing"));
        assert_eq!(head(&world, STORE), newer, "nor is anything changed");
        world
            .deliver("boats", "p1", &line("Owner", "Anna"))
            .await
            .unwrap();
        world.app.provided_get(&world.operator(), "cars").await.unwrap();
        // A compatible text would be taken for the lost one; an incompatible one empties the set.
        world.sandbox(WIDER).await;
        assert_eq!(publish(&world).await.unwrap_err(), "state_conflict");
        assert_eq!(head(&world, STORE), newer);
        put_head(&world, STORE, &known);
        world.app.load().await.unwrap();
        assert!(read(&world).await.unwrap().contains("Anna"));
    }
}
