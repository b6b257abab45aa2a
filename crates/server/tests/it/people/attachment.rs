//! Attachments of applications.

use super::*;

const PDF: &[u8] = b"%PDF-1.7 ligums";

async fn attach(
    office: &Office,
    token: &str,
    path: &str,
    (media, words): (&str, &str),
    body: &[u8],
) -> Answer {
    let path = format!("{path}/attachments?{words}");
    let headers = [("content-type", media)];
    office
        .send(Some(token), (Method::POST, &path), &headers, body.to_vec())
        .await
}

#[tokio::test]
async fn an_attachment_comes_back_as_it_was_and_is_saved_not_shown() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::LegalReviewer]).await;
    let (_, stranger) = office.person(3, OTHER, &[Role::Head]).await;
    let made = office.post(&applicant, "/registry/applications", asked()).await;
    let path = made.header("location").to_owned();
    let pdf = ("application/pdf", "name=L%C4%ABgums.pdf");
    let sent = attach(&office, &applicant, &path, pdf, PDF).await;
    assert_eq!(sent.status, 201, "{}", sent.text());
    let view = sent.json();
    assert_eq!(
        (&view["kind"], &view["bytes"]),
        (&json!("document"), &json!(PDF.len()))
    );
    let one = sent.header("location").to_owned();
    // A draft's papers are the applicant's alone.
    assert_eq!(office.get(&decider, &one).await.status, 404);
    office
        .post(&applicant, &format!("{path}/submit"), json!({}))
        .await;
    let got = office.get(&decider, &one).await;
    assert_eq!((got.status, got.body.as_slice()), (200, PDF));
    assert_eq!(
        got.header("content-disposition"),
        "attachment; filename=\"L_gums.pdf\"; filename*=UTF-8''L%C4%ABgums%2Epdf"
    );
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(office.get(&stranger, &one).await.status, 404);
    let list = office.get(&decider, &format!("{path}/attachments")).await.json();
    assert_eq!(list["attachments"].as_array().unwrap().len(), 1);
    // What was submitted is sealed with what lay beside it.
    let events = office.get(&applicant, &format!("{path}/events")).await.json();
    let submitted = events["events"].as_array().unwrap().last().unwrap();
    assert_eq!(submitted["sealed"]["attachments"], json!([view["sha256"]]));
    let seal = submitted["seal"].as_str().unwrap();
    assert!(office.app.seal_verify(&submitted["sealed"], seal));
    // The other side answers, and the applicant is told.
    let answer = attach(
        &office,
        &decider,
        &path,
        ("text/plain", "name=a.txt"),
        "jā".as_bytes(),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let told = office.get(&applicant, "/registry/notifications").await.json();
    assert_eq!(told["notifications"][0]["kind"], "application_attached");
    let withdrawn = office
        .post(&applicant, &format!("{path}/withdraw"), json!({ "reason": "x" }))
        .await;
    assert_eq!(withdrawn.status, 200);
    assert_eq!(
        attach(&office, &applicant, &path, pdf, PDF).await.code(),
        "state_conflict"
    );
}

#[tokio::test]
async fn what_is_no_document_is_not_taken() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, contact) = office.person(2, RECIPIENT, &[Role::TechnicalContact]).await;
    let made = office.post(&applicant, "/registry/applications", asked()).await;
    let path = made.header("location").to_owned();
    let large = [PDF, &vec![0; 5 << 20]].concat();
    for (media, words, body, place) in [
        ("text/html", "name=a.html", &b"<p>"[..], "content-type"),
        ("application/pdf", "name=a.pdf", b"<p>", "body"),
        ("application/pdf", "name=..%2Fa.pdf", PDF, "name"),
        ("application/pdf", "", PDF, "name"),
        ("application/pdf", "name=a.pdf&kind=wish", PDF, "kind"),
        (
            "application/pdf",
            "name=a.pdf&kind=signature",
            PDF,
            "content-type",
        ),
        (
            "application/vnd.etsi.asic-e+zip",
            "name=a.edoc&kind=signature",
            b"PK",
            "body",
        ),
    ] {
        let refused = attach(&office, &applicant, &path, (media, words), body).await;
        let errors = refused.json();
        assert_eq!(
            (refused.status, &errors["errors"][0]["place"]),
            (422, &json!(place)),
            "{errors}"
        );
    }
    let pdf = ("application/pdf", "name=a.pdf");
    let refused = attach(&office, &applicant, &path, pdf, &large).await;
    assert_eq!(refused.code(), "body_too_large");
    assert_eq!(
        attach(&office, &contact, &path, pdf, PDF).await.code(),
        "role_required"
    );
    for _ in 0..50 {
        assert_eq!(attach(&office, &applicant, &path, pdf, PDF).await.status, 201);
    }
    assert_eq!(
        attach(&office, &applicant, &path, pdf, PDF).await.code(),
        "state_conflict"
    );
}

#[tokio::test]
async fn a_container_is_inspected_and_its_signature_not_said_to_be_verified() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::Head]).await;
    let made = office.post(&applicant, "/registry/applications", asked()).await;
    let path = made.header("location").to_owned();
    let edoc = (
        "application/vnd.etsi.asic-e+zip",
        "name=ligums.edoc&kind=signature",
    );
    let sent = attach(&office, &applicant, &path, edoc, &container()).await;
    assert_eq!(sent.status, 201, "{}", sent.text());
    assert_eq!(
        sent.json()["inspection"],
        json!({
            "signatures": ["META-INF/signatures0.xml"], "files": ["ligums.pdf"], "checksums_compared": 3,
            "signature_verified": false,
        })
    );
    let mut broken = container();
    let at = broken.windows(5).position(|window| window == b"%PDF-").unwrap();
    broken[at] ^= 1;
    let refused = attach(&office, &applicant, &path, edoc, &broken).await;
    assert_eq!(
        refused.json()["errors"][0]["rule"],
        "container",
        "{}",
        refused.text()
    );
}

/// An ASiC-E container whose files are stored as they are.
pub(crate) fn container() -> Vec<u8> {
    let files: [(&str, &[u8]); 3] = [
        ("mimetype", b"application/vnd.etsi.asic-e+zip"),
        ("ligums.pdf", PDF),
        ("META-INF/signatures0.xml", b"<s/>"),
    ];
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32(content).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02", &[20, 0][..], &common, &[0; 10]].concat());
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = (out.len() as u32).to_le_bytes();
    let (size, count) = ((directory.len() as u32).to_le_bytes(), [3, 0]);
    out.extend(&directory);
    out.extend([b"PK\x05\x06", &[0; 4][..], &count, &count, &size, &at, &[0, 0]].concat());
    out
}

/// IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
