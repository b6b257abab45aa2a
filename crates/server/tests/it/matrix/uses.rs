//! What a use is, and what it costs.

use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};

use super::World;
use crate::raw::{self, Raw, call};

const ANNA: &str = "/data/mx_person/records/36184726051/2020";

fn keys(count: usize) -> Value {
    let keys: Vec<Value> = (0..count)
        .map(|year| json!({ "Code": "36184726051", "Year": 2020 + year }))
        .collect();
    json!({ "keys": keys })
}

async fn lookup(client: &Client, count: usize) -> Raw {
    raw::post(client, "/data/mx_person/lookup", &keys(count)).await
}

/// The end of the feed: nothing comes after it.
async fn at_the_end(client: &Client) -> String {
    let feed = client.get("/data/mx_person/changes").await.unwrap();
    assert_eq!(feed["end"], true);
    format!("/data/mx_person/changes?after={}", feed["next"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_and_each_page_is_one() {
    let mut world = World::start().await;
    let number = world.permission(json!({ "quota": 100 })).await;
    let client = world.under(&number);
    let tag = raw::get(&client, ANNA).await.header("etag").to_owned();
    let end = at_the_end(&client).await;
    let mut used = world.use_count(&number).await;
    assert_eq!(used, 2, "a record and a page of the feed");
    let unchanged = [("if-none-match", tag.as_str())];
    let calls: [(&str, Method, &str, u16, u64); 14] = [
        ("a record", Method::GET, ANNA, 200, 1),
        ("without its body", Method::HEAD, ANNA, 200, 1),
        (
            "not found",
            Method::GET,
            "/data/mx_person/records/38173625949/1",
            404,
            1,
        ),
        (
            "as of",
            Method::GET,
            &format!("{ANNA}?as_of=2099-01-01T00:00:00Z"),
            200,
            1,
        ),
        (
            "a leading part",
            Method::GET,
            "/data/mx_person/records/36184726051",
            200,
            1,
        ),
        (
            "an empty leading part",
            Method::GET,
            "/data/mx_person/records/38173625949",
            200,
            1,
        ),
        (
            "by index",
            Method::GET,
            "/data/mx_person/records?Name=Anna",
            200,
            1,
        ),
        (
            "by index, empty",
            Method::GET,
            "/data/mx_person/records?Name=Nobody",
            200,
            1,
        ),
        ("everything", Method::GET, "/data/mx_person/records", 200, 1),
        (
            "a feed",
            Method::GET,
            "/data/mx_person/changes?include=record",
            200,
            1,
        ),
        ("the end of a feed", Method::GET, &end, 200, 0),
        ("a list", Method::GET, "/data/mx_person/changes/renamed", 200, 1),
        (
            "refused",
            Method::GET,
            "/data/mx_person/records/36184726051/2020?fields=Secret",
            403,
            0,
        ),
        ("malformed", Method::GET, "/data/mx_person/records/x/2020", 400, 0),
    ];
    for (what, method, path, status, uses) in calls {
        let answer = call(&client, method, path, &[], None).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        used += uses;
        assert_eq!(world.use_count(&number).await, used, "{what}");
    }
    let entries = world.entries(&number).await.0;
    let same = call(&client, Method::GET, ANNA, &unchanged, None).await;
    assert_eq!(
        world.entries(&number).await.0,
        entries + 1,
        "and an entry like any other"
    );
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!(same.header("etag"), tag);
    assert_eq!(
        world.use_count(&number).await,
        used + 1,
        "a 304 is a use like any other"
    );
    assert_eq!(lookup(&client, 3).await.status, 200);
    assert_eq!(
        world.use_count(&number).await,
        used + 4,
        "one for each key, found or not"
    );
    world.server.kill_and_restart();
    world.holder.client = world.server.again(&world.holder);
    assert_eq!(
        world.use_count(&number).await,
        used + 4,
        "a restart gives nothing back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn by_record_each_record_of_a_page_is_one() {
    let world = World::start().await;
    let number = world
        .permission(json!({ "quota": 100, "quota_unit": "record" }))
        .await;
    let client = world.under(&number);
    let end = at_the_end(&client).await;
    let mut used = world.use_count(&number).await;
    assert_eq!(used, 2, "a feed of two records");
    for (what, path, uses) in [
        ("a record", ANNA, 1),
        ("a leading part", "/data/mx_person/records/36184726051", 2),
        ("an empty leading part", "/data/mx_person/records/38173625949", 1),
        ("by index, empty", "/data/mx_person/records?Name=Nobody", 1),
        ("a page of two", "/data/mx_person/records?limit=2", 2),
        ("the end of a feed", &end, 0),
    ] {
        assert_eq!(raw::get(&client, path).await.status, 200, "{what}");
        used += uses;
        assert_eq!(world.use_count(&number).await, used, "{what}");
    }
    assert_eq!(lookup(&client, 3).await.status, 200);
    assert_eq!(world.use_count(&number).await, used + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_cut_and_a_lookup_refused_whole() {
    let world = World::start().await;
    let number = world
        .permission(json!({ "quota": 1, "quota_unit": "record" }))
        .await;
    let client = world.under(&number);
    let page = raw::get(&client, "/data/mx_person/records").await.json();
    assert_eq!(
        page["records"].as_array().unwrap().len(),
        1,
        "cut to what is left"
    );
    assert!(page["next"].is_string(), "there is a second");
    let wait = raw::get(&client, "/data/mx_person/changes?wait=60").await;
    assert_eq!((wait.status, wait.code().as_str()), (403, "permission_exhausted"));

    let number = world.permission(json!({ "quota": 2 })).await;
    let client = world.under(&number);
    let refused = lookup(&client, 3).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "permission_exhausted")
    );
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("2 are left") || detail.contains("2 left"),
        "{detail}"
    );
    assert_eq!(world.use_count(&number).await, 0, "nothing is taken");
    assert_eq!(lookup(&client, 2).await.status, 200);
    assert_eq!(lookup(&client, 1).await.code(), "permission_exhausted");
    let entries = world.disclosures(&format!("permission={number}")).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["count"], &entries[0]["found"], &entries[0]["way"]),
        (&json!(2), &json!(true), &json!("bulk"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn misses_have_a_limit_of_their_own() {
    let world = World::start().await;
    let number = world.permission(json!({ "misses_per_hour": 3 })).await;
    let client = world.under(&number);
    let feed = at_the_end(&client).await;
    for path in [
        "/data/mx_person/records/34162514838/1",
        "/data/mx_person/records/34162514838",
        &feed,
        ANNA,
        "/data/mx_person/records?Name=Nobody",
    ] {
        assert_ne!(raw::get(&client, path).await.status, 429, "{path}");
    }
    let limited = raw::get(&client, ANNA).await;
    assert_eq!((limited.status, limited.code().as_str()), (429, "misses_limited"));
    assert!(limited.headers.contains_key("retry-after"));
    let path = format!("/registry/permissions/{number}/explain?way=key&key=36184726051/2020");
    let told = client.get(&path).await.unwrap();
    assert_eq!(
        (&told["answer"], &told["code"]),
        (&json!("refused"), &json!("misses_limited")),
        "{told}"
    );
}
