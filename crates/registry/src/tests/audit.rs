use dagr_model::ids::{ClientId, DatasetName, RegistrationNumber, SystemCode};
use serde_json::Value;

use super::*;

async fn entries(registry: &Registry) -> Vec<AuditView> {
    registry
        .audit_list(&AuditFilter::default(), None, 10_000)
        .await
        .unwrap()
        .items
}

/// What an entry tells of: a thing made, changed or removed.
const MADE: (bool, bool) = (false, true);
const CHANGED: (bool, bool) = (true, true);
const REMOVED: (bool, bool) = (true, false);

/// Runs one change and sees that it left exactly one entry, with what was before and what is after.
async fn leaves_one<T>(
    registry: &Registry,
    call: impl Future<Output = Result<T>>,
    action: &str,
    object: &str,
    told: (bool, bool),
) -> T {
    let known = entries(registry).await.len();
    let done = call.await.unwrap();
    let all = entries(registry).await;
    assert_eq!(all.len(), known + 1, "{action}");
    let entry = &all[0];
    assert_eq!((entry.action.as_str(), entry.object.as_str()), (action, object));
    assert_eq!(
        (entry.actor.as_str(), entry.request_id.as_str(), entry.at),
        ("operator", "r-1", at(0))
    );
    assert_eq!(
        (entry.before != Value::Null, entry.after != Value::Null),
        told,
        "{action}"
    );
    assert_ne!(entry.before, entry.after, "{action}");
    done
}

#[tokio::test]
async fn every_change_leaves_one_entry() {
    let r = fresh().await;
    let by = by();
    let provider = RegistrationNumber::new(PROVIDER);
    let (client, code, name) = (
        ClientId::new("c"),
        SystemCode::new("FPR"),
        DatasetName::new("persons"),
    );

    let object = format!("institutions/{PROVIDER}");
    leaves_one(
        &r,
        r.institution_insert(&by, &institution(PROVIDER)),
        "institution_create",
        &object,
        MADE,
    )
    .await;
    let patch = InstitutionPatch {
        parent: None,
        name: Some("N".into()),
        kind: None,
    };
    leaves_one(
        &r,
        r.institution_update(&by, &provider, &patch, None),
        "institution_update",
        &object,
        CHANGED,
    )
    .await;
    leaves_one(
        &r,
        r.system_insert(&by, &system("FPR")),
        "system_create",
        "systems/FPR",
        MADE,
    )
    .await;
    let patch = SystemPatch {
        name: Some("N".into()),
    };
    leaves_one(
        &r,
        r.system_update(&by, &code, &patch, None),
        "system_update",
        "systems/FPR",
        CHANGED,
    )
    .await;

    leaves_one(
        &r,
        r.connection_insert(&by, &connection("c")),
        "connection_create",
        "connections/c",
        MADE,
    )
    .await;
    let patch = ConnectionPatch {
        token_lifetime_s: Some(60),
        description: None,
    };
    leaves_one(
        &r,
        r.connection_update(&by, &client, &patch, None),
        "connection_update",
        "connections/c",
        CHANGED,
    )
    .await;
    let sha256 = "a".repeat(64);
    let object = format!("connections/c/certificates/{sha256}");
    leaves_one(
        &r,
        r.certificate_insert(&by, &client, &certificate('a'), None),
        "certificate_create",
        &object,
        MADE,
    )
    .await;
    leaves_one(
        &r,
        r.certificate_delete(&by, &client, &sha256, None),
        "certificate_delete",
        &object,
        REMOVED,
    )
    .await;
    leaves_one(
        &r,
        r.connection_withdraw(&by, &client, "the system is closed", None),
        "connection_withdraw",
        "connections/c",
        CHANGED,
    )
    .await;

    let put = definition("persons", "one", &["Code"]);
    leaves_one(
        &r,
        r.put_sandbox_definition(&by, &put, None),
        "dataset_definition_put",
        "datasets/persons",
        MADE,
    )
    .await;
    leaves_one(
        &r,
        r.put_sandbox_definition(&by, &put, None),
        "dataset_definition_put",
        "datasets/persons",
        CHANGED,
    )
    .await;
    leaves_one(
        &r,
        r.publish(&by, &name, None),
        "dataset_publish",
        "datasets/persons",
        CHANGED,
    )
    .await;
    leaves_one(
        &r,
        r.put_main_definition(&by, &put, None),
        "dataset_definition_put",
        "datasets/persons",
        CHANGED,
    )
    .await;
    let other = definition("persons", "two", &["Surname"]);
    r.put_sandbox_definition(&by, &other, None).await.unwrap();
    leaves_one(
        &r,
        r.publish_anew(&by, &name, None, 0),
        "dataset_publish",
        "datasets/persons",
        CHANGED,
    )
    .await;
    let at_least = [Epochs {
        dataset: name.clone(),
        sandbox: 9,
        main: 9,
    }];
    leaves_one(
        &r,
        Box::pin(r.raise_epochs(&by, &at_least)),
        "epochs_raise",
        "datasets",
        CHANGED,
    )
    .await;

    r.institution_insert(&by, &institution(RECIPIENT)).await.unwrap();
    let object = String::from("permissions/100001");
    let granted = leaves_one(
        &r,
        r.permission_insert(&by, &permission("persons"), leaves()),
        "permission_create",
        &object,
        MADE,
    )
    .await
    .value;
    let number = granted.number.clone();
    let next = PermissionPatch {
        quota: Some(None),
        ..Default::default()
    }
    .applied(&granted, None);
    leaves_one(
        &r,
        r.permission_update(&by, &number, next, None),
        "permission_update",
        &object,
        CHANGED,
    )
    .await;
    leaves_one(
        &r,
        r.permission_suspend(&by, &number, "why", None),
        "permission_suspend",
        &object,
        CHANGED,
    )
    .await;
    assert_eq!(entries(&r).await[0].after["reason"], "why");
    leaves_one(
        &r,
        r.permission_resume(&by, &number, "why", None),
        "permission_resume",
        &object,
        CHANGED,
    )
    .await;
    leaves_one(
        &r,
        r.permission_revoke(&by, &number, "why", None),
        "permission_revoke",
        &object,
        CHANGED,
    )
    .await;

    leaves_one(
        &r,
        r.setting_put(&by, "id", "x", None),
        "setting_put",
        "settings/id",
        MADE,
    )
    .await;
    leaves_one(
        &r,
        r.setting_put(&by, "id", "y", None),
        "setting_put",
        "settings/id",
        CHANGED,
    )
    .await;
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let registry = furnished().await;
    let known = entries(&registry).await.len();
    assert!(
        registry
            .institution_insert(&by(), &institution(PROVIDER))
            .await
            .is_err()
    );
    assert!(
        registry
            .publish(&by(), &DatasetName::new("persons"), Some(9))
            .await
            .is_err()
    );
    assert!(
        registry
            .permission_insert(&by(), &permission("nothing"), leaves())
            .await
            .is_err()
    );
    assert_eq!(entries(&registry).await.len(), known);
    // A number refused is not lost either.
    let first = registry
        .permission_insert(&by(), &permission("persons"), leaves())
        .await
        .unwrap();
    assert_eq!(first.value.number.as_str(), "100001");
}

#[tokio::test]
async fn entries_page_newest_first_though_their_times_tie() {
    let registry = furnished().await;
    let all = entries(&registry).await;
    assert_eq!(all.len(), 5);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = registry
            .audit_list(&AuditFilter::default(), after, 2)
            .await
            .unwrap();
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
    let members: Vec<_> = serde_json::to_value(&all[0])
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(members, ["at", "actor", "action", "object", "before", "after"]);
    for (filter, count) in [
        (
            AuditFilter {
                action: Some("system_create".into()),
                ..Default::default()
            },
            1,
        ),
        (
            AuditFilter {
                object: Some("datasets/persons".into()),
                ..Default::default()
            },
            1,
        ),
        (
            AuditFilter {
                actor: Some("nobody".into()),
                ..Default::default()
            },
            0,
        ),
        (
            AuditFilter {
                from: Some(at(0)),
                to: Some(at(1)),
                ..Default::default()
            },
            5,
        ),
        (
            AuditFilter {
                to: Some(at(0)),
                ..Default::default()
            },
            0,
        ),
    ] {
        assert_eq!(
            registry.audit_list(&filter, None, 100).await.unwrap().items.len(),
            count
        );
    }
}

#[tokio::test]
async fn an_institution_is_under_another_that_is_there_and_never_under_itself() {
    let registry = furnished().await;
    let (above, below) = (
        RegistrationNumber::new(PROVIDER),
        RegistrationNumber::new(RECIPIENT),
    );
    let under = |parent: Option<&RegistrationNumber>| InstitutionPatch {
        parent: Some(parent.cloned()),
        ..InstitutionPatch::default()
    };
    let put = async |number: &RegistrationNumber, patch: InstitutionPatch| {
        registry.institution_update(&by(), number, &patch, None).await
    };
    let made = put(&below, under(Some(&above))).await.unwrap();
    assert_eq!(made.value.parent.as_ref(), Some(&above));
    let rule = |refused: Result<Versioned<InstitutionView>>| match refused {
        Err(RegistryError::Invalid(faults)) => faults[0].rule.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(rule(put(&above, under(Some(&below))).await), "cycle");
    assert_eq!(rule(put(&above, under(Some(&above))).await), "cycle");
    let nobody = RegistrationNumber::new("90000099999");
    assert_eq!(rule(put(&above, under(Some(&nobody))).await), "unknown");
    let free = put(&below, under(None)).await.unwrap();
    assert_eq!(free.value.parent, None);
}
