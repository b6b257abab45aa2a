//! Deliveries: idempotent, checked, held, in order, counted to the letter.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

const DEFINITION: &str = "name: in_person
key: Code(, Year)
data_description: Personas
fields:
  - Code person_code : kods
  - Year int : gads
  - Name! : vārds
  - Amount decimal : summa
subject: Code
";

struct Site {
    server: Server,
    provider: Party,
}

async fn site() -> Site {
    site_with(&[]).await
}

async fn site_with(settings: &[(&str, &str)]) -> Site {
    let server = Server::start_with(settings);
    let provider = server.producer().await;
    server.publish(&provider, "in_person", DEFINITION).await;
    Site { server, provider }
}

fn code(number: usize) -> String {
    format!("32{number:09}")
}

fn upsert(number: usize, over: Value) -> Value {
    let mut record = json!({ "Code": code(number), "Year": 2020, "Name": "N" });
    for (name, value) in over.as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    json!({ "op": "upsert", "record": record })
}

fn delete(number: usize) -> Value {
    json!({ "op": "delete", "key": { "Code": code(number), "Year": 2020 } })
}

fn lines(operations: &[Value]) -> Vec<u8> {
    raw::lines(operations).into_bytes()
}

fn people(numbers: std::ops::Range<usize>) -> Vec<u8> {
    lines(
        &numbers
            .map(|number| upsert(number, Value::Null))
            .collect::<Vec<_>>(),
    )
}

async fn put(client: &Client, package: &str, body: Vec<u8>) -> Raw {
    let path = format!("/intake/in_person/packages/{package}");
    raw::call(
        client,
        Method::PUT,
        &path,
        &[],
        Some(("application/x-ndjson", body)),
    )
    .await
}

async fn post(client: &Client, package: &str, verb: &str) -> Raw {
    let path = format!("/intake/in_person/packages/{package}/{verb}");
    raw::call(client, Method::POST, &path, &[], None).await
}

async fn state(client: &Client) -> Value {
    client.get("/intake/in_person/state").await.unwrap()
}

fn is(answer: &Raw, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_counted_once_and_faults_name_their_lines() {
    let site = site().await;
    let client = &site.provider.client;
    let mut body = lines(&[
        upsert(1, json!({ "Amount": 1.50 })),
        upsert(2, Value::Null),
        upsert(2, json!({ "Name": "Last" })),
        upsert(2, json!({ "Name": "Last" })),
        upsert(3, json!({ "Amount": "2.0" })),
        upsert(4, json!({ "Unknown": 1 })),
        delete(9),
    ]);
    body.extend_from_slice(b"{broken\n\n\n");
    body.extend(lines(&[
        json!({ "op": "upsert", "record": { "Code": "123", "Year": 2020, "Name": "N" } }),
    ]));

    let tried = put(client, "p1?dry_run=true", body.clone()).await;
    assert_eq!((tried.status, &tried.json()["accepted"]), (200, &json!(3)));
    assert_eq!(state(client).await["records"], 0);

    let given = put(client, "p1", body.clone()).await;
    let receipt = given.json();
    let counts = [
        "received",
        "accepted",
        "unchanged",
        "deleted",
        "duplicates",
        "expired",
        "quarantined",
    ];
    assert_eq!(
        counts.map(|name| receipt[name].as_u64().unwrap()),
        [9, 3, 1, 0, 2, 0, 3],
        "{receipt}"
    );
    assert_eq!(
        (&receipt["first_sequence"], &receipt["last_sequence"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(receipt["digest"], raw::hex(&Sha256::digest(&body)));

    let quarantine = client
        .get("/intake/in_person/quarantine?package=p1")
        .await
        .unwrap();
    let rows = quarantine["rows"].as_array().unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row["line"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [6, 8, 11]
    );
    assert!(
        !quarantine.to_string().contains("123"),
        "a value is not repeated: {quarantine}"
    );

    let records = [
        format!(r#"{{"Code":"{}","Year":2020,"Name":"N","Amount":1.5}}"#, code(1)),
        format!(r#"{{"Code":"{}","Year":2020,"Name":"Last"}}"#, code(2)),
        format!(r#"{{"Code":"{}","Year":2020,"Name":"N","Amount":2}}"#, code(3)),
    ];
    assert_eq!(
        state(client).await["digest"],
        digest(&records),
        "anybody can compute it"
    );
}

/// Σ SHA-256 mod 2²⁵⁶, by schoolbook addition.
fn digest(records: &[String]) -> String {
    let mut sum = [0_u8; 32];
    for record in records {
        let mut carry = 0;
        for (place, byte) in Sha256::digest(record).iter().enumerate().rev() {
            let here = u16::from(sum[place]) + u16::from(*byte) + carry;
            sum[place] = here.to_le_bytes()[0];
            carry = here >> 8;
        }
    }
    raw::hex(&sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_package_has_one_receipt() {
    let site = site().await;
    let client = &site.provider.client;
    let body = people(0..3);
    let receipt = put(client, "p1", body.clone()).await.json();
    for path in ["p1", "p1?mode=snapshot", "p1?previous=nothing"] {
        let again = put(client, path, body.clone()).await;
        assert_eq!((again.status, again.json()), (200, receipt.clone()), "{path}");
    }
    is(&put(client, "p1", people(0..4)).await, 409, "package_conflict");
    is(
        &put(client, "p2?previous=nothing", people(3..4)).await,
        409,
        "package_order",
    );
    assert_eq!(put(client, "p2?previous=p1", people(3..4)).await.status, 200);
    let same = put(client, "p3", people(0..4)).await.json();
    assert_eq!(
        (
            &same["unchanged"],
            &same["first_sequence"],
            &same["last_sequence"]
        ),
        (&json!(4), &Value::Null, &Value::Null)
    );
    assert_eq!(
        state(client).await["last_sequence"],
        4,
        "no sequence is used when nothing changed"
    );
    is(
        &put(client, "p4", b"{broken\n".to_vec()).await,
        422,
        "package_refused",
    );
    is(
        &raw::get(client, "/intake/in_person/packages/p4").await,
        404,
        "package_unknown",
    );
    assert_eq!(
        put(client, "p4", Vec::new()).await.status,
        200,
        "zero rows are a package, and the id was free"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_digest_is_answered_before_the_body_comes() {
    let site = site().await;
    let body = people(0..3);
    let receipt = put(&site.provider.client, "p1", body.clone()).await.json();
    let token = site.provider.client.token().await.unwrap().unwrap();
    let head = format!(
        "PUT /intake/in_person/packages/p1 HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\
         content-type: application/x-ndjson\r\nrepr-digest: sha-256=:{}:\r\ncontent-length: 1000000000\r\n\r\n",
        STANDARD.encode(Sha256::digest(&body))
    );
    let mut socket = tokio::net::TcpStream::connect(site.server.data.trim_start_matches("http://"))
        .await
        .unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let signature = receipt["signature"].as_str().unwrap();
    while !String::from_utf8_lossy(&answer).contains(signature) {
        assert_ne!(
            socket.read_buf(&mut answer).await.unwrap(),
            0,
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

/// A package whose body stops after its first line.
async fn begun(site: &Site) -> tokio::net::TcpStream {
    let token = site.provider.client.token().await.unwrap().unwrap();
    let head = format!(
        "PUT /intake/in_person/packages/p1 HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\
         content-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n"
    );
    let address = site.server.data.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&people(0..1)).await.unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_which_nothing_comes_any_more_is_given_up_and_its_id_is_free() {
    let site = site_with(&[("DAGR_INTAKE__IDLE_S", "1")]).await;
    // Open to the end: nobody closes it.
    let mut socket = begun(&site).await;
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("package_stalled") {
        let mut piece = [0; 4_096];
        let read = socket.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 408"));
    let client = &site.provider.client;
    assert_eq!(state(client).await["records"], 0);
    assert_eq!(put(client, "p1", people(0..1)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_package_is_seen_and_a_cut_one_leaves_nothing() {
    let site = site().await;
    let client = &site.provider.client;
    let socket = begun(&site).await;
    let path = "/intake/in_person/packages/p1";
    loop {
        let view = raw::get(client, path).await;
        if view.status == 200 {
            assert_eq!(view.json()["state"], "open");
            break;
        }
        tokio::task::yield_now().await;
    }
    let meanwhile = put(client, "p1", people(0..1)).await;
    is(&meanwhile, 409, "package_open");
    assert!(!meanwhile.header("retry-after").is_empty());
    is(&post(client, "p1", "confirm").await, 409, "package_not_held");
    assert_eq!(put(client, "p2", people(1..2)).await.status, 200, "others go on");
    drop(socket);
    while raw::get(client, path).await.status == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(state(client).await["records"], 1);
    assert_eq!(put(client, "p1", people(0..1)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_removes_too_much_waits_for_a_word() {
    let mut site = site().await;
    let first = put(&site.provider.client, "s1?mode=snapshot", people(0..20)).await;
    assert_eq!(first.json()["accepted"], 20);
    let two = put(&site.provider.client, "s2?mode=snapshot", people(0..18))
        .await
        .json();
    assert_eq!(
        (&two["deleted"], &two["unchanged"]),
        (&json!(2), &json!(18)),
        "a tenth may go"
    );
    let held = json!({ "package_id": "s3", "state": "held", "would_delete": 8 });
    for _ in 0..2 {
        let answer = put(&site.provider.client, "s3?mode=snapshot", people(0..10)).await;
        assert_eq!((answer.status, answer.json()), (202, held.clone()));
    }
    is(
        &put(&site.provider.client, "s3", people(0..10 - 1)).await,
        409,
        "package_conflict",
    );
    site.server.kill_and_restart();
    let client = site.server.again(&site.provider);
    assert_eq!(state(&client).await["records"], 18);
    let receipt = post(&client, "s3", "confirm").await;
    assert_eq!((receipt.status, &receipt.json()["deleted"]), (200, &json!(8)));
    is(&post(&client, "s3", "confirm").await, 409, "package_not_held");
    is(&post(&client, "s9", "confirm").await, 404, "package_unknown");
    assert_eq!(state(&client).await["records"], 10);

    let gone = lines(&(0..5).map(delete).collect::<Vec<_>>());
    assert_eq!(
        put(&client, "s4", gone.clone()).await.status,
        202,
        "deltas are guarded too"
    );
    let rejected = post(&client, "s4", "reject").await;
    assert_eq!(
        (rejected.status, &rejected.json()["state"]),
        (200, &json!("rejected"))
    );
    assert_eq!(
        put(&client, "s4", gone.clone()).await.status,
        202,
        "the id is free again"
    );
    assert_eq!(put(&client, "s5", people(30..31)).await.status, 200);
    is(&post(&client, "s4", "confirm").await, 409, "package_outdated");
    assert_eq!(put(&client, "s4", people(31..32)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_set_is_no_set() {
    let site = site().await;
    let (other, reader) = (site.server.producer().await, site.server.consumer().await);
    is(
        &put(&other.client, "p1", people(0..1)).await,
        404,
        "dataset_unknown",
    );
    is(
        &put(&reader.client, "p1", people(0..1)).await,
        403,
        "connection_kind",
    );
    is(
        &put(&site.server.anonymous(), "p1", people(0..1)).await,
        401,
        "token_invalid",
    );
    for list in ["packages", "quarantine", "state", "recipients"] {
        let path = format!("/intake/in_person/{list}");
        is(&raw::get(&other.client, &path).await, 404, "dataset_unknown");
        assert_eq!(raw::get(&site.provider.client, &path).await.status, 200, "{list}");
    }
}
