//! A provider's data sets: described in the editor, published, delivered to, decided on.

use serde_json::json;

use super::{Browser, checked, hidden, person, server};
use crate::{raw::Raw, server::Server};

const MANAGER: &str = "39000000201";
const TECHNICIAN: &str = "39000000202";
const STRANGER: &str = "39000000203";

const DOGS: &str = "name: pd_dogs
key: Number
data_description: Reģistrētie suņi
freshness: 1d
fields:
  - Number : Čipa numurs
  - Weight int : Svars
";

async fn send(browser: &Browser, page: &str, path: &str, text: &str, verb: &str) -> Raw {
    browser.submit(page, path, &[("text", text), ("do", verb)]).await
}

fn csrf(html: &str) -> String {
    hidden(html, "/lv/sign-out")["csrf"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lawyer_describes_publishes_and_keeps_a_data_set() {
    let server = server();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server
        .publish(&provider, "pd_first", &DOGS.replace("pd_dogs", "pd_first"))
        .await;
    person(
        &server,
        MANAGER,
        "Anna Ozola",
        &provider.institution,
        &["data_manager"],
    )
    .await;
    let technical = ["technical_contact"];
    person(
        &server,
        TECHNICIAN,
        "Juris Kļava",
        &provider.institution,
        &technical,
    )
    .await;
    person(&server, STRANGER, "Ieva Svešā", &recipient.institution, &["head"]).await;
    let manager = Browser::signed_in(&server, MANAGER).await;
    let technician = Browser::signed_in(&server, TECHNICIAN).await;
    let stranger = Browser::signed_in(&server, STRANGER).await;

    writes(&manager).await;
    keeps_what_two_write(&manager).await;
    publishes(&server, &manager, &recipient).await;
    delivers(&server, &provider, &manager, &technician).await;
    shows_each_their_own(&manager, &technician, &stranger).await;
}

/// Faults with their lines, nothing lost, then saved.
async fn writes(manager: &Browser) {
    let new = "/lv/my-datasets/new";
    let blank = manager.page(new).await;
    assert!(
        blank.contains("Kā rakstīt aprakstu") && blank.contains("person_code"),
        "{blank}"
    );
    let wrong = DOGS.replace("Weight int", "Weight itn").replace("key:", "kez:");
    let answer = send(manager, new, new, &wrong, "save").await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    let page = checked(new, &answer);
    assert!(
        page.contains("Weight itn") && page.contains("kez: Number"),
        "kept: {page}"
    );
    assert!(
        page.contains("data-line=\"2\"") && page.contains("data-line=\"7\""),
        "{page}"
    );
    assert!(
        page.contains("nezināms vārds") && page.contains("did you mean"),
        "{page}"
    );
    let answer = send(manager, new, new, DOGS, "check").await;
    let page = checked(new, &answer);
    assert!(
        page.contains("Kļūdu nav") && page.contains("izdomāja sistēma"),
        "{page}"
    );
    assert!(page.contains("vēl nav publicēta"), "{page}");
    let taken = send(manager, new, new, &DOGS.replace("pd_dogs", "pd_first"), "save").await;
    assert_eq!(taken.status, 422);
    assert!(
        manager.get("/lv/my-datasets/pd_dogs").await.status == 404,
        "a check keeps nothing"
    );
    let answer = send(manager, new, new, DOGS, "save").await;
    assert_eq!(
        answer.header("location"),
        "/lv/my-datasets/pd_dogs?done=definition-saved"
    );
    let page = manager
        .page("/lv/my-datasets/pd_dogs?done=definition-saved")
        .await;
    assert!(
        page.contains("saglabāts priekšlikumu vidē") && page.contains("Publicēt"),
        "{page}"
    );
}

/// Somebody saved in between: told, and what was typed comes back.
async fn keeps_what_two_write(manager: &Browser) {
    let path = "/lv/my-datasets/pd_dogs/definition";
    let old = hidden(&manager.page(path).await, path);
    let first = DOGS.replace("Svars", "Svars kilogramos");
    assert_eq!(send(manager, path, path, &first, "save").await.status, 303);
    let mine = DOGS.replace("Svars", "Suņa svars");
    let pairs = [
        ("csrf", old["csrf"].as_str()),
        ("version", old["version"].as_str()),
        ("text", &mine),
        ("do", "save"),
    ];
    let answer = manager.send(path, &pairs).await;
    assert_eq!(answer.status, 412);
    let page = checked(path, &answer);
    assert!(
        page.contains("kāds cits saglabāja") && page.contains("Suņa svars"),
        "{page}"
    );
    let mut again = hidden(&page, path);
    again.extend([
        ("text".to_owned(), mine.clone()),
        ("do".to_owned(), "save".to_owned()),
    ]);
    let pairs: Vec<(&str, &str)> = again.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        manager.send(path, &pairs).await.status,
        303,
        "knowingly, it stays"
    );
}

/// Main after a confirmation; what would hit a recipient is named and stopped.
async fn publishes(server: &Server, manager: &Browser, recipient: &crate::server::Party) {
    let publish = "/lv/my-datasets/pd_dogs/publish";
    let to = manager.submitted(publish, publish, &[]).await;
    assert_eq!(to, "/lv/my-datasets/pd_dogs?done=dataset-published");
    assert!(manager.page(publish).await.contains("Nav ko publicēt"));
    server
        .grant(
            recipient,
            "pd_dogs",
            &["key"],
            json!({ "purpose": "Suņu uzskaite" }),
        )
        .await;
    let path = "/lv/my-datasets/pd_dogs/definition";
    let narrow = DOGS.replace("  - Weight int : Svars\n", "");
    let page = checked(path, &send(manager, path, path, &narrow, "check").await);
    assert!(
        page.contains("nesaderīgas izmaiņas") && page.contains("izņemts"),
        "{page}"
    );
    assert!(
        page.contains("Suņu uzskaite") && page.contains("Skar 1 atļauju"),
        "{page}"
    );
    assert_eq!(send(manager, path, path, &narrow, "save").await.status, 303);
    let page = manager.page(publish).await;
    assert!(
        page.contains("publicēt nevar") && !page.contains("Publicēt aprakstu"),
        "{page}"
    );
    let version = hidden(&manager.page(path).await, path)["version"].clone();
    let pairs = [("csrf", csrf(&page)), ("version", version)];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let forced = manager.send(publish, &pairs).await;
    assert_eq!(
        forced.status, 409,
        "the use case refuses, whatever the page shows"
    );
    assert!(forced.text().contains("paļaujas spēkā esošas atļaujas"));
    let page = manager.page("/lv/my-datasets/pd_dogs/recipients").await;
    assert!(
        page.contains("Suņu uzskaite") && page.contains("vēl nekad"),
        "{page}"
    );
}

/// Rows set aside, a snapshot held and decided.
async fn delivers(server: &Server, provider: &crate::server::Party, manager: &Browser, technician: &Browser) {
    let client = server.again(provider);
    let row = |n: usize| {
        let weight = if n == 0 { json!("smags") } else { json!(n) };
        json!({ "op": "upsert", "record": { "Number": format!("D{n}"), "Weight": weight } })
    };
    let rows = |range: std::ops::Range<usize>| {
        range.fold(String::new(), |rows, n| rows + &row(n).to_string() + "\n")
    };
    let put = async |id: &str, mode: &str, body: String| {
        let path = format!("/intake/pd_dogs/packages/{id}?mode={mode}");
        client.put(&path, "application/x-ndjson", body).await.unwrap()
    };
    put("p1", "delta", rows(0..11)).await;
    put("p2%20all", "snapshot", rows(5..11)).await;

    let at = "/lv/my-datasets/pd_dogs";
    let page = manager.page(at).await;
    assert!(page.contains("Gaida jūsu lēmumu: izņemtu 4 ierakstus"), "{page}");
    let page = manager.page("/lv/my-datasets").await;
    assert!(
        page.contains("laikā") && page.contains("Reģistrētie suņi"),
        "{page}"
    );
    let held = format!("{at}/packages/p2%20all?section=main");
    let page = technician.page(&held).await;
    assert!(page.contains("40\u{a0}%") && page.contains("10\u{a0}%"), "{page}");
    assert!(
        !page.contains("/confirm?"),
        "who may not decide is offered nothing"
    );
    assert!(page.contains("Lemj jūsu iestādes vadītājs"), "{page}");
    let confirm = format!("{at}/packages/p2%20all/confirm?section=main");
    assert_eq!(technician.get(&confirm).await.status, 403);
    let token = csrf(&page);
    assert_eq!(technician.send(&confirm, &[("csrf", &token)]).await.status, 403);
    assert_eq!(manager.send(&confirm, &[("csrf", "x")]).await.status, 403);
    // The page writes spaces as %20 and so does the form.
    let to = manager.submitted(&confirm, &confirm, &[]).await;
    assert!(to.ends_with("done=package-confirmed"), "{to}");
    let page = manager.page(&to).await;
    assert!(
        page.contains("pieņemts") && page.contains("Kvīts") && page.contains("signature"),
        "{page}"
    );
    let again = manager.get(&confirm).await;
    assert_eq!(again.status, 303, "decided: nothing to ask");
    put("p3", "snapshot", rows(8..11)).await;
    let reject = format!("{at}/packages/p3/reject?section=main");
    let to = manager.submitted(&reject, &reject, &[]).await;
    assert!(manager.page(&to).await.contains("datos nekas nav mainīts"));

    let quarantine = format!("{at}/quarantine");
    let page = technician.page(&format!("{quarantine}?package=p1")).await;
    assert!(
        page.contains("<code>Weight</code>") && page.contains("nepareizs veids"),
        "{page}"
    );
    assert!(!page.contains("smags"), "no value of the row");
    let none = technician
        .page(&format!("{quarantine}?package=p3&section=main"))
        .await;
    assert!(none.contains("Tādu nav"), "{none}");
    let csv = technician.get(&format!("{quarantine}.csv?package=p1")).await;
    assert!(
        csv.header("content-disposition")
            .contains("pd_dogs-quarantine.csv")
    );
    assert_eq!(csv.text().lines().count(), 2, "{}", csv.text());
    assert!(csv.text().contains("\"p1\",\"1\",\"Weight\""), "{}", csv.text());
}

async fn shows_each_their_own(manager: &Browser, technician: &Browser, stranger: &Browser) {
    let pages = [
        "",
        "/definition",
        "/packages?section=main",
        "/packages/p1?section=main",
        "/quarantine",
        "/quarantine.csv",
        "/recipients",
        "/publish",
    ];
    for lang in ["lv", "en"] {
        let list = format!("/{lang}/my-datasets");
        manager.page(&list).await;
        technician.page(&list).await;
        for page in pages {
            let path = format!("{list}/pd_dogs{page}");
            let answer = manager.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            let to_technician = if page == "/publish" { 403 } else { 200 };
            assert_eq!(technician.get(&path).await.status, to_technician, "{path}");
            assert_eq!(stranger.get(&path).await.status, 404, "{path}");
        }
    }
    let page = technician.page("/lv/my-datasets/pd_dogs/definition").await;
    assert!(
        page.contains("Reģistrētie suņi") && !page.contains("<textarea"),
        "{page}"
    );
    let pairs = [
        ("csrf", csrf(&page)),
        ("text", DOGS.to_owned()),
        ("do", "save".to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let path = "/lv/my-datasets/pd_dogs/definition";
    assert_eq!(technician.send(path, &pairs).await.status, 403);
    assert!(technician.page("/lv/").await.contains("Mūsu dati"));
    let page = stranger.page("/lv/my-datasets").await;
    assert!(
        !page.contains(">Mūsu dati</a>") && page.contains("Te būs datu kopas"),
        "{page}"
    );
    let pairs = [
        ("csrf", csrf(&page)),
        ("text", DOGS.to_owned()),
        ("do", "save".to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
    assert_eq!(stranger.send(path, &pairs).await.status, 404);
    let refused = stranger.send("/lv/my-datasets/new", &pairs).await;
    assert_eq!(refused.status, 403, "not admitted as a provider");
}
