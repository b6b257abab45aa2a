//! What people of the provider, of other institutions, and connections may do with a data set.

use dagr_model::ids::Section;
use serde_json::json;

use super::*;
use crate::{
    dataset::DefinitionSent,
    institution::ListQuery,
    intake::{PackageOptions, seen::PackageState},
    testing::{PROVIDER, STRANGER, World, ndjson, person},
};

const CARS: &str = "name: cars
key: Mark
data_description: Automobiļi
freshness: 1d
fields:
  - Mark : Numurs
  - Doors int : Durvis
";

fn marks(from: u32, to: u32) -> String {
    let line = |n| json!({ "op": "upsert", "record": { "Mark": format!("M{n:03}"), "Doors": 4 } });
    (from..to).fold(String::new(), |lines, n| lines + &line(n).to_string() + "\n")
}

async fn put(world: &World, ctx: &Ctx, text: &str) -> Result<bool, &'static str> {
    let sent = DefinitionSent {
        text: text.to_owned(),
        ..DefinitionSent::default()
    };
    let name = text.lines().next().unwrap().trim_start_matches("name: ");
    let put = world.app.definition_put(ctx, name, sent).await;
    put.map(|(_, new)| new).map_err(|problem| problem.code)
}

#[tokio::test]
async fn the_provider_answers_for_its_own_definitions() {
    let world = World::new().await;
    let app = &world.app;
    world.publish(CARS).await;
    let manager = person(&world, 1, PROVIDER, &[Role::DataManager]).await;
    let technician = person(&world, 2, PROVIDER, &[Role::TechnicalContact]).await;
    let stranger = person(&world, 3, STRANGER, &[Role::Head]).await;
    let passer = person(&world, 4, STRANGER, &[Role::Auditor]).await;

    let wider = CARS.replace("  - Doors", "  - Colour : Krāsa\n  - Doors");
    for (ctx, expected) in [
        (&technician, Err("role_required")),
        (&stranger, Err("dataset_unknown")),
        (&passer, Err("dataset_unknown")),
        (&world.ctx(Caller::Anonymous), Err("token_invalid")),
        (&world.producer(), Err("role_required")),
        (&manager, Ok(false)),
    ] {
        assert_eq!(put(&world, ctx, &wider).await, expected);
        let published = app.dataset_publish(ctx, "cars", None).await;
        assert_eq!(published.map(|_| false).map_err(|problem| problem.code), expected);
    }
    // Who does not change still reads, of the own institution only.
    for (ctx, expected) in [(&technician, None), (&stranger, Some("dataset_unknown"))] {
        let read = app.definition_get(ctx, "cars", None).await.err();
        assert_eq!(read.map(|problem| problem.code), expected);
        let read = app.dataset_get(ctx, "cars").await.err();
        assert_eq!(read.map(|problem| problem.code), expected);
        let read = app.provided_get(ctx, "cars").await.err();
        assert_eq!(read.map(|problem| problem.code), expected);
    }
    let trail = app
        .audit_list(
            &world.operator(),
            crate::audit::AuditQuery {
                limit: 1,
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(
        trail.items[0].actor,
        manager.actor_name(),
        "the trail names who did it"
    );
}

#[tokio::test]
async fn a_new_set_belongs_to_the_institution_acted_for_once_it_is_a_provider() {
    let world = World::new().await;
    let app = &world.app;
    world.publish(CARS).await;
    let manager = person(&world, 1, PROVIDER, &[Role::Head]).await;
    let stranger = person(&world, 2, STRANGER, &[Role::Head]).await;
    let boats = CARS.replace("cars", "boats");
    assert_eq!(put(&world, &stranger, &boats).await, Err("role_required"));
    let refused = app.definition_check(&stranger, None, &boats).await.unwrap_err();
    assert!(
        refused.detail.contains("apply for the provider's role"),
        "{refused}"
    );
    let provides = async |ctx| app.frame_get(ctx).await.unwrap().provides;
    assert!(!provides(&stranger).await && provides(&manager).await);
    let foreign = DefinitionSent {
        text: boats.clone(),
        institution: Some(STRANGER.to_owned()),
        ..DefinitionSent::default()
    };
    let foreign = app.definition_put(&manager, "boats", foreign).await;
    assert_eq!(foreign.unwrap_err().code, "role_required");
    assert_eq!(put(&world, &manager, &boats).await, Ok(true));
    let page = ListQuery {
        after: None,
        limit: 10,
    };
    let listed = app.dataset_list(&manager, page.clone()).await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|set| set.value.name.as_str()).collect();
    assert_eq!(names, ["boats", "cars"]);
    assert!(app.dataset_list(&stranger, page).await.unwrap().items.is_empty());
    let own = app.provided_list(&manager, None, 1).await.unwrap();
    assert_eq!(
        (own.sets.len(), own.of, own.next.as_deref()),
        (1, 2, Some("boats"))
    );
    let own = app.provided_list(&manager, own.next.as_deref(), 1).await.unwrap();
    assert_eq!((own.sets[0].name.as_str(), own.next), ("cars", None));
    assert_eq!(app.provided_list(&stranger, None, 10).await.unwrap().of, 0);
}

#[tokio::test]
async fn a_check_tells_every_fault_or_what_would_change_and_keeps_nothing() {
    let world = World::new().await;
    let app = &world.app;
    world.publish(CARS).await;
    let manager = person(&world, 1, PROVIDER, &[Role::DataManager]).await;
    let technician = person(&world, 2, PROVIDER, &[Role::TechnicalContact]).await;
    let check = async |ctx, dataset, text: &str| app.definition_check(ctx, dataset, text).await;
    assert_eq!(
        check(&technician, Some("cars"), CARS).await.unwrap_err().code,
        "role_required"
    );
    let faulty = CARS
        .replace("Doors int", "Doors itn")
        .replace("key: Mark", "kez: Mark");
    let faults = check(&manager, Some("cars"), &faulty).await.unwrap_err().faults;
    assert!(faults.len() >= 2, "{faults:?}");
    assert!(
        faults.iter().all(|fault| fault.place.starts_with("line ")),
        "{faults:?}"
    );
    let narrower = CARS.replace("  - Doors int : Durvis\n", "  - Colour : Krāsa\n");
    let checked = check(&manager, Some("cars"), &narrower).await.unwrap();
    let evolution = checked.evolution.unwrap();
    assert_eq!(
        evolution
            .changes
            .iter()
            .filter(|change| !change.compatible)
            .count(),
        1
    );
    assert!(
        checked.sample[0].get().contains("Colour"),
        "{}",
        checked.sample[0]
    );
    assert!(
        check(&manager, Some("cars"), CARS)
            .await
            .unwrap()
            .evolution
            .unwrap()
            .changes
            .is_empty()
    );
    for (dataset, text) in [
        (None, CARS.to_owned()),
        (Some("cars"), CARS.replace("cars", "boats")),
    ] {
        let problem = check(&manager, dataset, &text).await.unwrap_err();
        assert_eq!(
            (problem.faults[0].rule.as_str(), problem.faults[0].place.as_str()),
            ("name_taken", "line 1")
        );
    }
    let kept = app
        .definition_get(&manager, "cars", Some(Section::Sandbox))
        .await
        .unwrap();
    assert!(kept.value.text.contains("Durvis"));
}

#[tokio::test]
async fn people_of_the_provider_see_packages_and_its_answering_roles_decide_held_ones() {
    let world = World::new().await;
    let app = &world.app;
    world.publish(CARS).await;
    let manager = person(&world, 1, PROVIDER, &[Role::DataManager]).await;
    let lawyer = person(&world, 2, PROVIDER, &[Role::LegalReviewer]).await;
    let stranger = person(&world, 3, STRANGER, &[Role::DataManager]).await;
    let main = Section::Main;
    let bad = "{\"op\":\"upsert\",\"record\":{\"Mark\":\"X\",\"Doors\":\"many\"}}\n";
    world
        .deliver("cars", "p0", &[&marks(0, 20), bad].concat())
        .await
        .unwrap();
    let snapshot = || PackageOptions {
        mode: Some("snapshot".into()),
        ..ndjson()
    };
    world.put("cars", "p1", snapshot(), &marks(4, 20)).await.unwrap();

    let seen = app.package_seen(&lawyer, main, "cars", "p1").await.unwrap();
    let held = seen.held.unwrap();
    assert_eq!(
        (held.would_delete, held.records, held.guard_bp, held.outdated),
        (4, 20, 1_000, false)
    );
    assert_eq!(
        (held.share_bp(), seen.state, seen.snapshot),
        (2_000, PackageState::Held, true)
    );
    let page = app.package_page(&lawyer, main, "cars", None, 1).await.unwrap();
    assert_eq!(page.packages[0].id, "p1");
    let page = app
        .package_page(&lawyer, main, "cars", page.next.as_deref(), 1)
        .await
        .unwrap();
    assert_eq!((page.packages[0].quarantined, page.next), (1, None));
    let rows = app
        .quarantine_list(&lawyer, main, "cars", Some("p0"), None, None)
        .await
        .unwrap();
    assert_eq!(rows["rows"][0]["field"], "Doors");
    assert!(app.set_state(&lawyer, main, "cars").await.is_ok());
    assert!(app.recipient_list(&lawyer, main, "cars", None, 10).is_ok());
    let own = app.provided_get(&lawyer, "cars").await.unwrap().main.unwrap();
    assert_eq!(
        (own.records, own.held, own.quarantined, own.is_late),
        (20, 1, 1, false)
    );

    for (ctx, code) in [(&lawyer, "role_required"), (&stranger, "dataset_unknown")] {
        let refused = app.package_confirm(ctx, main, "cars", "p1").await.unwrap_err();
        assert_eq!(refused.code, code);
        let refused = app.package_reject(ctx, main, "cars", "p1").await.unwrap_err();
        assert_eq!(refused.code, code);
    }
    let refused = app
        .package_page(&stranger, main, "cars", None, 1)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "dataset_unknown");
    let refused = app
        .quarantine_list(&stranger, main, "cars", None, None, None)
        .await;
    assert_eq!(refused.unwrap_err().code, "dataset_unknown");
    let receipt = app.package_confirm(&manager, main, "cars", "p1").await.unwrap();
    assert_eq!(receipt["deleted"], 4);
    world.put("cars", "p2", snapshot(), &marks(10, 20)).await.unwrap();
    app.package_reject(&manager, main, "cars", "p2").await.unwrap();
    let seen = app.package_seen(&manager, main, "cars", "p2").await.unwrap();
    assert_eq!((seen.state, seen.held), (PackageState::Rejected, None));
    // A day and a minute later the promise is broken.
    world.clock.set("2024-06-02T12:01:00Z");
    let later = Ctx {
        now: app.now(),
        ..manager
    };
    assert!(
        app.provided_get(&later, "cars")
            .await
            .unwrap()
            .main
            .unwrap()
            .is_late
    );
}

#[tokio::test]
async fn a_promise_is_missed_also_by_a_set_that_never_received_anything() {
    let world = World::new().await;
    world.publish(CARS).await;
    let manager = person(&world, 1, PROVIDER, &[Role::DataManager]).await;
    let late = async || {
        let ctx = Ctx {
            now: world.app.now(),
            ..manager.clone()
        };
        let own = world.app.provided_get(&ctx, "cars").await.unwrap();
        (own.main.unwrap().is_late, own.sandbox.unwrap().is_late)
    };
    world.clock.set("2024-06-02T12:00:00Z");
    assert_eq!(late().await, (false, false));
    world.clock.set("2024-06-02T12:00:01Z");
    assert_eq!(late().await, (true, false), "a day after it was published");
    world.deliver("cars", "p1", &marks(0, 1)).await.unwrap();
    assert_eq!(late().await, (false, false));
}
