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

fn act() -> Act {
    Act {
        id: "FPRL".into(),
        title: "Fizisko personu reģistra likums".into(),
        url: Some("https://likumi.lv/ta/id/296185".into()),
        names: vec!["FPRL".into()],
    }
}

fn article(text: &str) -> ArticlePut {
    ArticlePut {
        text: text.into(),
        valid_from: Some(jiff::civil::date(2026, 1, 1)),
        valid_to: None,
        reason: "Grozījumi".into(),
    }
}

#[tokio::test]
async fn a_changed_article_flags_a_permission_and_tells_both_sides_once() {
    let registry = furnished().await;
    let mut granted = permission("persons");
    granted.environment = Section::Sandbox;
    granted.legal_basis = "FPRL 5. pants".into();
    let granted = registry
        .permission_insert(&by(), &granted, leaves())
        .await
        .unwrap();
    let (made, is_new) = registry.act_put(&by(), &act(), Some(0)).await.unwrap();
    assert_eq!((made.version, is_new), (1, true));
    let renamed = Act {
        names: vec!["FPRL".into(), "Reģistra likums".into()],
        ..act()
    };
    let (made, is_new) = registry.act_put(&by(), &renamed, Some(1)).await.unwrap();
    assert_eq!((made.version, is_new), (2, false));
    assert_eq!(registry.act_get("FPRL").await.unwrap(), Some(made.clone()));
    assert_eq!(registry.act_list(None, 10).await.unwrap().items, [made]);

    let cited = registry.law_cited(0, 10).await.unwrap();
    let [cited] = cited.as_slice() else {
        panic!("{cited:?}")
    };
    assert_eq!(
        (&cited.number, cited.legal_basis.as_str()),
        (&granted.value.number, "FPRL 5. pants")
    );
    assert_eq!(registry.law_cited(cited.id, 10).await.unwrap(), []);

    registry
        .article_put(&by(), "FPRL", "5", &article("Sākums"), &[])
        .await
        .unwrap();
    let second = registry
        .article_put(&by(), "FPRL", "5", &article("Tālāk"), &[cited.id])
        .await
        .unwrap();
    assert_eq!(second.version, 2);
    assert_eq!(
        registry.article_list("FPRL", None, 10).await.unwrap().items,
        [second]
    );
    for institution in [PROVIDER, RECIPIENT] {
        let filter = LawFlagFilter {
            institution: Some(RegistrationNumber::new(institution)),
            open: true,
        };
        let flags = registry.law_flag_list(&filter, None, 10).await.unwrap().items;
        assert_eq!((flags.len(), flags[0].version), (1, 2));
    }
    let reviewed = registry.law_flag_review(&by(), 1, "Paliek").await.unwrap();
    assert_eq!(reviewed.note.as_deref(), Some("Paliek"));
    let again = registry.law_flag_review(&by(), 1, "Paliek").await;
    assert!(matches!(again, Err(RegistryError::State { .. })), "{again:?}");
    let open = LawFlagFilter {
        institution: None,
        open: true,
    };
    assert_eq!(registry.law_flag_list(&open, None, 10).await.unwrap().items, []);
}

#[tokio::test]
async fn an_article_that_ended_flags_once_and_again_what_was_reviewed() {
    let registry = furnished().await;
    let mut granted = permission("persons");
    granted.environment = Section::Sandbox;
    registry
        .permission_insert(&by(), &granted, leaves())
        .await
        .unwrap();
    registry.act_put(&by(), &act(), Some(0)).await.unwrap();
    let last = jiff::civil::date(2026, 6, 30);
    let ending = ArticlePut {
        valid_to: Some(last),
        ..article("Sākums")
    };
    let cited = registry.law_cited(0, 10).await.unwrap()[0].id;
    let put = registry
        .article_put(&by(), "FPRL", "5", &ending, &[cited])
        .await
        .unwrap();
    registry
        .law_flag_review(&by(), 1, "Paliek līdz beigām")
        .await
        .unwrap();
    let open = LawFlagFilter {
        institution: None,
        open: true,
    };
    let flags = async || registry.law_flag_list(&open, None, 10).await.unwrap().items.len();

    assert_eq!(registry.article_ended(last).await.unwrap(), []);
    let after = last.tomorrow().unwrap();
    assert_eq!(
        registry.article_ended(after).await.unwrap(),
        std::slice::from_ref(&put)
    );
    assert_eq!(flags().await, 0);
    registry.article_end(&by(), &put, &[cited]).await.unwrap();
    assert_eq!(flags().await, 1);
    assert_eq!(registry.article_ended(after).await.unwrap(), []);
    registry
        .law_flag_review(&by(), 1, "Atļauja sašaurināta")
        .await
        .unwrap();
    assert_eq!(flags().await, 0);

    // A version that was replaced meanwhile ends nothing.
    let next = registry
        .article_put(&by(), "FPRL", "5", &ending_later(&ending), &[])
        .await
        .unwrap();
    assert_eq!(next.version, 2);
    registry.article_end(&by(), &put, &[cited]).await.unwrap();
    assert_eq!(flags().await, 0);
}

fn ending_later(put: &ArticlePut) -> ArticlePut {
    ArticlePut {
        valid_to: put.valid_to.and_then(|to| to.tomorrow().ok()),
        ..put.clone()
    }
}

#[tokio::test]
async fn an_act_and_an_article_are_refused_with_all_faults() {
    let registry = furnished().await;
    let bad = Act {
        id: "a b".into(),
        title: String::new(),
        url: Some("ftp://x".into()),
        names: vec!["L".into()],
    };
    let places: Vec<_> = faults(registry.act_put(&by(), &bad, None).await)
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, ["id", "title", "url", "names"]);
    let mut bad = article("");
    bad.valid_to = Some(jiff::civil::date(2025, 1, 1));
    let refused = registry.article_put(&by(), "FPRL", "5.p", &bad, &[]).await;
    let places: Vec<_> = faults(refused).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["number", "text", "valid_to"]);
    let unknown = registry.article_put(&by(), "NAV", "5", &article("x"), &[]).await;
    assert!(
        matches!(unknown, Err(RegistryError::Unknown { .. })),
        "{unknown:?}"
    );
}
