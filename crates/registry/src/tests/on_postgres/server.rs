//! What only the server has. Each test passes where there is none; `Cluster::shared` says so.

use dagr_model::ids::ClientId;

use super::*;
use crate::db::{Conn, query};

async fn setting(conn: &mut Conn, name: &str) -> String {
    let row = query("SELECT current_setting($1) AS value")
        .bind(name)
        .fetch_one(conn)
        .await
        .unwrap();
    row.try_get("value").unwrap()
}

/// A schema's URL with further parameters.
fn url(more: &str) -> Option<String> {
    match Place::new() {
        Place::Schema(url) => Some(url + more),
        Place::File(_) => None,
    }
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_whatever_the_default_is() {
    let Some(url) = url("%20-c%20synchronous_commit%3Doff") else {
        return;
    };
    let registry = Registry::connect(&url).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    assert_eq!(setting(&mut tx, "synchronous_commit").await, "on");
    assert_eq!(setting(&mut tx, "transaction_isolation").await, "read committed");
    // Readers cannot write past the audit trail.
    let stray = query("DELETE FROM audit")
        .execute(&mut registry.read().await.unwrap())
        .await;
    assert!(stray.is_err());
}

#[tokio::test]
async fn a_server_that_may_forget_is_refused() {
    let Ok(cluster) = throwaway::Cluster::start("-c fsync=off") else {
        return;
    };
    let refused = Registry::connect(&cluster.url("public")).await.unwrap_err();
    assert!(
        refused.to_string().contains("fsync is off and has to be on"),
        "{refused}"
    );
}

#[tokio::test]
async fn two_programs_on_one_database_take_turns() {
    let place = Place::new();
    let registries = [place.open().await.unwrap(), place.open().await.unwrap()];
    furnish(&registries[0]).await;
    let before = registries[0]
        .audit_list(&AuditFilter::default(), None, 100)
        .await
        .unwrap()
        .items
        .len();
    let tries: Vec<_> = (0..20)
        .map(|n| {
            let registry = registries[n % 2].clone();
            tokio::spawn(async move {
                let made = registry
                    .permission_insert(&by(), &permission("persons"), leaves())
                    .await
                    .unwrap();
                let number = made.value.number;
                // Half of them are revoked by both: one is told that it is final.
                let other = registry.clone();
                let by = by();
                let (one, two) = tokio::join!(
                    registry.permission_revoke(&by, &number, "a", None),
                    other.permission_revoke(&by, &number, "b", None)
                );
                assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
                number.to_string()
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for one in tries {
        numbers.push(one.await.unwrap());
    }
    numbers.sort();
    let expected: Vec<_> = (100_001..=100_020).map(|n: i64| n.to_string()).collect();
    assert_eq!(numbers, expected);
    let trail = registries[1]
        .audit_list(&AuditFilter::default(), None, 100)
        .await
        .unwrap()
        .items;
    assert_eq!(trail.len(), before + 40);
    assert!(
        trail.windows(2).all(|pair| pair[0].id == pair[1].id + 1),
        "a gap in the trail"
    );
}

async fn pid(conn: &mut Conn) -> i64 {
    let row = query("SELECT CAST(pg_backend_pid() AS BIGINT) AS pid")
        .fetch_one(conn)
        .await
        .unwrap();
    row.try_get("pid").unwrap()
}

#[tokio::test]
async fn connections_that_were_cut_are_made_anew() {
    let Some(url) = url("") else { return };
    let registry = Registry::connect(&url).await.unwrap();
    furnish(&registry).await;
    let other = Registry::connect(&url).await.unwrap();
    // Its own and no others: other tests work on the same server.
    let reader = pid(&mut registry.read().await.unwrap()).await;
    let writer = pid(&mut registry.write().await.unwrap()).await;
    for pid in [reader, writer] {
        query("SELECT pg_terminate_backend(CAST($1 AS INTEGER))")
            .bind(pid)
            .fetch_one(&mut other.read().await.unwrap())
            .await
            .unwrap();
    }
    let client = ClientId::new("c");
    assert!(registry.assertion_use(&client, "j", at(100)).await.unwrap());
    assert!(!other.assertion_use(&client, "j", at(100)).await.unwrap());
}

#[tokio::test]
async fn who_does_not_get_in_is_told_where_but_no_password() {
    let refused = Registry::connect("postgres://dagr:hidden@127.0.0.1:1/registry")
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("127.0.0.1:1/registry"), "{refused}");
    assert!(!refused.contains("hidden"), "{refused}");
}
