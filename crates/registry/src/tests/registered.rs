//! Resources and services of systems.

use dagr_model::definition::Classification;

use super::*;

fn resource(datasets: &[&str]) -> Put<Resource> {
    Put {
        described: Resource {
            system: SystemCode::new("FPR"),
            title_lv: "Personas".into(),
            title_en: "Persons".into(),
            description: "Kas ir kas".into(),
            content: "Vārdi un kodi".into(),
            legal_acts: vec!["Fizisko personu reģistra likums".into()],
            datasets: datasets.iter().map(DatasetName::new).collect(),
        },
        reason: "Sākums".into(),
    }
}

fn service(resource: Option<&str>) -> Put<Service> {
    Put {
        described: Service {
            kind: ServiceKind::Api,
            system: SystemCode::new("FPR"),
            resource: resource.map(str::to_owned),
            title_lv: "Personas pārbaude".into(),
            title_en: "Check of a person".into(),
            description: "Vai persona ir".into(),
            address: "https://api.example.lv/persons".into(),
            interface: None,
            access: "Līgums ar iestādi".into(),
            classification: Classification::Restricted,
            state: ServiceState::InUse,
        },
        reason: "Sākums".into(),
    }
}

#[tokio::test]
async fn services_and_resources_keep_every_version() {
    let registry = furnished().await;
    let made = registry
        .registered_put(&by(), "PERS", &resource(&["persons"]), Some(0))
        .await
        .unwrap();
    assert_eq!((made.version, made.by.as_str(), made.at), (1, "operator", at(0)));
    let first = registry
        .registered_put(&by(), "CHECK", &service(Some("PERS")), None)
        .await
        .unwrap();
    let mut ended = service(None);
    ended.described.state = ServiceState::Ended;
    let late = registry.registered_put(&by(), "CHECK", &ended, Some(0)).await;
    assert!(matches!(late, Err(RegistryError::Precondition)), "{late:?}");
    let second = registry
        .registered_put(&by(), "CHECK", &ended, Some(1))
        .await
        .unwrap();
    let other = registry
        .registered_put(&by(), "OTHER", &service(None), Some(0))
        .await
        .unwrap();
    let now = registry.registered_get::<Service>("CHECK").await.unwrap();
    assert_eq!(now.as_ref(), Some(&second));
    let versions = registry.registered_versions("CHECK", None, 10).await.unwrap();
    assert_eq!(versions.items, [second.clone(), first]);
    let fpr = SystemCode::new("FPR");
    let page = registry.registered_list(Some(&fpr), None, 1).await.unwrap();
    assert_eq!(page.items, [second]);
    let rest = registry.registered_list(None, page.next, 1).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![other], None));
    let elsewhere = SystemCode::new("NAV");
    let none = registry
        .registered_list::<Service>(Some(&elsewhere), None, 9)
        .await
        .unwrap();
    assert!(none.items.is_empty());
}

#[tokio::test]
async fn every_fault_of_a_service_and_a_resource_is_told() {
    let registry = furnished().await;
    let mut bad = service(Some("NAV"));
    bad.described.title_en = " ".into();
    bad.described.address = "http://api.example.lv".into();
    bad.described.interface = Some("javascript:alert(1)".into());
    bad.reason = String::new();
    let refused = registry.registered_put(&by(), "a/b", &bad, None).await;
    let places: Vec<_> = faults(refused).into_iter().map(|(place, _)| place).collect();
    assert_eq!(
        places,
        ["code", "title_en", "address", "interface", "reason", "resource"]
    );
    let mut bad = resource(&["persons", "nothing"]);
    bad.described.legal_acts.clear();
    let refused = registry.registered_put(&by(), "PERS", &bad, None).await;
    let places: Vec<_> = faults(refused).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["legal_acts", "datasets"]);
    let mut bad = resource(&[]);
    bad.described.system = SystemCode::new("NAV");
    let refused = registry.registered_put(&by(), "PERS", &bad, None).await;
    let places: Vec<_> = faults(refused).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["system"]);
}
