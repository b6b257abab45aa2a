//! Documents behind an address: an HTTP server in this test answers what it is told to.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{Desk, state, until, write};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: ch_words\nkey: Id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

/// What it answers, and the headers it was asked with.
#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    breaks_off: bool,
    asked: Vec<HeaderMap>,
}

#[derive(Clone)]
struct Address {
    answer: Arc<Mutex<Answer>>,
    url: String,
}

impl Address {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Self {
            answer: Arc::default(),
            url: format!("http://{}/register", listener.local_addr().unwrap()),
        };
        let router = Router::new().fallback(answer).with_state(address.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn answers(&self, status: u16, headers: &[(&'static str, &str)], body: &[u8]) {
        let mut answer = self.answer.lock().unwrap();
        answer.status = status;
        answer.headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        answer.body = body.to_vec();
    }

    /// A header of the last call.
    fn asked(&self, name: header::HeaderName) -> Option<String> {
        let answer = self.answer.lock().unwrap();
        let value = answer.asked.last()?.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }
}

async fn answer(State(address): State<Address>, headers: HeaderMap) -> Response {
    let mut answer = address.answer.lock().unwrap();
    let same = headers.get(header::IF_NONE_MATCH).cloned();
    answer.asked.push(headers);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        if *name == "etag" && same.as_ref().is_some_and(|same| same == value.as_str()) {
            return Response::builder()
                .status(StatusCode::NOT_MODIFIED)
                .body(Body::empty())
                .unwrap();
        }
        response = response.header(*name, value);
    }
    let body = if answer.breaks_off {
        let half = Bytes::copy_from_slice(&answer.body[..answer.body.len() / 2]);
        Body::from_stream(futures_util::stream::iter([
            Ok(half),
            Err(std::io::Error::other("gone")),
        ]))
    } else {
        Body::from(answer.body.clone())
    };
    response.body(body).unwrap()
}

struct Site {
    server: Server,
    provider: Party,
    address: Address,
    desk: Desk,
}

fn rest(address: &Address, source: &str) -> String {
    format!(
        "dataset = 'ch_words'\n[schedule]\ncompare = '50ms'\n[source]\nkind = 'http'\nurl = '{}'\n{source}",
        address.url
    )
}

async fn site(source: &str) -> Site {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ch_words", DEFINITION).await;
    let address = Address::start().await;
    let desk = Desk::feed(&server, &provider, &rest(&address, source));
    Site {
        server,
        provider,
        address,
        desk,
    }
}

impl Site {
    /// One round; what it sent.
    fn sent(&self) -> (u64, u64) {
        let done = self.desk.done("once", &[]);
        assert_eq!(done["refused"], 0, "{done:#}");
        (
            done["upserts"].as_u64().unwrap(),
            done["deletes"].as_u64().unwrap(),
        )
    }

    /// One round takes nothing, and says why.
    async fn refuses(&self) -> String {
        let before = state(&self.provider, "ch_words").await;
        let output = self.desk.run("once", &["--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(state(&self.provider, "ch_words").await, before);
        String::from_utf8(output.stdout).unwrap()
    }
}

fn words(n: u32, word: &str) -> Vec<u8> {
    let words: Vec<Value> = (0..n)
        .map(|n| json!({"Id": n, "Word": format!("{word} {n}")}))
        .collect();
    serde_json::to_vec(&words).unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_by_its_etag_is_not_read_again() {
    let site = site("").await;
    site.address
        .answers(200, &[JSON, ("etag", "\"one\"")], &words(20, "vārds"));
    assert_eq!(site.sent(), (20, 0));
    assert_eq!(site.address.asked(header::IF_NONE_MATCH), None);
    let compared = site.desk.status()["last_compare"].clone();
    // The same tag: whatever the body would be, it is not given.
    site.address
        .answers(200, &[JSON, ("etag", "\"one\"")], &words(21, "cits"));
    assert_eq!(site.sent(), (0, 0));
    assert_eq!(
        site.address.asked(header::IF_NONE_MATCH).as_deref(),
        Some("\"one\"")
    );
    // It counts as compared: the next is due when the schedule says.
    assert_ne!(site.desk.status()["last_compare"], compared);
    site.address
        .answers(200, &[JSON, ("etag", "\"two\"")], &words(19, "vārds"));
    assert_eq!(site.sent(), (0, 1));
    assert_eq!(state(&site.provider, "ch_words").await["records"], 19);
    // Without a tag it is read and compared, and the tag before is forgotten.
    site.address.answers(200, &[JSON], &words(19, "vārds"));
    assert_eq!(site.sent(), (0, 0));
    assert_eq!(site.sent(), (0, 0));
    assert_eq!(site.address.asked(header::IF_NONE_MATCH), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_in_another_way_is_read_again_whatever_its_etag() {
    let site = site("").await;
    site.address
        .answers(200, &[JSON, ("etag", "\"one\"")], &words(20, "vārds"));
    assert_eq!(site.sent(), (20, 0));
    assert_eq!(site.sent(), (0, 0));
    let mapped = rest(
        &site.address,
        "[map]\nWord = { column = 'Word', codes = { 'vārds 7' = 'septiņi' }, other = 'keep' }\n",
    );
    site.desk.point(&site.server, &site.provider, &mapped);
    assert_eq!(site.sent(), (1, 0));
    assert_eq!(site.sent(), (0, 0));
    assert_eq!(
        site.address.asked(header::IF_NONE_MATCH).as_deref(),
        Some("\"one\"")
    );
    // The definition too.
    let more = DEFINITION.replace("  - Word : vārds\n", "  - Word : vārds\n  - More : vēl\n");
    site.server.publish(&site.provider, "ch_words", &more).await;
    site.sent();
    assert_eq!(site.address.asked(header::IF_NONE_MATCH), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_on_does_not_tell_where_from() {
    let site = site("").await;
    let other = Address::start().await;
    other.answers(200, &[JSON], &words(3, "vārds"));
    site.address.answers(307, &[("location", &other.url)], b"");
    let url = format!("{}?token=8814", site.address.url);
    let rest = rest(&site.address, "").replace(&site.address.url, &url);
    site.desk.point(&site.server, &site.provider, &rest);
    assert_eq!(site.sent(), (3, 0));
    assert!(other.asked(header::HOST).is_some());
    assert_eq!(other.asked(header::REFERER), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_answer_is_a_document() {
    let site = site("format = 'ndjson'\nmay_be_empty = true\n").await;
    site.address.answers(200, &[], b"{\"Id\":1}\n{\"Id\":2}\n");
    assert_eq!(site.sent(), (2, 0));
    // Without having been told a tag, nobody can say that nothing changed.
    for status in [202, 204, 206, 304] {
        site.address.answers(status, &[], b"");
        let told = site.refuses().await;
        assert!(told.contains(&format!("answered {status}")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_once_is_unpacked_once() {
    let site = site("").await;
    let url = format!("{}/words.csv.gz", site.address.url);
    let rest = rest(&site.address, "").replace(&site.address.url, &url);
    site.desk.point(&site.server, &site.provider, &rest);
    let gz = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let once = gz("Id,Word\n1,ābols\n".as_bytes());
    let encoded = [("content-encoding", "gzip")];
    site.address.answers(200, &encoded, &once);
    assert_eq!(site.sent(), (1, 0));
    site.address.answers(200, &encoded, &gz(&once));
    assert_eq!(site.sent(), (0, 0));
    site.address.answers(200, &[], &once);
    assert_eq!(site.sent(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_fails_is_a_problem_that_passes() {
    let site = site("authorization = { file = 'token' }\n").await;
    write(&site.desk.path("token"), "Bearer hush\n");
    site.address.answers(200, &[JSON], &words(5, "vārds"));
    site.sent();
    assert_eq!(
        site.address.asked(header::AUTHORIZATION).as_deref(),
        Some("Bearer hush")
    );
    site.address.answers(500, &[], b"hush");
    let mut service = site.desk.service();
    until("the status says it", async || {
        site.desk.status()["state"] == "problem"
    })
    .await;
    let status = site.desk.status();
    let problem = status["problem"].as_str().unwrap();
    assert!(
        problem.contains("answered 500") && !problem.contains("hush"),
        "{problem}"
    );
    site.address.answers(200, &[JSON], &words(6, "vārds"));
    until("it goes on", async || {
        state(&site.provider, "ch_words").await["records"] == 6
    })
    .await;
    until("and says so", async || site.desk.status()["state"] == "ok").await;
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn formats_and_charsets_are_what_the_answer_or_the_feed_says() {
    let site = site("").await;
    site.address.answers(
        200,
        &[("content-type", "text/csv; charset=windows-1257")],
        b"Id,Word\n1,\xe2bols\n2,b\n",
    );
    assert_eq!(site.sent(), (2, 0));
    // The same as UTF-8 JSON, as NDJSON and packed: nothing differs.
    let (one, two) = (json!({"Id": 1, "Word": "ābols"}), json!({"Id": 2, "Word": "b"}));
    site.address
        .answers(200, &[JSON], json!([one, two]).to_string().as_bytes());
    assert_eq!(site.sent(), (0, 0));
    let lines = format!("{one}\n{two}\n");
    site.address
        .answers(200, &[("content-type", "application/x-ndjson")], lines.as_bytes());
    assert_eq!(site.sent(), (0, 0));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("content-encoding", "gzip"),
    ];
    site.address.answers(200, &headers, &packed);
    assert_eq!(site.sent(), (0, 0));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("words.csv", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all("Id,Word\n1,ābols\n2,b\n".as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    site.address
        .answers(200, &[("content-type", "application/zip")], &zip);
    assert_eq!(site.sent(), (0, 0));
    site.address
        .answers(200, &[("content-type", "text/plain")], b"Id,Word\n1,x\n");
    let told = site.refuses().await;
    assert!(
        told.contains("give source.format = csv, json, ndjson, xml or parquet"),
        "{told}"
    );
    site.address
        .answers(200, &[JSON, ("content-encoding", "br")], b"x");
    assert!(site.refuses().await.contains("Content-Encoding br"));
    // What the feed says wins.
    let said = "format = 'csv'\ncharset = 'iso-8859-13'\n";
    site.desk
        .point(&site.server, &site.provider, &rest(&site.address, said));
    site.address.answers(
        200,
        &[("content-type", "text/plain")],
        b"Id,Word\n1,\xe2bols\n2,b\n",
    );
    assert_eq!(site.sent(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_and_records_inside_a_document_are_read_from_an_address() {
    let site = site("records = 'Words/Word'\n[map]\nId = '@id'\nWord = 'text()'\n").await;
    let body = "<Words><Word id='1'>ābols</Word><Word id='2'>&lt;b></Word></Words>";
    site.address.answers(
        200,
        &[("content-type", "application/soap+xml; charset=utf-8")],
        body.as_bytes(),
    );
    assert_eq!(site.sent(), (2, 0));
    site.desk.point(
        &site.server,
        &site.provider,
        &rest(&site.address, "records = 'data.items'\n"),
    );
    let body = json!({"data": {"items": [{"Id": 1, "Word": "ābols"}, {"Id": 2, "Word": "<b>"}]}}).to_string();
    site.address.answers(200, &[JSON], body.as_bytes());
    assert_eq!(site.sent(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_off_or_are_too_large_are_not_taken() {
    let site = site("most_mib = 1\n").await;
    site.address.answers(200, &[JSON], &words(100, "vārds"));
    assert_eq!(site.sent(), (100, 0));
    site.address.answer.lock().unwrap().breaks_off = true;
    site.address.answers(200, &[JSON], &words(50, "vārds"));
    site.refuses().await;
    site.address.answer.lock().unwrap().breaks_off = false;
    let large = words(60_000, "garš vārds");
    assert!(large.len() > 1 << 20);
    site.address.answers(200, &[JSON], &large);
    let told = site.refuses().await;
    assert!(
        told.contains("answers more than 1 MiB (source.most_mib)"),
        "{told}"
    );
    // Small on the wire is not small.
    let packed = zstd::encode_all(large.as_slice(), 3).unwrap();
    assert!(packed.len() < 1 << 20);
    site.address
        .answers(200, &[JSON, ("content-encoding", "zstd")], &packed);
    let told = site.refuses().await;
    assert!(told.contains("answers more than 1 MiB"), "{told}");
    site.address.answers(404, &[], b"");
    assert!(site.refuses().await.contains("answered 404"));
}
