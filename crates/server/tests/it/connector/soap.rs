//! A SOAP service of both versions, in this test, that gives its register page by page.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{Desk, state, write};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: cs_cars\nkey: Id\ndata_description: Auto\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Make : marka\n  - Owners * :\n      comments: īpašnieki\n      fields:\n        - Code : kods\n        - Share decimal : daļa\n";

const OLD: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const NEW: &str = "http://www.w3.org/2003/05/soap-envelope";
const PAGE_SIZE: u64 = 10;

/// How the service stands, and what it was asked.
struct Register {
    version: &'static str,
    cars: u64,
    /// The page that fails, from 1.
    fails_at: Option<u64>,
    /// After so many pages it begins anew.
    cycle: u64,
    /// What a page, from 1, says in the place of records.
    says: Option<(u64, &'static str)>,
    asked: Vec<(HeaderMap, String)>,
}

#[derive(Clone)]
struct Service {
    register: Arc<Mutex<Register>>,
    url: String,
}

impl Service {
    async fn start(version: &'static str, cars: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let register = Register {
            version,
            cars,
            fails_at: None,
            cycle: u64::MAX,
            says: None,
            asked: Vec::new(),
        };
        let service = Self {
            register: Arc::new(Mutex::new(register)),
            url: format!("http://{}/cars", listener.local_addr().unwrap()),
        };
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    fn set(&self, change: impl FnOnce(&mut Register)) {
        change(&mut self.register.lock().unwrap());
    }

    fn asked(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut self.register.lock().unwrap().asked)
    }
}

async fn answer(State(service): State<Service>, headers: HeaderMap, body: String) -> Response {
    let mut register = service.register.lock().unwrap();
    register.asked.push((headers, body.clone()));
    let asked = body
        .split_once("<Page>")
        .and_then(|(_, rest)| rest.split_once("</Page>"));
    let page: u64 = asked.map_or(1, |(number, _)| number.parse().unwrap());
    let page = (page - 1) % register.cycle + 1;
    let says = register.says.filter(|(at, _)| *at == page);
    let (status, inside) = if register.fails_at == Some(page) {
        (500, fault(register.version))
    } else if let Some((_, words)) = says {
        (
            200,
            format!("<GetCarsResponse><Cars>{words}</Cars></GetCarsResponse>"),
        )
    } else {
        (
            200,
            cars((page - 1) * PAGE_SIZE..(page * PAGE_SIZE).min(register.cars)),
        )
    };
    let number = register.asked.len();
    let (namespace, media) = match register.version {
        "1.1" => (OLD, "text/xml; charset=utf-8"),
        _ => (NEW, "application/soap+xml; charset=utf-8"),
    };
    let text = format!(
        "<?xml version=\"1.0\"?>\n<soap:Envelope xmlns:soap=\"{namespace}\"><soap:Header><Message>{number}</Message></soap:Header><soap:Body>{inside}</soap:Body></soap:Envelope>"
    );
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media)
        .body(Body::from(text))
        .unwrap()
}

fn cars(numbers: std::ops::Range<u64>) -> String {
    let car = |n: u64| {
        let owners = format!("<c:Owners><c:Code>{n:011}</c:Code><c:Share>0.5</c:Share></c:Owners>").repeat(2);
        format!("<c:Car><c:Id>{n}</c:Id><c:Make>Ķīlis &amp; {n}</c:Make>{owners}</c:Car>")
    };
    let cars: String = numbers.map(car).collect();
    format!(
        "<c:GetCarsResponse xmlns:c=\"urn:cars\"><c:Cars>{cars}<c:Made>2026</c:Made></c:Cars></c:GetCarsResponse>"
    )
}

fn fault(version: &str) -> String {
    match version {
        "1.1" => "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>datubāze nav pieejama</faultstring><detail/></soap:Fault>".to_owned(),
        _ => "<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value><soap:Subcode><soap:Value>c:Busy</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang=\"lv\">datubāze nav pieejama</soap:Text></soap:Reason></soap:Fault>".to_owned(),
    }
}

struct Site {
    server: Server,
    provider: Party,
    service: Service,
    desk: Desk,
}

fn rest(service: &Service, more: &str) -> String {
    let version = service.register.lock().unwrap().version;
    format!(
        "dataset = 'cs_cars'\n[source]\nkind = 'soap'\nurl = '{}'\nversion = '{version}'\naction = 'urn:cars#Get'\nrecords = 'GetCarsResponse/Cars/Car'\nenvelope = {{ file = 'request.xml' }}\n{more}",
        service.url
    )
}

fn envelope(version: &str, inside: &str) -> String {
    let namespace = if version == "1.1" { OLD } else { NEW };
    format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body><GetCars>{inside}</GetCars></s:Body></s:Envelope>")
}

async fn site(version: &'static str, cars: u64, more: &str) -> Site {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cs_cars", DEFINITION).await;
    let service = Service::start(version, cars).await;
    let desk = Desk::feed(&server, &provider, &rest(&service, more));
    write(
        &desk.path("request.xml"),
        envelope(version, "<Page>{page}</Page><Size>{page_size}</Size>"),
    );
    write(&desk.path("secret"), "hush");
    Site {
        server,
        provider,
        service,
        desk,
    }
}

impl Site {
    /// One round takes nothing, and says why; the set stays.
    async fn refuses(&self) -> String {
        let before = state(&self.provider, "cs_cars").await;
        let output = self.desk.run("once", &["--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(state(&self.provider, "cs_cars").await, before);
        String::from_utf8(output.stdout).unwrap()
    }
}

const PAGED: &str = "page_size = 10\nusername = 'feed'\npassword = { file = 'secret' }\n";

async fn reads_pages(version: &'static str, asks: impl Fn(&HeaderMap)) {
    let site = site(version, 34, PAGED).await;
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["refused"]),
        (&json!(34), &json!(0)),
        "{done:#}"
    );
    assert_eq!(done["reconciled"]["differing"], 0);
    let asked = site.service.asked();
    let pages: Vec<bool> = (1..=asked.len())
        .map(|n| {
            asked[n - 1]
                .1
                .contains(&format!("<Page>{n}</Page><Size>10</Size>"))
        })
        .collect();
    assert_eq!(pages, [true; 4], "the fourth page is short and the last");
    for (headers, _) in &asked {
        assert_eq!(headers[header::AUTHORIZATION], "Basic ZmVlZDpodXNo");
        asks(headers);
    }
    // A fault in the middle: nothing of the pages before it is taken.
    let before = state(&site.provider, "cs_cars").await;
    site.service.set(|register| {
        register.cars = 40;
        register.fails_at = Some(3);
    });
    let output = site.desk.run("once", &["--json"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("page 3 of") && told.contains("datubāze nav pieejama"),
        "{told}"
    );
    let code = if version == "1.1" {
        "soap:Server"
    } else {
        "soap:Receiver c:Busy"
    };
    assert!(told.contains(code), "{told}");
    assert_eq!(state(&site.provider, "cs_cars").await, before);
    // It passes; a full last page is followed by an empty one.
    site.service.set(|register| register.fails_at = None);
    site.service.asked();
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(6), &json!(0)),
        "{done:#}"
    );
    assert_eq!(site.service.asked().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_1_1_is_read_page_by_page_and_a_fault_takes_nothing() {
    reads_pages("1.1", |headers| {
        assert_eq!(headers["soapaction"], "\"urn:cars#Get\"");
        assert_eq!(headers[header::CONTENT_TYPE], "text/xml; charset=utf-8");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_1_2_is_read_page_by_page_and_a_fault_takes_nothing() {
    reads_pages("1.2", |headers| {
        assert!(!headers.contains_key("soapaction"));
        assert_eq!(
            headers[header::CONTENT_TYPE],
            "application/soap+xml; charset=utf-8; action=\"urn:cars#Get\""
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_pages_is_asked_once_and_offsets_count_records() {
    let site = site("1.1", 7, "").await;
    write(&site.desk.path("request.xml"), envelope("1.1", ""));
    assert_eq!(site.desk.done("once", &[])["upserts"], 7);
    assert_eq!(site.service.asked().len(), 1);
    write(
        &site.desk.path("request.xml"),
        envelope("1.1", "<Page>1</Page><From>{offset}</From>"),
    );
    site.service.set(|register| register.cycle = 1);
    let told = site.refuses().await;
    assert!(
        told.contains("page 2 of") && told.contains("has the records of page 1"),
        "{told}"
    );
    let asked = site.service.asked();
    assert!(asked[0].1.contains("<From>0</From>") && asked[1].1.contains("<From>7</From>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_smaller_than_the_feed_thinks_end_nothing() {
    let site = site("1.1", 34, "page_size = 1000\n").await;
    assert_eq!(site.desk.done("once", &[])["upserts"], 34);
    assert_eq!(site.service.asked().len(), 5, "an empty one is the last");
    // One that begins anew never ends.
    site.service.set(|register| {
        register.cars = 1_000;
        register.cycle = 3;
    });
    let told = site.refuses().await;
    assert!(
        told.contains("page 4 of") && told.contains("has the records of page 1"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn words_in_the_place_of_records_are_no_empty_page() {
    let site = site("1.1", 31, PAGED).await;
    site.desk.done("once", &[]);
    for page in [1, 3] {
        site.service
            .set(|register| register.says = Some((page, "<Error>17</Error>")));
        let told = site.refuses().await;
        assert!(
            told.contains(&format!("page {page} of")) && told.contains("GetCarsResponse/Cars has Error"),
            "{told}"
        );
    }
    // What stood beside records may stand alone after the last one, or where the feed says so.
    site.service.set(|register| {
        register.says = Some((4, "<Made>2026</Made>"));
        register.cars = 30;
    });
    assert_eq!(site.desk.done("once", &[])["deletes"], 1);
    site.service
        .set(|register| register.says = Some((1, "<Made>2026</Made>")));
    site.refuses().await;
    let rest = rest(&site.service, &format!("may_be_empty = true\n{PAGED}"));
    site.desk.point(&site.server, &site.provider, &rest);
    let (_, emptied) = site.desk.answer("once", &[]);
    assert_eq!(emptied["deletes"], 30, "{emptied:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_goes_to_no_other_server() {
    let site = site("1.1", 7, "").await;
    write(&site.desk.path("request.xml"), envelope("1.1", ""));
    let to = |url: String| async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let away = axum::routing::post(|| async move { axum::response::Redirect::temporary(&url) });
        let router = Router::new().route("/cars", away);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("{own}/cars")
    };
    let near = to(site.service.url.clone()).await;
    let rest = rest(&site.service, "").replace(&site.service.url, &near);
    site.desk.point(&site.server, &site.provider, &rest);
    let told = site.refuses().await;
    assert!(told.contains("it leads to another server"), "{told}");
    assert!(!told.contains(&site.service.url), "{told}");
    assert_eq!(site.service.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_an_end() {
    let site = site("1.2", 1_000, "pages = 3\n").await;
    write(
        &site.desk.path("request.xml"),
        envelope("1.2", "<Page>{page}</Page>"),
    );
    let told = String::from_utf8(site.desk.run("once", &["--json"]).stdout).unwrap();
    assert!(
        told.contains("gave 3 pages and did not end (source.pages)"),
        "{told}"
    );
    assert_eq!(state(&site.provider, "cs_cars").await["records"], 0);
    // `check` looks at so many records, not at all of the register.
    site.service.asked();
    let checked = site.desk.done("check", &["--rows", "5"]);
    assert_eq!(
        (checked["records"].as_u64(), site.service.asked().len()),
        (Some(10), 1),
        "{checked:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_soap_source_is_told_at_once() {
    let site = site("1.1", 1, "").await;
    let wrong = "dataset = 'cs_cars'\n[source]\nkind = 'soap'\nurl = 'ftp://x'\nversion = '2'\nrecords = 'c:Get/Car'\nenvelope = '<Get>{page}{offset}{page_size}</Get>'\nusername = 'u'\npages = 0\n";
    site.desk.point(&site.server, &site.provider, wrong);
    let told: Value = serde_json::from_slice(&site.desk.run("check", &["--json"]).stdout).unwrap();
    let places: Vec<&str> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["place"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "source.url",
            "source.version",
            "source.records",
            "source.pages",
            "source.envelope",
            "source.envelope",
            "source.envelope",
            "source.authorization"
        ],
        "{told:#}"
    );
}
