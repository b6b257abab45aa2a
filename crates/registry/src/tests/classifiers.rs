//! Classifiers and their versions.

use dagr_model::classifier::ClassifierValue;
use jiff::civil::{Date, date};

use super::*;

fn kinds() -> Classifier {
    Classifier {
        id: "KINDS".into(),
        title: "Veidi".into(),
        title_en: Some("Kinds".into()),
        description: None,
        keeper: RegistrationNumber::new(PROVIDER),
        url: Some("https://likumi.lv/ta/id/1".into()),
    }
}

fn value(code: &str) -> ClassifierValue {
    ClassifierValue {
        code: code.into(),
        name: format!("Veids {code}"),
        name_en: None,
        parent: None,
        valid_from: None,
        valid_to: Some(date(2020, 1, 1)),
    }
}

fn put(codes: &[&str], valid_from: Date) -> ClassifierVersionPut {
    ClassifierVersionPut {
        valid_from,
        reason: "Grozījumi".into(),
        values: codes.iter().map(|code| value(code)).collect(),
    }
}

#[tokio::test]
async fn a_version_is_added_and_none_is_changed() {
    let registry = furnished().await;
    let (made, is_new) = registry.classifier_put(&by(), &kinds(), Some(0)).await.unwrap();
    assert_eq!((made.version, made.value.latest, is_new), (1, None, true));
    let first = put(&["A", "B"], date(2026, 1, 1));
    let insert = async |put: &ClassifierVersionPut, expected| {
        registry
            .classifier_version_insert(&by(), "KINDS", put, expected)
            .await
    };
    let one = insert(&first, Some(1)).await.unwrap();
    assert_eq!((one.version, one.value.number, one.value.codes), (2, 1, 2));
    let late = insert(&put(&["A"], date(2026, 2, 1)), Some(1)).await;
    assert!(matches!(late, Err(RegistryError::Precondition)), "{late:?}");
    let two = insert(&put(&["A"], date(2026, 2, 1)), Some(2)).await.unwrap();
    assert_eq!((two.version, two.value.number), (3, 2));
    let kept = registry
        .classifier_version_get("KINDS", 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept, (one.value.clone(), first.values.clone()));
    assert_eq!(registry.classifier_version_get("KINDS", 3).await.unwrap(), None);

    let page = registry.classifier_version_list("KINDS", None, 1).await.unwrap();
    assert_eq!(page.items, [two.value]);
    let rest = registry
        .classifier_version_list("KINDS", page.next, 1)
        .await
        .unwrap();
    assert_eq!((rest.items, rest.next), (vec![one.value], None));

    let renamed = Classifier {
        title: "Veidi!".into(),
        ..kinds()
    };
    let (made, is_new) = registry.classifier_put(&by(), &renamed, Some(3)).await.unwrap();
    assert_eq!((made.version, made.value.latest, is_new), (4, Some(2), false));
    assert_eq!(
        registry.classifier_get("KINDS").await.unwrap(),
        Some(made.clone())
    );
    assert_eq!(registry.classifier_list(None, 10).await.unwrap().items, [made]);
}

#[tokio::test]
async fn what_judges_on_a_day_and_after_is_found() {
    let registry = furnished().await;
    registry.classifier_put(&by(), &kinds(), None).await.unwrap();
    for (codes, day) in [
        (&["A"][..], date(2026, 1, 1)),
        (&["A", "B"], date(2026, 2, 1)),
        (&["B"], date(2026, 3, 1)),
    ] {
        registry
            .classifier_version_insert(&by(), "KINDS", &put(codes, day), None)
            .await
            .unwrap();
    }
    let numbers = async |day: Date| {
        let all = registry.classifiers_from(day).await.unwrap();
        assert_eq!(
            Some(&all[0]),
            registry.classifier_from("KINDS", day).await.unwrap().as_ref()
        );
        let versions = all[0].versions.iter();
        versions
            .map(|version| (version.number, version.values.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(date(2025, 12, 31)).await, [(1, 1), (2, 2), (3, 1)]);
    assert_eq!(numbers(date(2026, 2, 1)).await, [(2, 2), (3, 1)]);
    assert_eq!(numbers(date(2026, 9, 1)).await, [(3, 1)]);
    assert_eq!(
        registry.classifier_from("NAV", date(2026, 1, 1)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_classifier_and_a_version_are_refused_with_all_faults() {
    let registry = furnished().await;
    let bad = Classifier {
        id: "..".into(),
        title: " ".into(),
        title_en: Some(String::new()),
        description: None,
        keeper: RegistrationNumber::new("90000000009"),
        url: Some("ftp://x".into()),
    };
    let places: Vec<_> = faults(registry.classifier_put(&by(), &bad, None).await)
        .into_iter()
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places, ["id", "title", "title_en", "url", "keeper"]);
    let unknown = registry
        .classifier_version_insert(&by(), "NAV", &put(&["A"], date(2026, 1, 1)), None)
        .await;
    assert!(
        matches!(unknown, Err(RegistryError::Unknown { .. })),
        "{unknown:?}"
    );
    registry.classifier_put(&by(), &kinds(), None).await.unwrap();
    registry
        .classifier_version_insert(&by(), "KINDS", &put(&["A"], date(2026, 1, 1)), None)
        .await
        .unwrap();
    let mut bad = put(&["A", "A"], date(2025, 1, 1));
    bad.reason = String::new();
    let told = faults(
        registry
            .classifier_version_insert(&by(), "KINDS", &bad, None)
            .await,
    );
    let places: Vec<_> = told.into_iter().map(|(at, _)| at).collect();
    assert_eq!(places, ["reason", "valid_from", "values[1].code"]);
    let same = put(&["A"], date(2026, 2, 1));
    let told = faults(
        registry
            .classifier_version_insert(&by(), "KINDS", &same, None)
            .await,
    );
    assert_eq!(told, [("values".to_owned(), "unchanged".to_owned())]);
}
