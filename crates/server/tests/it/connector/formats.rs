//! Files of every format, packed or not: the same records, whatever they come in.

use std::io::Write;

use serde_json::{Value, json};

use super::{Desk, state, until, write};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: cf_cars\nkey: Id\ndata_description: Auto\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Make : marka\n  - Mass decimal : masa\n  - Since date : no\n  - Valid bool : derīgs\n  - Tags * : birkas\n  - Owners * :\n      comments: īpašnieki\n      fields:\n        - Code : kods\n        - Share decimal : daļa\n";

struct Site {
    _server: Server,
    provider: Party,
    desk: Desk,
}

/// `source`: what its `[source]` has besides the directory.
async fn site(source: &str) -> Site {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cf_cars", DEFINITION).await;
    let rest = format!(
        "dataset = 'cf_cars'\n[source]\nkind = 'files'\npath = 'in'\nwatch = true\nsettle = '1ms'\n{source}"
    );
    let desk = Desk::feed(&server, &provider, &rest);
    std::fs::create_dir(desk.path("in")).unwrap();
    Site {
        _server: server,
        provider,
        desk,
    }
}

impl Site {
    /// One round takes the file, whole; what the server then holds is told by its digest.
    async fn takes(&self, name: &str, body: &[u8], records: u64) -> Value {
        self.desk.drop_in(name, body);
        let done = self.desk.done("once", &["--reconcile"]);
        assert_eq!(done["refused"], 0, "{name}: {done:#}");
        assert_eq!(done["reconciled"]["differing"], 0, "{name}: {done:#}");
        let state = state(&self.provider, "cf_cars").await;
        assert_eq!(state["records"], records, "{name}");
        state["digest"].clone()
    }

    /// One round takes nothing, and says why; the set stays.
    async fn refuses(&self, name: &str, body: &[u8]) -> String {
        let before = state(&self.provider, "cf_cars").await;
        self.desk.drop_in(name, body);
        let output = self.desk.run("once", &["--json"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        std::fs::remove_file(self.desk.path("in").join(name)).unwrap();
        assert_eq!(state(&self.provider, "cf_cars").await, before, "{name}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Records of every version differ in one.
pub fn records(version: u32) -> Vec<Value> {
    (0..50)
        .map(|n| {
            let mass = if n == 7 { f64::from(version) + 0.25 } else { f64::from(n) + 0.5 };
            json!({
                "Id": n, "Make": format!("Škoda <{n}> & Ķīlis"), "Mass": mass, "Since": format!("2020-01-{:02}", 1 + n % 28),
                "Valid": n % 2 == 0, "Tags": ["a", format!("ņ{n}")], "Owners": [{"Code": format!("{n:011}"), "Share": 0.5}],
            })
        })
        .collect()
}

pub fn ndjson(version: u32) -> Vec<u8> {
    let lines: Vec<String> = records(version).iter().map(Value::to_string).collect();
    lines.join("\n").into_bytes()
}

fn escaped(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.replace('&', "&amp;").replace('<', "&lt;")
}

pub fn xml(version: u32) -> String {
    let mut text = "<r:Register xmlns:r='urn:cars'><r:Made>2026</r:Made><r:Cars>".to_owned();
    for record in records(version) {
        let field = |name: &str| format!("<r:{name}>{}</r:{name}>", escaped(&record[name]));
        text.push_str(&format!("<r:Car id='{}'>", record["Id"]));
        text.extend(["Make", "Mass", "Since", "Valid"].map(field));
        for tag in record["Tags"].as_array().unwrap() {
            text.push_str(&format!("<r:Tags>{}</r:Tags>", escaped(tag)));
        }
        let owner = &record["Owners"][0];
        text.push_str(&format!(
            "<r:OwnerList><r:Owner><r:Code>{}</r:Code><r:Share>{}</r:Share></r:Owner></r:OwnerList></r:Car>\n",
            owner["Code"].as_str().unwrap(),
            owner["Share"]
        ));
    }
    text + "</r:Cars></r:Register>"
}

fn gz(body: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(body).unwrap();
    out.finish().unwrap()
}

fn zst(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 3).unwrap()
}

pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, body) in members {
        out.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(body).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[tokio::test]
async fn packed_files_hold_the_same_records() {
    let site = site("").await;
    let plain = site.takes("1.ndjson", &ndjson(1), 50).await;
    let changed = site.takes("2.ndjson.gz", &gz(&ndjson(2)), 50).await;
    assert_ne!(plain, changed);
    assert_eq!(site.takes("3.ndjson.zst", &zst(&ndjson(1)), 50).await, plain);
    let folder: &[(&str, &[u8])] = &[("cars/", b""), ("cars/Cars.NDJSON", &ndjson(2))];
    assert_eq!(site.takes("4.zip", &zip(folder), 50).await, changed);
    let array = serde_json::to_vec(&records(1)).unwrap();
    assert_eq!(site.takes("5.json.gz", &gz(&array), 50).await, plain);
}

#[tokio::test]
async fn packed_files_that_are_cut_or_ambiguous_are_not_taken() {
    let site = site("").await;
    site.takes("1.ndjson", &ndjson(1), 50).await;
    let packed = gz(&ndjson(2));
    let told = site.refuses("2.ndjson.gz", &packed[..packed.len() / 2]).await;
    assert!(told.contains("it is not taken"), "{told}");
    let packed = zst(&ndjson(2));
    site.refuses("2.ndjson.zst", &packed[..packed.len() / 2]).await;
    let two = zip(&[("a.ndjson", &ndjson(2)), ("b.ndjson", &ndjson(2))]);
    let told = site.refuses("2.zip", &two).await;
    assert!(
        told.contains("holds a.ndjson, b.ndjson: say which one, as source.member"),
        "{told}"
    );
    let told = site.refuses("2.zip", &two[..two.len() - 10]).await;
    assert!(told.contains("it is not taken"), "{told}");
    let told = site.refuses("2.data", b"x").await;
    assert!(told.contains("csv, json, ndjson, xml or parquet"), "{told}");
    // The feed goes on with what can be read.
    site.takes("3.ndjson", &ndjson(3), 50).await;
}

#[tokio::test]
async fn files_of_nothing_are_not_empty_sets() {
    let site = site("").await;
    site.takes("1.ndjson", &ndjson(1), 50).await;
    let told = site.refuses("2.csv", b"").await;
    assert!(told.contains("has no row of column names"), "{told}");
    site.refuses("2.csv.gz", &gz(b"\n \n")).await;
    let told = site.refuses("2.ndjson", b"\n\n").await;
    assert!(told.contains("source.may_be_empty = true"), "{told}");
    site.refuses("2.json", b"").await;
    let (code, emptied) = {
        site.desk
            .drop_in("2.csv", b"Id,Make,Mass,Since,Valid,Tags,Owners\n");
        site.desk.answer("once", &[])
    };
    assert_eq!((code, &emptied["deletes"]), (Some(1), &json!(50)), "{emptied:#}");
    assert!(emptied["held"].is_string(), "the guard asks: {emptied:#}");
}

#[tokio::test]
async fn a_file_of_no_line_is_an_empty_set_where_the_feed_says_so() {
    let site = site("may_be_empty = true\n").await;
    site.takes("1.ndjson", b"\n", 0).await;
}

#[tokio::test]
async fn a_member_of_a_zip_file_is_named() {
    let site = site("member = 'data/cars.ndjson'\n").await;
    let body = zip(&[("readme.txt", b"about"), ("data/cars.ndjson", &ndjson(1))]);
    site.takes("1.zip", &body, 50).await;
}

#[tokio::test]
async fn records_lie_inside_a_json_document() {
    let site = site("records = 'data.items'\n").await;
    let wrapped = |version| json!({"made": "2026", "data": {"items": records(version), "n": 50}}).to_string();
    let digest = site.takes("1.json", wrapped(1).as_bytes(), 50).await;
    site.takes("2.json.zst", &zst(wrapped(2).as_bytes()), 50).await;
    assert_eq!(site.takes("3.json", wrapped(1).as_bytes(), 50).await, digest);
    let told = site.refuses("4.json", br#"{"data": {"rows": []}}"#).await;
    assert!(
        told.contains("there is no list at data.items (source.records); lists are at data.rows"),
        "{told}"
    );
    let told = site.refuses("4.json", br#"{"data": {"items": ["#).await;
    assert!(told.contains("line 1"), "{told}");
}

const XML: &str = "records = 'Register/Cars/Car'\n[map]\nId = '@id'\nOwners = 'OwnerList.Owner'\n";

#[tokio::test]
async fn xml_gives_the_records_that_json_gives() {
    let plain = {
        let site = site("").await;
        site.takes("1.ndjson", &ndjson(1), 50).await
    };
    let site = site(XML).await;
    let made = site.takes("1.xml", xml(1).as_bytes(), 50).await;
    assert_eq!(made, plain);
    // One record has changed; another encoding, and packed.
    let declared = format!("<?xml version='1.0' encoding='windows-1257'?>{}", xml(2));
    let (bytes, _, lost) = encoding_rs::WINDOWS_1257.encode(&declared);
    assert!(!lost);
    site.desk.drop_in("2.xml", &bytes);
    let done = site.desk.done("once", &[]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(1), &json!(0)),
        "{done:#}"
    );
    assert_eq!(
        site.takes("3.zip", &zip(&[("cars.xml", xml(1).as_bytes())]), 50)
            .await,
        plain
    );
}

#[tokio::test]
async fn xml_that_cannot_be_read_leaves_the_set_as_it_is() {
    let site = site(XML).await;
    site.takes("1.xml", xml(1).as_bytes(), 50).await;
    let text = xml(2);
    let told = site.refuses("2.xml", &text.as_bytes()[..text.len() / 2]).await;
    assert!(
        told.contains("it is not taken") && told.contains("line 26, byte "),
        "{told}"
    );
    let told = site.refuses("2.xml", b"<Register><Carz/></Register>").await;
    assert!(
        told.contains("there is no element Register/Cars (source.records); Register has Carz"),
        "{told}"
    );
    let told = site
        .refuses("2.xml", b"<Register><Cars><Error>busy</Error></Cars></Register>")
        .await;
    assert!(told.contains("Register/Cars has Error"), "{told}");
    let told = site
        .refuses("2.xml", text.replace("Škoda", "&auto;").as_bytes())
        .await;
    assert!(told.contains("the entity &auto;"), "{told}");
    // A row that does not fit is refused alone.
    let wrong = text.replace("<r:Mass>9.5</r:Mass>", "<r:Mass>9.5</r:Mass><r:Mass>1</r:Mass>");
    site.desk.drop_in("2.xml", wrong.as_bytes());
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["refused"], &done["upserts"], &done["deletes"]),
        (&json!(1), &json!(1), &json!(0)),
        "{done:#}"
    );
    let refusals = &site.desk.status()["refusals"];
    assert_eq!(
        (&refusals[0]["column"], &refusals[0]["rule"]),
        (&json!("Mass"), &json!("repeated")),
        "{refusals:#}"
    );
}

#[tokio::test]
async fn a_large_document_takes_no_more_memory_than_a_small_one() {
    let site = site("records = 'R/C'\n").await;
    let (_, small) = size_and_peak_kib(&site.desk, 5_000);
    let (size, large) = size_and_peak_kib(&site.desk, 60_000);
    assert!(size > 40_000, "{size} KiB");
    assert!(
        large < small + size / 4,
        "{large} KiB for a document of {size} KiB, {small} KiB for a small one"
    );
}

/// Writes a document of so many records; its size, and the most memory that `check` of all of it took.
fn size_and_peak_kib(desk: &Desk, records: u32) -> (u64, u64) {
    let path = desk.path("in/1.xml");
    let mut out = std::io::BufWriter::new(std::fs::File::create(desk.path("made")).unwrap());
    out.write_all(b"<R>").unwrap();
    for n in 0..records {
        writeln!(out, "<C><Id>{n}</Id><Make>{}</Make></C>", "Ķīlis ".repeat(100)).unwrap();
    }
    out.write_all(b"</R>").unwrap();
    drop(out);
    std::fs::rename(desk.path("made"), &path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len() >> 10;
    let mut child = crate::server::dagr()
        .args(["connector", "check", "--json"])
        .arg(&desk.file)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kib.unwrap_or_default());
        std::thread::yield_now();
    }
    let output = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["records"], records, "{told:#}");
    (size, peak)
}

#[tokio::test]
async fn every_fault_of_a_source_is_told_with_what_may_stand_there() {
    let site = site("format = 'xlm'\nrecords = 'Register//Car'\nmember = 7\n").await;
    let output = site.desk.run("check", &["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults: Vec<(&str, &str)> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["place"].as_str().unwrap(),
                fault["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        faults.iter().map(|fault| fault.0).collect::<Vec<_>>(),
        ["source.format", "source.records", "source.member"]
    );
    assert_eq!(
        faults[0].1,
        "expected csv, json, ndjson, xml or parquet; did you mean xml?"
    );
    write(&site.desk.file, "dataset = 'x'\n[source]\nkind = 'soup'\n");
    let output = site.desk.run("check", &["--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("expected postgres, mariadb, mysql, sqlite, files, http or soap"),
        "{text}"
    );
}

#[tokio::test]
async fn a_column_that_is_gone_empties_no_field_until_the_feed_says_so() {
    let site = site("").await;
    let told = site.desk.run("check", &["--json"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("has no file in it yet"), "{told}");
    site.takes("1.csv", b"Id,Make,Mass\n1,\xC5\xA0koda,5\n2,Fiat,6\n", 2)
        .await;
    let renamed = b"Id,Maker,Mass\n1,\xC5\xA0koda,5\n2,Fiat,6\n";
    let told = site.refuses("2.csv", renamed).await;
    assert!(
        told.contains("field Make") && told.contains("did you mean Maker?"),
        "{told}"
    );
    // What was taken is looked at again where nothing is new; what is new goes before it.
    assert_eq!(site.desk.done("check", &[])["records"], 2);
    site.desk.drop_in("2.csv", renamed);
    let (code, told) = site.desk.answer("check", &[]);
    assert_eq!(code, Some(1));
    assert!(told.to_string().contains("field Make"), "{told:#}");
    let feed = std::fs::read_to_string(&site.desk.file).unwrap();
    write(
        &site.desk.file,
        format!("{feed}\n[map]\noptional = ['Make']\ndrop = ['Maker']\n"),
    );
    let done = site.desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(2), &json!(0)),
        "{done:#}"
    );
    // A key that has no column is no key of any row.
    let keyless = format!("unreadable_keys = 'pass'\n{feed}");
    write(&site.desk.file, keyless);
    site.refuses("3.csv", b"Nr,Make\n1,Fiat\n").await;
}

#[tokio::test]
async fn a_followed_table_that_loses_a_column_empties_no_field() {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cf_cars", DEFINITION).await;
    let rest = "dataset = 'cf_cars'\n[source]\nkind = 'sqlite'\npath = 'cars.db'\ntable = 'car'\n[source.follow]\nevery = '50ms'\n";
    let desk = Desk::feed(&server, &provider, rest);
    let db = rusqlite::Connection::open(desk.path("cars.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE car (Id INTEGER PRIMARY KEY, Make TEXT); INSERT INTO car VALUES (1, 'Fiat'), (2, 'Opel')",
    )
    .unwrap();
    let mut service = desk.service();
    until("all is there", async || {
        state(&provider, "cf_cars").await["records"] == 2
    })
    .await;
    let before = state(&provider, "cf_cars").await["digest"].clone();
    db.execute_batch(
        "ALTER TABLE car RENAME COLUMN Make TO Maker; UPDATE car SET Maker = 'Seat' WHERE Id = 1",
    )
    .unwrap();
    until("the feed says what is missing", async || {
        desk.status()["problem"].to_string().contains("field Make")
    })
    .await;
    assert_eq!(state(&provider, "cf_cars").await["digest"], before);
    db.execute_batch("ALTER TABLE car RENAME COLUMN Maker TO Make")
        .unwrap();
    until("the change is there", async || {
        state(&provider, "cf_cars").await["digest"] != before
    })
    .await;
    assert_eq!(service.stop(), Some(0));
}
