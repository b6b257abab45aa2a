use dagr_model::ids::{ClientId, DatasetName, RegistrationNumber, Section, SystemCode};
use serde_json::json;

use super::*;

#[tokio::test]
async fn institution_round_trip() {
    let registry = furnished().await;
    let number = RegistrationNumber::new(PROVIDER);
    let found = registry.institution_get(&number).await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&found.value).unwrap(),
        json!({"registration_number": PROVIDER, "name": format!("Iestāde {PROVIDER}"), "kind": null, "parent": null})
    );
    let patch: InstitutionPatch = serde_json::from_value(json!({"kind": "ministry"})).unwrap();
    let changed = registry
        .institution_update(&by(), &number, &patch, Some(found.version))
        .await
        .unwrap();
    assert_eq!(
        (changed.value.kind.as_deref(), changed.version),
        (Some("ministry"), 2)
    );
    let patch: InstitutionPatch = serde_json::from_value(json!({"kind": null, "name": "N"})).unwrap();
    let changed = registry
        .institution_update(&by(), &number, &patch, None)
        .await
        .unwrap();
    assert_eq!(
        (changed.value.kind.as_deref(), changed.value.name.as_str()),
        (None, "N")
    );
    assert_eq!(registry.institution_get(&number).await.unwrap().unwrap(), changed);
    let stale = registry.institution_update(&by(), &number, &patch, Some(1)).await;
    assert_eq!(stale, Err(RegistryError::Precondition));
    let again = registry.institution_insert(&by(), &institution(PROVIDER)).await;
    assert!(matches!(again, Err(RegistryError::Exists { .. })));
    let nobody = registry
        .institution_update(&by(), &RegistrationNumber::new("x"), &patch, None)
        .await;
    assert!(matches!(nobody, Err(RegistryError::Unknown { .. })));
}

#[test]
fn inputs_refuse_unknown_members_and_nulls_of_required_ones() {
    assert!(serde_json::from_value::<InstitutionPatch>(json!({"name": null})).is_err());
    assert!(serde_json::from_value::<InstitutionPatch>(json!({"surname": "x"})).is_err());
    assert!(
        serde_json::from_value::<SystemCreate>(json!({"institution": "1", "code": "c", "name": "n", "x": 1}))
            .is_err()
    );
    assert!(
        serde_json::from_value::<ConnectionCreate>(
            json!({"client_id": "c", "system": "s", "kind": "reader", "token_lifetime_s": 60})
        )
        .is_err()
    );
}

#[tokio::test]
async fn all_faults_at_once() {
    let registry = furnished().await;
    let wrong = InstitutionCreate {
        registration_number: RegistrationNumber::new("123"),
        name: " ".into(),
        kind: Some("\u{7}".into()),
        parent: None,
    };
    let found = faults(registry.institution_insert(&by(), &wrong).await);
    assert_eq!(found.len(), 3, "{found:?}");
    let wrong = ConnectionCreate {
        client_id: ClientId::new("../x"),
        system: SystemCode::new("NONE"),
        token_lifetime_s: 0,
        ..connection("x")
    };
    let found = faults(registry.connection_insert(&by(), &wrong).await);
    let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["token_lifetime_s", "client_id", "system"]);
    for (number, good) in [
        ("40003000000", true),
        ("4000300000", false),
        ("400030000000", false),
        ("DE1", true),
        ("DE", false),
        ("DE123456789012345678901", false),
        ("ĀĀ1", false),
        ("", false),
    ] {
        let mut check = crate::check::Check::default();
        check.registration_number("n", number);
        assert_eq!(check.done().is_ok(), good, "{number}");
    }
}

#[tokio::test]
async fn systems_are_found_by_institution() {
    let registry = furnished().await;
    let unknown = SystemCreate {
        institution: RegistrationNumber::new("90000000009"),
        ..system("X")
    };
    assert_eq!(
        faults(registry.system_insert(&by(), &unknown).await),
        [("institution".to_owned(), "unknown".to_owned())]
    );
    assert!(matches!(
        registry.system_insert(&by(), &system("FPR")).await,
        Err(RegistryError::Exists { .. })
    ));
    let code = SystemCode::new("FPR");
    let patch = SystemPatch {
        name: Some("Personu reģistrs".into()),
    };
    let changed = registry
        .system_update(&by(), &code, &patch, Some(1))
        .await
        .unwrap();
    assert_eq!(registry.system_get(&code).await.unwrap().unwrap(), changed);
    for (institution, count) in [(PROVIDER, 1), (RECIPIENT, 0)] {
        let filter = SystemFilter {
            institution: Some(RegistrationNumber::new(institution)),
        };
        assert_eq!(
            registry.system_list(&filter, None, 10).await.unwrap().items.len(),
            count
        );
    }
}

#[tokio::test]
async fn connection_and_its_certificates() {
    let registry = furnished().await;
    let client = ClientId::new("fpr-producer");
    let first = registry.connection_get(&client).await.unwrap().unwrap();
    assert_eq!(first.value.institution.as_str(), PROVIDER);
    assert!(first.value.certificates.is_empty());
    registry
        .connection_insert(&by(), &connection("zzz"))
        .await
        .unwrap();
    registry
        .certificate_insert(&by(), &client, &certificate('b'), Some(1))
        .await
        .unwrap();
    let two = registry
        .certificate_insert(&by(), &client, &certificate('a'), Some(2))
        .await
        .unwrap();
    assert_eq!(two.version, 3);
    assert_eq!(two.value.certificates.len(), 2);
    assert_eq!(two.value.certificates[0].not_after, at(1_000));
    let again = registry
        .certificate_insert(&by(), &client, &certificate('a'), None)
        .await;
    assert!(matches!(again, Err(RegistryError::Exists { .. })));
    let listed = registry
        .connection_list(&ConnectionFilter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(listed.items[0], two);
    assert!(listed.items[1].value.certificates.is_empty());
    let one = registry
        .certificate_delete(&by(), &client, &"a".repeat(64), None)
        .await
        .unwrap();
    assert_eq!(one.value.certificates.len(), 1);
    let gone = registry
        .certificate_delete(&by(), &client, &"a".repeat(64), None)
        .await;
    assert!(matches!(gone, Err(RegistryError::Unknown { .. })));

    let patch: ConnectionPatch =
        serde_json::from_value(json!({"token_lifetime_s": 60, "description": "d"})).unwrap();
    let changed = registry
        .connection_update(&by(), &client, &patch, None)
        .await
        .unwrap();
    assert_eq!(
        (
            changed.value.token_lifetime_s,
            changed.value.description.as_deref()
        ),
        (60, Some("d"))
    );
    let withdrawn = registry
        .connection_withdraw(&by(), &client, "the system is closed", Some(changed.version))
        .await
        .unwrap();
    assert_eq!(withdrawn.value.state, ConnectionState::Withdrawn);
    assert_eq!(
        registry.connection_get(&client).await.unwrap().unwrap(),
        withdrawn
    );
    let twice = registry.connection_withdraw(&by(), &client, "again", None).await;
    assert!(matches!(twice, Err(RegistryError::State { .. })));
    let late = registry
        .certificate_insert(&by(), &client, &certificate('c'), None)
        .await;
    assert!(matches!(late, Err(RegistryError::State { .. })));
    let filter = ConnectionFilter {
        state: Some(ConnectionState::Withdrawn),
        ..Default::default()
    };
    assert_eq!(
        registry
            .connection_list(&filter, None, 10)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test]
async fn data_set_from_sandbox_to_main() {
    let registry = furnished().await;
    let name = DatasetName::new("persons");
    let first = registry.dataset_get(&name).await.unwrap().unwrap();
    assert_eq!(first.version, 1);
    let sandbox = first.value.sandbox.clone().unwrap();
    assert_eq!((sandbox.version, sandbox.epoch, sandbox.at), (1, 1, at(0)));
    assert!(first.value.main.is_none());
    let early = registry
        .put_main_definition(&by(), &definition("persons", "x", &[]), None)
        .await;
    assert!(matches!(early, Err(RegistryError::State { .. })));

    let second = definition("persons", "second", &["Code", "Surname"]);
    let tried = registry
        .put_sandbox_definition(&by(), &second, Some(1))
        .await
        .unwrap();
    let sandbox = tried.value.sandbox.unwrap();
    assert_eq!((sandbox.version, sandbox.epoch), (2, 2));

    let published = registry.publish(&by(), &name, Some(tried.version)).await.unwrap();
    let main = published.value.main.clone().unwrap();
    assert_eq!((main.text.as_str(), main.version, main.epoch), ("second", 1, 1));
    assert_eq!(main.leaf_ids, second.leaf_ids);
    assert!(matches!(
        registry.publish(&by(), &name, None).await,
        Err(RegistryError::State { .. })
    ));

    let third = definition("persons", "third", &["Code", "Surname", "Born"]);
    let stale = registry.put_main_definition(&by(), &third, Some(1)).await;
    assert_eq!(stale, Err(RegistryError::Precondition));
    let main = registry
        .put_main_definition(&by(), &third, None)
        .await
        .unwrap()
        .value
        .main
        .unwrap();
    assert_eq!((main.text.as_str(), main.version, main.epoch), ("third", 2, 1));
    let moved = definition("persons", "fourth", &["Surname", "Code"]);
    let moved = registry.put_main_definition(&by(), &moved, None).await;
    assert!(matches!(moved, Err(RegistryError::State { .. })));

    let history = registry
        .definition_list(&name, Section::Main, None, 1)
        .await
        .unwrap();
    assert_eq!(history.items[0].text, "third");
    let history = registry
        .definition_list(&name, Section::Main, history.next, 1)
        .await
        .unwrap();
    assert_eq!((history.items[0].text.as_str(), history.next), ("second", None));
}

#[tokio::test]
async fn epochs_only_grow() {
    let registry = furnished().await;
    let name = DatasetName::new("persons");
    let epochs = |dataset: &str, sandbox, main| Epochs {
        dataset: DatasetName::new(dataset),
        sandbox,
        main,
    };
    let at_least = [epochs("persons", 5, 0), epochs("nobodys", 7, 7)];
    registry.raise_epochs(&by(), &at_least).await.unwrap();
    assert_eq!(registry.epochs().await.unwrap(), [epochs("persons", 5, 1)]);
    let lower = [epochs("persons", 4, 3)];
    registry.raise_epochs(&by(), &lower).await.unwrap();
    assert_eq!(registry.epochs().await.unwrap(), [epochs("persons", 5, 3)]);

    let above = |text: &str, above| DefinitionPut {
        above,
        ..definition("persons", text, &["Code"])
    };
    for (held, begun) in [(0, 6), (9, 10)] {
        let put = above(&format!("above {held}"), held);
        registry.put_sandbox_definition(&by(), &put, None).await.unwrap();
        assert_eq!(registry.epochs().await.unwrap(), [epochs("persons", begun, 3)]);
    }
    registry.publish_anew(&by(), &name, None, 0).await.unwrap();
    assert_eq!(registry.epochs().await.unwrap(), [epochs("persons", 10, 4)]);
    let put = above("another", 0);
    registry.put_sandbox_definition(&by(), &put, None).await.unwrap();
    registry.publish_anew(&by(), &name, None, 8).await.unwrap();
    assert_eq!(registry.epochs().await.unwrap(), [epochs("persons", 11, 9)]);
}

#[tokio::test]
async fn a_set_belongs_to_one_provider_and_may_be_superseded() {
    let registry = furnished().await;
    let foreign = DefinitionPut {
        institution: RegistrationNumber::new(RECIPIENT),
        ..definition("persons", "x", &["Code"])
    };
    let refused = registry.put_sandbox_definition(&by(), &foreign, None).await;
    assert!(matches!(refused, Err(RegistryError::State { .. })));
    let successor = |replaces: &str| DefinitionPut {
        replaces: Some(DatasetName::new(replaces)),
        ..definition("persons_2", "x", &["Code"])
    };
    let found = faults(
        registry
            .put_sandbox_definition(&by(), &successor("nothing"), None)
            .await,
    );
    assert_eq!(found, [("replaces".to_owned(), "unknown".to_owned())]);
    registry
        .put_sandbox_definition(&by(), &successor("persons"), None)
        .await
        .unwrap();
    let old = DatasetName::new("persons");
    assert_eq!(
        registry
            .dataset_get(&old)
            .await
            .unwrap()
            .unwrap()
            .value
            .superseded_by,
        None
    );
    registry
        .publish(&by(), &DatasetName::new("persons_2"), None)
        .await
        .unwrap();
    let view = registry.dataset_get(&old).await.unwrap().unwrap().value;
    assert_eq!(view.superseded_by, Some(DatasetName::new("persons_2")));
    for (section, count) in [(None, 2), (Some(Section::Main), 1), (Some(Section::Sandbox), 2)] {
        let filter = DatasetFilter {
            institution: None,
            section,
        };
        assert_eq!(
            registry
                .dataset_list(&filter, None, 10)
                .await
                .unwrap()
                .items
                .len(),
            count
        );
    }
    let odd = definition("Persons-3", "x", &[]);
    assert_eq!(
        faults(registry.put_sandbox_definition(&by(), &odd, None).await)[0].0,
        "name"
    );
}

#[tokio::test]
async fn pages_have_every_item_once() {
    let registry = furnished().await;
    for n in 0..7 {
        registry
            .connection_insert(&by(), &connection(&format!("c{n}")))
            .await
            .unwrap();
    }
    for limit in [1, 2, 4, 8, 9] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = registry
                .connection_list(&ConnectionFilter::default(), after, limit)
                .await
                .unwrap();
            assert!(page.items.len() <= limit as usize && !page.items.is_empty());
            seen.extend(page.items.into_iter().map(|item| item.value.client_id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 8);
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[tokio::test]
async fn jobs_and_notices() {
    let registry = furnished().await;
    let create = JobCreate {
        kind: "package".into(),
        dataset: Some(DatasetName::new("persons")),
        detail: json!({}),
    };
    let first = registry.job_insert(&create, at(1)).await.unwrap();
    let second = registry
        .job_insert(
            &JobCreate {
                dataset: None,
                ..create
            },
            at(1),
        )
        .await
        .unwrap();
    registry.job_update(first.id, &json!({"rows": 5})).await.unwrap();
    registry
        .job_end(first.id, JobState::Done, &json!({"rows": 9}), at(2))
        .await
        .unwrap();
    let done = registry.job_get(first.id).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.ended, done.detail),
        (JobState::Done, Some(at(2)), json!({"rows": 9}))
    );
    assert!(registry.job_update(first.id, &json!({})).await.is_err());
    assert_eq!(registry.job_interrupt_all(at(3)).await.unwrap(), 1);
    let filter = JobFilter {
        state: Some(JobState::Interrupted),
        ..Default::default()
    };
    assert_eq!(
        registry.job_list(&filter, None, 10).await.unwrap().items[0].id,
        second.id
    );
    let page = registry.job_list(&JobFilter::default(), None, 1).await.unwrap();
    assert_eq!(page.items[0].id, second.id);
    let page = registry
        .job_list(&JobFilter::default(), page.next, 1)
        .await
        .unwrap();
    assert_eq!((page.items[0].id, page.next), (first.id, None));

    let create = NoticeCreate {
        dataset: DatasetName::new("persons"),
        permission: None,
        kind: "misses_limited".into(),
        detail: json!({"limit": 1000}),
    };
    let notice = registry.notice_insert(&create, at(1)).await.unwrap();
    let listed = registry
        .notice_list(&NoticeFilter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(listed.items, [notice]);
    assert_eq!(registry.notice_purge(at(1)).await.unwrap(), 0);
    assert_eq!(registry.notice_purge(at(2)).await.unwrap(), 1);
}

#[tokio::test]
async fn settings() {
    let registry = furnished().await;
    assert_eq!(registry.setting_get("installation").await.unwrap(), None);
    let early = registry.setting_put(&by(), "installation", "a", Some(1)).await;
    assert_eq!(early, Err(RegistryError::Precondition));
    registry
        .setting_put(&by(), "installation", "a", None)
        .await
        .unwrap();
    let second = registry
        .setting_put(&by(), "installation", "b", Some(1))
        .await
        .unwrap();
    assert_eq!(registry.setting_get("installation").await.unwrap(), Some(second));
}

#[tokio::test]
async fn lists_stand_in_the_order_of_bytes() {
    let registry = furnished().await;
    let mut codes = ["a-b", "ab", "B", "a_c", "Z", "a1", "z", "a.b"];
    for code in codes {
        registry.system_insert(&by(), &system(code)).await.unwrap();
    }
    codes.sort_unstable();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = registry
            .system_list(&SystemFilter::default(), after, 2)
            .await
            .unwrap();
        listed.extend(page.items.into_iter().map(|item| item.value.code.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    listed.retain(|code| code != "FPR");
    assert_eq!(listed, codes);
}

#[tokio::test]
async fn a_nul_is_refused_not_stored() {
    let registry = furnished().await;
    let code = SystemCode::new("a\0b");
    let refused = registry.system_get(&code).await;
    assert_eq!(faults(refused)[0].1, "characters");
}
