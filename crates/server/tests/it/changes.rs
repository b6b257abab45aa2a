//! Following a data set: first load and what comes after, cursors, waiting, nothing that tells of hidden changes.

mod take_backs;

use std::time::{Duration, Instant};

use dagr_server::client::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    persons::{Persons, code, is, upsert},
    raw,
};

async fn site() -> Persons {
    Persons::start("ch_person", &[], Value::Null).await
}

impl Persons {
    /// Everything from a cursor on (or from the start), and the cursor behind it.
    async fn follow(&self, after: Option<&str>) -> (Vec<Value>, String) {
        let (mut told, mut after) = (Vec::new(), after.map(str::to_owned));
        loop {
            let mut query = vec![("limit", "7".to_owned()), ("include", "record".to_owned())];
            query.extend(after.take().map(|after| ("after", after)));
            let mut page = self
                .holder
                .get_with("/data/ch_person/changes", &query)
                .await
                .unwrap();
            told.append(page["changes"].as_array_mut().unwrap());
            let next = page["next"].as_str().unwrap().to_owned();
            if page["end"] == true {
                return (told, next);
            }
            after = Some(next);
        }
    }

    /// A call of the recipient that waits behind the cursor.
    fn waits(&self, after: &str) -> JoinHandle<raw::Raw> {
        let (holder, path) = (
            self.holder.clone(),
            format!("/data/ch_person/changes?wait=50&after={after}"),
        );
        tokio::spawn(async move { raw::get(&holder, &path).await })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_loop_loads_and_follows() {
    let site = site().await;
    site.deliver(
        "p1",
        &(0..20).map(|number| upsert(number, "N", "s")).collect::<Vec<_>>(),
    )
    .await;
    let (loaded, after) = site.follow(None).await;
    let codes: Vec<_> = loaded
        .iter()
        .map(|change| change["key"]["Code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, (0..20).map(code).collect::<Vec<_>>());
    assert!(loaded.iter().all(|change| change["operation"] == "upsert"));
    assert!(!format!("{loaded:?}").contains("Secret"));
    let gone = json!({ "op": "delete", "key": { "Code": code(3) } });
    site.deliver("p2", &[upsert(1, "New", "s"), gone, upsert(30, "N", "s")])
        .await;
    let (told, end) = site.follow(Some(&after)).await;
    let operations: Vec<_> = told
        .iter()
        .map(|change| change["operation"].as_str().unwrap())
        .collect();
    assert_eq!(operations, ["upsert", "delete", "upsert"]);
    assert_eq!(told[0]["record"], json!({ "Code": code(1), "Name": "New" }));
    assert_eq!(site.follow(Some(&end)).await.0, Vec::<Value>::new());
    let renamed = site.holder.get("/data/ch_person/changes/renamed").await.unwrap();
    assert_eq!(renamed["changes"].as_array().unwrap().len(), 1);
    assert_eq!(renamed["changes"][0]["key"]["Code"], code(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_change_wakes_nobody_and_a_visible_one_does() {
    let site = site().await;
    site.deliver("p1", &[upsert(1, "N", "s")]).await;
    let (_, after) = site.follow(None).await;
    let record = format!("/data/ch_person/records/{}", code(1));
    let seen = raw::get(&site.holder, &record).await.header("etag").to_owned();
    let waiting = site.waits(&after);
    site.deliver("p2", &[upsert(1, "N", "hidden")]).await;
    assert_eq!(raw::get(&site.holder, &record).await.header("etag"), seen);
    let began = Instant::now();
    let short = site
        .holder
        .get(&format!("/data/ch_person/changes?wait=1&after={after}"))
        .await
        .unwrap();
    assert_eq!((&short["changes"], &short["end"]), (&json!([]), &json!(true)));
    assert!(
        began.elapsed() >= Duration::from_millis(900),
        "it was woken by what it may not see"
    );
    assert!(!waiting.is_finished());
    site.deliver("p3", &[upsert(1, "Visible", "hidden")]).await;
    let woken = waiting.await.unwrap().json();
    assert_eq!(woken["changes"].as_array().unwrap().len(), 1, "{woken}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_decided_again_before_it_answers() {
    let site = site().await;
    site.deliver("p1", &[upsert(1, "N", "s")]).await;
    let (_, after) = site.follow(None).await;
    let waiting = site.waits(&after);
    let path = format!("/registry/permissions/{}/suspend", site.number);
    site.server
        .operator()
        .post(&path, &json!({ "reason": "r" }))
        .await
        .unwrap();
    site.deliver("p2", &[upsert(1, "New", "s")]).await;
    is(&waiting.await.unwrap(), 403, "permission_suspended");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_holds_nobody_up() {
    let one_at_once = [("DAGR_LIMITS__CONCURRENT_REQUESTS", "1")];
    let site = Persons::start("ch_person", &one_at_once, Value::Null).await;
    site.deliver("p1", &[upsert(1, "N", "s")]).await;
    let (_, after) = site.follow(None).await;
    let waiting = site.waits(&after);
    // The first one holds the permit until it waits; the second is answered by the time it has waited itself.
    let short = format!("/data/ch_person/changes?wait=1&after={after}");
    for _ in 0..2 {
        assert_eq!(site.holder.get(&short).await.unwrap()["changes"], json!([]));
    }
    assert!(!waiting.is_finished());
    site.deliver("p2", &[upsert(1, "Visible", "s")]).await;
    let told = waiting.await.unwrap().json();
    assert_eq!(told["changes"].as_array().unwrap().len(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_of_a_withdrawn_connection_ends() {
    let site = site().await;
    site.deliver("p1", &[upsert(1, "N", "s")]).await;
    let (_, after) = site.follow(None).await;
    let waiting = site.waits(&after);
    let began = Instant::now();
    let path = format!("/registry/connections/{}/withdraw", site.reader.client_id);
    let reason = json!({ "reason": "r" });
    site.server.operator().post(&path, &reason).await.unwrap();
    is(&waiting.await.unwrap(), 401, "token_invalid");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_its_permissions_own_and_goes_on_when_it_is_amended() {
    let mut site = site().await;
    site.deliver(
        "p1",
        &(0..9).map(|number| upsert(number, "N", "s")).collect::<Vec<_>>(),
    )
    .await;
    let first = site.holder.get("/data/ch_person/changes?limit=2").await.unwrap();
    let second = site.holder.get("/data/ch_person/changes?limit=2").await.unwrap();
    let (cursor, other) = (first["next"].as_str().unwrap(), second["next"].as_str().unwrap());
    assert_ne!(cursor, other, "sealed anew in every answer");
    let (_, end) = site.follow(None).await;
    assert_eq!(
        (cursor.len(), cursor.len()),
        (other.len(), end.len()),
        "its length tells nothing"
    );
    let path = |cursor: &str| format!("/data/ch_person/changes?after={cursor}");
    for at in [0, cursor.len() / 2, cursor.len() - 2] {
        let mut altered = cursor.to_owned().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        is(
            &raw::get(&site.holder, &path(&altered)).await,
            400,
            "cursor_invalid",
        );
    }
    let stranger = site.server.consumer().await;
    let theirs = site
        .server
        .grant(&stranger, "ch_person", &["changes"], Value::Null)
        .await;
    is(&raw::get(&theirs, &path(cursor)).await, 400, "cursor_invalid");
    for wrong in ["wait=61", "wait=1.5", "include=all", "limit=0", "unknown=1"] {
        is(
            &raw::get(&site.holder, &format!("/data/ch_person/changes?{wrong}")).await,
            400,
            "query_invalid",
        );
    }

    let token = site.holder.token().await.unwrap().unwrap();
    site.server.kill_and_restart();
    let holder = Client::bearer(&site.server.data, &token)
        .unwrap()
        .with_permission(&site.number);
    assert_eq!(
        raw::get(&holder, &path(cursor)).await.status,
        200,
        "a restart ends no cursor"
    );
    let permission = format!("/registry/permissions/{}", site.number);
    let amend = async |body: Value| site.server.operator().patch(&permission, &body).await.unwrap();
    amend(json!({ "purpose": "another" })).await;
    assert_eq!(
        raw::get(&holder, &path(cursor)).await.status,
        200,
        "fields, scope and ways are the same"
    );
    amend(json!({ "fields": ["Code"] })).await;
    let page = holder.get(&path(cursor)).await.unwrap();
    assert_eq!(
        page["next"].as_str().unwrap().len(),
        cursor.len(),
        "it goes on with what is taken back"
    );
}
