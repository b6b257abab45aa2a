//! The operator's pages, an institution's own, its connections: who sees and does what, and never one alone.

use super::{Browser, checked, person, server};
use crate::server::Server;

const KEEPER: &str = "90000001124";

async fn keeper(server: &Server) {
    let body = serde_json::json!({ "registration_number": KEEPER, "name": "Platformas turētājs" });
    server
        .operator()
        .post("/registry/institutions", &body)
        .await
        .unwrap();
}

fn pem() -> String {
    dagr_server::keys::generate("x").unwrap().certificate_pem
}

#[tokio::test]
async fn what_lets_a_system_in_takes_two_people() {
    let server = server();
    let party = server.producer().await;
    let (client, number) = (party.client_id.as_str(), party.institution.as_str());
    keeper(&server).await;
    person(&server, "39000000001", "Pirmā Operatore", KEEPER, &["operator"]).await;
    person(&server, "39000000002", "Otrais Operators", KEEPER, &["operator"]).await;
    person(
        &server,
        "39000000003",
        "Tehniķe Tīna",
        number,
        &["technical_contact"],
    )
    .await;
    person(&server, "39000000004", "Vadītājs Valdis", number, &["head"]).await;
    person(&server, "39000000005", "Svešais Sandis", KEEPER, &["auditor"]).await;
    let one = Browser::signed_in(&server, "39000000001").await;
    let two = Browser::signed_in(&server, "39000000002").await;
    let technician = Browser::signed_in(&server, "39000000003").await;
    let head = Browser::signed_in(&server, "39000000004").await;
    let stranger = Browser::signed_in(&server, "39000000005").await;

    everybody_sees_their_pages(&one, &technician, &stranger, client, number).await;
    a_certificate(&technician, &one, &stranger, client).await;
    a_connection(&one, &two, &party.system).await;
    roles(&head, &technician, &one, &two, number).await;
    the_trail(&one).await;
}

async fn everybody_sees_their_pages(
    operator: &Browser,
    technician: &Browser,
    stranger: &Browser,
    client: &str,
    number: &str,
) {
    for lang in ["lv", "en"] {
        for path in [
            "/operator",
            "/operator/institutions",
            "/operator/institutions?q=turetajs",
            "/operator/people",
            "/operator/audit",
            "/operator/audit?noun=people&from=01.01.2020.&to=x",
            "/operator/health",
            "/connections/new",
        ] {
            let at = format!("/{lang}{path}");
            operator.page(&at).await;
            assert_eq!(technician.get(&at).await.status, 403, "{at}");
        }
        operator
            .page(&format!("/{lang}/operator/institutions/{number}"))
            .await;
        for browser in [operator, technician] {
            browser.page(&format!("/{lang}/connections")).await;
            browser.page(&format!("/{lang}/connections/{client}")).await;
            browser.page(&format!("/{lang}/institution")).await;
        }
        let at = format!("/{lang}/connections/{client}");
        assert_eq!(stranger.get(&at).await.status, 404);
        assert!(
            !stranger
                .page(&format!("/{lang}/connections"))
                .await
                .contains(client)
        );
    }
    let found = operator.page("/lv/operator/institutions?q=turetajs").await;
    assert!(
        found.contains("Platformas turētājs") && found.contains("1 iestāde"),
        "{found}"
    );
}

async fn a_certificate(technician: &Browser, operator: &Browser, stranger: &Browser, client: &str) {
    let page = format!("/lv/connections/{client}");
    let action = format!("{page}/certificates");
    let wrong = technician.submit(&page, &action, &[("pem", "nav <b>")]).await;
    assert_eq!(wrong.status, 422);
    let text = checked(&page, &wrong);
    assert!(
        text.contains("href=\"#pem\"") && text.contains("aria-invalid=\"true\""),
        "{text}"
    );
    assert!(text.contains("nav &#60;b&#62;"), "what was typed is kept: {text}");
    assert_eq!(
        stranger
            .send(&action, &[("pem", &pem()), ("csrf", "x")])
            .await
            .status,
        403
    );
    let to = technician.submitted(&page, &action, &[("pem", &pem())]).await;
    let page = technician.page(&to).await;
    assert!(
        page.contains("Tagad apstiprina cits operators") && page.contains("gaida citu operatoru"),
        "{page}"
    );
    let proposal = page
        .split("/lv/proposals/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let at = format!("/lv/proposals/{proposal}");
    assert!(!technician.page(&at).await.contains("/confirm\""));
    assert_eq!(stranger.get(&at).await.status, 404);
    assert!(operator.page("/lv/operator").await.contains("gaida jūs"));
    operator.submitted(&at, &format!("{at}/confirm"), &[]).await;
    assert!(
        technician.page(&at).await.contains("Pirmā Operatore")
            || technician.page(&at).await.contains("cilvēks Nr.")
    );
    let page = technician.page(&format!("/lv/connections/{client}")).await;
    assert_eq!(page.matches("/remove\"").count(), 2, "the new one beside the old");
}

async fn a_connection(one: &Browser, two: &Browser, system: &str) {
    let wrong = one
        .submit("/lv/connections/new", "/lv/connections", &[("client_id", "op-1")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(checked("/lv/connections", &wrong).contains("value=\"op-1\""));
    let pairs = [
        ("client_id", "op-1"),
        ("system", system),
        ("kind", "consumer"),
        ("token_lifetime_s", "x"),
    ];
    let wrong = one.submit("/lv/connections/new", "/lv/connections", &pairs).await;
    assert!(
        wrong.text().contains("href=\"#token_lifetime_s\""),
        "{}",
        wrong.text()
    );
    let pairs = [
        ("client_id", "op-1"),
        ("system", system),
        ("kind", "consumer"),
        ("token_lifetime_s", "600"),
    ];
    let to = one
        .submitted("/lv/connections/new", "/lv/connections", &pairs)
        .await;
    let at = to.split('?').next().unwrap().to_owned();
    let page = one.page(&to).await;
    assert!(
        page.contains("To ierosinājāt jūs") && !page.contains("/confirm\""),
        "{page}"
    );
    assert_eq!(
        one.get("/lv/connections/op-1").await.status,
        404,
        "nothing is made yet"
    );
    // With a form that is not on the page either.
    let csrf = super::hidden(&page, "/lv/sign-out")["csrf"].clone();
    let alone = one.send(&format!("{at}/confirm"), &[("csrf", &csrf)]).await;
    assert_eq!(alone.status, 409);
    two.submitted(&at, &format!("{at}/confirm"), &[]).await;
    let page = two.page("/lv/connections/op-1").await;
    assert!(page.contains("Sertifikāta vēl nav"), "{page}");
    let withdraw = "/lv/connections/op-1/withdraw";
    let wrong = two
        .submit("/lv/connections/op-1", withdraw, &[("reason", "")])
        .await;
    assert_eq!(wrong.status, 422);
    two.submitted("/lv/connections/op-1", withdraw, &[("reason", "pārbaude")])
        .await;
}

async fn roles(head: &Browser, technician: &Browser, one: &Browser, two: &Browser, number: &str) {
    let (page, action) = ("/lv/institution", "/lv/institution/roles");
    assert!(!technician.page(page).await.contains(action), "others read");
    let wrong = head
        .submit(
            page,
            action,
            &[("code", "12"), ("name", "Ā"), ("role", "auditor")],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("href=\"#code\"") && wrong.text().contains("value=\"12\""));
    let pairs = [
        ("code", "39000000077"),
        ("name", "Jaunais Jānis"),
        ("role", "auditor"),
    ];
    let to = head.submitted(page, action, &pairs).await;
    assert!(head.page(&to).await.contains("Jaunais Jānis"));
    let pairs = [("code", "39000000077"), ("name", "x"), ("role", "operator")];
    assert_eq!(head.submit(page, action, &pairs).await.status, 403);
    let end = format!("{action}/end");
    assert_eq!(head.submit(page, &end, &[("reason", "")]).await.status, 422);

    let any = format!("/lv/operator/institutions/{number}");
    let to = one.submitted(&any, &format!("{any}/roles"), &pairs).await;
    assert!(to.ends_with("done=role-proposed"), "{to}");
    assert!(one.page("/lv/operator").await.contains("gaida citu operatoru"));
    let waits = two.page("/lv/operator").await;
    let confirm = waits
        .split("action=\"")
        .find(|part| part.starts_with("/lv/operator/roles/"))
        .unwrap();
    let confirm = confirm.split('"').next().unwrap().to_owned();
    two.submitted("/lv/operator", &confirm, &[]).await;
    let found = one
        .submit(
            "/lv/operator/people",
            "/lv/operator/people",
            &[("code", "39000000077")],
        )
        .await;
    assert!(
        found.text().contains("Jaunais Jānis") && found.text().contains("operators"),
        "{}",
        found.text()
    );
}

async fn the_trail(operator: &Browser) {
    let page = operator.page("/lv/operator/audit?noun=proposals").await;
    assert!(
        page.contains("proposal_confirm") && !page.contains("person_create"),
        "{page}"
    );
    let export = operator.get("/lv/operator/audit.csv?noun=proposals").await;
    assert_eq!(export.status, 200);
    assert!(
        export.text().contains("\"proposal_create\",\"proposals/1\""),
        "{}",
        export.text()
    );
}
