//! Many at once: a quota is exact, and a revocation holds from the moment it is answered.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::json;
use tokio::task::JoinSet;

use super::World;
use crate::raw;

const ANNA: &str = "/data/mx_person/records/36184726051/2020";
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_exact_for_sixteen_clients() {
    const QUOTA: u64 = 200;
    let mut world = World::start().await;
    let number = world.permission(json!({ "quota": QUOTA })).await;
    let (found, looked_up) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (under, found, looked_up) = (world.under(&number), Arc::clone(&found), Arc::clone(&looked_up));
        clients.spawn(async move {
            loop {
                // Some ask three keys at once: refused whole when fewer uses are left.
                let keys: Vec<_> = (2020..2023)
                    .map(|year| json!({ "Code": "36184726051", "Year": year }))
                    .collect();
                let answer = match client % 4 {
                    0 => raw::post(&under, "/data/mx_person/lookup", &json!({ "keys": keys })).await,
                    _ => raw::get(&under, ANNA).await,
                };
                match (answer.status, client % 4) {
                    (200, 0) => looked_up.fetch_add(1, Ordering::Relaxed),
                    (200, _) => found.fetch_add(1, Ordering::Relaxed),
                    _ => {
                        assert_eq!(answer.code(), "permission_exhausted", "{}", answer.text());
                        return;
                    }
                };
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    let (found, looked_up) = (found.load(Ordering::Relaxed), looked_up.load(Ordering::Relaxed));
    assert_eq!(found + 3 * looked_up, QUOTA);
    assert_eq!(world.use_count(&number).await, QUOTA);
    let entries = world.disclosures(&format!("permission={number}")).await;
    assert_eq!(entries.len() as u64, found + looked_up, "one entry an answer");
    world.server.kill_and_restart();
    world.holder.client = world.server.again(&world.holder);
    assert_eq!(world.use_count(&number).await, QUOTA);
    assert_eq!(
        raw::get(&world.under(&number), ANNA).await.code(),
        "permission_exhausted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_holds_at_once() {
    let world = World::start().await;
    let number = world.permission(json!({})).await;
    let revoked = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (under, revoked) = (world.under(&number), Arc::clone(&revoked));
        clients.spawn(async move {
            let mut refused = 0;
            while refused < 5 {
                let already = revoked.load(Ordering::SeqCst);
                let answer = raw::get(&under, ANNA).await;
                if answer.status == 403 {
                    assert_eq!(answer.code(), "permission_revoked");
                    refused += 1;
                } else {
                    assert!(!already, "answered after the revocation was: {}", answer.status);
                }
            }
        });
    }
    for _ in 0..20 {
        assert_eq!(raw::get(&world.under(&number), ANNA).await.status, 200);
    }
    world.transition(&number, "revoke").await;
    revoked.store(true, Ordering::SeqCst);
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_does_not_outlive_its_permission() {
    let world = World::start().await;
    let number = world.permission(json!({})).await;
    let under = world.under(&number);
    let feed = under.get("/data/mx_person/changes").await.unwrap();
    let path = format!(
        "/data/mx_person/changes?wait=60&after={}",
        feed["next"].as_str().unwrap()
    );
    let waiting = tokio::spawn(async move { raw::get(&under, &path).await });
    world.transition(&number, "revoke").await;
    world.deliver("third", "Anita").await;
    let answer = waiting.await.unwrap();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "permission_revoked"),
        "{}",
        answer.text()
    );
    assert_eq!(
        world.disclosures(&format!("permission={number}")).await.len(),
        1,
        "the first load only"
    );
}
