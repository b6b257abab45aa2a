//! What is registered beside data sets: systems, by page and by call.

use http::Method;
use serde_json::json;

use super::{Browser, checked, person, server};
use crate::{
    raw::call,
    server::{Party, Server},
};

#[tokio::test]
async fn what_is_registered_is_read_by_all_and_written_by_whose_it_is() {
    let server = server();
    let party = server.producer().await;
    let other = server.consumer().await;
    for (code, name, institution, role) in [
        ("39000000201", "Vadītāja Vija", &party.institution, "head"),
        ("39000000202", "Svešais Sandis", &other.institution, "head"),
        ("39000000203", "Auditore Aija", &party.institution, "auditor"),
    ] {
        person(&server, code, name, institution.as_str(), &[role]).await;
    }
    let head = Browser::signed_in(&server, "39000000201").await;
    let stranger = Browser::signed_in(&server, "39000000202").await;
    let auditor = Browser::signed_in(&server, "39000000203").await;
    systems(&server, &party.system, &head, [&stranger, &auditor]).await;
    holds(&server, &party, &head, [&stranger, &auditor]).await;
    law(&server, &party, &other, [&head, &stranger, &auditor]).await;
}

async fn systems(server: &Server, system: &str, head: &Browser, others: [&Browser; 2]) {
    let (page, edit) = (
        format!("/lv/systems/{system}"),
        format!("/lv/systems/{system}/edit"),
    );
    let anybody = Browser::new(server);
    for lang in ["lv", "en"] {
        let text = anybody.page(&format!("/{lang}/systems/{system}")).await;
        assert!(!text.contains("/edit\""), "{text}");
        head.page(&format!("/{lang}/systems/{system}/edit")).await;
    }
    assert_eq!(anybody.get("/lv/systems/nothing").await.status, 404);
    assert_eq!(anybody.get(&edit).await.status, 303, "to sign in");
    for other in others {
        assert_eq!(other.get(&edit).await.status, 403);
        let csrf = super::hidden(&other.page(&page).await, "/lv/sign-out")["csrf"].clone();
        assert_eq!(
            other
                .send(&edit, &[("csrf", &csrf), ("version", "0")])
                .await
                .status,
            403
        );
    }
    assert_eq!(head.send(&edit, &[("csrf", "x")]).await.status, 403);

    let mut pairs = vec![
        ("purposes", "Lai <b>uzskaitītu</b>"),
        ("content", "Personas"),
        ("controller", "Iestāde"),
        ("volume", "Divi miljoni"),
        ("processing", "Labo un izsniedz"),
        ("conditions_of_access", "Ar atļauju"),
        ("legal_acts", "Pirmais likums\n\nOtrais likums"),
        ("criticality", "critical"),
    ];
    let wrong = head.submit(&edit, &edit, &pairs).await;
    assert_eq!(wrong.status, 422);
    let text = checked(&edit, &wrong);
    assert!(
        text.contains("href=\"#why\"") && text.contains("Lai &#60;b&#62;uzskaitītu"),
        "what was typed is kept: {text}"
    );
    pairs.push(("why", "Pirmais apraksts"));
    let to = head.submitted(&edit, &edit, &pairs).await;
    let text = head.page(&to).await;
    assert!(
        text.contains("Apraksts saglabāts") && text.contains("Otrais likums"),
        "{text}"
    );
    assert!(anybody.page(&page).await.contains("Kritiska"));

    // The form was opened before somebody else saved.
    let mut late = pairs.clone();
    let csrf = super::hidden(&text, "/lv/sign-out")["csrf"].clone();
    late.extend([("csrf", csrf.as_str()), ("version", "0")]);
    let late = head.send(&edit, &late).await;
    assert_eq!(late.status, 422);
    assert!(late.text().contains("tikmēr saglabāja"), "{}", late.text());

    let operator = server.operator();
    let at = format!("/registry/systems/{system}/facts");
    let facts = operator.get(&at).await.unwrap();
    assert_eq!(
        (&facts["version"], &facts["facts"]["legal_acts"]),
        (&json!(1), &json!(["Pirmais likums", "Otrais likums"]))
    );
    let again = json!({ "facts": facts["facts"], "reason": "Pārskatīts" });
    let body = ("application/json", again.to_string().into_bytes());
    let made = call(&operator, Method::PUT, &at, &[("if-match", "\"1\"")], Some(body)).await;
    assert_eq!(
        (made.status, made.header("etag")),
        (200, "\"2\""),
        "{}",
        made.text()
    );
    let versions = operator.get(&format!("{at}/versions")).await.unwrap();
    let reasons: Vec<_> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["reason"])
        .collect();
    assert_eq!(reasons, ["Pārskatīts", "Pirmais apraksts"]);
    let text = anybody.page(&page).await;
    assert!(
        text.contains("2. versija") && text.contains("Pirmais apraksts"),
        "{text}"
    );
}

/// A resource of a system and a service that gives it out, described by an operator.
pub async fn described(server: &Server, system: &str, resource: &str, service: &str) {
    let operator = server.operator();
    for (path, described) in [
        (
            format!("/registry/resources/{resource}"),
            json!({
                "system": system, "title_lv": "Mazie dzīvnieki", "title_en": "Small animals", "description": "Kas mīt mājās",
                "content": "Sugas", "legal_acts": ["Veterinārmedicīnas likums"],
            }),
        ),
        (
            format!("/registry/services/{service}"),
            json!({
                "kind": "api", "system": system, "resource": resource, "title_lv": "Dzīvnieku pārbaude",
                "title_en": "Check of an animal", "description": "Vai dzīvnieks ir reģistrēts",
                "address": "https://api.example.lv/pets", "access": "Līgums", "classification": "open", "state": "in_use",
            }),
        ),
    ] {
        let body = json!({ "described": described, "reason": "Sākums" });
        let made = operator.put(&path, "application/json", body.to_string()).await;
        made.unwrap();
    }
}

async fn holds(server: &Server, party: &Party, head: &Browser, others: [&Browser; 2]) {
    let system = &party.system;
    described(server, system, "rg-pets", "rg-check").await;
    let anybody = Browser::new(server);
    for lang in ["lv", "en"] {
        let at = |path: &str| format!("/{lang}{path}");
        for path in ["/services/rg-check", "/resources/rg-pets"] {
            let text = anybody.page(&at(path)).await;
            assert!(!text.contains("/edit?code="), "{text}");
        }
        let text = anybody.page(&at("/resources/rg-pets")).await;
        assert!(text.contains("/services/rg-check\""), "{text}");
        let text = anybody.page(&at(&format!("/systems/{system}"))).await;
        assert!(
            text.contains("/services/rg-check\"") && text.contains("/resources/rg-pets\""),
            "{text}"
        );
        // Found without its diacritics, in another form of the word.
        for path in ["/services?q=dzivniekam", "/?q=dzivniekam"] {
            let text = anybody.page(&at(path)).await;
            assert!(text.contains("/services/rg-check\""), "{path}: {text}");
        }
        let text = anybody.page(&at("/services?q=kugis")).await;
        assert!(!text.contains("rg-check"), "{text}");
    }
    for path in ["/lv/services/none", "/lv/resources/none"] {
        assert_eq!(anybody.get(path).await.status, 404, "{path}");
    }

    let edit = format!("/lv/systems/{system}/services/edit");
    let open = format!("{edit}?code=rg-check");
    for other in others {
        assert_eq!(other.get(&open).await.status, 403);
    }
    let mut pairs = vec![
        ("code", "rg-check"),
        ("title_lv", "Dzīvnieku <b>pārbaude</b>"),
        ("title_en", "Check"),
        ("description", "Vai ir"),
        ("resource", "rg-pets"),
        ("address", "http://api.example.lv/pets"),
        ("interface", ""),
        ("access", "Līgums"),
        ("classification", "restricted"),
        ("state", "ended"),
    ];
    let wrong = head.submit(&open, &edit, &pairs).await;
    assert_eq!(wrong.status, 422);
    let text = checked(&edit, &wrong);
    for part in ["href=\"#why\"", "href=\"#address\"", "Dzīvnieku &#60;b&#62;"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    pairs[5].1 = "https://api.example.lv/pets";
    pairs.push(("why", "Slēgta"));
    let to = head.submitted(&open, &edit, &pairs).await;
    let text = head.page(&to).await;
    assert!(
        text.contains("apraksts saglabāts") && text.contains("2. versija") && text.contains("Sākums"),
        "{text}"
    );
    let text = anybody.page("/lv/services?q=dzivniekam").await;
    assert!(
        !text.contains("rg-check"),
        "what has ended is not offered: {text}"
    );

    // The form of a new one, under a code that is taken.
    let late = head.submit(&edit, &edit, &pairs).await;
    assert_eq!(late.status, 422);
    assert!(late.text().contains("cita versija"), "{}", late.text());

    let edit = format!("/lv/systems/{system}/resources/edit");
    let pairs = [
        ("code", "rg-new"),
        ("title_lv", "Jauns"),
        ("title_en", "New"),
        ("description", "Kas tas ir"),
        ("content", "Viss"),
        ("legal_acts", "Pirmais likums\nOtrais likums"),
        ("datasets", ""),
        ("why", "Sākums"),
    ];
    let to = head.submitted(&edit, &edit, &pairs).await;
    assert!(head.page(&to).await.contains("Otrais likums"));
    let mut wrong = pairs;
    (wrong[0].1, wrong[6].1) = ("rg-other", "no_such_set");
    let wrong = head.submit(&edit, &edit, &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("tādas datu kopas nav"), "{}", wrong.text());
    by_call(server, party).await;
}

/// Tags, versions, and a system that stays.
async fn by_call(server: &Server, party: &Party) {
    let operator = server.operator();
    let at = "/registry/services/rg-check";
    let now = operator.get(at).await.unwrap();
    assert_eq!(
        (&now["version"], &now["described"]["state"]),
        (&json!(2), &json!("ended"))
    );
    let body = |described: &serde_json::Value| {
        let body = json!({ "described": described, "reason": "Atkal" });
        Some(("application/json", body.to_string().into_bytes()))
    };
    let put = |tag: &'static str, described: serde_json::Value| {
        let body = body(&described);
        let operator = &operator;
        async move { call(operator, Method::PUT, at, &[("if-match", tag)], body).await }
    };
    let late = put("\"1\"", now["described"].clone()).await;
    assert_eq!(late.status, 412, "{}", late.text());
    let made = put("\"2\"", now["described"].clone()).await;
    assert_eq!(
        (made.status, made.header("etag")),
        (200, "\"3\""),
        "{}",
        made.text()
    );
    let other = server.producer().await;
    let mut moved = now["described"].clone();
    (moved["system"], moved["resource"]) = (json!(other.system), json!(null));
    let moved = put("\"3\"", moved).await;
    assert_eq!(moved.status, 422, "{}", moved.text());
    assert!(moved.text().contains("immutable"), "{}", moved.text());
    let versions = operator.get(&format!("{at}/versions")).await.unwrap();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 3);
    let listed = operator.get("/registry/services?limit=1000").await.unwrap();
    let codes: Vec<_> = listed["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert!(codes.contains(&&json!("rg-check")), "{codes:?}");
    let theirs = party.client.get(at).await.unwrap();
    assert_eq!(theirs["version"], 3, "everybody signed in reads");
}

const SET: &str = "name: rg_set
key: Code
data_description: Personas
fields:
  - Code : kods
  - Name : vārds
";

/// People: the provider's head, the recipient's head, the provider's auditor.
async fn law(server: &Server, provider: &Party, recipient: &Party, [head, taker, auditor]: [&Browser; 3]) {
    server.publish(provider, "rg_set", SET).await;
    let operator = server.operator();
    let mut numbers = Vec::new();
    for basis in ["Fizisko personu reģistra likuma 5. pants", "FPRL 6. pants"] {
        let body = json!({
            "dataset": "rg_set", "recipient": recipient.institution, "environment": "main", "purpose": "Pabalsti",
            "legal_basis": basis, "fields": "all", "ways": ["key"],
        });
        let made = operator.post("/registry/permissions", &body).await.unwrap();
        numbers.push(made["number"].as_str().unwrap().to_owned());
    }
    person(
        server,
        "39000000209",
        "Operatore Olga",
        &provider.institution,
        &["operator"],
    )
    .await;
    let keeper = Browser::signed_in(server, "39000000209").await;
    for other in [head, taker, auditor] {
        assert_eq!(other.get("/lv/operator/law").await.status, 403);
    }
    for lang in ["lv", "en"] {
        keeper.page(&format!("/{lang}/operator/law")).await;
        head.page(&format!("/{lang}/law-flags")).await;
    }
    let (page, act) = ("/lv/operator/law", "/lv/operator/law/FPRL");
    let mut pairs = vec![
        ("id", "FPRL"),
        ("title", "Fizisko personu reģistra likums"),
        ("url", "likumi"),
    ];
    pairs.push(("names", "FPRL\nPersonu likums"));
    let wrong = keeper.submit(page, page, &pairs).await;
    assert_eq!(wrong.status, 422);
    assert!(checked(page, &wrong).contains("href=\"#url\""));
    pairs[2].1 = "https://likumi.lv/ta/id/296185";
    let to = keeper.submitted(page, page, &pairs).await;
    assert!(keeper.page(&to).await.contains("Personu likums"));
    assert_eq!(
        keeper.submit(page, page, &pairs).await.status,
        422,
        "there already"
    );

    let articles = format!("{act}/articles");
    let wrong = keeper
        .submit(act, &articles, &[("number", "5.p"), ("text", "x")])
        .await;
    assert!(checked(act, &wrong).contains("href=\"#number\""));
    let first = [("number", "5"), ("text", "Ziņas sniedz"), ("why", "Sākums")];
    let to = keeper.submitted(act, &articles, &first).await;
    assert!(
        to.ends_with("done=article-saved"),
        "the first version flags nothing: {to}"
    );
    let second = [
        ("number", "5"),
        ("text", "Ziņas sniedz bez maksas"),
        ("why", "Grozījumi"),
    ];
    let to = keeper.submitted(act, &articles, &second).await;
    assert!(to.ends_with("done=article-flagged"), "{to}");
    let to = keeper.submitted(act, &articles, &second).await;
    assert!(
        to.ends_with("done=article-saved"),
        "nothing new, nobody told twice: {to}"
    );

    let flags = operator.get("/registry/law_flags?open=true").await.unwrap();
    let flags = flags["flags"].as_array().unwrap();
    assert_eq!(
        (flags.len(), flags[0]["permission"].as_str()),
        (1, Some(numbers[0].as_str()))
    );
    let at = format!("/lv/law-flags/{}/review", flags[0]["id"]);
    for other in [head, taker] {
        let told = other.page("/lv/notifications").await;
        assert_eq!(told.matches(">Mainījies likums").count(), 1, "{told}");
        assert!(other.page("/en/law-flags").await.contains(&numbers[0]));
    }
    for other in [taker, auditor, &keeper] {
        let page = other.page("/lv/law-flags").await;
        assert!(!page.contains("/review\""), "only the provider's: {page}");
        let csrf = super::hidden(&page, "/lv/sign-out")["csrf"].clone();
        assert_eq!(
            other.send(&at, &[("csrf", &csrf), ("note", "x")]).await.status,
            403
        );
    }
    let wrong = head.submit("/lv/law-flags", &at, &[("note", "")]).await;
    assert_eq!(wrong.status, 422);
    let to = head
        .submitted("/lv/law-flags", &at, &[("note", "Pamats paliek")])
        .await;
    assert!(taker.page(&to).await.contains("Pamats paliek"));
    let left = operator.get("/registry/law_flags?open=true").await.unwrap();
    assert_eq!(left["flags"], json!([]));
}
