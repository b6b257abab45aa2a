//! Address points of Riga: one set of rows in two encodings, without a natural key.

use std::collections::{BTreeMap, BTreeSet};

use dagr_server::client::Client;
use serde_json::json;

use super::{deliver, figure, independent, state, uncompress};
use crate::{
    connector::Desk,
    raw,
    server::{Party, Server},
};

fn definition(name: &str) -> String {
    format!(
        "name: {name}\nkey: adrese\ndata_description: Adreses\nfields:\n  - adrese : a\n  - iela : i\n  - numurs : n\n  \
         - rotation decimal : r\n  - x_lks92 decimal : x\n  - y_lks92 decimal : y\n"
    )
}

/// Lines of each address (the header is line 1) and how many different rows it has.
fn addresses(text: &str) -> BTreeMap<String, (Vec<u64>, usize)> {
    let mut rows: BTreeMap<String, (Vec<u64>, BTreeSet<Vec<String>>)> = BTreeMap::new();
    for (row, line) in independent::rows(text).into_iter().zip(1..).skip(1) {
        let (lines, different) = rows.entry(row[0].clone()).or_default();
        lines.push(line);
        different.insert(row);
    }
    rows.into_iter()
        .map(|(key, (lines, different))| (key, (lines, different.len())))
        .collect()
}

/// Lines in quarantine, by pages.
async fn quarantined(provider: &Party, dataset: &str) -> Vec<u64> {
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/intake/{dataset}/quarantine?package=all&limit=40{after}");
        let page = provider.client.get(&path).await.unwrap();
        for row in page["rows"].as_array().unwrap() {
            assert_eq!(
                (&row["package"], &row["rule"]),
                (&"all".into(), &"duplicates".into())
            );
            lines.push(row["line"].as_u64().unwrap());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    lines.sort_unstable();
    lines
}

async fn keys_with_a_slash_are_found(reader: &Client, dataset: &str, keys: &[&String]) {
    assert_eq!(keys.len(), 98);
    for key in keys {
        let answer = raw::get(reader, &format!("/data/{dataset}/records/{}", raw::percent(key))).await;
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        assert_eq!(answer.json()["adrese"], **key);
    }
    let body = json!({ "keys": keys.iter().map(|key| json!({ "adrese": key })).collect::<Vec<_>>() });
    let answer = raw::post(reader, &format!("/data/{dataset}/lookup"), &body)
        .await
        .json();
    for (result, key) in answer["results"].as_array().unwrap().iter().zip(keys) {
        assert_eq!(result["found"], true, "{key}");
        assert_eq!(
            (&result["key"]["adrese"], &result["record"]["adrese"]),
            (&json!(key), &json!(key))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_encodings_are_the_same_set() {
    let (Some(utf8), Some(baltic)) = (
        uncompress("riga/addresses_utf8.csv.xz"),
        uncompress("riga/addresses_iso8859-13.csv.xz"),
    ) else {
        return;
    };
    let addresses = addresses(std::str::from_utf8(&utf8).unwrap());
    let repeated: Vec<_> = addresses.values().filter(|(lines, _)| lines.len() > 1).collect();
    let differing = || repeated.iter().filter(|(_, different)| *different > 1);
    assert_eq!((repeated.len(), differing().count()), (46, 45));
    let mut lines: Vec<u64> = differing().flat_map(|(lines, _)| lines.clone()).collect();
    lines.sort_unstable();

    let server = Server::start();
    let (provider, recipient) = (server.producer().await, server.consumer().await);
    let mut digests = Vec::new();
    for (name, charset, body) in [("rd_utf", "utf-8", utf8), ("rd_baltic", "iso-8859-13", baltic)] {
        server.publish(&provider, name, &definition(name)).await;
        let path = format!("/intake/{name}/packages/all?mode=snapshot");
        let receipt = deliver(&provider, &path, &format!("text/csv; charset={charset}"), body).await;
        assert_eq!(receipt.status, 200, "{}", receipt.text());
        let receipt = receipt.json();
        assert_eq!(
            receipt["read_as"],
            json!({ "media_type": "text/csv", "charset": charset, "delimiter": "," })
        );
        assert_eq!(receipt["received"], 48_121);
        assert_eq!(receipt["duplicates"], 1, "one surplus row is an exact copy");
        assert_eq!(receipt["quarantined"], lines.len());
        assert_eq!(receipt["accepted"], addresses.len() - 45);
        assert_eq!(quarantined(&provider, name).await, lines);
        digests.push(state(&provider, name).await["digest"].clone());
    }
    assert_eq!(digests[0], digests[1]);

    let reader = server
        .grant(&recipient, "rd_baltic", &["key", "bulk"], json!({}))
        .await;
    let keys: Vec<&String> = addresses.keys().filter(|key| key.contains('/')).collect();
    keys_with_a_slash_are_found(&reader, "rd_baltic", &keys).await;
}

#[tokio::test]
async fn a_feed_reads_both_encodings_to_the_same_set() {
    let (mut digests, mut utf8) = (Vec::new(), None);
    for (name, file, charset) in [
        ("rg_utf8", "riga/addresses_utf8.csv.xz", "utf-8"),
        ("rg_baltic", "riga/addresses_iso8859-13.csv.xz", "iso-8859-13"),
    ] {
        let Some(body) = uncompress(file) else { return };
        let server = Server::start();
        let provider = server.producer().await;
        server.publish(&provider, name, &definition(name)).await;
        let desk = Desk::watching(&server, &provider, name);
        let text = std::fs::read_to_string(&desk.file).unwrap();
        std::fs::write(
            &desk.file,
            text.replace("watch = true", &format!("watch = true\ncharset = '{charset}'")),
        )
        .unwrap();
        desk.drop_in("1.csv", &body);
        let done = desk.done("once", &["--reconcile"]);
        assert_eq!(done["reconciled"]["differing"], 0, "{done:#}");
        // As an independent reading has it: of 45 keys several rows differ, and none of those is sent.
        let all = utf8.get_or_insert_with(|| addresses(std::str::from_utf8(&body).unwrap()).len());
        assert_eq!(
            (&done["upserts"], &done["refused"]),
            (&json!(*all - 45), &json!(45)),
            "{done:#}"
        );
        figure(&format!(
            "addresses of Riga in {charset}: {} records sent, {} keys refused",
            done["upserts"], done["refused"]
        ));
        digests.push((
            done["reconciled"]["digest"].clone(),
            done["records"].clone(),
            done["refused"].clone(),
        ));
    }
    assert_eq!(digests[0], digests[1]);
}
