//! Parquet there and back: a replica writes its copy, a feed reads it, and the digest is the same.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, init::file::Proposed, state};
use crate::{
    raw,
    server::{Party, Server},
};

const DEFINITION: &str = "name: cq_people\nkey: Code(, Year)\ndata_description: Cilvēki\nclassification: restricted\nfields:\n  - Code : kods\n  - Year int : gads\n  - Name : vārds\n  - Good bool : labs\n  - Born date : dzimis\n  - Seen timestamp : laiks\n  - Score decimal : punkti\n  - Extra json : papildu\n  - Tags * : birkas\n  - Home :\n      comments: mājas\n      fields:\n        - Street : iela\n        - Rooms int : istabas\n  - Pets * :\n      comments: mājdzīvnieki\n      fields:\n        - Name : vārds\n        - Toys * :\n            comments: rotaļlietas\n            fields:\n              - What : kas\n              - Price decimal : cena\n";

fn person(n: u32) -> Value {
    let mut person = json!({
        "Code": format!("k{n:05}"), "Year": 2000 + n % 3, "Name": format!("Ņikita \"{n}\", Ķekava"), "Good": n.is_multiple_of(2),
        "Born": format!("19{:02}-02-{:02}", n % 100, 1 + n % 28), "Seen": format!("2026-01-01T10:00:{:02}.125Z", n % 60),
        "Score": format!("{n}.{:02}", n % 100).parse::<serde_json::Number>().unwrap(),
        "Pets": [{"Name": "Rekss", "Toys": [{"What": "bumba", "Price": 1.5}, {"What": format!("kauls {n}")}]}, {"Name": format!("Muris {n}")}],
    });
    if n.is_multiple_of(3) {
        person["Extra"] = json!({"a": [1, null, {"b": "ā"}]});
        person["Tags"] = json!(["a", "", format!("t{n}")]);
        person["Home"] = json!({"Street": "Brīvības iela", "Rooms": n % 7});
    }
    person
}

async fn deliver(provider: &Party, package: &str, operations: &[Value]) {
    let path = format!("/intake/cq_people/packages/{package}");
    let body = raw::lines(operations);
    provider
        .client
        .put(&path, "application/x-ndjson", body)
        .await
        .unwrap();
}

/// Puts the file before a feed of another server; what that then holds.
async fn fed_back(file: &[u8], records: u64) -> Value {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cq_people", DEFINITION).await;
    let desk = Desk::watching(&server, &provider, "cq_people");
    desk.drop_in("1.parquet", file);
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (
            &done["upserts"],
            &done["refused"],
            &done["reconciled"]["differing"]
        ),
        (&json!(records), &json!(0), &json!(0)),
        "{done:#}\n{:#}",
        desk.status()
    );
    // Packed, and cut off.
    desk.drop_in("2.parquet.zst", &zstd::encode_all(file, 1).unwrap());
    assert_eq!(desk.done("once", &[])["packages"], 0);
    desk.drop_in("3.parquet", &file[..file.len() - 5]);
    let output = desk.run("once", &["--json"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code() == Some(1) && told.contains("it is not taken"),
        "{told}"
    );
    state(&provider, "cq_people").await
}

#[tokio::test]
async fn a_copy_in_parquet_holds_what_the_server_holds() {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "cq_people", DEFINITION).await;
    let operations: Vec<Value> = (0..1_000)
        .map(|n| json!({"op": "upsert", "record": person(n)}))
        .collect();
    deliver(&provider, "p1", &operations).await;
    let client = server
        .grant(&reader, "cq_people", &["key", "changes", "bulk"], json!({}))
        .await;
    let permissions = client.get("/current_user_permissions").await.unwrap();
    let number = permissions[0]["permission_number"].as_str().unwrap();
    let rest = format!(
        "dataset = 'cq_people'\npermission = '{number}'\nwait = '5s'\n[target]\nkind = 'files'\npath = 'copy.parquet'\n"
    );
    let desk = Desk::replica(&server, &reader, &rest);
    assert_eq!(desk.done("once", &[])["state"], "current");
    let first = fs::read(desk.path("copy.parquet")).unwrap();
    let held = state(&provider, "cq_people").await;
    let again = fed_back(&first, 1_000).await;
    assert_eq!(
        (&again["digest"], &again["records"]),
        (&held["digest"], &held["records"])
    );
    // A change, a delete and a value with more digits: the file is written anew, whole.
    let longer = "123456789012345678.000000001"
        .parse::<serde_json::Number>()
        .unwrap();
    deliver(
        &provider,
        "p2",
        &[
            json!({"op": "upsert", "record": {"Code": "new", "Year": 1, "Score": longer}}),
            json!({"op": "delete", "key": {"Code": "k00007", "Year": 2001}}),
        ],
    )
    .await;
    desk.done("once", &[]);
    let second = fs::read(desk.path("copy.parquet")).unwrap();
    assert_ne!(first, second);
    assert!(!desk.path("copy.parquet.part").exists());
    let held = state(&provider, "cq_people").await;
    assert_eq!(fed_back(&second, 1_000).await["digest"], held["digest"]);
    // What it holds tells what it is.
    let proposed = Proposed::of("people.parquet", &second, &[]);
    let text = proposed.definition();
    for line in [
        "key: Code\n",
        "  - Year int",
        "  - Good bool",
        "  - Born date",
        "  - Seen timestamp",
        "  - Score decimal",
        "  - Tags * :",
        "        - Rooms int :",
        "        - Toys * :",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(proposed.works(&server, &provider).await["upserts"], 1_000);
}
