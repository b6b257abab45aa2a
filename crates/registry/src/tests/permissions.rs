use dagr_model::{
    ids::{DatasetName, PermissionNumber, RegistrationNumber},
    permission::{PermissionState, Scope, Way},
};
use serde_json::json;

use super::*;

#[tokio::test]
async fn view_repeats_every_member() {
    let registry = furnished().await;
    let body = json!({
        "dataset": "persons", "recipient": RECIPIENT, "environment": "sandbox", "purpose": "p",
        "legal_basis": "l", "fields": ["Code"], "ways": ["key", "list:died"], "valid_to": "2026-12-31",
    });
    let create: PermissionCreate = serde_json::from_value(body).unwrap();
    assert_eq!(create.fields, Fields::Named(vec!["Code".into()]));
    let granted = registry
        .permission_insert(&by(), &create, vec!["Code".into()])
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&granted.value).unwrap(),
        json!({
            "number": "100001", "dataset": "persons", "recipient": RECIPIENT, "environment": "sandbox",
            "purpose": "p", "legal_basis": "l", "fields": ["Code"], "scope": null,
            "ways": ["key", "list:died"], "quota": null, "quota_unit": "call", "rate_per_second": null,
            "misses_per_hour": null, "valid_from": null, "valid_to": "2026-12-31", "case_required": false,
            "state": "active", "revision": 1,
        })
    );
    let found = registry
        .permission_get(&granted.value.number)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, granted);
}

#[test]
fn fields_are_all_or_names() {
    assert_eq!(
        serde_json::from_value::<Fields>(json!("all")).unwrap(),
        Fields::All
    );
    for wrong in [json!("some"), json!(null), json!([1]), json!({})] {
        assert!(serde_json::from_value::<Fields>(wrong).is_err());
    }
}

#[tokio::test]
async fn faults_of_a_grant_are_told_together() {
    let registry = furnished().await;
    let wrong = PermissionCreate {
        dataset: DatasetName::new("nothing"),
        recipient: RegistrationNumber::new("90000000009"),
        purpose: String::new(),
        ways: vec![Way::Key, Way::Key],
        scope: Some(Scope::Keys(vec![])),
        rate_per_second: Some(0),
        valid_from: Some("2026-02-01".parse().unwrap()),
        valid_to: Some("2026-01-01".parse().unwrap()),
        ..permission("persons")
    };
    let found = faults(registry.permission_insert(&by(), &wrong, vec![]).await);
    let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "purpose",
            "fields",
            "ways",
            "rate_per_second",
            "valid_to",
            "scope.keys",
            "dataset",
            "recipient"
        ]
    );
}

#[tokio::test]
async fn revision_grows_only_with_what_recipients_see() {
    let registry = furnished().await;
    let first = registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap();
    let number = first.value.number.clone();
    let amend = async |body: serde_json::Value, fields: Option<Vec<String>>| {
        let patch: PermissionPatch = serde_json::from_value(body).unwrap();
        let now = registry.permission_get(&number).await.unwrap().unwrap();
        let next = patch.applied(&now.value, fields);
        registry
            .permission_update(&by(), &number, next, Some(now.version))
            .await
    };
    for (body, fields, revision) in [
        (
            json!({"quota": null, "purpose": "other", "case_required": true}),
            None,
            1,
        ),
        (json!({"valid_to": "2030-01-01", "misses_per_hour": 5}), None, 1),
        (json!({"fields": ["Code"]}), Some(vec!["Code".to_owned()]), 2),
        (json!({"scope": null}), None, 3),
        (json!({"ways": ["key"]}), None, 4),
        (json!({"ways": ["key"], "quota": 3}), None, 4),
    ] {
        assert_eq!(amend(body, fields).await.unwrap().value.revision, revision);
    }
    let now = registry.permission_get(&number).await.unwrap().unwrap();
    assert_eq!(
        (now.value.quota, now.value.case_required, now.version),
        (Some(3), true, 7)
    );
    let stale = registry
        .permission_update(&by(), &number, now.value.clone(), Some(6))
        .await;
    assert_eq!(stale, Err(RegistryError::Precondition));
    let mut other = now.value.clone();
    other.dataset = DatasetName::new("else");
    assert_eq!(
        faults(registry.permission_update(&by(), &number, other, None).await)[0].1,
        "fixed"
    );

    let mut kept = registry.permission_revisions(&number, None, 3).await.unwrap();
    assert_eq!(kept.items[0].permission, now.value);
    kept.items.extend(
        registry
            .permission_revisions(&number, kept.next, 10)
            .await
            .unwrap()
            .items,
    );
    assert_eq!(kept.items.len(), 7);
    assert_eq!(kept.items[6].permission, first.value);

    let terms = async |revision| registry.permission_of_revision(&number, revision).await.unwrap();
    for (revision, version) in [(1, 3), (2, 4), (3, 5), (4, 7)] {
        let found = terms(revision).await.unwrap();
        let kept = &kept.items[7 - version].permission;
        assert_eq!(
            (found.revision, &found.fields, &found.scope, &found.ways),
            (revision, &kept.fields, &kept.scope, &kept.ways)
        );
    }
    for unknown in [0, 5, u32::MAX] {
        assert_eq!(terms(unknown).await, None);
    }
}

#[tokio::test]
async fn transitions() {
    use PermissionState::{Active, Revoked, Suspended};
    let registry = furnished().await;
    let number = registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap()
        .value
        .number;
    let not_now = |result: Result<Versioned<PermissionView>>| {
        assert!(matches!(result, Err(RegistryError::State { .. })), "{result:?}");
    };
    not_now(registry.permission_resume(&by(), &number, "r", None).await);
    assert_eq!(
        faults(registry.permission_suspend(&by(), &number, " ", None).await)[0].0,
        "reason"
    );
    let view = registry
        .permission_suspend(&by(), &number, "audit", Some(1))
        .await
        .unwrap();
    assert_eq!((view.value.state, view.value.revision), (Suspended, 1));
    not_now(registry.permission_suspend(&by(), &number, "r", None).await);
    assert_eq!(
        registry.permission_resume(&by(), &number, "r", Some(1)).await,
        Err(RegistryError::Precondition)
    );
    assert_eq!(
        registry
            .permission_resume(&by(), &number, "r", None)
            .await
            .unwrap()
            .value
            .state,
        Active
    );
    registry
        .permission_suspend(&by(), &number, "r", None)
        .await
        .unwrap();
    let last = registry
        .permission_revoke(&by(), &number, "over", None)
        .await
        .unwrap()
        .value;
    assert_eq!(last.state, Revoked);
    not_now(registry.permission_resume(&by(), &number, "r", None).await);
    not_now(registry.permission_revoke(&by(), &number, "r", None).await);
    not_now(registry.permission_update(&by(), &number, last, None).await);
    let kept = registry
        .permission_revisions(&number, None, 10)
        .await
        .unwrap()
        .items;
    assert_eq!((kept[0].reason.as_deref(), kept.len()), (Some("over"), 5));
    let unknown = registry
        .permission_revoke(&by(), &PermissionNumber::new("1"), "r", None)
        .await;
    assert!(matches!(unknown, Err(RegistryError::Unknown { .. })));
}

#[tokio::test]
async fn lists_narrow() {
    let registry = furnished().await;
    for _ in 0..3 {
        registry
            .permission_insert(&by(), &permission("persons"), leaves())
            .await
            .unwrap();
    }
    let revoked = PermissionNumber::new("100002");
    registry
        .permission_revoke(&by(), &revoked, "r", None)
        .await
        .unwrap();
    let count = async |filter: PermissionFilter| {
        registry
            .permission_list(&filter, None, 10)
            .await
            .unwrap()
            .items
            .len()
    };
    let some = PermissionFilter::default;
    assert_eq!(count(some()).await, 3);
    assert_eq!(
        count(PermissionFilter {
            state: Some(PermissionState::Active),
            ..some()
        })
        .await,
        2
    );
    assert_eq!(
        count(PermissionFilter {
            provider: Some(RegistrationNumber::new(PROVIDER)),
            ..some()
        })
        .await,
        3
    );
    assert_eq!(
        count(PermissionFilter {
            recipient: Some(RegistrationNumber::new(PROVIDER)),
            ..some()
        })
        .await,
        0
    );
    let page = registry.permission_list(&some(), None, 2).await.unwrap();
    let rest = registry.permission_list(&some(), page.next, 2).await.unwrap();
    assert_eq!((rest.items[0].value.number.as_str(), rest.next), ("100003", None));
    assert_eq!(
        faults(registry.permission_list(&some(), Some("x".into()), 2).await)[0].1,
        "page_token"
    );
}
