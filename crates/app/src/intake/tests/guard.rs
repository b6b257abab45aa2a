//! Packages that would remove much: held, confirmed, rejected.

use super::*;

#[tokio::test]
async fn a_snapshot_replaces_and_protects() {
    let world = cars().await;
    world.deliver("bss_cars", "p0", &marks(0, 30)).await.unwrap();
    // M000 is faulty but readable, M001 is asked to be deleted, M002 vanishes, M003 is unreadable.
    let body = [
        "{\"op\":\"upsert\",\"record\":{\"Mark\":\"M000\",\"Doors\":\"x\"}}\n",
        &delete("M001"),
        "{\"op\":\"upsert\",\"record\":{\"Mark\":\"M003\"\n",
        &marks(4, 31),
    ]
    .concat();
    let receipt = world
        .put("bss_cars", "p1", snapshot(ndjson()), &body)
        .await
        .unwrap()
        .body;
    let counts = ["received", "accepted", "unchanged", "deleted", "quarantined"]
        .map(|name| receipt[name].as_u64().unwrap());
    assert_eq!(counts, [30, 1, 26, 2, 3]);
    assert_eq!(state(&world).await["records"], 29);
    assert_eq!(quarantine(&world, Some("p1")).await[1]["rule"], "operation");
}

/// What the trail holds of packages: the verb and how many records would have gone; newest first.
async fn decisions(world: &World) -> Vec<(&'static str, Value)> {
    let filter = dagr_registry::AuditFilter {
        noun: Some("datasets".to_owned()),
        ..Default::default()
    };
    let entries = world.app.registry.audit_list(&filter, None, 10).await.unwrap();
    let verbs = ["package_confirm", "package_outdated", "package_reject"];
    entries
        .items
        .into_iter()
        .filter(|entry| entry.object.starts_with("datasets/bss_cars/packages/"))
        .map(|entry| {
            assert_eq!(entry.actor, world.producer().actor_name());
            let verb = verbs.into_iter().find(|verb| *verb == entry.action).unwrap();
            (verb, entry.before["would_delete"].clone())
        })
        .collect()
}

#[tokio::test]
async fn the_guard_holds_and_the_provider_decides() {
    let world = cars().await;
    world.deliver("bss_cars", "p0", &marks(0, 20)).await.unwrap();
    assert_eq!(
        world
            .put("bss_cars", "ok", snapshot(ndjson()), &marks(2, 20))
            .await
            .unwrap()
            .status,
        200
    );
    let held = world
        .put("bss_cars", "p1", snapshot(ndjson()), &marks(4, 20))
        .await
        .unwrap();
    let body = json!({"package_id": "p1", "state": "held", "would_delete": 2});
    assert_eq!((held.status, &held.body), (202, &body));
    assert_eq!(
        world
            .put("bss_cars", "p1", snapshot(ndjson()), &marks(4, 20))
            .await
            .unwrap(),
        held
    );
    let ctx = world.producer();
    let view = world
        .app
        .package_get(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap();
    assert_eq!(view, body);
    world.app.sweep_stages().unwrap();
    assert_eq!(world.stages(), 1, "a held package outlives a restart");
    let receipt = world
        .app
        .package_confirm(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap();
    assert_eq!((&receipt["deleted"], world.stages()), (&json!(2), 0));
    assert_eq!(
        world
            .put("bss_cars", "p1", snapshot(ndjson()), &marks(4, 20))
            .await
            .unwrap()
            .body,
        receipt
    );
    let again = world
        .app
        .package_confirm(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap_err();
    assert_eq!((again.status, again.code), (409, "package_not_held"));
    assert_eq!(decisions(&world).await, [("package_confirm", json!(2))]);
    let list = world
        .app
        .package_list(&ctx, Section::Main, "bss_cars", None, Some(2))
        .await
        .unwrap();
    let ids = |list: &Value| -> Vec<String> {
        let views = list["packages"].as_array().unwrap();
        views
            .iter()
            .map(|view| view["package_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&list), ["p1", "ok"]);
    let next = list["next"].as_str().unwrap();
    let rest = world
        .app
        .package_list(&ctx, Section::Main, "bss_cars", Some(next), Some(2))
        .await
        .unwrap();
    assert_eq!((ids(&rest), &rest["next"]), (vec!["p0".to_owned()], &Value::Null));
}

#[tokio::test]
async fn a_held_package_can_be_rejected_or_outdated() {
    let world = cars().await;
    world.deliver("bss_cars", "p0", &marks(0, 20)).await.unwrap();
    let ctx = world.producer();
    let hold = async || {
        world
            .put("bss_cars", "p1", snapshot(ndjson()), &marks(0, 10))
            .await
            .unwrap()
            .status
    };
    assert_eq!(hold().await, 202);
    let view = world
        .app
        .package_reject(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap();
    assert_eq!(
        (view, world.stages()),
        (json!({"package_id": "p1", "state": "rejected"}), 0)
    );
    assert_eq!(decisions(&world).await, [("package_reject", json!(10))]);
    assert_eq!(hold().await, 202, "the id is free again");
    world
        .deliver("bss_cars", "p2", &upsert("M000", "other"))
        .await
        .unwrap();
    let outdated = world
        .app
        .package_confirm(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap_err();
    assert_eq!(
        (outdated.status, outdated.code, world.stages()),
        (409, "package_outdated", 0)
    );
    assert_eq!(decisions(&world).await[0], ("package_outdated", json!(10)));
    let view = world
        .app
        .package_get(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap();
    assert_eq!(
        view,
        json!({"package_id": "p1", "state": "rejected", "outdated": true})
    );
    assert_eq!(
        world
            .deliver("bss_cars", "p1", &upsert("N", "n"))
            .await
            .unwrap()
            .status,
        200
    );
    let unknown = world
        .app
        .package_reject(&ctx, Section::Main, "bss_cars", "p9")
        .await
        .unwrap_err();
    assert_eq!((unknown.status, unknown.code), (404, "package_unknown"));
    assert_eq!(
        count(&world, Table::Package),
        6,
        "one row and one place a package"
    );
}
