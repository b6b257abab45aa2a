//! Files of a directory that is watched.

mod elsewhere;
mod emptied;
mod guard;
mod refused;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Desk, state, until, write};
use crate::server::{Party, Server};

const DEFINITION: &str = "name: cf_boats\nkey: Number\ndata_description: Kuģi\nclassification: restricted\nfields:\n  - Number int : numurs\n  - Name : vārds\n  - Length decimal : garums\n  - Built date : gads\ncsv: {columns: {\"Garums (m)\": Length}}\n";

const REST: &str = "dataset = 'cf_boats'\ndefinition = 'boats.yaml'\n[source]\nkind = 'files'\npath = 'in'\nwatch = true\nsettle = '1ms'\n[map]\nBuilt = { column = 'gads', format = '%d.%m.%Y' }\ndrop = ['piezīmes']\n";

struct Site {
    server: Server,
    provider: Party,
    desk: Desk,
}

async fn site() -> Site {
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "cf_boats", DEFINITION).await;
    let desk = Desk::feed(&server, &provider, REST);
    std::fs::create_dir(desk.path("in")).unwrap();
    write(&desk.path("boats.yaml"), DEFINITION);
    Site {
        server,
        provider,
        desk,
    }
}

/// The first file, of twenty boats, is taken.
async fn taken() -> Site {
    let site = site().await;
    write(&site.desk.path("in/1.csv"), csv(0..20, "A"));
    site.desk.done("once", &[]);
    site
}

fn csv(rows: std::ops::Range<u32>, name: &str) -> String {
    let mut text = "Number,Name,Garums (m),gads,piezīmes\n".to_owned();
    for n in rows {
        text.push_str(&format!(
            "{n},{name} Ķīlis {n},{n}.50,24.12.{},x\n",
            1990 + n % 30
        ));
    }
    text
}

/// 200 boats without the ninth; `damage` ends the row of the fifth.
fn without_9(damage: &str) -> String {
    let lines: Vec<String> = csv(0..200, "A")
        .lines()
        .filter(|line| !line.starts_with("9,"))
        .map(|line| match line.strip_prefix("5,") {
            Some(rest) => format!("5,{rest}{damage}"),
            None => line.to_owned(),
        })
        .collect();
    lines.join("\n")
}

fn told(view: &Value) -> [u64; 4] {
    let numbers = ["deletes", "refused", "unread", "kept"];
    numbers.map(|name| view[name].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn versions_of_a_register_go_one_after_another_and_only_differences_are_sent() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    assert_eq!(desk.done("packages", &[]), json!([]));
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    write(&desk.path("in/2.csv.part"), "half");
    let first = desk.done("once", &[]);
    assert_eq!(
        (&first["upserts"], &first["packages"]),
        (&json!(200), &json!(1)),
        "{first:#}"
    );
    assert_eq!(first["reconciled"]["differing"], 0);
    let server = state(&provider, "cf_boats").await;
    assert_eq!(
        (&server["digest"], &server["records"]),
        (&first["reconciled"]["digest"], &json!(200))
    );
    // Nothing new: nothing is read and nothing sent.
    let again = desk.done("once", &[]);
    assert_eq!((&again["upserts"], &again["packages"]), (&json!(0), &json!(0)));
    // One changed, one new, one gone.
    let next = csv(0..201, "A")
        .replace("A Ķīlis 7,", "B Ķīlis 7,")
        .replace("3,A Ķīlis 3,3.50,24.12.1993,x\n", "");
    write(&desk.path("in/2.csv"), next);
    let second = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&second["upserts"], &second["deletes"]),
        (&json!(2), &json!(1)),
        "{second:#}"
    );
    assert_eq!(second["reconciled"]["differing"], 0);
    let status = desk.status();
    assert_eq!(
        (&status["state"], &status["records"]),
        (&json!("ok"), &json!(200))
    );
    // The same content under another name makes no package.
    std::fs::copy(desk.path("in/2.csv"), desk.path("in/3.csv")).unwrap();
    assert_eq!(desk.done("once", &[])["packages"], 0);
    receipts(&provider, &desk).await;
}

/// What the feed tells of its packages is what the server says of them.
async fn receipts(provider: &Party, desk: &Desk) {
    let packages = desk.done("packages", &[]);
    let packages = packages.as_array().unwrap();
    assert_eq!(packages.len(), 2, "{packages:#?}");
    assert_eq!(packages[0]["previous"], packages[1]["id"]);
    for package in packages {
        let path = format!("/intake/cf_boats/packages/{}", package["id"].as_str().unwrap());
        let held = provider.client.get(&path).await.unwrap();
        assert_eq!(package["receipt"], held["receipt"], "{package:#}");
        assert!(package["receipt"]["signature"].is_string());
        assert_eq!(package["receipt"]["digest"], package["sha256"]);
    }
    assert_eq!(
        desk.done("packages", &["--limit", "1"]).as_array().unwrap().len(),
        1
    );
    let text = String::from_utf8(desk.run("packages", &[]).stdout).unwrap();
    assert!(
        text.contains("applied  3 operations, 1 of them deletes; receipt signed"),
        "{text}"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_sent_names_row_column_and_rule_and_keeps_its_record() {
    let Site {
        server: _server,
        provider,
        desk,
    } = taken().await;
    let broken = csv(0..20, "A")
        .replace("24.12.1995", "1995-12-24")
        .replace(",7.50,", ",septiņi,");
    write(&desk.path("in/2.csv"), broken);
    let (code, checked) = desk.answer("check", &[]);
    // `check` looks at the file that comes next.
    assert_eq!(
        (code, &checked["records"], &checked["refused"]),
        (Some(1), &json!(18), &json!(2)),
        "{checked:#}"
    );
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (&done["refused"], &done["upserts"], &done["deletes"]),
        (&json!(2), &json!(0), &json!(0)),
        "{done:#}"
    );
    assert_eq!(state(&provider, "cf_boats").await["records"], 20);
    let status = desk.status();
    let told: Vec<(u64, &str, &str, &str)> = status["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (
                row["row"].as_u64().unwrap(),
                text("column"),
                text("rule"),
                text("shape"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (7, "gads", "format", "9999-99-99"),
            (9, "Garums (m)", "type", "aaaaaaa")
        ]
    );
    assert!(!status.to_string().contains("septiņi"), "no value is told");
}

#[tokio::test]
async fn what_somebody_else_delivered_is_found_and_put_right() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..900, "old"));
    write(&desk.path("in/2.csv"), csv(0..1_000, "A"));
    desk.done("once", &[]);
    let right = state(&provider, "cf_boats").await["digest"].clone();
    let others = "{\"op\":\"upsert\",\"record\":{\"Number\":7,\"Name\":\"svešs\"}}\n{\"op\":\"upsert\",\"record\":{\"Number\":5000}}\n{\"op\":\"upsert\",\"record\":{\"Number\":-1}}\n{\"op\":\"delete\",\"key\":{\"Number\":500}}\n";
    provider
        .client
        .put("/intake/cf_boats/packages/others", "application/x-ndjson", others)
        .await
        .unwrap();
    // Without being told to, the feed sends nothing on top of what it does not know.
    write(&desk.path("in/3.csv"), csv(0..1_001, "A"));
    let (code, refused) = desk.answer("once", &[]);
    assert_eq!(code, Some(1));
    assert!(
        refused["detail"].as_str().unwrap().contains("resync"),
        "{refused:#}"
    );
    let done = desk.done("resync", &["--yes"]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(3), &json!(2)),
        "{done:#}"
    );
    // Five of a thousand: a first look at 256 pieces, and one at each that differs.
    let exchanges = done["exchanges"].as_u64().unwrap();
    assert!((2..=8).contains(&exchanges), "{done:#}");
    std::fs::remove_file(desk.path("in/3.csv")).unwrap();
    write(&desk.path("in/4.csv"), csv(0..1_000, "A"));
    desk.done("once", &["--reconcile"]);
    assert_eq!(state(&provider, "cf_boats").await["digest"], right);
}

#[tokio::test]
async fn every_fault_of_a_feed_is_told_at_once() {
    let Site {
        server: _server,
        desk,
        ..
    } = site().await;
    let text = std::fs::read_to_string(&desk.file).unwrap();
    let wrong = text
        .replace("watch = true", "wacht = true")
        .replace("{ file = \"key.pem\" }", "\"hush-hush\"")
        .replace("settle = '1ms'", "settle = 3");
    write(&desk.file, wrong);
    let output = desk.run("check", &["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<&str> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["place"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        ["server.key", "source.settle", "source.wacht"],
        "{told:#}"
    );
    assert!(!told.to_string().contains("hush"));
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_where_it_was() {
    let Site {
        mut server,
        provider,
        desk,
    } = site().await;
    let mut service = desk.service();
    for version in 1..=4u32 {
        write(
            &desk.path(&format!("in/{version}.csv.tmp")),
            csv(0..150 + version, &format!("V{version}")),
        );
        std::fs::rename(
            desk.path(&format!("in/{version}.csv.tmp")),
            desk.path(&format!("in/{version}.csv")),
        )
        .unwrap();
        if version % 2 == 0 {
            service.kill();
            server.kill();
            server.launch();
            desk.point(&server, &provider, REST);
            service = desk.service();
        }
    }
    let provider_again = Party {
        client: server.again(&provider),
        ..provider
    };
    until("the newest version is there", async || {
        state(&provider_again, "cf_boats").await["records"] == 154
    })
    .await;
    assert_eq!(service.stop(), Some(0));
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(done["reconciled"]["differing"], 0);
    assert_eq!(
        state(&provider_again, "cf_boats").await["digest"],
        done["reconciled"]["digest"]
    );
}

#[tokio::test]
async fn a_feed_that_lost_its_state_goes_on_from_what_the_server_holds() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    desk.done("once", &[]);
    std::fs::write(
        desk.path("cf_boats.state/feed.db"),
        "what a disk makes of it ".repeat(300),
    )
    .unwrap();
    for verb in ["once", "status"] {
        let told = desk.run(verb, &[]);
        let words = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(1), "{words}");
        assert!(
            words.contains("cf_boats.state/feed.db") && words.contains("`dagr connector resync`"),
            "{words}"
        );
    }
    std::fs::remove_dir_all(desk.path("cf_boats.state")).unwrap();
    std::fs::remove_file(desk.path("in/1.csv")).unwrap();
    write(&desk.path("in/2.csv"), csv(1..210, "A"));
    // Only what differs is sent, and what is the same stays.
    let done = desk.done("resync", &["--yes"]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(10), &json!(1)),
        "{done:#}"
    );
    assert_eq!(state(&provider, "cf_boats").await["records"], 209);
    let again = desk.done("once", &["--reconcile"]);
    assert_eq!(again["reconciled"]["differing"], json!(0), "{again:#}");
}

#[tokio::test]
async fn resync_all_sends_everything_anew_on_top_of_whatever_is_there() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..300, "A"));
    desk.done("once", &[]);
    let right = state(&provider, "cf_boats").await["digest"].clone();
    let lines: Vec<String> = (250..400)
        .map(|n| format!("{{\"op\":\"upsert\",\"record\":{{\"Number\":{n},\"Name\":\"svešs\"}}}}"))
        .collect();
    let sent = provider.client.put(
        "/intake/cf_boats/packages/others",
        "application/x-ndjson",
        lines.join("\n"),
    );
    sent.await.unwrap();
    // Without a yes nothing is done.
    assert_eq!(desk.run("resync", &["--all"]).status.code(), Some(1));
    assert_ne!(state(&provider, "cf_boats").await["digest"], right);
    // A hundred of somebody else's would go: the guard asks.
    let (code, done) = desk.answer("resync", &["--all", "--yes"]);
    assert_eq!(
        (code, &done["upserts"]),
        (Some(1), &json!(300)),
        "everything goes: {done:#}"
    );
    assert!(done["held"].is_string(), "{done:#}");
    assert_eq!(desk.status()["state"], "held");
    desk.done("release", &[]);
    assert_eq!(state(&provider, "cf_boats").await["digest"], right);
    assert_eq!(desk.done("once", &["--reconcile"])["reconciled"]["differing"], 0);
}

#[tokio::test]
async fn resync_all_is_the_way_out_when_what_was_sent_cannot_be_read() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..300, "A"));
    desk.done("once", &[]);
    let right = state(&provider, "cf_boats").await["digest"].clone();
    let sent = || -> PathBuf {
        let files = std::fs::read_dir(desk.path("cf_boats.state")).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        let is_sent = |path: &PathBuf| path.to_string_lossy().ends_with(".digests");
        paths.find(is_sent).unwrap()
    };
    for damage in ["cut off", "gone"] {
        let path = sent();
        if damage == "gone" {
            std::fs::remove_file(&path).unwrap();
        } else {
            write(&path, damage);
        }
        for (verb, words) in [("once", &[][..]), ("resync", &["--yes"])] {
            let told = desk.run(verb, words);
            let words = String::from_utf8(told.stderr).unwrap();
            assert_eq!(told.status.code(), Some(1), "{words}");
            assert!(
                words.contains(".digests") && words.contains("`dagr connector resync --all`"),
                "{damage}: {words}"
            );
        }
        let done = desk.done("resync", &["--all", "--yes"]);
        assert_eq!(
            (&done["upserts"], &done["held"]),
            (&json!(300), &Value::Null),
            "{damage}: {done:#}"
        );
        assert_eq!(state(&provider, "cf_boats").await["digest"], right);
        assert_eq!(
            desk.done("once", &["--reconcile"])["reconciled"]["differing"],
            0,
            "{damage}"
        );
    }
    // What it wrote instead is what the next change is compared with.
    write(&desk.path("in/2.csv"), csv(0..299, "A"));
    let done = desk.done("once", &[]);
    assert_eq!(
        (&done["upserts"], &done["deletes"]),
        (&json!(0), &json!(1)),
        "{done:#}"
    );
}

/// Prometheus text (exposition format 0.0.4): every sample under its own HELP and TYPE, once.
fn samples(text: &str) -> std::collections::BTreeMap<String, i64> {
    let mut found = std::collections::BTreeMap::new();
    let mut lines = text.lines();
    while let Some(help) = lines.next() {
        let (name, words) = help.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
        assert!(name.starts_with("dagr_connector_") && !words.is_empty(), "{help}");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
        let sample = lines.next().unwrap();
        let value = sample
            .strip_prefix(&format!("{name}{{feed=\"cf_boats\"}} "))
            .unwrap();
        assert!(
            found
                .insert(name.to_owned(), value.parse::<f64>().unwrap() as i64)
                .is_none(),
            "{name} twice"
        );
    }
    assert!(text.is_empty() || text.ends_with('\n'));
    found
}

#[tokio::test]
async fn the_status_as_metrics_is_prometheus_text() {
    let Site {
        server: _server,
        provider: _provider,
        desk,
    } = site().await;
    let metrics = || {
        let output = desk.run("status", &["--metrics"]);
        assert!(output.status.success());
        samples(&String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(metrics()["dagr_connector_problem"], 0, "before it ever ran");
    write(&desk.path("in/1.csv"), csv(0..300, "A"));
    desk.done("once", &["--reconcile"]);
    let now = jiff::Timestamp::now().as_second();
    let told = metrics();
    for (name, value) in [
        ("records", 300),
        ("waiting_packages", 0),
        ("spool_bytes", 0),
        ("refused_rows", 0),
        ("declined_records", 0),
        ("problem", 0),
    ] {
        assert_eq!(told[&format!("dagr_connector_{name}")], value, "{told:?}");
    }
    for name in ["last_compare_seconds", "last_reconcile_seconds"] {
        let told = told[&format!("dagr_connector_{name}")];
        assert!(told <= now && told > now - 3_600, "{name} {told}");
    }
}

#[tokio::test]
async fn an_older_file_that_comes_back_is_not_the_present_state() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    write(&desk.path("in/1.csv"), csv(0..200, "A"));
    write(&desk.path("in/2.csv"), csv(0..200, "B"));
    desk.done("once", &[]);
    let present = state(&provider, "cf_boats").await;
    write(&desk.path("in/1.csv"), csv(0..201, "A"));
    assert_eq!(desk.done("once", &[])["packages"], 0);
    assert!(desk.said().contains("1.csv"), "{}", desk.said());
    assert_eq!(state(&provider, "cf_boats").await, present);
    assert_eq!(desk.status()["late"], "1.csv");
    assert_eq!(
        (&desk.status()["state"], &desk.status()["late_files"]),
        (&json!("late"), &json!(1))
    );
    // Comparing with the server reads the newest again, not the one that came late.
    let done = desk.done("resync", &["--yes"]);
    assert_eq!((&done["upserts"], &done["deletes"]), (&json!(0), &json!(0)));
    assert_eq!(state(&provider, "cf_boats").await["digest"], present["digest"]);
}

#[tokio::test]
async fn a_file_is_read_again_when_the_feed_reads_it_otherwise() {
    let Site {
        server,
        provider,
        desk,
    } = taken().await;
    assert_eq!(desk.done("once", &[])["packages"], 0);
    let coded = REST.replace(
        "drop =",
        "Name = { column = 'Name', codes = { 'A Ķīlis 7' = 'Septiņi' }, other = 'keep' }\ndrop =",
    );
    desk.point(&server, &provider, &coded);
    assert_eq!(desk.done("once", &[])["upserts"], 1);
    assert_eq!(desk.done("once", &[])["packages"], 0);
}

#[tokio::test]
async fn a_directory_that_is_away_is_a_problem_that_passes() {
    let Site {
        server: _server,
        provider,
        desk,
    } = taken().await;
    std::fs::rename(desk.path("in"), desk.path("unmounted")).unwrap();
    let service = desk.service();
    let problem = desk.until_problem("No such file").await;
    assert!(problem.starts_with("source: "), "{problem}");
    write(&desk.path("unmounted/2.csv"), csv(0..21, "A"));
    std::fs::rename(desk.path("unmounted"), desk.path("in")).unwrap();
    until("it goes on", async || {
        state(&provider, "cf_boats").await["records"] == 21
    })
    .await;
    desk.until_whole(service, &provider, "cf_boats").await;
}

#[tokio::test]
async fn a_package_is_decided_on_while_the_service_runs() {
    let Site {
        server: _server,
        provider,
        desk,
    } = site().await;
    let records = async |wanted: u64| {
        until("the records", async || {
            state(&provider, "cf_boats").await["records"] == wanted
        })
        .await;
    };
    let held = async || until("it is held", async || desk.status()["state"] == "held").await;
    write(&desk.path("in/1.csv"), csv(0..100, "A"));
    let service = desk.service();
    records(100).await;
    desk.drop_in("2.csv", csv(0..60, "A").as_ref());
    held().await;
    desk.done("reject", &[]);
    until("it goes on", async || desk.status()["state"] == "ok").await;
    desk.drop_in("3.csv", csv(0..61, "A").as_ref());
    held().await;
    desk.done("release", &[]);
    records(61).await;
    desk.until_whole(service, &provider, "cf_boats").await;
}
