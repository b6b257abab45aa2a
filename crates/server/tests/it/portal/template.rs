//! Templates: offered by a provider, chosen by an applicant, kept to.

use super::{Browser, person, server};

const MANAGER: &str = "39000000301";
const APPLICANT: &str = "39000000302";

const PEOPLE: &str = "name: pt_people
key: Code
subject: Code
data_description: Iedzīvotāji
fields:
  - Code person_code : Personas kods
  - Town : Pilsēta
  - Phone : Tālrunis
";

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_offered_chosen_and_kept_to() {
    let server = server();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "pt_people", PEOPLE).await;
    person(
        &server,
        MANAGER,
        "Anna Ozola",
        &provider.institution,
        &["data_manager"],
    )
    .await;
    person(
        &server,
        APPLICANT,
        "Juris Kļava",
        &recipient.institution,
        &["data_manager"],
    )
    .await;
    let manager = Browser::signed_in(&server, MANAGER).await;
    let applicant = Browser::signed_in(&server, APPLICANT).await;

    let list = "/lv/my-datasets/pt_people/templates";
    let new = "/lv/my-datasets/pt_people/templates/new";
    assert!(manager.page("/lv/my-datasets/pt_people").await.contains(list));
    assert!(manager.page(list).await.contains("Sagatavju vēl nav"));
    assert_eq!(applicant.get(list).await.status, 404);
    // Every fault at its field, and what was typed is there.
    let wrong = manager
        .submit(
            new,
            new,
            &[("title", "Pabalstam"), ("field", "Code"), ("days", "viens")],
        )
        .await;
    let page = wrong.text();
    assert_eq!(wrong.status, 422, "{page}");
    assert!(
        page.contains("value=\"Pabalstam\"") && page.contains("#law-Code"),
        "{page}"
    );
    for place in ["use_case", "purpose", "legal_basis", "days", "reason"] {
        assert!(page.contains(&format!("href=\"#{place}\"")), "{place}: {page}");
    }
    let good = [
        ("title", "Pabalsta piešķiršana"),
        ("use_case", "Pašvaldība pārbauda, kur persona dzīvo"),
        ("purpose", "Pabalsts"),
        ("legal_basis", "Pašvaldību likums 4. pants"),
        ("field", "Code"),
        ("field", "Town"),
        ("law:Code", "4. pants"),
        ("law:Town", "5. pants"),
        ("way", "key"),
        ("quota", "1000"),
        ("days", "365"),
        ("reason", "Vienādi visiem"),
    ];
    let made = manager.submit(new, new, &good).await;
    assert_eq!(
        made.header("location"),
        format!("{list}?done=template-made"),
        "{}",
        made.text()
    );
    let rules = [
        ("template_only", "1"),
        ("test_access", "1"),
        ("reason", "Tā ir skaidrāk"),
    ];
    let sandbox = "/lv/my-datasets/pt_people/sandbox/fill";
    let none = manager.submit(list, sandbox, &[("records", "daudz")]).await;
    assert!(
        none.status == 422 && none.text().contains("no 1 līdz 10000"),
        "{}",
        none.text()
    );
    let filled = manager.submit(list, sandbox, &[("records", "20")]).await;
    assert_eq!(
        filled.header("location"),
        format!("{list}?done=sandbox-filled"),
        "{}",
        filled.text()
    );
    assert!(
        manager
            .page(list)
            .await
            .contains("tikai sistēmas izdomāti ieraksti")
    );
    let ruled = manager.submit(list, list, &rules).await;
    assert_eq!(
        ruled.header("location"),
        format!("{list}?done=rules-set"),
        "{}",
        ruled.text()
    );

    // Whoever comes to the catalogue sees it, and begins with it.
    let public = Browser::new(&server).page("/lv/datasets/pt_people").await;
    assert!(
        public.contains("Pabalsta piešķiršana") && public.contains("tikai pēc šīm sagatavēm"),
        "{public}"
    );
    assert!(public.contains("saņemsiet uzreiz"), "{public}");
    let number = public
        .split("template=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let begin = format!("/lv/applications/new?dataset=pt_people&template={number}");
    let page = applicant.page(&begin).await;
    assert!(
        page.contains("checked") && !page.contains("template-none"),
        "{page}"
    );
    let begun = applicant
        .submit(&begin, "/lv/applications", &[("template", &number)])
        .await;
    let path = begun.header("location").to_owned();
    let fields = applicant.page(&format!("{path}/fields")).await;
    assert!(fields.contains("value=\"5. pants\""), "{fields}");
    let purpose = format!("{path}/purpose");
    applicant
        .submit(
            &purpose,
            &purpose,
            &[
                ("use_case", "Pārbaudām adresi"),
                ("purpose", "Pabalsts"),
                ("legal_basis", "Pašvaldību likums 4. pants"),
            ],
        )
        .await;
    // Beyond it: told on the page where everything is looked at once more.
    let edit = format!("{path}/fields");
    let more = [
        ("field", "Code"),
        ("field", "Phone"),
        ("law:Code", "4. pants"),
        ("law:Phone", "6. pants"),
    ];
    applicant.submit(&edit, &edit, &more).await;
    let check = applicant.page(&format!("{path}/check")).await;
    assert!(check.contains("Sagatave to neparedz"), "{check}");
    let less = [("field", "Code"), ("law:Code", "4. pants")];
    applicant.submit(&edit, &edit, &less).await;
    let check = applicant.page(&format!("{path}/check")).await;
    assert!(!check.contains("Sagatave to neparedz"), "{check}");
    let sent = applicant
        .submit(&format!("{path}/check"), &format!("{path}/submit"), &[])
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let seen = manager.page(&path).await;
    assert!(seen.contains(&format!("Nr. {number}/1")), "{seen}");

    // A new version; then its end.
    let edit = format!("{list}/{number}");
    let mut next = good;
    next[10] = ("days", "30");
    let changed = manager.submit(&edit, &edit, &next).await;
    assert_eq!(
        changed.header("location"),
        format!("{list}?done=template-changed"),
        "{}",
        changed.text()
    );
    let retired = manager
        .submit(&edit, &edit, &[("reason", "Vairs nevajag"), ("retire", "1")])
        .await;
    assert_eq!(
        retired.header("location"),
        format!("{list}?done=template-retired"),
        "{}",
        retired.text()
    );
    assert!(manager.page(&edit).await.contains("vairs nelieto"));
    let public = Browser::new(&server).page("/lv/datasets/pt_people").await;
    assert!(!public.contains("Pabalsta piešķiršana"), "{public}");
}
