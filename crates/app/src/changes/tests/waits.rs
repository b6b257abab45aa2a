//! A wait, and who it is that waits.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::poll;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    ctx::Caller,
    disclose::Disclosed,
    record::Answer,
    testing::{hold_reader, with_one_reader},
};

fn waiting(after: Option<String>) -> ChangesQuery {
    ChangesQuery {
        after,
        wait_s: Some(50),
        include_record: true,
        ..ChangesQuery::default()
    }
}

async fn site() -> Site {
    let mut site = Site::new((0, 0)).await;
    site.deliver(&upsert(1, (0, 0, 0), 0)).await;
    site
}

/// The cursor behind everything.
async fn behind(site: &Site) -> String {
    let page: Value = serde_json::from_str(&site.try_page(None, 50).await.unwrap()).unwrap();
    page["next"].as_str().unwrap().to_owned()
}

fn is_nobodys(problem: &Problem) {
    assert_eq!((problem.status, problem.code), (401, "token_invalid"));
}

#[test]
fn what_was_read_for_a_withdrawn_connection_is_not_given() {
    with_one_reader(async {
        let site = site().await;
        let app = &site.world.app;
        let mut page = pin!(app.change_list(&site.reader, Section::Main, "bss_back", waiting(None)));
        let go = hold_reader();
        assert!(poll!(&mut page).is_pending(), "to be read");
        site.world.withdraw(&site.reader);
        go.send(()).unwrap();
        is_nobodys(&page.await.unwrap_err());
    });
}

/// A call that has read all there is and waits for more.
async fn begun(site: &Site, reader: &Ctx) -> JoinHandle<Result<Disclosed<Answer>, Problem>> {
    let query = waiting(Some(behind(site).await));
    let (app, reader) = (Arc::clone(&site.world.app), reader.clone());
    let page = tokio::spawn(async move { app.change_list(&reader, Section::Main, "bss_back", query).await });
    tokio::task::yield_now().await;
    tokio::task::spawn_blocking(|| ()).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!page.is_finished());
    page
}

#[test]
fn a_wait_hears_at_once_that_its_connection_is_withdrawn() {
    with_one_reader(async {
        let (site, began) = (site().await, Instant::now());
        let page = begun(&site, &site.reader).await;
        site.world.withdraw(&site.reader);
        is_nobodys(&page.await.unwrap().unwrap_err());
        assert!(began.elapsed() < Duration::from_secs(40));
    });
}

#[test]
fn nothing_is_given_after_a_token_has_ended() {
    with_one_reader(async {
        let mut site = site().await;
        let ends = "2024-06-01T12:00:30Z";
        let connection = Arc::clone(site.reader.connection().unwrap());
        let reader = Ctx {
            caller: Caller::Connection(connection, ends.parse().unwrap()),
            ..site.reader.clone()
        };
        let page = begun(&site, &reader).await;
        let longest = |ctx| site.world.app.longest_wait(ctx, 50).as_secs();
        assert_eq!((longest(&reader), longest(&site.reader)), (29, 50));
        site.world.clock.set("2024-06-01T12:00:29Z");
        assert_eq!(longest(&reader), 1, "in its last second to the end");
        site.world.clock.set(ends);
        assert_eq!(longest(&reader), 0);
        site.deliver(&upsert(2, (0, 0, 0), 0)).await;
        is_nobodys(&page.await.unwrap().unwrap_err());
    });
}

/// Lets whoever waits look at what there is by now.
async fn look() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
}

#[test]
fn whoever_waits_keeps_no_uses_from_others() {
    with_one_reader(async {
        let mut site = site().await;
        site.patch(json!({ "quota": 5, "quota_unit": "record" })).await;
        let page = begun(&site, &site.reader).await;
        let told = site.try_page(None, 50).await.unwrap();
        assert!(told.contains("c1"), "{told}");
        site.deliver(&upsert(2, (0, 0, 0), 0)).await;
        page.await.unwrap().unwrap();
    });
}

/// Where nothing was to be told is not looked at again: it shows in what may be forgotten behind a wait.
#[test]
fn a_wait_goes_on_from_where_it_last_looked() {
    with_one_reader(async {
        let mut site = Site::new((0, 4)).await;
        site.world
            .publish(&format!("{DEFINITION}tombstones: 30d\n"))
            .await;
        site.deliver(&upsert(1, (0, 0, 0), 0)).await;
        let page = begun(&site, &site.reader).await;
        site.world.clock.set("2024-06-20T12:00:00Z");
        site.deliver(&upsert(2, (1, 0, 0), 0)).await;
        look().await;
        assert!(!page.is_finished(), "out of its scope");
        site.world.clock.set("2024-07-10T12:00:00Z");
        site.deliver(&upsert(3, (0, 0, 0), 0)).await;
        let page = page.await.unwrap().unwrap().into_inner();
        let page: Value = serde_json::from_slice(&page.body).unwrap();
        assert_eq!(page["changes"][0]["key"]["Code"], "c3");
        assert_eq!(page["changes"].as_array().unwrap().len(), 1);
    });
}

#[tokio::test]
async fn nobody_waits_with_more_calls_than_a_share() {
    let site = site().await;
    let app = &site.world.app;
    let open = "name: bss_open\nkey: Mark\nclassification: open\nfields:\n  - Mark : mark\n";
    site.world.publish(open).await;
    let begin = |ctx: &Ctx, dataset| app.wait_begin(ctx, Section::Main, dataset);
    let mut waits = Vec::new();
    let refused = loop {
        match begin(&site.reader, "bss_back") {
            Ok(wait) => waits.push(wait),
            Err(problem) => break problem,
        }
    };
    assert_eq!((waits.len(), refused.code), (256, "too_many_at_once"));
    assert!(refused.retry_after_s.is_some());
    assert!(refused.detail.contains("leave wait out"), "{}", refused.detail);
    let anybody = site.world.ctx(Caller::Anonymous);
    let strangers: Vec<_> = std::iter::from_fn(|| begin(&anybody, "bss_open").ok()).collect();
    assert_eq!(strangers.len(), 1_024);
    waits.pop();
    assert!(begin(&site.reader, "bss_back").is_ok(), "one has ended");
    is_nobodys(&begin(&anybody, "bss_back").unwrap_err());
}
