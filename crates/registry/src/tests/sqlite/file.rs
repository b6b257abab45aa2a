//! What only the file has.

use dagr_model::ids::ClientId;

use super::*;
use crate::db::query;

/// The one number a statement gives.
async fn number(conn: &mut crate::db::Conn, text: &'static str, column: &str) -> i64 {
    query(text)
        .fetch_one(conn)
        .await
        .unwrap()
        .try_get(column)
        .unwrap()
}

#[tokio::test]
async fn a_commit_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    assert_eq!(number(&mut tx, "PRAGMA synchronous", "synchronous").await, 2);
    assert_eq!(number(&mut tx, "PRAGMA foreign_keys", "foreign_keys").await, 1);
    drop(tx);
    let mode = query("PRAGMA journal_mode")
        .fetch_one(&mut registry.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(mode.try_get::<String>("journal_mode").unwrap(), "wal");
    // Readers cannot write past the audit trail.
    let stray = query("DELETE FROM audit")
        .execute(&mut registry.read().await.unwrap())
        .await;
    assert!(stray.is_err());
}

#[tokio::test]
async fn a_change_that_finds_no_room_hinders_none_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("registry.db")).await.unwrap();
    let mut tx = registry.write().await.unwrap();
    let pages = number(&mut tx, "PRAGMA page_count", "page_count").await;
    // Of this connection: it finds the file full where it ends now.
    let crate::db::Conn::SqliteTx(inner) = &mut tx.0 else {
        unreachable!("not in a file")
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}")))
        .execute(&mut **inner)
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
