//! Digests of ranges through the real program: the provider's is that of its state, a reader's that of its copy.

use dagr_model::digest::{SetDigest, record_digest};
use dagr_server::client::Client;
use serde_json::{Value, json};

use crate::{
    persons::{Persons, code, is, shown, upsert},
    raw,
};

const DIGEST: &str = "/data/dg_person/digest";

async fn site() -> Persons {
    let site = Persons::start("dg_person", &[], Value::Null).await;
    let all: Vec<Value> = (0..30).map(|number| upsert(number, "Anna", "s")).collect();
    site.deliver("first", &all).await;
    site
}

fn key(number: usize) -> Value {
    json!({ "Code": code(number) })
}

fn digest_of<'r>(records: impl Iterator<Item = &'r Value>) -> String {
    let mut digest = SetDigest::default();
    records.for_each(|record| digest.add(&record_digest(record.to_string().as_bytes())));
    digest.hex()
}

impl Persons {
    async fn granted(&self, over: Value) -> Client {
        let ways = ["key", "changes"];
        self.server
            .grant(&self.reader, self.set, &ways, shown(over))
            .await
    }

    async fn all_entries(&self) -> Vec<Value> {
        let path = format!("/registry/disclosures?dataset={}&limit=1000", self.set);
        let list = raw::get(&self.server.operator(), &path).await;
        list.json()["disclosures"].as_array().unwrap().clone()
    }
}

/// Records in the order told, and the cursor behind them.
async fn loaded(client: &Client) -> (Vec<Value>, String) {
    let (mut records, mut path) = (Vec::new(), "/data/dg_person/changes?include=record".to_owned());
    loop {
        let page = client.get(&path).await.unwrap();
        let changes = page["changes"].as_array().unwrap();
        records.extend(changes.iter().map(|change| change["record"].clone()));
        let next = page["next"].as_str().unwrap().to_owned();
        if page["end"] == true {
            return (records, next);
        }
        path = format!("/data/dg_person/changes?include=record&after={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_digest_is_that_of_its_state() {
    let site = site().await;
    let provider = &site.provider.client;
    let state = provider.get("/intake/dg_person/state").await.unwrap();
    let whole = provider
        .post("/intake/dg_person/digest", &json!({ "parts": 4 }))
        .await
        .unwrap();
    for member in ["epoch", "last_sequence", "records", "digest"] {
        assert_eq!(whole[member], state[member], "{member}");
    }
    let parts = whole["parts"].as_array().unwrap();
    let counts: Vec<u64> = parts
        .iter()
        .map(|part| part["records"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [8, 7, 8, 7]);
    assert_eq!((&parts[0]["from"], &parts[1]["from"]), (&Value::Null, &key(8)));
    assert_eq!((&parts[0]["to"], &parts[3]["to"]), (&key(8), &Value::Null));
    let range = json!({ "from": key(5), "to": key(8) });
    let three = provider.post("/intake/dg_person/digest", &range).await.unwrap();
    let records: Vec<Value> = (5..8)
        .map(|number| upsert(number, "Anna", "s")["record"].clone())
        .collect();
    assert_eq!(
        (&three["records"], &three["digest"]),
        (&json!(3), &json!(digest_of(records.iter())))
    );
    let firsts: Vec<&Value> = three["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| &part["from"])
        .collect();
    assert_eq!(firsts, [&key(5), &key(6), &key(7)], "few: one record each");
    let sandbox = provider
        .post("/sandbox/dg_person/intake/digest", &json!({}))
        .await
        .unwrap();
    assert_eq!(sandbox["records"], 0);

    let path = "/intake/dg_person/digest";
    is(
        &raw::post(&site.reader.client, path, &json!({})).await,
        403,
        "connection_kind",
    );
    let other = site.server.producer().await;
    is(
        &raw::post(&other.client, path, &json!({})).await,
        404,
        "dataset_unknown",
    );
    is(
        &raw::post(provider, path, &json!({ "parts": 257 })).await,
        422,
        "invalid",
    );
    is(
        &raw::post(provider, path, &json!({ "from": {} })).await,
        400,
        "key_invalid",
    );
    is(
        &raw::post(provider, path, &json!({ "step": 1 })).await,
        422,
        "invalid",
    );
    assert!(site.all_entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readers_digest_is_that_of_its_copy_and_one_entry() {
    let site = site().await;
    let reader = site.granted(json!({ "quota": 3 })).await;
    let (copy, after) = loaded(&reader).await;
    assert_eq!(copy.len(), 30);
    site.deliver("hidden", &[upsert(3, "Anna", "other")]).await;
    let before = site.all_entries().await.len();
    let asked = json!({ "after": after, "from": key(2), "to": key(20), "parts": 3 });
    let told = reader.post(DIGEST, &asked).await.unwrap();
    assert_eq!(told["changed"], false, "a hidden change");
    assert_eq!(
        (&told["records"], &told["digest"]),
        (&json!(18), &json!(digest_of(copy[2..20].iter())))
    );
    let members: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["records", "digest", "parts", "changed"],
        "no sequence, no epoch"
    );
    let parts = told["parts"].as_array().unwrap();
    assert_eq!(
        parts.iter().map(|part| &part["records"]).collect::<Vec<_>>(),
        [6, 6, 6]
    );
    assert_eq!(parts[1]["digest"], json!(digest_of(copy[8..14].iter())));

    let entries = site.all_entries().await;
    assert_eq!(entries.len(), before + 1);
    let entry = entries.last().unwrap();
    for (member, value) in [
        ("way", json!("digest")),
        ("count", json!(0)),
        ("found", json!(false)),
        ("search", Value::Null),
        ("subjects", json!([])),
        ("keys", json!([])),
        ("fields", json!(["Code", "Name"])),
    ] {
        assert_eq!(entry[member], value, "{member} of {entry}");
    }
    let codes = json!({ "after": after, "fields": ["Code"] });
    let codes = reader.post(DIGEST, &codes).await.unwrap();
    let only: Vec<Value> = (0..30).map(key).collect();
    assert_eq!(codes["digest"], json!(digest_of(only.iter())));
    is(
        &raw::post(&reader, DIGEST, &json!({ "after": after })).await,
        403,
        "permission_exhausted",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_gives_nothing_that_the_feed_did_not() {
    let site = site().await;
    let reader = site.granted(json!({})).await;
    for narrow in ["", "fields=Code&", "include=record&fields=Code&"] {
        let path = format!("/data/dg_person/changes?{narrow}limit=100");
        let page = reader.get(&path).await.unwrap();
        assert_eq!(page["end"], true);
        let ask = async |body: Value| raw::post(&reader, DIGEST, &body).await;
        for fields in [json!(null), json!(["Code", "Name"]), json!(["Name"])] {
            let asked = json!({ "after": page["next"], "parts": 256, "fields": fields });
            is(&ask(asked).await, 409, "cursor_fields");
        }
        let codes = json!({ "after": page["next"], "fields": ["Code"] });
        assert_eq!(ask(codes).await.json()["records"], 30);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_yet_to_be_told_is_said() {
    let site = site().await;
    let reader = site.granted(json!({})).await;
    let (_, after) = loaded(&reader).await;
    site.deliver(
        "more",
        &[upsert(5, "Jauna", "s"), json!({ "op": "delete", "key": key(9) })],
    )
    .await;
    let changed = async |from: usize, to: usize| {
        let asked = json!({ "after": after, "from": key(from), "to": key(to) });
        let told = reader.post(DIGEST, &asked).await.unwrap();
        (told["changed"].clone(), told["records"].clone())
    };
    assert_eq!(changed(0, 5).await, (json!(false), json!(5)));
    assert_eq!(changed(5, 6).await, (json!(true), json!(0)), "an upsert");
    assert_eq!(changed(9, 10).await, (json!(true), json!(0)), "a delete");
    assert_eq!(changed(10, 30).await, (json!(false), json!(20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_refused_as_a_page_of_changes_is() {
    let site = site().await;
    let reader = site.granted(json!({})).await;
    let page = reader.get("/data/dg_person/changes?limit=3").await.unwrap();
    let (_, after) = loaded(&reader).await;
    let ask = async |client: &Client, body: Value| raw::post(client, DIGEST, &body).await;
    let body = || json!({ "after": after });
    is(&ask(&site.server.anonymous(), body()).await, 401, "token_invalid");
    is(&ask(&site.reader.client, body()).await, 403, "permission_missing");
    is(
        &ask(&reader, json!({ "after": page["next"] })).await,
        409,
        "state_conflict",
    );
    is(
        &ask(&reader, json!({ "after": "x" })).await,
        400,
        "cursor_invalid",
    );
    is(&ask(&reader, json!({})).await, 422, "invalid");
    let hidden = json!({ "after": after, "fields": ["Secret"] });
    is(&ask(&reader, hidden).await, 403, "permission_field");
    let wrong = json!({ "after": after, "from": { "Code": "x" }, "to": {} });
    let wrong = ask(&reader, wrong).await;
    is(&wrong, 400, "key_invalid");
    assert_eq!(
        wrong.json()["errors"].as_array().unwrap().len(),
        2,
        "{}",
        wrong.text()
    );
    let keys = site
        .server
        .grant(&site.reader, "dg_person", &["key"], Value::Null)
        .await;
    is(&ask(&keys, body()).await, 403, "permission_way");
    let other = site.granted(json!({})).await;
    is(&ask(&other, body()).await, 400, "cursor_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_and_an_open_set_have_digests_of_their_own() {
    let site = site().await;
    let line = raw::lines(&[upsert(1, "Anna", "s")]);
    let path = "/sandbox/dg_person/intake/packages/p";
    let delivered = site.provider.client.put(path, "application/x-ndjson", line);
    delivered.await.unwrap();
    let reader = site.granted(json!({ "environment": "sandbox" })).await;
    let page = reader
        .get("/sandbox/dg_person/changes?include=record")
        .await
        .unwrap();
    let asked = json!({ "after": page["next"] });
    let told = reader.post("/sandbox/dg_person/digest", &asked).await.unwrap();
    assert_eq!((&told["records"], &told["changed"]), (&json!(1), &json!(false)));

    let text = "name: dg_open\nkey: Mark\nclassification: open\nfields:\n  - Mark : zīme\n";
    site.server.publish(&site.provider, "dg_open", text).await;
    let line = raw::lines(&[json!({ "op": "upsert", "record": { "Mark": "A" } })]);
    let path = "/intake/dg_open/packages/p";
    let delivered = site.provider.client.put(path, "application/x-ndjson", line);
    delivered.await.unwrap();
    let anybody = site.server.anonymous();
    let page = anybody.get("/data/dg_open/changes").await.unwrap();
    let asked = json!({ "after": page["next"] });
    let told = anybody.post("/data/dg_open/digest", &asked).await.unwrap();
    let state = site.provider.client.get("/intake/dg_open/state").await.unwrap();
    assert_eq!(told["digest"], state["digest"], "nothing is hidden");
}
