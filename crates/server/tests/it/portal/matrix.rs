//! Every page × everybody: what each may see, in one table.

use std::fmt::Write as _;

use serde_json::json;

use super::{Browser, Part, person, server};

const SET: &str = "name: pm_set
key: Code
data_description: Dati
fields:
  - Code : kods
  - Name : vārds
";

/// Pages; `{n}` is a submitted application, `{d}` a draft, `{p}` a permission of the recipient, `{l}` a plan of the provider with the
/// recipient invited, `{a}` and `{b}` a file beside the draft and the submitted one, `{c}` a connection of the recipient, `{i}` its institution, `{s}` a system of the provider.
const PAGES: &[&str] = &[
    "/",
    "/datasets/pm_set",
    "/sign-in",
    "/act-for",
    "/work",
    "/applications",
    "/applications/new",
    "/applications/new?dataset=pm_set",
    "/applications/{d}",
    "/applications/{d}/fields",
    "/applications/{d}/purpose",
    "/applications/{d}/terms",
    "/applications/{d}/check",
    "/applications/{d}/preview?field=Code",
    "/applications/{n}",
    "/applications/{n}/fields",
    "/applications/{n}/check",
    "/applications/{d}/attachments/{a}",
    "/applications/{n}/attachments/{b}",
    "/applications/{n}/attachments/{a}",
    "/my-datasets",
    "/my-datasets/new",
    "/my-datasets/pm_set",
    "/my-datasets/pm_set/definition",
    "/my-datasets/pm_set/packages",
    "/my-datasets/pm_set/quarantine",
    "/my-datasets/pm_set/quarantine.csv",
    "/my-datasets/pm_set/recipients",
    "/my-datasets/pm_set/stop",
    "/my-datasets/pm_set/templates",
    "/my-datasets/pm_set/templates/new",
    "/my-datasets/pm_set/templates/999",
    "/my-data",
    "/my-data.json",
    "/my-data.csv",
    "/my-data/none",
    "/notifications",
    "/notifications/mail",
    "/permissions",
    "/permissions?side=provider",
    "/permissions/{p}",
    "/permissions/{p}/odrl.jsonld",
    "/permissions/{p}/narrow",
    "/permissions/{p}/revoke",
    "/plans",
    "/plans/new",
    "/plans/{l}",
    "/institution",
    "/connections",
    "/connections/new",
    "/connections/{c}",
    "/operator",
    "/operator/institutions",
    "/operator/institutions/{i}",
    "/operator/people",
    "/operator/audit",
    "/operator/audit.csv",
    "/operator/health",
    "/nowhere",
    "/operator/law",
    "/law-flags",
    "/classifiers",
    "/classifiers/PM_KINDS",
    "/classifiers/PM_KINDS/publish",
    "/services",
    "/services/pm-api",
    "/resources/pm-resource",
    "/systems/{s}/services/edit",
    "/systems/{s}/services/edit?code=pm-api",
    "/systems/{s}/resources/edit",
];

/// Actions, with a right form of the session that sends them, and what makes it come to nothing: 422 is told to whoever
/// may do it, 403 or 404 to whoever may not. What only fills a draft leads on.
const ACTIONS: &[(&str, &[(&str, &str)])] = &[
    ("/applications/{d}/fields", &[]),
    ("/applications/{d}/purpose", &[]),
    ("/applications/{d}/submit", &[]),
    ("/applications/{d}/withdraw", &[]),
    (
        "/applications/{n}/decide",
        &[("choice", "refuse"), ("step", "do")],
    ),
    (
        "/applications/{n}/decide",
        &[("choice", "return"), ("step", "do")],
    ),
    ("/applications/{n}/review", &[("note", LONG)]),
    ("/applications/{n}/withdraw", &[]),
    ("/applications/{n}/comments", &[]),
    ("/applications/{d}/attachments", &[]),
    ("/applications/{n}/attachments", &[]),
    ("/my-datasets/new", &[]),
    ("/my-datasets/pm_set/definition", &[]),
    ("/my-datasets/pm_set/packages/none/confirm", &[]),
    ("/my-datasets/pm_set/packages/none/reject", &[]),
    ("/my-datasets/pm_set/stop", &[]),
    ("/permissions/{p}/narrow", &[]),
    ("/permissions/{p}/suspend", &[]),
    ("/permissions/{p}/revoke", &[]),
    ("/permissions/{p}/explain", &[]),
    ("/plans", &[]),
    ("/plans/{l}/comments", &[]),
    ("/plans/{l}/invite", &[]),
    ("/plans/{l}/steps/1", &[("move", "not_applicable")]),
    ("/institution/roles", &[]),
    ("/operator/institutions", &[]),
    ("/operator/law", &[]),
    ("/law-flags/1/review", &[]),
    ("/classifiers/PM_KINDS/publish", &[]),
    ("/systems/{s}/services/edit", &[]),
    ("/systems/{s}/resources/edit", &[]),
];
/// Longer than a note may be.
const LONG: &str = match str::from_utf8(&[b'x'; 4_001]) {
    Ok(text) => text,
    Err(_) => "",
};

#[tokio::test]
async fn each_sees_and_does_what_the_table_says() {
    let server = server();
    let (provider, recipient, stranger) = (
        server.producer().await,
        server.consumer().await,
        server.consumer().await,
    );
    server.publish(&provider, "pm_set", SET).await;
    let keeper = server.consumer().await;
    let cast: [(&str, &str, &str, &[&str]); 9] = [
        ("nobody", "39000000010", "", &[]),
        (
            "applicant",
            "39000000011",
            &recipient.institution,
            &["data_manager"],
        ),
        (
            "technician",
            "39000000012",
            &recipient.institution,
            &["technical_contact"],
        ),
        (
            "stranger",
            "39000000013",
            &stranger.institution,
            &["head", "data_manager", "legal_reviewer"],
        ),
        (
            "lawyer",
            "39000000014",
            &provider.institution,
            &["legal_reviewer"],
        ),
        ("decider", "39000000015", &provider.institution, &["data_manager"]),
        ("auditor", "39000000016", &provider.institution, &["auditor"]),
        (
            "officer",
            "39000000017",
            &recipient.institution,
            &["data_protection_officer"],
        ),
        ("operator", "39000000018", &keeper.institution, &["operator"]),
    ];
    for (name, code, institution, roles) in cast {
        if !institution.is_empty() {
            person(&server, code, name, institution, roles).await;
        }
    }
    let applicant = Browser::signed_in(&server, "39000000011").await;
    let (draft, sent) = (begin(&applicant).await, begin(&applicant).await);
    fill(&applicant, &sent).await;
    let (beside_draft, beside_sent) = (attach(&applicant, &draft).await, attach(&applicant, &sent).await);

    let body = json!({
        "dataset": "pm_set", "recipient": recipient.institution, "environment": "main", "purpose": "p",
        "legal_basis": "l", "fields": "all", "ways": ["key"],
    });
    let granted = server
        .operator()
        .post("/registry/permissions", &body)
        .await
        .unwrap();
    let permission = granted["number"].as_str().unwrap().to_owned();
    let classifier = json!({ "title": "Veidi", "keeper": provider.institution });
    server
        .operator()
        .put(
            "/registry/classifiers/PM_KINDS",
            "application/json",
            classifier.to_string(),
        )
        .await
        .unwrap();
    let decider = Browser::signed_in(&server, "39000000015").await;
    let plan = [
        ("scenario", "new_dataset"),
        ("title", "Plāns"),
        ("dataset", "pm_set"),
        ("recipients", recipient.institution.as_str()),
    ];
    let plan = decider.submitted("/lv/plans/new", "/lv/plans", &plan).await;
    let plan = plan
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap()
        .to_owned();

    super::register::described(&server, &provider.system, "pm-resource", "pm-api").await;
    let mut table = String::new();
    let anonymous = Browser::new(&server);
    let mut browsers = vec![("anonymous", anonymous)];
    for (name, code, ..) in cast {
        browsers.push((name, Browser::signed_in(&server, code).await));
    }
    let words = [
        ("{n}", &sent),
        ("{d}", &draft),
        ("{a}", &beside_draft),
        ("{b}", &beside_sent),
        ("{p}", &permission),
        ("{l}", &plan),
        ("{c}", &recipient.client_id),
        ("{i}", &recipient.institution),
        ("{s}", &provider.system),
    ];
    let place = |path: &str| {
        let filled = words
            .iter()
            .fold(path.to_owned(), |path, (word, value)| path.replace(word, value));
        format!("/lv{filled}")
    };
    for page in PAGES {
        write!(table, "{page:<40}").unwrap();
        for (_, browser) in &browsers {
            write!(table, " {}", browser.get(&place(page)).await.status).unwrap();
        }
        table.push('\n');
    }
    for (action, pairs) in ACTIONS {
        let choice = pairs
            .first()
            .filter(|(name, _)| *name == "choice")
            .map_or("", |(_, choice)| choice);
        write!(table, "{:<40}", format!("POST {action} {choice}")).unwrap();
        for (name, browser) in &browsers {
            let csrf = csrf(name, browser).await;
            let mut all = vec![("csrf", csrf.as_str())];
            all.extend(*pairs);
            let answer = if action.ends_with("/attachments") {
                let parts = with_file(&csrf, "", b"");
                browser.send_parts(&place(action), &parts, &[]).await
            } else {
                browser.send(&place(action), &all).await
            };
            write!(table, " {}", answer.status).unwrap();
        }
        table.push('\n');
    }
    let heads: Vec<&str> = browsers.iter().map(|(name, _)| *name).collect();
    let shown = format!("{}\n{table}", heads.join(" "));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/portal/matrix.txt");
    if std::env::var_os("DAGR_REWRITE").is_some() {
        std::fs::write(path, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        shown, expected,
        "who may do what has changed; with DAGR_REWRITE=1 it is written anew"
    );
}

async fn csrf(name: &str, browser: &Browser) -> String {
    if name == "anonymous" {
        return String::new();
    }
    super::hidden(&browser.page("/lv/").await, "/lv/sign-out")["csrf"].clone()
}

async fn begin(applicant: &Browser) -> String {
    let begun = applicant
        .submitted("/lv/applications/new?dataset=pm_set", "/lv/applications", &[])
        .await;
    begun.rsplit('/').next().unwrap().to_owned()
}

async fn fill(applicant: &Browser, number: &str) {
    let at = |step: &str| format!("/lv/applications/{number}{step}");
    let fields = [("field", "Code"), ("law-all", "4. pants")];
    applicant.submitted(&at("/fields"), &at("/fields"), &fields).await;
    let purpose = [("purpose", "p"), ("legal_basis", "l"), ("use_case", "u")];
    applicant
        .submitted(&at("/purpose"), &at("/purpose"), &purpose)
        .await;
    applicant.submitted(&at("/check"), &at("/submit"), &[]).await;
}

/// A text beside an application; answers its id.
async fn attach(applicant: &Browser, number: &str) -> String {
    let page = format!("/lv/applications/{number}");
    let action = format!("{page}/attachments");
    let csrf = csrf("applicant", applicant).await;
    let parts = with_file(&csrf, "a.txt", b"a");
    assert_eq!(applicant.send_parts(&action, &parts, &[]).await.status, 303);
    let shown = applicant.page(&page).await;
    let link = shown.split(&format!("href=\"{action}/")).nth(1).unwrap();
    link.split('"').next().unwrap().to_owned()
}

fn with_file<'a>(csrf: &'a str, name: &'a str, content: &'a [u8]) -> [Part<'a>; 2] {
    [
        Part {
            member: "csrf",
            file: None,
            content: csrf.as_bytes(),
        },
        Part {
            member: "file",
            file: Some((name, "text/plain")),
            content,
        },
    ]
}
