//! Files beside an application, sent by its page's form and given back to be saved.

use serde_json::json;

use super::{Browser, Part, checked, hidden, person, server};
use crate::{people::attachment::container, raw::Raw, server::Server};

const SET: &str = "name: pa_set
key: Code
data_description: Dati
fields:
  - Code : kods
";
const APPLICANT: &str = "39000000021";
const COLLEAGUE: &str = "39000000022";
const TECHNICIAN: &str = "39000000023";
const DECIDER: &str = "39000000024";
const STRANGER: &str = "39000000025";
const PDF: &[u8] = b"%PDF-1.7 ligums";
const OCTETS: &str = "application/octet-stream";

struct World {
    server: Server,
    applicant: Browser,
    number: String,
}

impl World {
    /// A draft of the applicant's.
    async fn start() -> Self {
        let server = server();
        let (provider, recipient) = (server.producer().await, server.consumer().await);
        let stranger = server.consumer().await;
        server.publish(&provider, "pa_set", SET).await;
        for (code, name, institution, role) in [
            (APPLICANT, "Zane Kalniņa", &recipient, "data_manager"),
            (COLLEAGUE, "Ilze Ozola", &recipient, "head"),
            (TECHNICIAN, "Jānis Bērzs", &recipient, "technical_contact"),
            (DECIDER, "Inese Liepa", &provider, "legal_reviewer"),
            (STRANGER, "Svešs Cilvēks", &stranger, "head"),
        ] {
            person(&server, code, name, &institution.institution, &[role]).await;
        }
        let applicant = Browser::signed_in(&server, APPLICANT).await;
        let begun = applicant
            .submitted("/lv/applications/new?dataset=pa_set", "/lv/applications", &[])
            .await;
        Self {
            server,
            number: begun.rsplit('/').next().unwrap().to_owned(),
            applicant,
        }
    }

    fn at(&self, rest: &str) -> String {
        format!("/lv/applications/{}{rest}", self.number)
    }

    async fn submit(&self) {
        let fields = [("field", "Code"), ("law-all", "4. pants")];
        let purpose = [("purpose", "p"), ("legal_basis", "l"), ("use_case", "u")];
        for (page, action, pairs) in [
            ("/fields", "/fields", &fields[..]),
            ("/purpose", "/purpose", &purpose[..]),
            ("/check", "/submit", &[]),
        ] {
            self.applicant
                .submitted(&self.at(page), &self.at(action), pairs)
                .await;
        }
    }

    /// What the form of the page sends, with this file in it.
    async fn attach(&self, browser: &Browser, file: (&str, &str), content: &[u8]) -> Raw {
        let page = browser.page(&self.at("")).await;
        let action = self.at("/attachments");
        let csrf = hidden(&page, &action)["csrf"].clone();
        let parts = form(&csrf, file, content);
        browser.send_parts(&action, &parts, &[]).await
    }

    async fn attached(&self, file: (&str, &str), content: &[u8]) {
        let answer = self.attach(&self.applicant, file, content).await;
        let place = self.at("?done=attached#attachments");
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, place.as_str()),
            "{}",
            answer.text()
        );
    }

    /// The page again, and what it says is wrong.
    async fn wrong(&self, file: (&str, &str), content: &[u8], said: &str) {
        let answer = self.attach(&self.applicant, file, content).await;
        assert_eq!(answer.status, 422, "{file:?}: {}", answer.text());
        let page = checked(&self.at("/attachments"), &answer);
        let summary = page.split("summary-of-faults").nth(1).unwrap();
        assert!(
            summary.contains(said) && summary.contains("href=\"#file\""),
            "{file:?}: {page}"
        );
        assert!(page.contains("id=\"file-fault\""), "{page}");
    }
}

fn form<'a>(csrf: &'a str, file: (&'a str, &'a str), content: &'a [u8]) -> [Part<'a>; 2] {
    [
        Part {
            member: "csrf",
            file: None,
            content: csrf.as_bytes(),
        },
        Part {
            member: "file",
            file: Some(file),
            content,
        },
    ]
}

/// Where the page leads to save its files, in the order they came.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.contains("/attachments/"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_file_is_sent_by_the_page_listed_on_it_and_saved_from_it() {
    let world = World::start().await;
    world
        .attached(("Līgums par kaķiem.PDF", "application/pdf"), PDF)
        .await;
    world.attached(("paraksts.edoc", OCTETS), &container()).await;
    let page = world.applicant.page(&world.at("?done=attached")).await;
    for said in [
        "Fails pievienots.",
        "Līgums par kaķiem.PDF",
        "15\u{a0}B",
        "dokuments",
        "Zane Kalniņa, ",
        "paraksts.edoc",
        "parakstīts konteiners (ASiC-E)",
        "Vai paraksts ir derīgs, te nav pārbaudīts.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let english = world.applicant.page(&world.at("").replace("/lv/", "/en/")).await;
    assert!(
        english.contains("was not checked here") && english.contains("multipart/form-data"),
        "{english}"
    );

    // A draft's papers are the applicant's alone; then the other side's too, and nobody else's.
    let links = links(&page);
    assert_eq!(links.len(), 2, "{page}");
    let (decider, stranger) = (
        Browser::signed_in(&world.server, DECIDER).await,
        Browser::signed_in(&world.server, STRANGER).await,
    );
    assert_eq!(decider.get(&links[0]).await.status, 404);
    world.submit().await;
    let got = decider.get(&links[0]).await;
    assert_eq!((got.status, got.body.as_slice()), (200, PDF));
    assert_eq!(
        got.header("content-disposition"),
        "attachment; filename=\"L_gums par ka_iem.PDF\"; \
         filename*=UTF-8''L%C4%ABgums%20par%20ka%C4%B7iem%2EPDF"
    );
    assert_eq!(got.header("content-type"), "application/pdf");
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(
        got.header("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(got.header("cache-control"), "no-store");
    assert_eq!(decider.get(&links[1]).await.body, container());
    assert_eq!(stranger.get(&links[0]).await.status, 404);
    assert_eq!(Browser::new(&world.server).get(&links[0]).await.status, 303);
    for nothing in [
        "/attachments/0",
        "/attachments/x",
        "/attachments/99999999999999999999",
    ] {
        assert_eq!(decider.get(&world.at(nothing)).await.status, 404, "{nothing}");
    }

    // The other side answers by the same form.
    let answer = world
        .attach(&decider, ("atbilde.txt", "text/plain"), "jā".as_bytes())
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(
        world
            .applicant
            .page(&world.at(""))
            .await
            .contains("Inese Liepa, ")
    );
}

#[tokio::test]
async fn a_name_stays_what_it_was_and_breaks_out_of_nothing() {
    let world = World::start().await;
    // As browsers write `Līgums "A" <b>&amp; 50%.pdf`; its ī of two signs, as some file systems have it.
    world
        .attached(("Li\u{304}gums %22A%22 <b>&amp; 50%.pdf", "application/pdf"), PDF)
        .await;
    let page = world.applicant.page(&world.at("")).await;
    assert!(
        !page.contains("<b>&amp;") && page.contains("Līgums &#34;A&#34; &#60;b&#62;&#38;amp; 50%.pdf"),
        "{page}"
    );
    let got = world.applicant.get(&links(&page)[0]).await;
    assert_eq!(
        got.header("content-disposition"),
        "attachment; filename=\"L_gums _A_ _b__amp_ 50_.pdf\"; \
         filename*=UTF-8''L%C4%ABgums%20%22A%22%20%3Cb%3E%26amp%3B%2050%25%2Epdf"
    );
    let name = "Pārdēvējiet failu";
    let pdf = "application/pdf";
    for hostile in [
        "a%0D%0Aset-cookie: x=1.pdf",
        "a%0Ab.pdf",
        "../a.pdf",
        "C:\\\\a.pdf",
        ".pdf",
    ] {
        world.wrong((hostile, pdf), PDF, name).await;
    }
    world
        .wrong((&format!("{}.pdf", "ā".repeat(197)), pdf), PDF, name)
        .await;
    assert_eq!(links(&world.applicant.page(&world.at("")).await).len(), 1);
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_in_words() {
    let world = World::start().await;
    let pdf = "application/pdf";
    let large = [PDF, &vec![b' '; (5 << 20) - PDF.len() + 1]].concat();
    world
        .wrong(("a.pdf", pdf), &large, "Fails ir par lielu: drīkst līdz 5 MiB")
        .await;
    world.wrong(("", OCTETS), b"", "Izvēlieties failu.").await;
    world.wrong(("a.pdf", pdf), b"", "Fails ir tukšs.").await;
    world
        .wrong(
            ("a.exe", "application/x-msdownload"),
            b"MZ",
            "Šādu failu pievienot nevar.",
        )
        .await;
    world
        .wrong(("a.pdf", pdf), b"<p>", "Faila saturs neatbilst tā nosaukumam.")
        .await;
    world
        .wrong(("a.txt", "text/plain"), b"j\xe2", "tekstam jābūt UTF-8")
        .await;
    world
        .wrong(
            ("a.edoc", OCTETS),
            b"PK\x03\x04",
            "Tas nav vesels ASiC-E konteiners",
        )
        .await;
    // Both faults at once.
    let twice = world
        .attach(&world.applicant, (".a.exe", "x/y"), b"MZ")
        .await
        .text();
    assert!(
        twice.contains("Pārdēvējiet failu") && twice.contains("Šādu failu pievienot nevar."),
        "{twice}"
    );
    // To the last byte.
    world.attached(("a.pdf", pdf), &large[..5 << 20]).await;
    // A form without the member for a file.
    let page = world.applicant.page(&world.at("")).await;
    let action = world.at("/attachments");
    let csrf = hidden(&page, &action)["csrf"].clone();
    let none = form(&csrf, ("a.pdf", pdf), PDF);
    let answer = world.applicant.send_parts(&action, &none[..1], &[]).await;
    assert!(
        answer.status == 422 && answer.text().contains("Izvēlieties failu."),
        "{}",
        answer.text()
    );
    // English.
    let english = action.replace("/lv/", "/en/");
    let answer = world
        .applicant
        .send_parts(&english, &form(&csrf, ("a.pdf", pdf), b""), &[])
        .await;
    assert!(
        answer.status == 422 && answer.text().contains("The file is empty."),
        "{}",
        answer.text()
    );
    assert_eq!(links(&world.applicant.page(&world.at("")).await).len(), 1);
    // A page in no state to be gone back to leads to one that is.
    assert_eq!(
        world.applicant.get(&action).await.header("location"),
        world.at("#attachments")
    );
}

#[tokio::test]
async fn there_are_no_more_than_fifty() {
    let world = World::start().await;
    let page = world.applicant.page(&world.at("")).await;
    let action = world.at("/attachments");
    let csrf = hidden(&page, &action)["csrf"].clone();
    let parts = form(&csrf, ("a.pdf", "application/pdf"), PDF);
    for _ in 0..50 {
        assert_eq!(world.applicant.send_parts(&action, &parts, &[]).await.status, 303);
    }
    let full = world.applicant.page(&world.at("")).await;
    assert!(
        !full.contains("multipart/form-data") && full.contains("50 pielikumi"),
        "{full}"
    );
    // The form of a page opened before.
    let answer = world.applicant.send_parts(&action, &parts, &[]).await;
    assert!(
        answer.status == 422 && answer.text().contains("vairāk nevar pievienot"),
        "{}",
        answer.text()
    );
    assert_eq!(links(&world.applicant.page(&world.at("")).await).len(), 50);
}

#[tokio::test]
async fn only_a_form_of_this_session_from_a_page_of_ours_is_taken() {
    let world = World::start().await;
    let action = world.at("/attachments");
    let page = world.applicant.page(&world.at("")).await;
    let csrf = hidden(&page, &action)["csrf"].clone();
    let colleague = Browser::signed_in(&world.server, COLLEAGUE).await;
    let foreign = hidden(&colleague.page(&world.at("")).await, &action)["csrf"].clone();
    let file = ("a.pdf", "application/pdf");
    let [token, content] = form(&csrf, file, PDF);
    let good = [("sec-fetch-site", "same-origin")];
    let cross = [("sec-fetch-site", "cross-site")];
    let elsewhere = [("origin", "https://evil.test")];
    let other = form(&foreign, file, PDF);
    let none = form("", file, PDF);
    let large = vec![b' '; 20 << 20];
    let large = form(&foreign, file, &large);
    let long = "x".repeat(100_000);
    let long = form(&long, file, PDF);
    for (what, parts, headers) in [
        ("another session's token", &other[..], &good[..]),
        ("the same with a file too large", &large[..], &good[..]),
        ("no token's text", &none[..], &good),
        ("an endless token", &long[..], &good),
        ("from another site", &form(&csrf, file, PDF)[..], &cross),
        ("from another origin", &form(&csrf, file, PDF)[..], &elsewhere),
        ("the token after the file", &[content, token][..], &good),
        ("nothing", &[], &good),
    ] {
        let answer = world.applicant.send_parts(&action, parts, headers).await;
        assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        assert!(
            answer
                .text()
                .contains("Veidlapa nav nosūtīta no šīs sesijas lapas"),
            "{what}"
        );
    }
    // A form of the other kind is none of these.
    let plain = world
        .applicant
        .send(&action, &[("csrf", &csrf), ("file", "x")])
        .await;
    assert_eq!(plain.status, 415);
    assert!(links(&world.applicant.page(&world.at("")).await).is_empty());
    let sent = world
        .applicant
        .send_parts(&action, &form(&csrf, file, PDF), &good)
        .await;
    assert_eq!(sent.status, 303, "the same with the right token: {}", sent.text());
}

#[tokio::test]
async fn who_may_not_attach_is_shown_no_form_and_sends_none() {
    let world = World::start().await;
    let action = world.at("/attachments");
    let large = vec![b' '; 6 << 20];
    let file = ("a.pdf", "application/pdf");
    let send = async |browser: &Browser| {
        let csrf = hidden(&browser.page("/lv/").await, "/lv/sign-out")["csrf"].clone();
        // Too large besides: the answer is about the person, not the file.
        browser
            .send_parts(&action, &form(&csrf, file, &large), &[])
            .await
            .status
    };
    let technician = Browser::signed_in(&world.server, TECHNICIAN).await;
    assert!(
        !technician
            .page(&world.at(""))
            .await
            .contains("multipart/form-data")
    );
    assert_eq!(send(&technician).await, 403);
    assert_eq!(
        send(&Browser::signed_in(&world.server, STRANGER).await).await,
        404
    );
    // Not submitted: not the provider's to see.
    assert_eq!(send(&Browser::signed_in(&world.server, DECIDER).await).await, 404);
    // Whose session has ended is led to sign in, and comes back to the page.
    let nobody = Browser::new(&world.server);
    let answer = nobody.send_parts(&action, &form("", file, &large), &[]).await;
    let back = format!("/lv/sign-in?to=%2Fapplications%2F{}%2Fattachments", world.number);
    assert_eq!((answer.status, answer.header("location")), (303, back.as_str()));
    // What is withdrawn takes nothing more, and keeps what it has.
    world.attached(file, PDF).await;
    let reason = [("reason", "x")];
    world
        .applicant
        .submitted(&world.at(""), &world.at("/withdraw"), &reason)
        .await;
    assert_eq!(send(&world.applicant).await, 409);
    let page = world.applicant.page(&world.at("")).await;
    assert!(
        !page.contains("multipart/form-data") && links(&page).len() == 1,
        "{page}"
    );
}

#[tokio::test]
async fn the_trail_names_what_was_attached() {
    let world = World::start().await;
    world.attached(("a.pdf", "application/pdf"), PDF).await;
    let trail = world
        .server
        .operator()
        .get("/registry/audit?limit=1000")
        .await
        .unwrap();
    let entries = trail["entries"].as_array().unwrap();
    let entries: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "attachment_create")
        .collect();
    assert_eq!(entries.len(), 1);
    let object = &entries[0]["object"];
    assert!(
        object
            .as_str()
            .unwrap()
            .starts_with(&format!("applications/{}/attachments/", world.number)),
        "{object}"
    );
    assert_ne!(entries[0]["actor"], json!("operator"));
}
