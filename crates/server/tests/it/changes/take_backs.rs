//! A permission that is amended: the feed brings its readers' copies to what they may now hold.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use dagr_server::client::Client;
use serde_json::{Value, json};

use super::site;
use crate::{
    persons::{Persons, code, is, upsert},
    raw,
};

/// A recipient's copy, kept by the feed alone.
struct Replica {
    client: Client,
    path: &'static str,
    after: Option<String>,
    copy: BTreeMap<String, Value>,
    /// Operations told by the last `catch_up`.
    told: Vec<String>,
}

impl Replica {
    fn of(client: &Client) -> Self {
        Self {
            client: client.clone(),
            path: "/data/ch_person/changes",
            after: None,
            copy: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// One page; `true` at the end.
    async fn page(&mut self, limit: usize) -> bool {
        let mut query = vec![("limit", limit.to_string()), ("include", "record".to_owned())];
        query.extend(self.after.clone().map(|after| ("after", after)));
        let page = self.client.get_with(self.path, &query).await.unwrap();
        self.take(&page)
    }

    fn take(&mut self, page: &Value) -> bool {
        for change in page["changes"].as_array().unwrap() {
            let key = change["key"]["Code"].as_str().unwrap().to_owned();
            let operation = change["operation"].as_str().unwrap().to_owned();
            if operation == "delete" {
                assert!(change.get("record").is_none(), "{change}");
                self.copy.remove(&key);
            } else {
                self.copy.insert(key, change["record"].clone());
            }
            self.told.push(operation);
        }
        self.after = Some(page["next"].as_str().unwrap().to_owned());
        page["end"] == true
    }

    async fn catch_up(&mut self) {
        self.told.clear();
        while !self.page(7).await {}
    }

    fn told(&self, operation: &str) -> usize {
        self.told.iter().filter(|told| *told == operation).count()
    }

    /// A call that waits for more.
    fn wait(&self) -> tokio::task::JoinHandle<raw::Raw> {
        let after = self.after.as_ref().unwrap();
        let path = format!("{}?wait=50&include=record&after={after}", self.path);
        let client = self.client.clone();
        tokio::spawn(async move { raw::get(&client, &path).await })
    }
}

impl Persons {
    async fn amend(&self, body: Value) {
        let path = format!("/registry/permissions/{}", self.number);
        self.server.operator().patch(&path, &body).await.unwrap();
    }

    async fn last_entry(&self) -> Value {
        let log = self
            .server
            .operator()
            .get("/registry/disclosures?limit=1000")
            .await
            .unwrap();
        log["disclosures"].as_array().unwrap().last().unwrap().clone()
    }

    async fn transition(&self, verb: &str) {
        let path = format!("/registry/permissions/{}/{verb}", self.number);
        let reason = json!({ "reason": "r" });
        self.server.operator().post(&path, &reason).await.unwrap();
    }
}

/// Persons 0 to 19, of whom every second is called Even.
fn persons() -> Vec<Value> {
    let name = |number: usize| if number.is_multiple_of(2) { "Even" } else { "Odd" };
    (0..20).map(|number| upsert(number, name(number), "s")).collect()
}

fn copy(numbers: impl Iterator<Item = usize>, record: impl Fn(usize) -> Value) -> BTreeMap<String, Value> {
    numbers.map(|number| (code(number), record(number))).collect()
}

/// Comes back soon; far sooner than the wait would end by itself.
async fn at_once(waiting: tokio::task::JoinHandle<raw::Raw>, began: Instant) -> raw::Raw {
    let answer = waiting.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_and_half_the_scope_are_taken_back() {
    let site = site().await;
    site.deliver("p1", &persons()).await;
    let (mut follows, mut stopped) = (Replica::of(&site.holder), Replica::of(&site.holder));
    follows.catch_up().await;
    stopped.catch_up().await;
    assert_eq!(stopped.copy[&code(3)], json!({ "Code": code(3), "Name": "Odd" }));

    site.amend(json!({ "fields": ["Code"] })).await;
    follows.catch_up().await;
    let bare = |number| json!({ "Code": code(number) });
    assert_eq!(follows.copy, copy(0..20, bare), "the field is gone from the copy");
    assert_eq!((follows.told("upsert"), follows.told("delete")), (20, 0));
    follows.catch_up().await;
    assert_eq!(follows.told.len(), 0, "it is told once");

    let gone = json!({ "op": "delete", "key": { "Code": code(4) } });
    site.deliver("p2", &[gone, upsert(1, "Even", "s"), upsert(2, "Odd", "s")])
        .await;
    site.amend(json!({ "scope": { "when": "record.Name == 'Even'" } }))
        .await;
    follows.catch_up().await;
    let even = || [0, 1].into_iter().chain((6..20).step_by(2));
    assert_eq!(follows.copy, copy(even(), bare));
    assert_eq!(
        (follows.told("upsert"), follows.told("delete")),
        (0, 11),
        "nine that stay are not told again"
    );
    stopped.catch_up().await;
    assert_eq!(stopped.copy, follows.copy, "both amendments at once");

    site.deliver("p3", &[upsert(3, "Even", "s"), upsert(6, "Odd", "s")])
        .await;
    for replica in [&mut follows, &mut stopped] {
        replica.catch_up().await;
        assert_eq!((replica.told("upsert"), replica.told("delete")), (1, 1));
        assert!(replica.copy.contains_key(&code(3)) && !replica.copy.contains_key(&code(6)));
    }
    let entry = site.last_entry().await;
    assert_eq!(entry["subjects"].as_array().unwrap().len(), 2, "{entry}");

    // Wider again: what was never given comes, and the field with it.
    site.amend(json!({ "fields": ["Code", "Name"], "scope": null }))
        .await;
    follows.catch_up().await;
    assert_eq!(follows.copy.len(), 19);
    assert!(follows.copy.values().all(|record| record.get("Name").is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_entered_and_tells_no_time() {
    let site = site().await;
    site.deliver("p1", &persons()).await;
    let mut replica = Replica::of(&site.holder);
    replica.catch_up().await;
    // Key lists; the delete of one that is gone and of one that is there look the same.
    let keys: Vec<_> = (0..18).map(|number| [code(number)]).collect();
    let gone = json!({ "op": "delete", "key": { "Code": code(19) } });
    site.deliver("p2", &[gone]).await;
    site.amend(json!({ "scope": { "keys": keys } })).await;
    let after = replica.after.clone().unwrap();
    let page = site
        .holder
        .get(&format!("/data/ch_person/changes?after={after}"))
        .await
        .unwrap();
    let told = page["changes"].as_array().unwrap();
    let codes: Vec<_> = told.iter().map(|change| &change["key"]["Code"]).collect();
    assert_eq!(codes, [&json!(code(18)), &json!(code(19))]);
    assert!(told.iter().all(|change| change["operation"] == "delete"));
    assert_eq!(told[0]["changed_at"], told[1]["changed_at"]);
    let entry = site.last_entry().await;
    assert_eq!(entry["subjects"], json!([code(18), code(19)]), "{entry}");
    assert_eq!(entry["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn amended_while_the_first_load_runs_and_twice_more() {
    let site = site().await;
    site.deliver("p1", &persons()).await;
    let mut replica = Replica::of(&site.holder);
    let bare = |number| json!({ "Code": code(number) });
    replica.page(7).await;
    site.amend(json!({ "scope": { "when": "record.Name == 'Even'" } }))
        .await;
    replica.page(2).await;
    site.amend(json!({ "fields": ["Code"] })).await;
    replica.page(3).await;
    site.amend(json!({ "scope": { "keys": [[code(5)], [code(8)], [code(13)]] } }))
        .await;
    replica.catch_up().await;
    assert_eq!(replica.copy, copy([5, 8, 13].into_iter(), bare));

    // Other ways: nothing is taken back, and the cursor goes on.
    site.amend(json!({ "ways": ["changes"] })).await;
    replica.catch_up().await;
    assert_eq!(replica.told.len(), 0);
    site.deliver("p2", &[upsert(8, "New", "s")]).await;
    site.amend(json!({ "fields": ["Code", "Name"] })).await;
    replica.catch_up().await;
    assert_eq!(replica.copy[&code(8)]["Name"], "New");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_hears_of_its_permission_at_once() {
    let site = site().await;
    site.deliver("p1", &persons()).await;
    let mut replica = Replica::of(&site.holder);
    replica.catch_up().await;
    let waiting = replica.wait();
    let other = site.server.consumer().await;
    site.server
        .grant(&other, "ch_person", &["changes"], Value::Null)
        .await;
    site.amend(json!({ "purpose": "the same to the reader" })).await;
    let short = format!(
        "{}?wait=1&after={}",
        replica.path,
        replica.after.as_ref().unwrap()
    );
    assert_eq!(site.holder.get(&short).await.unwrap()["changes"], json!([]));
    assert!(!waiting.is_finished(), "nothing visible changed");
    let began = Instant::now();
    site.amend(json!({ "fields": ["Code"] })).await;
    let page = at_once(waiting, began).await;
    assert!(replica.take(&serde_json::from_str(&page.text()).unwrap()));
    assert_eq!(replica.copy[&code(7)], json!({ "Code": code(7) }));
    for (verb, refusal) in [
        ("suspend", "permission_suspended"),
        ("revoke", "permission_revoked"),
    ] {
        let (waiting, began) = (replica.wait(), Instant::now());
        site.transition(verb).await;
        is(&at_once(waiting, began).await, 403, refusal);
        if verb == "suspend" {
            site.transition("resume").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_named_lists_begin_again() {
    let site = site().await;
    let ways = json!({ "ways": ["key", "bulk", "changes", "list:renamed"] });
    site.amend(ways).await;
    site.deliver("p1", &persons()).await;
    site.deliver("p2", &[upsert(1, "New", "s")]).await;
    let list = site.holder.get("/data/ch_person/changes/renamed").await.unwrap();
    let page = site.holder.get("/data/ch_person/records?limit=2").await.unwrap();
    let again = |path: &str, page: &Value| format!("{path}{}", page["next"].as_str().unwrap());
    let list = again("/data/ch_person/changes/renamed?after=", &list);
    let page = again("/data/ch_person/records?limit=2&after=", &page);
    for path in [&list, &page] {
        assert_eq!(raw::get(&site.holder, path).await.status, 200);
    }
    // Other ways end pages alone; other fields end both.
    site.amend(json!({ "ways": ["bulk", "list:renamed"] })).await;
    assert_eq!(raw::get(&site.holder, &list).await.status, 200);
    is(&raw::get(&site.holder, &page).await, 410, "cursor_expired");
    site.amend(json!({ "fields": ["Code"] })).await;
    is(&raw::get(&site.holder, &list).await, 410, "cursor_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_sandbox_too() {
    let site = site().await;
    let reader = site.server.consumer().await;
    let over = json!({ "environment": "sandbox", "fields": ["Code", "Name"] });
    let holder = site.server.grant(&reader, "ch_person", &["changes"], over).await;
    let lines = raw::lines(&persons());
    let path = "/sandbox/ch_person/intake/packages/p1";
    let sent = site
        .provider
        .client
        .put(path, "application/x-ndjson", lines)
        .await;
    sent.unwrap();
    let mut replica = Replica {
        path: "/sandbox/ch_person/changes",
        ..Replica::of(&holder)
    };
    replica.catch_up().await;
    assert_eq!(replica.copy.len(), 20);
    let listed = site
        .server
        .operator()
        .get(&format!("/registry/permissions?recipient={}", reader.institution))
        .await
        .unwrap();
    let number = listed["permissions"][0]["number"].as_str().unwrap();
    let path = format!("/registry/permissions/{number}");
    let body = json!({ "fields": ["Code"], "scope": { "when": "record.Name == 'Odd'" } });
    site.server.operator().patch(&path, &body).await.unwrap();
    replica.catch_up().await;
    let odd = copy((1..20).step_by(2), |number| json!({ "Code": code(number) }));
    assert_eq!(replica.copy, odd);
}
