use dagr_model::{ids::PermissionNumber, permission::PermissionState};
use jiff::civil::Date;

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn position(entry: &str, second: i64) -> UsePosition {
    UsePosition {
        entry: entry.into(),
        at: at(second),
    }
}

fn used(number: &PermissionNumber, calls: u64) -> UseDay {
    UseDay {
        permission: number.clone(),
        day: day("2027-01-15"),
        way: "key".into(),
        calls,
        narrowed: 1,
        records: calls,
        misses: 0,
    }
}

fn given(number: &PermissionNumber, on: &str, narrowed: Option<&str>) -> UseField {
    UseField {
        permission: number.clone(),
        field: "Code".into(),
        given: day(on),
        narrowed: narrowed.map(day),
    }
}

#[tokio::test]
async fn use_is_added_once_and_from_the_place_it_was_taken_to() {
    let registry = furnished().await;
    let made = registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap();
    let number = made.value.number;
    let (first, second) = (position("a", 1), position("b", 2));
    let fields = [given(&number, "2027-01-15", Some("2027-01-14"))];
    let days = [used(&number, 3), used(&PermissionNumber::new("7"), 9)];
    registry.use_add(None, &days, &fields, &first).await.unwrap();
    let again = registry.use_add(None, &days, &fields, &first).await;
    assert_eq!(again, Err(RegistryError::Precondition));
    let fields = [given(&number, "2027-01-13", None)];
    registry
        .use_add(Some(&first), &[used(&number, 2)], &fields, &second)
        .await
        .unwrap();
    assert_eq!(registry.use_position().await.unwrap(), Some(second));
    let days = registry.use_days(&number, day("2027-01-01")).await.unwrap();
    assert_eq!((days.len(), days[0].calls, days[0].narrowed), (1, 5, 2));
    // The later day stays.
    let fields = registry.use_fields(&number).await.unwrap();
    assert_eq!(fields, [given(&number, "2027-01-15", Some("2027-01-14"))]);
    assert_eq!(registry.use_purge(day("2027-01-16")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_stop_outlives_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let registry = Registry::open(&path).await.unwrap();
    furnish(&registry).await;
    for _ in 0..2 {
        registry
            .permission_insert(&by(), &permission("persons"), leaves())
            .await
            .unwrap();
    }
    let dataset = DatasetName::new("persons");
    let stopped = registry.dataset_stop(&by(), &dataset, "Noplūde").await.unwrap();
    assert_eq!((stopped.stop.permissions, stopped.permissions.len()), (2, 2));
    // Not closed: the second opening finds what a killed process would leave.
    let reopened = Registry::open(&path).await.unwrap();
    let granted = reopened
        .permission_insert(&by(), &permission("persons"), leaves())
        .await;
    assert!(matches!(granted, Err(RegistryError::State { .. })));
    let number = stopped.permissions[0].value.number.clone();
    let single = reopened.permission_resume(&by(), &number, "x", None).await;
    assert!(matches!(single, Err(RegistryError::State { .. })));
    reopened
        .permission_revoke(&by(), &number, "x", None)
        .await
        .unwrap();
    let resumed = reopened
        .dataset_resume(&by(), &dataset, "Novērsts")
        .await
        .unwrap();
    assert_eq!(resumed.permissions.len(), 1);
    let states: Vec<PermissionState> = reopened
        .load()
        .await
        .unwrap()
        .permissions
        .iter()
        .map(|one| one.value.state)
        .collect();
    assert_eq!(states, [PermissionState::Revoked, PermissionState::Active]);
}
