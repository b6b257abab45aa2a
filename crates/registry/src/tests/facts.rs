//! What is registered beside data sets.

use super::*;

fn put(purposes: &str) -> SystemFactsPut {
    SystemFactsPut {
        facts: SystemFacts {
            purposes: purposes.into(),
            content: "Personas un to dati".into(),
            controller: "Iestāde".into(),
            volume: "2 miljoni ierakstu".into(),
            processing: "Reģistrē, labo, izsniedz".into(),
            conditions_of_access: "Iestādēm ar atļauju".into(),
            legal_acts: vec!["Fizisko personu reģistra likums".into()],
            criticality: Criticality::Critical,
        },
        reason: "Apraksts".into(),
    }
}

#[tokio::test]
async fn facts_of_a_system_keep_every_version() {
    let registry = furnished().await;
    let fpr = SystemCode::new("FPR");
    assert_eq!(registry.system_facts_get(&fpr).await.unwrap(), None);
    let first = registry
        .system_facts_put(&by(), &fpr, &put("Uzskaite"), Some(0))
        .await
        .unwrap();
    assert_eq!(
        (first.version, first.by.as_str(), first.at),
        (1, "operator", at(0))
    );
    let late = registry.system_facts_put(&by(), &fpr, &put("x"), Some(0)).await;
    assert!(matches!(late, Err(RegistryError::Precondition)), "{late:?}");
    let second = registry
        .system_facts_put(&by(), &fpr, &put("Uzskaite un izsniegšana"), Some(1))
        .await
        .unwrap();
    assert_eq!(
        registry.system_facts_get(&fpr).await.unwrap().as_ref(),
        Some(&second)
    );
    let newest = registry.system_facts_versions(&fpr, None, 1).await.unwrap();
    assert_eq!(newest.items, [second]);
    let rest = registry
        .system_facts_versions(&fpr, newest.next, 1)
        .await
        .unwrap();
    assert_eq!((rest.items, rest.next), (vec![first], None));
}

#[tokio::test]
async fn facts_of_a_system_are_all_wanted_and_all_faults_told() {
    let registry = furnished().await;
    let mut bad = put(" ");
    bad.facts.legal_acts.clear();
    bad.reason = String::new();
    let refused = registry
        .system_facts_put(&by(), &SystemCode::new("FPR"), &bad, None)
        .await;
    let places: Vec<_> = faults(refused).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["purposes", "legal_acts", "reason"]);
    let unknown = registry
        .system_facts_put(&by(), &SystemCode::new("NAV"), &put("x"), None)
        .await;
    assert!(
        matches!(unknown, Err(RegistryError::Unknown { .. })),
        "{unknown:?}"
    );
}
