use dagr_registry::{ArticlePut, LawFlagFilter};

use super::*;
use crate::testing::World;

#[tokio::test]
async fn an_article_flags_when_it_is_registered_to_end_and_again_when_it_has() {
    let world = World::new().await;
    let (app, operator) = (&world.app, world.operator());
    world.publish(PETS).await;
    let create = serde_json::from_value::<dagr_registry::PermissionCreate>(serde_json::json!({
        "dataset": "bss_pets", "recipient": crate::testing::STRANGER, "environment": "main",
        "purpose": "Uzskaite", "legal_basis": "FPRL 5. pants", "fields": "all", "scope": null, "ways": ["key"],
    }));
    app.permission_create(&operator, &create.unwrap()).await.unwrap();
    let act = Act {
        id: "FPRL".into(),
        title: "Fizisko personu reģistra likums".into(),
        url: None,
        names: vec!["FPRL".into()],
    };
    app.act_put(&operator, &act, None).await.unwrap();
    let mut put = ArticlePut {
        text: "Izsniedz ziņas".into(),
        valid_from: None,
        valid_to: Some("2024-06-30".parse().unwrap()),
        reason: "Grozījumi".into(),
    };
    let ends = app.article_put(&operator, "FPRL", "5", &put).await.unwrap();
    assert_eq!(ends.flagged, 1);
    put.valid_to = None;
    let other = app.article_put(&operator, "FPRL", "6", &put).await.unwrap();
    assert_eq!(other.flagged, 0);
    let flag = app.registry.law_flag_list(&open(), None, 10).await.unwrap().items[0].id;
    let by = operator.actor();
    app.registry
        .law_flag_review(&by, flag, "Līdz jūnija beigām")
        .await
        .unwrap();

    // Midnight in Riga is 21:00 UTC.
    world.clock.set("2024-06-30T20:59:00Z");
    assert_eq!(app.law_end_run().await.unwrap(), 0);
    world.clock.set("2024-06-30T21:00:00Z");
    assert_eq!(app.law_end_run().await.unwrap(), 1);
    let flags = app.registry.law_flag_list(&open(), None, 10).await.unwrap().items;
    assert_eq!((flags.len(), flags[0].id), (1, flag));
    app.registry
        .law_flag_review(&by, flag, "Sašaurināta")
        .await
        .unwrap();
    assert_eq!(app.law_end_run().await.unwrap(), 0);
    assert_eq!(
        app.registry.law_flag_list(&open(), None, 10).await.unwrap().items,
        []
    );
}

fn open() -> LawFlagFilter {
    LawFlagFilter {
        institution: None,
        open: true,
    }
}

const PETS: &str = "name: bss_pets\nkey: Id\ndata_description: Dzīvnieki\nclassification: restricted\nfields:\n  - Id! : Numurs\n  - Name : Vārds\n";
