//! Deliveries against the memory engine, through the use cases.

mod guard;
mod upkeep;

use std::{io, sync::Arc};

use bytes::Bytes;
use dagr_model::{
    digest::{SetDigest, record_digest},
    expression::Transition,
    ids::Section,
};
use dagr_store::{
    kv::{Direction, Range, Table},
    set::{head::Head, keys, lists::Lists, read},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{PackageOptions, package::hex};
use crate::{
    Settings,
    ctx::{Caller, ConnectionKind},
    set::{LiveSet, NamedIndex},
    testing::{STRANGER, World, ndjson, pieces},
};

const CARS: &str = "name: bss_cars
key: Mark
data_description: Cars
fields:
  - Mark : mark
  - Model : model
  - Doors int : doors
  - Built date : built
";

fn upsert(mark: &str, model: &str) -> String {
    format!("{{\"op\":\"upsert\",\"record\":{{\"Mark\":\"{mark}\",\"Model\":\"{model}\"}}}}\n")
}

fn delete(mark: &str) -> String {
    format!("{{\"op\":\"delete\",\"key\":{{\"Mark\":\"{mark}\"}}}}\n")
}

fn csv() -> PackageOptions {
    PackageOptions {
        content_type: "text/csv; charset=utf-8".to_owned(),
        ..PackageOptions::default()
    }
}

fn snapshot(options: PackageOptions) -> PackageOptions {
    PackageOptions {
        mode: Some("snapshot".to_owned()),
        ..options
    }
}

fn marks(from: usize, to: usize) -> String {
    (from..to)
        .map(|number| upsert(&format!("M{number:03}"), "a"))
        .collect()
}

async fn cars() -> World {
    let world = World::new().await;
    world.publish(CARS).await;
    world
}

async fn quarantine(world: &World, package: Option<&str>) -> Vec<Value> {
    let ctx = world.producer();
    let list = world
        .app
        .quarantine_list(&ctx, Section::Main, "bss_cars", package, None, None)
        .await
        .unwrap();
    list["rows"].as_array().unwrap().clone()
}

async fn state(world: &World) -> Value {
    world
        .app
        .set_state(&world.producer(), Section::Main, "bss_cars")
        .await
        .unwrap()
}

fn count(world: &World, table: Table) -> usize {
    let kv = world.engine.open("main/bss_cars").unwrap();
    let snapshot = kv.snapshot().unwrap();
    snapshot
        .scan(table, Range::default(), Direction::Forward)
        .unwrap()
        .count()
}

#[tokio::test]
async fn a_package_is_applied_and_receipted() {
    let world = cars().await;
    let body = format!("{}{}\n{}", upsert("A", "x"), upsert("B", "y"), delete("Z"));
    let answer = world.deliver("bss_cars", "p1", &body).await.unwrap();
    assert_eq!(answer.status, 200);
    let mut receipt = answer.body;
    let signature = receipt.as_object_mut().unwrap().remove("signature").unwrap();
    assert!(signature.as_str().unwrap().contains(".."));
    let expected = json!({
        "package_id": "p1", "mode": "delta",
        "read_as": {"media_type": "application/x-ndjson", "charset": "utf-8", "delimiter": null},
        "received": 3, "accepted": 2, "unchanged": 1, "deleted": 0, "duplicates": 0, "expired": 0, "quarantined": 0,
        "first_sequence": 1, "last_sequence": 2, "epoch": receipt["epoch"],
        "digest": hex(&Sha256::digest(body.as_bytes())), "received_at": "2024-06-01T12:00:00Z",
    });
    assert_eq!(receipt, expected);
    let mut digest = SetDigest::default();
    digest.add(&record_digest(b"{\"Mark\":\"A\",\"Model\":\"x\"}"));
    digest.add(&record_digest(b"{\"Mark\":\"B\",\"Model\":\"y\"}"));
    let expected = json!({
        "last_sequence": 2, "epoch": receipt["epoch"], "records": 2, "digest": digest.hex(),
        "freshness": "2024-06-01T12:00:00Z",
    });
    assert_eq!(state(&world).await, expected);
    assert_eq!(world.stages(), 0);
    let again = world
        .deliver("bss_cars", "p2", &upsert("A", "x"))
        .await
        .unwrap()
        .body;
    assert_eq!(
        (&again["unchanged"], &again["first_sequence"]),
        (&json!(1), &Value::Null)
    );
}

#[tokio::test]
async fn the_same_delivery_gives_the_same_receipt() {
    let world = cars().await;
    let body = upsert("A", "x");
    let first = world.deliver("bss_cars", "p1", &body).await.unwrap();
    assert_eq!(world.deliver("bss_cars", "p1", &body).await.unwrap(), first);
    let other = world
        .deliver("bss_cars", "p1", &upsert("A", "y"))
        .await
        .unwrap_err();
    assert_eq!((other.status, other.code), (409, "package_conflict"));
    // `previous` and `mode` are not looked at, and with the digest neither is the body.
    let digest = Sha256::digest(body.as_bytes()).into();
    let options = PackageOptions {
        repr_digest: Some(digest),
        previous: Some("?".into()),
        ..snapshot(ndjson())
    };
    assert_eq!(
        world.put("bss_cars", "p1", options, "never read").await.unwrap(),
        first
    );
}

#[tokio::test]
async fn strangers_and_consumers_deliver_nothing() {
    let world = cars().await;
    let put = async |ctx, set| {
        let body = pieces(&upsert("A", "x"));
        world
            .app
            .package_put(&ctx, Section::Main, set, "p", ndjson(), body)
            .await
            .unwrap_err()
            .code
    };
    assert_eq!(
        put(world.ctx(Caller::Anonymous), "bss_cars").await,
        "token_invalid"
    );
    let consumer = world.connection(crate::testing::PROVIDER, ConnectionKind::Consumer);
    assert_eq!(put(consumer, "bss_cars").await, "connection_kind");
    assert_eq!(
        put(world.connection(STRANGER, ConnectionKind::Producer), "bss_cars").await,
        "dataset_unknown"
    );
    assert_eq!(put(world.producer(), "bss_ships").await, "dataset_unknown");
}

#[tokio::test]
async fn bad_rows_go_to_quarantine_and_the_rest_goes_on() {
    let world = cars().await;
    let body = [
        upsert("A", "x").as_str(),
        "{\"op\":\"upsert\",\"record\":{\"Mark\":\"B\",\"Doors\":\"five\",\"Colour\":\"red\"}}\n",
        "{\"op\":\n",
        "{\"op\":\"upsert\",\"record\":{\"Model\":\"keyless\"}}\n",
        &format!(
            "{{\"op\":\"delete\",\"key\":{{\"Mark\":\"{}\"}}}}\n",
            "k".repeat(400)
        ),
    ]
    .concat();
    let receipt = world.deliver("bss_cars", "p1", &body).await.unwrap().body;
    assert_eq!(
        (
            &receipt["received"],
            &receipt["accepted"],
            &receipt["quarantined"]
        ),
        (&json!(5), &json!(1), &json!(4))
    );
    let rows = quarantine(&world, Some("p1")).await;
    let places: Vec<_> = rows
        .iter()
        .map(|row| (row["line"].as_u64().unwrap(), row["field"].as_str()))
        .collect();
    assert_eq!(places[0], (2, Some("Doors")));
    assert_eq!(places[1], (2, Some("Colour")));
    assert_eq!(places[2], (3, None));
    assert_eq!(places[3], (4, Some("Mark")));
    assert_eq!(
        (places[4], &rows[4]["rule"]),
        ((5, Some("Mark")), &json!("key_length"))
    );
    assert!(
        rows.iter()
            .all(|row| row["package"] == "p1" && !row["reason"].as_str().unwrap().contains("five"))
    );
    let page = world
        .app
        .quarantine_list(&world.producer(), Section::Main, "bss_cars", None, None, Some(4))
        .await
        .unwrap();
    let next = page["next"].as_str().unwrap();
    let rest = world
        .app
        .quarantine_list(
            &world.producer(),
            Section::Main,
            "bss_cars",
            None,
            Some(next),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        (rest["rows"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    assert_eq!(quarantine(&world, Some("unknown")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_package_without_an_acceptable_row_leaves_nothing() {
    let world = cars().await;
    let refused = world
        .deliver("bss_cars", "p1", "nonsense\nmore\n")
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code, refused.total),
        (422, "package_refused", 2)
    );
    assert!(refused.faults[0].place.starts_with("line 1"));
    let unknown = world
        .put("bss_cars", "p1", csv(), "Mark,Colour\nA,red\n")
        .await
        .unwrap_err();
    assert_eq!((unknown.status, unknown.code), (422, "columns_unknown"));
    let array = PackageOptions {
        content_type: "application/json".into(),
        ..PackageOptions::default()
    };
    let cut = world
        .put("bss_cars", "p1", array, "[{\"Mark\":\"A\"}")
        .await
        .unwrap_err();
    assert_eq!((cut.status, cut.code), (422, "package_unreadable"));
    let xml = PackageOptions {
        content_type: "text/xml".into(),
        ..PackageOptions::default()
    };
    assert_eq!(
        world.put("bss_cars", "p1", xml, "<a/>").await.unwrap_err().status,
        415
    );
    let broken = pieces(&upsert("A", "x")).chain(futures_util::stream::iter([Err(io::Error::other("gone"))]));
    let gone = world
        .app
        .package_put(
            &world.producer(),
            Section::Main,
            "bss_cars",
            "p1",
            ndjson(),
            broken,
        )
        .await;
    assert_eq!(gone.unwrap_err().status, 422);
    assert_eq!(
        (
            count(&world, Table::Package),
            count(&world, Table::Quarantine),
            world.stages()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        world
            .deliver("bss_cars", "p1", &upsert("A", "x"))
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(
        world.deliver("bss_cars", "empty", "").await.unwrap().body["received"],
        0
    );
}

#[tokio::test]
async fn sizes_are_bounded() {
    let world = World::with(Settings {
        package_max_bytes: 100,
        disk_reserve_bytes: 0,
        ..Settings::default()
    })
    .await;
    world.publish(CARS).await;
    let large = world.deliver("bss_cars", "p1", &marks(0, 10)).await.unwrap_err();
    assert_eq!((large.status, large.code), (413, "body_too_large"));
    let world = World::with(Settings {
        disk_reserve_bytes: u64::MAX,
        ..Settings::default()
    })
    .await;
    world.publish(CARS).await;
    let full = world.deliver("bss_cars", "p1", &marks(0, 10)).await.unwrap_err();
    assert_eq!((full.status, full.code), (503, "storage_full"));
    assert_eq!(world.stages(), 0);
}

#[tokio::test]
async fn csv_rows_that_differ_under_one_key_are_set_aside() {
    let world = cars().await;
    world
        .put("bss_cars", "p0", csv(), "Mark;Model\nA;old\n")
        .await
        .unwrap();
    let body = "Mark;Model\nA;x\nB;y\nB;y\nA;z\n";
    let receipt = world.put("bss_cars", "p1", csv(), body).await.unwrap().body;
    assert_eq!(
        receipt["read_as"],
        json!({"media_type": "text/csv", "charset": "utf-8", "delimiter": ";"})
    );
    let counts =
        ["received", "accepted", "duplicates", "quarantined"].map(|name| receipt[name].as_u64().unwrap());
    assert_eq!(counts, [4, 1, 1, 2]);
    let lines: Vec<_> = quarantine(&world, Some("p1"))
        .await
        .iter()
        .map(|row| row["line"].clone())
        .collect();
    assert_eq!(lines, [2, 5]);
    let kv = world.engine.open("main/bss_cars").unwrap();
    let catalog = world.app.catalog();
    let schema = &catalog.live(Section::Main, "bss_cars").unwrap().schema;
    let key = schema.key_from_parts(&["A"]).unwrap();
    let held = kv.snapshot().unwrap();
    let old = read::record(&*held, &key).unwrap().unwrap();
    assert_eq!(old.record.json, b"{\"Mark\":\"A\",\"Model\":\"old\"}");
}

#[tokio::test]
async fn a_delta_of_operations_keeps_the_last() {
    let world = cars().await;
    let body = [
        upsert("A", "x"),
        upsert("A", "y"),
        delete("B"),
        upsert("B", "z"),
        upsert("C", "c"),
        delete("C"),
    ]
    .concat();
    let receipt = world.deliver("bss_cars", "p1", &body).await.unwrap().body;
    let counts =
        ["received", "accepted", "unchanged", "duplicates"].map(|name| receipt[name].as_u64().unwrap());
    assert_eq!(counts, [6, 2, 1, 3]);
}

#[tokio::test]
async fn previous_must_be_the_last_applied() {
    let world = cars().await;
    world.deliver("bss_cars", "p1", &upsert("A", "x")).await.unwrap();
    let after = |id: &str| PackageOptions {
        previous: Some(id.to_owned()),
        ..ndjson()
    };
    let wrong = world
        .put("bss_cars", "p2", after("p0"), &upsert("A", "y"))
        .await
        .unwrap_err();
    assert_eq!((wrong.status, wrong.code), (409, "package_order"));
    assert_eq!(
        world
            .put("bss_cars", "p2", after("p1"), &upsert("A", "y"))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn a_dry_run_reports_and_changes_nothing() {
    let world = cars().await;
    world.deliver("bss_cars", "p0", &marks(0, 10)).await.unwrap();
    let before = state(&world).await;
    let dry = |options| PackageOptions {
        dry_run: true,
        ..options
    };
    let body = format!("{}broken\n", upsert("A", "x"));
    let report = world.put("bss_cars", "p1", dry(ndjson()), &body).await.unwrap();
    assert_eq!(
        (
            report.status,
            &report.body["accepted"],
            &report.body["first_sequence"]
        ),
        (200, &json!(1), &Value::Null)
    );
    assert_eq!(
        (&report.body["errors"][0]["place"], &report.body["total_errors"]),
        (&json!("line 2"), &json!(1))
    );
    let held = world
        .put("bss_cars", "p1", dry(snapshot(ndjson())), &upsert("A", "x"))
        .await
        .unwrap();
    assert_eq!((held.status, &held.body["would_delete"]), (202, &json!(10)));
    assert_eq!((state(&world).await, world.stages()), (before, 0));
    assert_eq!(
        world
            .app
            .package_get(&world.producer(), Section::Main, "bss_cars", "p1")
            .await
            .unwrap_err()
            .status,
        404
    );
}

#[tokio::test]
async fn an_open_package_shows_its_progress_and_takes_its_id() {
    let world = cars().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(1);
    let body = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let (app, ctx) = (world.app.clone(), world.producer());
    let put = tokio::spawn(async move {
        app.package_put(&ctx, Section::Main, "bss_cars", "p1", ndjson(), body)
            .await
    });
    // Taken one by one: after the third the first has been handed on.
    for mark in ["A", "B", "C"] {
        sender.send(Ok(Bytes::from(upsert(mark, "x")))).await.unwrap();
    }
    let ctx = world.producer();
    let view = world
        .app
        .package_get(&ctx, Section::Main, "bss_cars", "p1")
        .await
        .unwrap();
    assert_eq!(view["state"], "open");
    assert!(view["progress"]["bytes"].is_u64());
    let list = world
        .app
        .package_list(&ctx, Section::Main, "bss_cars", None, None)
        .await
        .unwrap();
    assert_eq!(list["packages"][0]["state"], "open");
    let second = world
        .deliver("bss_cars", "p1", &upsert("A", "x"))
        .await
        .unwrap_err();
    assert_eq!(
        (second.status, second.code, second.retry_after_s.is_some()),
        (409, "package_open", true)
    );
    drop(sender);
    assert_eq!(put.await.unwrap().unwrap().body["accepted"], 3);
}
