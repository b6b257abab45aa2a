//! The order of checks: a call with every fault, mended one by one.

use serde_json::{Value, json};

use super::World;
use crate::raw;

async fn patch(world: &World, number: &str, change: Value) {
    let path = format!("/registry/permissions/{number}");
    world.server.operator().patch(&path, &change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fault_in_order_answers() {
    let world = World::start().await;
    let number = world
        .permission(json!({
            "valid_to": "2001-01-01", "case_required": true, "ways": ["bulk"], "misses_per_hour": 1, "quota": 1,
            "scope": { "keys": [["37295837162"]] },
        }))
        .await;
    world.transition(&number, "suspend").await;
    let holder = world.under(&number);
    let all_wrong = "records/not-a-code/2020?fields=Nope";
    let own = |rest: &str| format!("/data/mx_person/{rest}");
    let unknown = format!("/data/mx_unknown/{all_wrong}");
    for (client, code) in [
        (world.server.anonymous(), "token_invalid"),
        (world.provider.client.clone(), "connection_kind"),
        (world.holder.client.clone(), "dataset_unknown"),
    ] {
        assert_eq!(raw::get(&client, &unknown).await.code(), code);
    }
    let answer = async |client: &dagr_server::client::Client, rest: &str| {
        let answer = raw::get(client, &own(rest)).await;
        if answer.status < 400 {
            "allowed".to_owned()
        } else {
            answer.code()
        }
    };
    assert_eq!(
        answer(&world.holder.client, all_wrong).await,
        "permission_missing"
    );
    assert_eq!(answer(&holder, all_wrong).await, "permission_suspended");
    world.transition(&number, "resume").await;
    assert_eq!(answer(&holder, all_wrong).await, "permission_expired");
    patch(&world, &number, json!({ "valid_to": null })).await;
    assert_eq!(answer(&holder, all_wrong).await, "case_required");
    let holder = holder.with_case("7");
    assert_eq!(answer(&holder, all_wrong).await, "permission_way");
    patch(&world, &number, json!({ "ways": ["key"] })).await;
    let used = raw::get(&holder, &own("records/37295837162/2020")).await;
    assert_eq!(used.status, 200, "the one use there is: {}", used.text());
    for (rest, code) in [
        (all_wrong, "field_unknown"),
        ("records/not-a-code/2020?fields=Secret", "permission_field"),
        ("records/not-a-code/2020", "key_invalid"),
        ("records/36184726051/2020", "permission_scope"),
        ("records/37295837162/2020", "permission_exhausted"),
    ] {
        assert_eq!(answer(&holder, rest).await, code, "{rest}");
    }
    patch(&world, &number, json!({ "quota": 2 })).await;
    assert_eq!(
        raw::get(&holder, &own("records/37295837162/1999")).await.code(),
        "record_unknown"
    );
    // One miss is all there may be: that is told before anything of the permission.
    world.transition(&number, "suspend").await;
    assert_eq!(answer(&holder, all_wrong).await, "misses_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_judged_before_how_it_is_written() {
    let world = World::start().await;
    let anonymous = world.server.anonymous();
    for rest in [
        "records?limit=99999",
        "changes?limit=99999",
        "changes?wait=61",
        "changes/nothing",
        "records/36184726051/2020?nonsense=1",
        "records/a/b/c/d",
        "changes?include=nothing",
    ] {
        let path = format!("/data/mx_person/{rest}");
        assert_eq!(
            raw::get(&anonymous, &path).await.code(),
            "token_invalid",
            "{rest}"
        );
    }
    let body = Some(("application/json", b"not json".to_vec()));
    let answer = raw::call(
        &anonymous,
        http::Method::POST,
        "/data/mx_person/lookup",
        &[],
        body,
    )
    .await;
    assert_eq!(answer.code(), "token_invalid");
    let holder = world.under(&world.permission(json!({})).await);
    for (rest, code) in [
        ("records?limit=99999", "query_invalid"),
        ("records?limit=0", "query_invalid"),
        ("changes?limit=10001", "query_invalid"),
        ("changes?wait=61", "query_invalid"),
        ("changes?wait=1.5", "query_invalid"),
        ("records/36184726051/2020?nonsense=1", "query_invalid"),
        ("records/a/b/c/d", "key_invalid"),
    ] {
        let answer = raw::get(&holder, &format!("/data/mx_person/{rest}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, code),
            "{rest}: {}",
            answer.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_of_too_many_keys_is_no_lookup() {
    let world = World::start().await;
    let exhausted = world
        .permission(json!({ "quota": 5, "scope": { "keys": [["36184726051"]] } }))
        .await;
    for count in [0, 1_001] {
        let keys = vec![json!({ "Code": "37295837162", "Year": 1 }); count];
        let answer = raw::post(
            &world.under(&exhausted),
            "/data/mx_person/lookup",
            &json!({ "keys": keys }),
        )
        .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "key_invalid"),
            "{count} keys"
        );
    }
    let keys = json!({ "keys": [
        { "Code": "36184726051", "Year": 2020 }, { "Code": "37295837162", "Year": 2020 },
    ]});
    let answer = raw::post(&world.under(&exhausted), "/data/mx_person/lookup", &keys).await;
    assert_eq!(answer.code(), "permission_scope");
    assert!(
        answer.json()["errors"][0]["place"]
            .as_str()
            .unwrap()
            .contains("keys[1]"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_before_the_permission_is_looked_at() {
    let world = World::start().await;
    let number = world.permission(json!({ "rate_per_second": 1 })).await;
    world.transition(&number, "suspend").await;
    let client = world.under(&number);
    let mut codes = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let answer = raw::get(&client, "/data/mx_person/records/36184726051/2020").await;
        assert!(
            answer.code() != "rate_limited"
                || (answer.status == 429 && answer.headers.contains_key("retry-after"))
        );
        codes.insert(answer.code());
    }
    let both = ["permission_suspended", "rate_limited"].map(str::to_owned);
    assert_eq!(codes, both.into());
}
