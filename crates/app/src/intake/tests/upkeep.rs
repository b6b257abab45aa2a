//! Retention, erasure, lists and indexes.

use super::*;

#[tokio::test]
async fn what_is_past_its_retention_goes_and_does_not_come_back() {
    let world = World::new().await;
    world
        .publish(&format!(
            "{CARS}retention: {{field: Built, keep: 1y}}\ntombstones: 30d\n"
        ))
        .await;
    let built = |mark: &str, date: &str| {
        format!("{{\"op\":\"upsert\",\"record\":{{\"Mark\":\"{mark}\",\"Built\":\"{date}\"}}}}\n")
    };
    let body = [
        built("A", "2023-06-01"),
        built("B", "2023-05-31"),
        built("C", "2024-01-01"),
    ]
    .concat();
    let receipt = world.deliver("bss_cars", "p1", &body).await.unwrap().body;
    assert_eq!(
        (&receipt["accepted"], &receipt["expired"]),
        (&json!(2), &json!(1))
    );
    let set = world
        .app
        .catalog()
        .live(Section::Main, "bss_cars")
        .unwrap()
        .clone();
    assert_eq!(world.app.retention_run(&set).await.unwrap(), 0);
    world.clock.set("2024-06-02T00:00:00Z");
    assert_eq!(world.app.retention_run(&set).await.unwrap(), 1);
    let now = state(&world).await;
    assert_eq!((&now["records"], &now["last_sequence"]), (&json!(1), &json!(3)));
    assert_eq!(
        now["freshness"], "2024-06-01T12:00:00Z",
        "nobody delivered anything"
    );
    assert_eq!(world.app.purge_run(&set).await.unwrap(), 0);
    world.clock.set("2024-07-03T00:00:00Z");
    assert_eq!(world.app.purge_run(&set).await.unwrap(), 1);
    let kv = world.engine.open("main/bss_cars").unwrap();
    assert_eq!(Head::read(&*kv.snapshot().unwrap()).unwrap().floor, 3);
    assert_eq!(count(&world, Table::Change), 1);
}

#[tokio::test]
async fn an_erasure_forgets_quarantined_rows_too() {
    let world = cars().await;
    let bad =
        |mark: &str| format!("{{\"op\":\"upsert\",\"record\":{{\"Mark\":\"{mark}\",\"Doors\":\"x\"}}}}\n");
    // Enough records that the guard lets one go.
    let body = [upsert("A", "x"), bad("A"), bad("AA"), marks(0, 20)].concat();
    world.deliver("bss_cars", "p1", &body).await.unwrap();
    assert_eq!(quarantine(&world, None).await.len(), 2);
    let erase = "{\"op\":\"erase\",\"key\":{\"Mark\":\"A\"}}\n";
    let receipt = world
        .deliver("bss_cars", "p2", &format!("{erase}{}", bad("A")))
        .await
        .unwrap()
        .body;
    assert_eq!(
        (&receipt["deleted"], &receipt["quarantined"]),
        (&json!(1), &json!(1))
    );
    let left = quarantine(&world, None).await;
    assert_eq!(
        (left.len(), &left[0]["line"]),
        (1, &json!(3)),
        "only the other key's row"
    );
    assert_eq!(
        (count(&world, Table::Quarantine), count(&world, Table::Erasure)),
        (2, 1)
    );
}

#[tokio::test]
async fn lists_and_indexes_follow_the_definition() {
    let world = cars().await;
    world.deliver("bss_cars", "p1", &marks(0, 5)).await.unwrap();
    let lists = || {
        let kv = world.engine.open("main/bss_cars").unwrap();
        Lists::read(&*kv.snapshot().unwrap()).unwrap()
    };
    let live = || {
        world
            .app
            .catalog()
            .live(Section::Main, "bss_cars")
            .unwrap()
            .clone()
    };
    let published = format!("{CARS}indexes: [Model]\nchanges: [{{name: many, when: \"new.Doors > 3\"}}]\n");
    world.publish(&published).await;
    let first = lists();
    assert!(
        first.indexes.contains_key("Model") && count(&world, Table::Index) == 5,
        "built from what is there"
    );
    world.deliver("bss_cars", "p2", &upsert("N", "b")).await.unwrap();
    assert_eq!(count(&world, Table::Index), 6);
    world
        .deliver(
            "bss_cars",
            "p3",
            "{\"op\":\"upsert\",\"record\":{\"Mark\":\"N\",\"Doors\":4}}\n",
        )
        .await
        .unwrap();
    assert_eq!(
        (
            count(&world, Table::Index),
            count(&world, Table::List),
            count(&world, Table::Latest)
        ),
        (5, 1, 1)
    );
    let set = live();
    let with = |changes, indexes| {
        Arc::new(LiveSet {
            name: set.name.clone(),
            section: set.section,
            provider: set.provider.clone(),
            version: set.version,
            set_at: set.set_at,
            epoch: set.epoch,
            schema: Arc::clone(&set.schema),
            indexes,
            changes,
            open_grant: None,
            runtime: Arc::clone(&set.runtime),
        })
    };
    let index = || {
        vec![NamedIndex {
            name: "Model".to_owned(),
            stored: set.indexes[0].stored.clone(),
            nodes: set.indexes[0].nodes.clone(),
        }]
    };
    let other = Transition::compile("new.Doors > 4", &set.schema).unwrap();
    let changed = with(vec![("many".to_owned(), Arc::new(other))], index());
    world.app.settle(&changed).await.unwrap();
    let second = lists();
    assert_eq!(second.indexes, first.indexes);
    assert_ne!(
        second.changes["many"].id, first.changes["many"].id,
        "another expression is another list"
    );
    assert_eq!((count(&world, Table::List), count(&world, Table::Latest)), (0, 0));
    world.app.settle(&with(Vec::new(), Vec::new())).await.unwrap();
    let none = lists();
    assert_eq!(
        (
            none.indexes.len(),
            none.changes.len(),
            count(&world, Table::Index)
        ),
        (0, 0, 0)
    );
    assert_eq!(world.stages(), 0);
}

/// A start without room goes on with the lists and indexes of before: nothing is applied past those it should have.
#[tokio::test]
async fn lists_that_could_not_be_made_are_made_before_a_package_and_by_the_upkeep() {
    let world = cars().await;
    world.deliver("bss_cars", "p1", &marks(0, 5)).await.unwrap();
    let kv = || world.engine.open("main/bss_cars").unwrap();
    let lists = || Lists::read(&*kv().snapshot().unwrap()).unwrap();
    let before = lists();
    let forget = || {
        let kv = kv();
        kv.bulk(1 << 20, &mut |snapshot, sink| {
            for table in [Table::Index, Table::List, Table::Latest] {
                for pair in snapshot.scan(table, Range::default(), Direction::Forward)? {
                    sink.delete(table, pair?.0)?;
                }
            }
            sink.put(Table::Meta, keys::LISTS, &before.bytes())
        })
        .unwrap();
    };
    world
        .publish(&format!(
            "{CARS}indexes: [Model]\nchanges: [{{name: many, when: \"new.Doors > 3\"}}]\n"
        ))
        .await;
    let published = lists();
    assert_ne!(published, before);
    forget();
    let many = "{\"op\":\"upsert\",\"record\":{\"Mark\":\"N\",\"Doors\":4}}\n";
    world
        .deliver("bss_cars", "p2", &[upsert("M", "b"), many.to_owned()].concat())
        .await
        .unwrap();
    assert_eq!(lists(), published);
    assert_eq!((count(&world, Table::List), count(&world, Table::Index)), (1, 6));
    forget();
    let set = world
        .app
        .catalog()
        .live(Section::Main, "bss_cars")
        .unwrap()
        .clone();
    world.app.purge_run(&set).await.unwrap();
    assert_eq!(lists(), published);
    assert_eq!((count(&world, Table::List), count(&world, Table::Index)), (0, 6));
}

#[tokio::test]
async fn scope_lists_are_shared_and_bounded() {
    let world = cars().await;
    world.deliver("bss_cars", "p1", &marks(0, 5)).await.unwrap();
    let set = world
        .app
        .catalog()
        .live(Section::Main, "bss_cars")
        .unwrap()
        .clone();
    for _ in 0..2 {
        world.app.prepare_scope(&set, "record.Doors == 1").await.unwrap();
    }
    let kv = world.engine.open("main/bss_cars").unwrap();
    let lists = Lists::read(&*kv.snapshot().unwrap()).unwrap();
    assert_eq!(
        (lists.scopes.len(), lists.scopes["record.Doors == 1"].started),
        (1, 5)
    );
    // No permission uses them: they make room for others.
    for number in 0..70 {
        world
            .app
            .prepare_scope(&set, &format!("record.Doors == {number}"))
            .await
            .unwrap();
    }
    let lists = Lists::read(&*kv.snapshot().unwrap()).unwrap();
    assert!(lists.scopes.len() <= 64 && lists.scopes.contains_key("record.Doors == 69"));
}

#[tokio::test]
async fn a_scope_list_outlives_its_permissions_as_long_as_a_cursor_does() {
    let world = World::new().await;
    world.publish(&format!("{CARS}tombstones: 30d\n")).await;
    let set = world
        .app
        .catalog()
        .live(Section::Main, "bss_cars")
        .unwrap()
        .clone();
    let kv = world.engine.open("main/bss_cars").unwrap();
    let kept = || Lists::read(&*kv.snapshot().unwrap()).unwrap().scopes.len();
    let (one, two) = ("record.Doors == 1", "record.Doors == 2");
    for text in [one, two] {
        world.app.prepare_scope(&set, text).await.unwrap();
    }
    for (now, left) in [("01", 2), ("20", 2), ("30", 2)] {
        world.clock.set(&format!("2024-06-{now}T13:00:00Z"));
        world.app.purge_run(&set).await.unwrap();
        assert_eq!(kept(), left);
    }
    // Wanted again: its time begins anew.
    world.app.prepare_scope(&set, one).await.unwrap();
    world.clock.set("2024-07-02T13:00:00Z");
    world.app.purge_run(&set).await.unwrap();
    let lists = Lists::read(&*kv.snapshot().unwrap()).unwrap();
    assert_eq!(lists.scopes.keys().collect::<Vec<_>>(), [one]);
}
