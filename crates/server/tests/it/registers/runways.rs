//! Daily versions of the `OurAirports` runway list, delivered by deltas; the public file beside them.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Replica, deliver, figure,
    independent::{self, Column, Kind},
    state, unpack,
};
use crate::{
    connector::Desk,
    raw::{self, Raw},
    server::{Party, Server},
};

const COLUMNS: [Column; 20] = [
    ("id", "id", Kind::Int),
    ("airport_ref", "airport_ref", Kind::Int),
    ("airport_ident", "airport_ident", Kind::Text),
    ("length_ft", "length_ft", Kind::Int),
    ("width_ft", "width_ft", Kind::Int),
    ("surface", "surface", Kind::Text),
    ("lighted", "lighted", Kind::Int),
    ("closed", "closed", Kind::Int),
    ("le_ident", "le_ident", Kind::Text),
    ("le_latitude_deg", "le_latitude_deg", Kind::Decimal),
    ("le_longitude_deg", "le_longitude_deg", Kind::Decimal),
    ("le_elevation_ft", "le_elevation_ft", Kind::Int),
    ("le_heading_degT", "le_heading_degT", Kind::Decimal),
    (
        "le_displaced_threshold_ft",
        "le_displaced_threshold_ft",
        Kind::Int,
    ),
    ("he_ident", "he_ident", Kind::Text),
    ("he_latitude_deg", "he_latitude_deg", Kind::Decimal),
    ("he_longitude_deg", "he_longitude_deg", Kind::Decimal),
    ("he_elevation_ft", "he_elevation_ft", Kind::Int),
    ("he_heading_degT", "he_heading_degT", Kind::Decimal),
    (
        "he_displaced_threshold_ft",
        "he_displaced_threshold_ft",
        Kind::Int,
    ),
];
const FILE: &str = "/public/oa_runways?filename=runways.csv";
/// How long the file may take to follow a change ("within seconds"), on a machine that builds other things.
const REBUILT: Duration = Duration::from_mins(1);

fn definition() -> String {
    let mut text = "name: oa_runways\nkey: id\ndata_description: Runways\nfields:\n".to_owned();
    for (column, field, kind) in COLUMNS {
        let kind = match kind {
            Kind::Text => "text",
            Kind::Int => "int",
            Kind::Decimal => "decimal",
        };
        writeln!(text, "  - {field} {kind} : {column}").unwrap();
    }
    text + "public: {filename: runways.csv}\n"
}

/// Records by `id`.
fn by_id(body: &[u8]) -> BTreeMap<i64, String> {
    independent::records(std::str::from_utf8(body).unwrap(), &COLUMNS)
        .into_iter()
        .map(|record| {
            let id = record["{\"id\":".len()..].split(',').next().unwrap().parse();
            (id.unwrap(), record)
        })
        .collect()
}

/// What makes `new` of `old`, as NDJSON, and of how many operations.
fn delta(old: &BTreeMap<i64, String>, new: &BTreeMap<i64, String>) -> (Vec<u8>, usize) {
    let changed = new.iter().filter(|(id, record)| old.get(id) != Some(record));
    let mut lines: Vec<String> = changed
        .map(|(_, record)| format!("{{\"op\":\"upsert\",\"record\":{record}}}\n"))
        .collect();
    let vanished = old.keys().filter(|id| !new.contains_key(id));
    lines.extend(vanished.map(|id| format!("{{\"op\":\"delete\",\"key\":{{\"id\":{id}}}}}\n")));
    let count = lines.len();
    (lines.concat().into(), count)
}

pub(super) async fn started() -> (Server, Party) {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "oa_runways", &definition()).await;
    (server, provider)
}

async fn snapshot(provider: &Party, id: &str, body: &[u8]) -> Value {
    let path = format!("/intake/oa_runways/packages/{id}?mode=snapshot");
    let receipt = deliver(provider, &path, "text/csv", body.to_vec()).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    receipt.json()
}

async fn file(client: &Client, headers: &[(&str, &str)]) -> Raw {
    raw::call(client, Method::GET, FILE, headers, None).await
}

/// Downloads one after another until told to stop; the last few are kept.
async fn read_until(client: Client, stop: Arc<AtomicBool>) -> VecDeque<Raw> {
    let mut files = VecDeque::new();
    while !stop.load(Ordering::SeqCst) {
        files.push_back(file(&client, &[]).await);
        if files.len() > 20 {
            files.pop_front();
        }
    }
    files
}

/// The file once it is one of `rows` rows.
async fn file_of(client: &Client, rows: usize) -> Raw {
    let began = Instant::now();
    loop {
        let answer = file(client, &[]).await;
        if answer.status == 200 && answer.text().lines().count() == rows + 1 {
            return answer;
        }
        assert!(
            began.elapsed() < REBUILT,
            "the public file is {}: {} bytes",
            answer.status,
            answer.body.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deltas_by_id_make_every_version() {
    let Some(versions) = unpack("runways.tar.xz") else {
        return;
    };
    let (server, provider) = started().await;
    let recipient = server.consumer().await;
    let reader = server
        .grant(&recipient, "oa_runways", &["changes"], json!({}))
        .await;
    let (mut copy, mut old) = (Replica::default(), BTreeMap::new());
    for (name, body) in &versions {
        let new = by_id(body);
        let (operations, count) = delta(&old, &new);
        let path = format!("/intake/oa_runways/packages/{name}");
        let receipt = deliver(&provider, &path, "application/x-ndjson", operations).await;
        assert_eq!(receipt.status, 200, "{name}: {}", receipt.text());
        assert_eq!(receipt.json()["received"], count, "{name}");
        let heard = copy.follow(&reader, "oa_runways").await;
        assert_eq!(heard.told, count, "{name}");
        // The same records, and so the same digest.
        let has = |id: &i64, record: &String| copy.records.get(&format!("{{\"id\":{id}}}")) == Some(record);
        assert!(
            copy.records.len() == new.len() && new.iter().all(|(id, record)| has(id, record)),
            "{name}"
        );
        let digest = independent::digest(new.values().map(String::as_str));
        assert_eq!(state(&provider, "oa_runways").await["digest"], digest, "{name}");
        old = new;
    }
    let before = state(&provider, "oa_runways").await;
    let (_, last) = versions.last().unwrap();
    for id in ["again", "and_again"] {
        let receipt = snapshot(&provider, id, last).await;
        assert_eq!(receipt["unchanged"], old.len());
        assert_eq!(
            (
                &receipt["accepted"],
                &receipt["deleted"],
                &receipt["last_sequence"]
            ),
            (&json!(0), &json!(0), &Value::Null)
        );
    }
    let after = state(&provider, "oa_runways").await;
    for member in ["last_sequence", "records", "digest", "epoch"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert_eq!(
        copy.follow(&reader, "oa_runways").await.told,
        0,
        "nothing is told of nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_file_is_one_whole_version() {
    let Some(versions) = unpack("runways.tar.xz") else {
        return;
    };
    let (server, provider) = started().await;
    let anyone = server.anonymous();
    let (first, last) = (&versions[0].1, &versions[versions.len() - 1].1);
    snapshot(&provider, "one", first).await;
    let one = file_of(&anyone, by_id(first).len()).await;
    describes_itself(&one);
    parts(&anyone, &one).await;

    // The same again: not a byte of difference, whether or not it was built anew.
    snapshot(&provider, "same", first).await;
    let same = file(&anyone, &[]).await;
    assert_eq!((same.header("etag"), &same.body), (one.header("etag"), &one.body));

    // A download that began before a package keeps its file.
    let request = anyone.request(Method::GET, FILE).await.unwrap();
    let mut download = anyone.send_streamed(request).await.unwrap();
    let mut got = download.chunk().await.unwrap().unwrap().to_vec();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| tokio::spawn(read_until(anyone.clone(), Arc::clone(&stop))))
        .collect();
    snapshot(&provider, "two", last).await;
    let two = file_of(&anyone, by_id(last).len()).await;
    stop.store(true, Ordering::SeqCst);
    while let Some(chunk) = download.chunk().await.unwrap() {
        got.extend_from_slice(&chunk);
    }
    assert!(got == one.body, "a started download is one whole version");
    for reader in readers {
        for file in reader.await.unwrap() {
            assert_eq!(file.status, 200, "{}", file.text());
            assert!(
                file.body == one.body || file.body == two.body,
                "a file of no version"
            );
            assert_eq!(file.body == one.body, file.header("etag") == one.header("etag"));
        }
    }
    assert_ne!(two.header("etag"), one.header("etag"));
    describes_itself(&two);
    let stale = [("range", "bytes=0-9"), ("if-range", one.header("etag"))];
    let whole = file(&anyone, &stale).await;
    assert_eq!(
        (whole.status, whole.body.len()),
        (200, two.body.len()),
        "a part of another version is no part"
    );
    let unknown = raw::get(&anyone, "/public/oa_runways?filename=other.csv").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "file_unknown"));
}

/// Header of lower-cased names, rows in key order, length and digest as told.
fn describes_itself(file: &Raw) {
    let text = std::str::from_utf8(&file.body).unwrap();
    let header = COLUMNS.map(|(_, field, _)| field.to_lowercase()).join(",");
    assert!(text.starts_with(&(header + "\n")));
    let ids: Vec<i64> = independent::rows(text)[1..]
        .iter()
        .map(|row| row[0].parse().unwrap())
        .collect();
    assert!(ids.is_sorted(), "rows are in key order");
    assert!(text.ends_with('\n') && !text.contains('\r'));
    assert_eq!(file.header("content-length"), file.body.len().to_string());
    let digest = STANDARD.encode(Sha256::digest(&file.body));
    assert_eq!(file.header("repr-digest"), format!("sha-256=:{digest}:"));
    assert!(file.header("etag").starts_with('"'), "a strong tag");
}

async fn parts(anyone: &Client, whole: &Raw) {
    let (tag, length) = (whole.header("etag"), whole.body.len());
    let part = file(anyone, &[("range", "bytes=100-199"), ("if-range", tag)]).await;
    assert_eq!(
        (part.status, part.header("content-range")),
        (206, format!("bytes 100-199/{length}").as_str())
    );
    assert_eq!(part.body, whole.body[100..200]);
    let end = file(anyone, &[("range", "bytes=-10")]).await;
    assert_eq!((end.status, &end.body[..]), (206, &whole.body[length - 10..]));
    let beyond = file(anyone, &[("range", "bytes=99999999-")]).await;
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, format!("bytes */{length}").as_str())
    );
    let other = file(anyone, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, other.body.len()), (200, length));
    let same = file(anyone, &[("if-none-match", tag)]).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_dropped_into_a_watched_directory_are_each_the_set() {
    let Some(versions) = unpack("runways.tar.xz") else {
        return;
    };
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "oa_runways", &definition()).await;
    let desk = Desk::watching(&server, &provider, "oa_runways");
    let mut sent = 0;
    for (name, body) in &versions {
        desk.drop_in(name, body);
        let done = desk.done("once", &["--reconcile"]);
        let records = independent::records(std::str::from_utf8(body).unwrap(), &COLUMNS);
        let digest = independent::digest(records.iter().map(String::as_str));
        assert_eq!(done["reconciled"]["digest"], digest, "{name}: {done:#}");
        assert_eq!(state(&provider, "oa_runways").await["digest"], digest, "{name}");
        sent += done["upserts"].as_u64().unwrap() + done["deletes"].as_u64().unwrap();
    }
    figure(&format!(
        "{} versions of the runways: {sent} operations sent",
        versions.len()
    ));
}
