use std::time::{Duration, Instant};

use dagr_model::ids::{ClientId, PermissionNumber};

use super::*;
use crate::db::query;

#[tokio::test]
async fn an_assertion_is_used_once_also_after_reopening() {
    let place = Place::new();
    let (client, other) = (ClientId::new("c"), ClientId::new("d"));
    let registry = place.open().await.unwrap();
    assert!(registry.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(!registry.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(registry.assertion_use(&other, "j1", at(50)).await.unwrap());
    // Not closed: the second opening finds what a killed process would leave.
    let reopened = place.open().await.unwrap();
    assert!(!reopened.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert_eq!(reopened.assertion_purge(at(100)).await.unwrap(), 1);
    assert!(!reopened.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(reopened.assertion_use(&other, "j1", at(150)).await.unwrap());
    assert!(!faults(registry.assertion_use(&client, "", at(1)).await).is_empty());
}

#[tokio::test]
async fn of_many_at_once_one_wins() {
    let place = Place::new();
    let registry = place.open().await.unwrap();
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let registry = registry.clone();
            tokio::spawn(async move {
                registry
                    .assertion_use(&ClientId::new("c"), "j", at(9))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_copy_is_whole_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new();
    let registry = place.open().await.unwrap();
    furnish(&registry).await;
    registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap();
    let path = folder.path().join("copy.db");
    registry.backup_to(&path).await.unwrap();
    assert!(matches!(
        registry.backup_to(&path).await,
        Err(RegistryError::State { .. })
    ));
    let before = registry.load().await.unwrap();
    registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap();
    let copy = Registry::open(&path).await.unwrap();
    assert_eq!(copy.load().await.unwrap(), before);
    assert_eq!(before.permissions.len(), 1);
    copy.raise_epochs(&by(), &[]).await.unwrap();
    registry.ping().await.unwrap();
    registry.close().await;
    assert!(matches!(
        registry.ping().await,
        Err(RegistryError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let place = Place::new();
    let registry = place.open().await.unwrap();
    let mut tx = registry.write().await.unwrap();
    query("INSERT INTO migrations (number) VALUES (9999)")
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(place.open().await, Err(RegistryError::Unavailable(_))));
}

#[tokio::test]
async fn loads_ten_thousand_permissions() {
    let registry = furnished().await;
    // Multiplied in SQL: granting each by itself is not what is tried here.
    let mut tx = registry.write().await.unwrap();
    let leaf_ids = LeafIds((0..40).map(|n| (format!("F{n}"), n)).collect());
    let leaf_ids = serde_json::to_string(&leaf_ids).unwrap();
    query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO datasets SELECT 'set_' || i, institution, replaces, 1, 1, 1, 1, 1 FROM datasets, n",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    for section in ["sandbox", "main"] {
        query(
            "INSERT INTO definitions SELECT name, $1, 1, $2, $3, 1, 0 FROM datasets WHERE name LIKE 'set%'",
        )
        .bind(section)
        .bind("- Field text: What it means\n".repeat(40))
        .bind(&leaf_ids)
        .execute(&mut tx)
        .await
        .unwrap();
    }
    let body = permission("persons").granted(
        PermissionNumber::new("1"),
        (0..40).map(|n| format!("F{n}")).collect(),
    );
    query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO permissions SELECT i, i, 'persons', $1, 'main', 'active', $2, 1 FROM n",
    )
    .bind(RECIPIENT)
    .bind(serde_json::to_string(&body).unwrap())
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let begun = Instant::now();
    let all = registry.load().await.unwrap();
    let took = begun.elapsed();
    eprintln!("loaded 10 000 permissions and 1 001 data sets in {took:?}");
    assert_eq!((all.permissions.len(), all.datasets.len()), (10_000, 1_001));
    assert!(all.datasets[1].value.main.is_some());
    assert_eq!(all.connections.len(), 1);
    // Generous: this is an unoptimised build on a shared machine.
    assert!(took < Duration::from_secs(10), "{took:?}");
}
