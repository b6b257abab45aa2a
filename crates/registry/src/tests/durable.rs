use std::time::{Duration, Instant};

use dagr_model::ids::{ClientId, PermissionNumber};

use super::*;

#[tokio::test]
async fn an_assertion_is_used_once_also_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let (client, other) = (ClientId::new("c"), ClientId::new("d"));
    let registry = Registry::open(&path).await.unwrap();
    assert!(registry.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(!registry.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(registry.assertion_use(&other, "j1", at(50)).await.unwrap());
    // Not closed: the second opening finds what a killed process would leave.
    let reopened = Registry::open(&path).await.unwrap();
    assert!(!reopened.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert_eq!(reopened.assertion_purge(at(100)).await.unwrap(), 1);
    assert!(!reopened.assertion_use(&client, "j1", at(100)).await.unwrap());
    assert!(reopened.assertion_use(&other, "j1", at(150)).await.unwrap());
    assert!(!faults(registry.assertion_use(&client, "", at(1)).await).is_empty());
}

#[tokio::test]
async fn of_many_at_once_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
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
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
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
    copy.raise_epochs(&by()).await.unwrap();
    registry.ping().await.unwrap();
    registry.close().await;
    assert!(matches!(
        registry.ping().await,
        Err(RegistryError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let registry = Registry::open(&path).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    sqlx::query("INSERT INTO migrations (number) VALUES (9999)")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(
        Registry::open(&path).await,
        Err(RegistryError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_commit_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    let mut pragma = async |text: &'static str| {
        sqlx::query_scalar::<_, i64>(text)
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    assert_eq!(pragma("PRAGMA synchronous").await, 2);
    assert_eq!(pragma("PRAGMA foreign_keys").await, 1);
    drop(tx);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *registry.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(mode, "wal");
    // Readers cannot write past the audit trail.
    let stray = sqlx::query("DELETE FROM audit")
        .execute(&mut *registry.read().await.unwrap())
        .await;
    assert!(stray.is_err());
}

#[tokio::test]
async fn loads_ten_thousand_permissions() {
    let registry = furnished().await;
    // Multiplied in SQL: granting each by itself is not what is tried here.
    let mut tx = registry.write().await.unwrap();
    let leaf_ids = LeafIds((0..40).map(|n| (format!("F{n}"), n)).collect());
    let leaf_ids = serde_json::to_string(&leaf_ids).unwrap();
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO datasets SELECT 'set_' || i, institution, replaces, 1, 1, 1, 1, 1 FROM datasets, n",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    for section in ["sandbox", "main"] {
        sqlx::query(
            "INSERT INTO definitions SELECT name, $1, 1, $2, $3, 1, 0 FROM datasets WHERE name LIKE 'set%'",
        )
        .bind(section)
        .bind("- Field text: What it means\n".repeat(40))
        .bind(&leaf_ids)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    let body = permission("persons").granted(
        PermissionNumber::new("1"),
        (0..40).map(|n| format!("F{n}")).collect(),
    );
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO permissions SELECT i, i, 'persons', $1, 'main', 'active', $2, 1 FROM n",
    )
    .bind(RECIPIENT)
    .bind(serde_json::to_string(&body).unwrap())
    .execute(&mut *tx)
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

#[tokio::test]
async fn a_change_that_finds_no_room_hinders_none_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    // Of this connection: it finds the file full where it ends now.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}")))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let client = ClientId::new("c");
    let mut used = 0;
    let refused = loop {
        let id = format!("{used:0>500}");
        match registry.assertion_use(&client, &id, at(100)).await {
            Ok(_) => used += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, RegistryError::Unavailable(_)), "{refused:?}");
    assert!(registry.assertion_use(&client, "j", at(100)).await.unwrap());
    assert_eq!(registry.assertion_purge(at(200)).await.unwrap(), used + 1);
}
