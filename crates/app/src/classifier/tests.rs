//! Registered, published, and judging what is delivered.

use bytes::Bytes;
use dagr_model::role::Role;
use serde_json::{Value, json};

use super::*;
use crate::{
    ctx::Caller,
    dataset::DefinitionSent,
    intake::PackageOptions,
    testing::{PROVIDER, STRANGER, World, ndjson, person},
};

const CARS: &str = "name: cars
key: Mark
data_description: Automobiļi
fields:
  - Mark : Numurs
  - Kind code(KINDS) : Veids
  - Owner code(OWNERS) : Kam pieder
";

fn kinds() -> Classifier {
    Classifier {
        id: "KINDS".into(),
        title: "Veidi".into(),
        title_en: None,
        description: None,
        keeper: dagr_model::ids::RegistrationNumber::new(PROVIDER),
        url: None,
    }
}

fn sent(codes: &[&str], valid_from: Option<&str>) -> VersionSent {
    let value = |code: &&str| ClassifierValue {
        code: (*code).into(),
        name: format!("Veids {code}"),
        name_en: None,
        parent: None,
        valid_from: None,
        // Ended, and a code all the same.
        valid_to: Some(jiff::civil::date(2020, 1, 1)),
    };
    VersionSent {
        valid_from: valid_from.map(|day| day.parse().unwrap()),
        reason: "Grozījumi".into(),
        values: codes.iter().map(value).collect(),
    }
}

fn car(mark: &str, kind: &str) -> String {
    let record = json!({ "Mark": mark, "Kind": kind, "Owner": "anything" });
    json!({ "op": "upsert", "record": record }).to_string() + "\n"
}

async fn listed(codes: &[&str]) -> World {
    let world = World::new().await;
    world.publish(CARS).await;
    let operator = world.operator();
    world.app.classifier_put(&operator, &kinds(), None).await.unwrap();
    world
        .app
        .classifier_publish(&operator, "KINDS", sent(codes, None), None)
        .await
        .unwrap();
    world
}

async fn quarantined(world: &World, package: &str) -> Value {
    let ctx = world.producer();
    let list = world
        .app
        .quarantine_list(&ctx, Section::Main, "cars", Some(package), None, None);
    list.await.unwrap()["rows"].clone()
}

#[tokio::test]
async fn a_code_that_is_not_in_the_list_is_set_aside_and_names_rule_and_list() {
    let world = listed(&["M1", "M2"]).await;
    let answer = world
        .deliver(
            "cars",
            "p1",
            &(car("A", "M1") + &car("B", "M9") + &car("C", "M2")),
        )
        .await
        .unwrap();
    assert_eq!(
        (&answer.body["accepted"], &answer.body["quarantined"]),
        (&json!(2), &json!(1))
    );
    let rows = quarantined(&world, "p1").await;
    assert_eq!(
        rows,
        json!([{
            "package": "p1", "line": 2, "field": "Kind", "rule": "code_unknown",
            "reason": "not a code of the classifier KINDS (version 1)",
        }])
    );
    // CSV the same.
    let csv = PackageOptions {
        content_type: "text/csv".into(),
        ..PackageOptions::default()
    };
    let answer = world
        .put("cars", "p2", csv, "Mark,Kind\nD,M2\nE,m2\n")
        .await
        .unwrap();
    assert_eq!(
        (&answer.body["accepted"], &answer.body["quarantined"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn the_version_in_force_judges_and_what_is_stored_stays() {
    let world = listed(&["M1"]).await;
    world.deliver("cars", "p1", &car("A", "M1")).await.unwrap();
    let operator = world.operator();
    let next = sent(&["N1"], Some("2024-07-01"));
    world
        .app
        .classifier_publish(&operator, "KINDS", next, None)
        .await
        .unwrap();
    // It has not begun.
    world.deliver("cars", "p2", &car("B", "M1")).await.unwrap();
    assert!(world.deliver("cars", "p3", &car("C", "N1")).await.is_err());
    // Midnight in Riga.
    world.clock.set("2024-06-30T21:00:00Z");
    world.deliver("cars", "p4", &car("C", "N1")).await.unwrap();
    assert!(world.deliver("cars", "p5", &car("D", "M1")).await.is_err());
    let state = world
        .app
        .set_state(&world.producer(), Section::Main, "cars")
        .await
        .unwrap();
    assert_eq!(state["records"], 3);
    // A start from the registry judges alike.
    world.app.load().await.unwrap();
    assert!(world.deliver("cars", "p6", &car("D", "M1")).await.is_err());
    let delete = "{\"op\":\"delete\",\"key\":{\"Mark\":\"A\"}}\n";
    world.deliver("cars", "p7", delete).await.unwrap();
}

#[tokio::test]
async fn a_package_keeps_the_version_it_began_with() {
    let world = listed(&["M1"]).await;
    let (app, operator) = (std::sync::Arc::clone(&world.app), world.operator());
    let body = futures_util::stream::once(async move {
        // The first byte comes after the list has changed.
        app.classifier_publish(&operator, "KINDS", sent(&["N1"], None), None)
            .await
            .unwrap();
        Ok(Bytes::from(car("A", "M1")))
    });
    let ctx = world.producer();
    let put = world
        .app
        .package_put(&ctx, Section::Main, "cars", "p1", ndjson(), body);
    assert_eq!(Box::pin(put).await.unwrap().body["accepted"], 1);
    assert!(world.deliver("cars", "p2", &car("B", "M1")).await.is_err());
}

#[tokio::test]
async fn a_definition_says_which_lists_judge_nothing_and_how_to_mend_it() {
    let world = World::new().await;
    let operator = world.operator();
    world.app.classifier_put(&operator, &kinds(), None).await.unwrap();
    let put = async || {
        let sent = DefinitionSent {
            text: CARS.into(),
            institution: Some(PROVIDER.into()),
            ..DefinitionSent::default()
        };
        let (made, _) = world.app.definition_put(&operator, "cars", sent).await.unwrap();
        let remarks = made.value.remarks.into_iter();
        remarks
            .map(|remark| (remark.place, remark.rule))
            .collect::<Vec<_>>()
    };
    let expected = [("Kind", "classifier_empty"), ("Owner", "classifier_unknown")];
    assert_eq!(
        put().await,
        expected.map(|(at, rule)| (at.to_owned(), rule.to_owned()))
    );
    world
        .app
        .classifier_publish(&operator, "KINDS", sent(&["M1"], None), None)
        .await
        .unwrap();
    assert_eq!(put().await.len(), 1);
    let published = world.app.dataset_publish(&operator, "cars", None).await.unwrap();
    assert_eq!(published.value.remarks[0].place, "Owner");
    let uses = world.app.classifier_uses("KINDS");
    let uses: Vec<_> = uses
        .iter()
        .map(|used| (used.section, used.field.as_str()))
        .collect();
    assert_eq!(uses, [(Section::Main, "Kind"), (Section::Sandbox, "Kind")]);
}

#[tokio::test]
async fn the_keeper_publishes_and_the_operator_registers() {
    let world = World::new().await;
    let app = &world.app;
    let manager = person(&world, 1, PROVIDER, &[Role::DataManager]).await;
    let head = person(&world, 2, PROVIDER, &[Role::Head]).await;
    let lawyer = person(&world, 3, PROVIDER, &[Role::LegalReviewer]).await;
    let stranger = person(&world, 4, STRANGER, &[Role::Head]).await;
    let nobody = world.ctx(Caller::Anonymous);
    for id in ["NAV", "..", "a\0b", ""] {
        assert_eq!(app.classifier_get(&nobody, id).await.unwrap_err().status, 404);
    }
    for (ctx, code) in [(&manager, "role_required"), (&nobody, "token_invalid")] {
        let refused = app.classifier_put(ctx, &kinds(), None).await.unwrap_err();
        assert_eq!(refused.code, code);
    }
    app.classifier_put(&world.operator(), &kinds(), None)
        .await
        .unwrap();
    for (ctx, expected) in [
        (&lawyer, Some("role_required")),
        (&stranger, Some("role_required")),
        (&world.producer(), Some("role_required")),
        (&nobody, Some("token_invalid")),
        (&manager, None),
        (&head, None),
        (&world.operator(), None),
    ] {
        let checked = app.classifier_check(ctx, "KINDS", sent(&["X"], None)).await;
        assert_eq!(checked.err().map(|problem| problem.code), expected);
        let latest = app
            .classifier_get(&nobody, "KINDS")
            .await
            .unwrap()
            .value
            .view
            .latest;
        let code = format!("M{}", latest.unwrap_or(0));
        let made = app
            .classifier_publish(ctx, "KINDS", sent(&[&code], None), None)
            .await;
        assert_eq!(made.err().map(|problem| problem.code), expected);
        let put = Classifier {
            title: format!("Veidi {code}"),
            ..kinds()
        };
        let put = app.classifier_put(ctx, &put, None).await;
        assert_eq!(put.err().map(|problem| problem.code), expected);
    }
    let given = Classifier {
        keeper: dagr_model::ids::RegistrationNumber::new(STRANGER),
        ..kinds()
    };
    assert_eq!(
        app.classifier_put(&manager, &given, None).await.unwrap_err().code,
        "role_required"
    );
    // Everybody reads, and finds it in whatever form of the word.
    assert_eq!(app.classifier_search("veids", 10).len(), 1);
    assert_eq!(app.classifier_search("krāsa", 10).len(), 0);
    let seen = app.classifier_get(&nobody, "KINDS").await.unwrap().value;
    assert_eq!((seen.in_force, seen.may_publish), (Some(3), false));
    let whole = app
        .classifier_version_get(&nobody, "KINDS", Which::Current)
        .await
        .unwrap();
    assert_eq!((whole.0.number, whole.1[0].code.as_str()), (3, "M2"));
}

#[tokio::test]
async fn a_check_tells_the_difference_and_changes_nothing() {
    let world = listed(&["M1", "M2"]).await;
    let operator = world.operator();
    let mut next = sent(&["M1", "M3"], None);
    next.values[0].name = "Citādi".into();
    let checked = world
        .app
        .classifier_check(&operator, "KINDS", next.clone())
        .await
        .unwrap();
    let found = checked.difference();
    assert_eq!(found.added[0].code, "M3");
    assert_eq!(found.removed[0].code, "M2");
    assert_eq!(found.renamed[0].1.name, "Citādi");
    assert_eq!(checked.used_by[0].field, "Kind");
    next.values[1].parent = Some("M9".into());
    let refused = world
        .app
        .classifier_check(&operator, "KINDS", next)
        .await
        .unwrap_err();
    assert_eq!(refused.faults[0].place, "values[1].parent");
    let seen = world.app.classifier_get(&operator, "KINDS").await.unwrap();
    assert_eq!(seen.value.view.latest, Some(1));
}
