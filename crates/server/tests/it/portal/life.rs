//! A whole life without JavaScript: apply → return → again → partial approval → look-up → revoke.

use serde_json::json;

use super::{Browser, person, server};
use crate::raw;

const PERSONS: &str = "name: pl_person
key: Code
subject: Code
data_description: Iedzīvotāji
indexes: [Surname]
fields:
  - Code person_code : Personas kods
  - Name : Vārds
  - Surname : Uzvārds
";
const ONE: &str = "36184726051";

/// `/lv/applications/200001` → `200001`.
fn number(path: &str) -> &str {
    path.rsplit('/').next().unwrap().split('?').next().unwrap()
}

#[tokio::test]
async fn an_application_lives_from_draft_to_look_up_in_pages() {
    let server = server();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "pl_person", PERSONS).await;
    let record = json!({ "op": "upsert", "record": { "Code": ONE, "Name": "Ēriks", "Surname": "Šķēle" } });
    let path = "/intake/pl_person/packages/p";
    provider
        .client
        .put(path, "application/x-ndjson", record.to_string())
        .await
        .unwrap();
    person(
        &server,
        "39000000001",
        "Zane Kalniņa",
        &recipient.institution,
        &["data_manager"],
    )
    .await;
    person(
        &server,
        "39000000002",
        "Inese Liepa",
        &provider.institution,
        &["legal_reviewer"],
    )
    .await;
    person(
        &server,
        "39000000003",
        "Pēteris Bērziņš",
        &provider.institution,
        &["head"],
    )
    .await;
    let zane = Browser::signed_in(&server, "39000000001").await;
    let inese = Browser::signed_in(&server, "39000000002").await;
    let peteris = Browser::signed_in(&server, "39000000003").await;

    // A draft, in steps.
    let begun = zane
        .submitted("/lv/applications/new?dataset=pl_person", "/lv/applications", &[])
        .await;
    let number = number(&begun).to_owned();
    let base = format!("/lv/applications/{number}");
    let at = |step: &str| format!("{base}{step}");
    let fields = [
        ("field", "Code"),
        ("field", "Name"),
        ("field", "Surname"),
        ("law:Name", "5. pants"),
        ("law-all", "4. pants"),
    ];
    let next = zane.submitted(&at("/fields"), &at("/fields"), &fields).await;
    assert_eq!(next, at("/purpose"));
    let kept = zane.page(&at("/fields")).await;
    assert!(
        kept.contains("value=\"5. pants\"") && kept.contains("value=\"4. pants\""),
        "both laws are kept"
    );
    assert!(
        kept.contains("&#34;Name&#34;") || kept.contains("&quot;Name&quot;"),
        "a sample of what was ticked"
    );
    // What is missing is said with the place it is mended at, and nothing is sent.
    let check = zane.page(&at("/check")).await;
    assert!(
        check.contains(&format!("{base}/purpose#purpose")) && !check.contains("/submit\""),
        "{check}"
    );
    let purpose = [
        ("purpose", "Pabalsts"),
        ("legal_basis", "Likums, 1. pants"),
        ("use_case", "Skatāmies."),
    ];
    zane.submitted(&at("/purpose"), &at("/purpose"), &purpose).await;
    let terms = [
        ("way", "key"),
        ("way", "index:Surname"),
        ("main", "yes"),
        ("scope", "all"),
        ("quota", "desmit"),
    ];
    let wrong = zane.submit(&at("/terms"), &at("/terms"), &terms).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("value=\"desmit\"") && wrong.text().contains("href=\"#quota\""),
        "{}",
        wrong.text()
    );
    let terms = [
        ("way", "key"),
        ("way", "index:Surname"),
        ("main", "yes"),
        ("scope", "all"),
        ("quota", "1 000"),
    ];
    zane.submitted(&at("/terms"), &at("/terms"), &terms).await;
    assert_eq!(
        inese.get(&base).await.status,
        404,
        "a draft is the applicant's alone"
    );
    zane.submitted(&at("/check"), &at("/submit"), &[]).await;

    // Returned, mended, passed on.
    let decide = at("/decide");
    let confirm = inese
        .submit(&base, &decide, &[("choice", "return"), ("reason", "")])
        .await;
    assert_eq!(confirm.status, 200, "{}", confirm.text());
    let csrf = super::hidden(&inese.page(&base).await, &decide);
    let sent = |reason: &str| {
        vec![
            ("csrf".to_owned(), csrf["csrf"].clone()),
            ("version".to_owned(), csrf["version"].clone()),
            ("choice".to_owned(), "return".to_owned()),
            ("step".to_owned(), "do".to_owned()),
            ("reason".to_owned(), reason.to_owned()),
        ]
    };
    let send = async |browser: &Browser, pairs: Vec<(String, String)>| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        browser.send(&decide, &pairs).await
    };
    let unsaid = send(&inese, sent("")).await;
    assert_eq!(unsaid.status, 422);
    assert!(
        unsaid.text().contains("Uzrakstiet, kas jāprecizē."),
        "{}",
        unsaid.text()
    );
    assert_eq!(send(&inese, sent("Kurš punkts?")).await.status, 303);
    assert!(zane.page("/lv/work").await.contains("atgriezts precizēšanai"));
    let returned = zane.page(&base).await;
    assert!(returned.contains("Kurš punkts?"));
    zane.submitted(&at("/check"), &at("/submit"), &[]).await;
    inese
        .submitted(&base, &at("/review"), &[("note", "Atbilst.")])
        .await;

    // Decided in part; once.
    let page = peteris.page(&base).await;
    assert!(
        page.contains("Atbilst.") && page.contains("Jurista slēdziens"),
        "{page}"
    );
    let hidden = super::hidden(&page, &decide);
    let verdict = |reason: &str| {
        vec![
            ("csrf".to_owned(), hidden["csrf"].clone()),
            ("version".to_owned(), hidden["version"].clone()),
            ("choice".to_owned(), "give".to_owned()),
            ("step".to_owned(), "do".to_owned()),
            ("grant".to_owned(), "Code".to_owned()),
            ("grant".to_owned(), "Surname".to_owned()),
            ("why:Name".to_owned(), reason.to_owned()),
        ]
    };
    assert_eq!(
        send(&peteris, verdict("")).await.status,
        422,
        "a refused field has a reason"
    );
    let decided = send(&peteris, verdict("Nav vajadzīgs")).await;
    assert_eq!(decided.header("location"), format!("{base}?done=partial"));
    assert_eq!(
        send(&peteris, verdict("Nav vajadzīgs")).await.status,
        409,
        "a decision is made once"
    );

    // The permission is there, in force, and as wide as decided.
    let page = zane.page(&base).await;
    assert!(
        page.contains("apstiprināts daļēji") && page.contains("Nav vajadzīgs"),
        "{page}"
    );
    let permission = page.split("/lv/permissions/").nth(1).unwrap();
    let permission = permission.split('"').next().unwrap().to_owned();
    let client = recipient.client.with_permission(&permission);
    let found = client
        .get(&format!("/data/pl_person/records/{ONE}"))
        .await
        .unwrap();
    assert_eq!(found, json!({ "Code": ONE, "Surname": "Šķēle" }));
    let refused = raw::get(&client, &format!("/data/pl_person/records/{ONE}?fields=Name")).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}
