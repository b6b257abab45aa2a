//! The same log read by somebody else: PostgreSQL's own `test_decoding`, which shares no line with the feed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use dagr_server::client::Client;

use super::{Desk, postgres::Database, state, until};
use crate::server::Server;

const DEFINITION: &str = "name: ci_words\nkey: Id\nguard: 100%\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id int : numurs\n  - Word : vārds\n";

/// What a transaction left of each key: a word, or nothing.
type Events = BTreeMap<i64, Option<String>>;

/// Lines such as `table public.words: UPDATE: old-key: id[bigint]:1 new-tuple: id[bigint]:2 word[text]:'x'`.
fn read(lines: &[String]) -> Vec<Events> {
    let mut transactions = Vec::new();
    let mut events = Events::new();
    let ids = |text: &str| -> Vec<i64> {
        let found = text
            .match_indices("id[bigint]:")
            .map(|(at, name)| &text[at + name.len()..]);
        found
            .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
            .collect()
    };
    for line in lines {
        if line.starts_with("COMMIT") && !events.is_empty() {
            transactions.push(std::mem::take(&mut events));
        }
        let Some(change) = line.strip_prefix("table public.words: ") else {
            continue;
        };
        let ids = ids(change);
        match change.split(':').next().unwrap() {
            "DELETE" => events.extend(ids.iter().map(|id| (*id, None))),
            // Of two, the first is the old key.
            _ => {
                let (new, old) = ids.split_last().unwrap();
                events.extend(old.iter().map(|id| (*id, None)));
                let word = change.rsplit_once("word[text]:'").unwrap().1;
                events.insert(*new, Some(word.trim_end_matches('\'').to_owned()));
            }
        }
    }
    transactions
}

/// What a recipient hears since it last asked.
async fn changes(client: &Client, cursor: &mut Option<String>) -> Events {
    let mut query = vec![("limit", "1000".to_owned()), ("include", "record".to_owned())];
    query.extend(cursor.take().map(|cursor| ("after", cursor)));
    let page = client.get_with("/data/ci_words/changes", &query).await.unwrap();
    assert_eq!(page["end"], true);
    *cursor = page["next"].as_str().map(str::to_owned);
    let told = page["changes"].as_array().unwrap().iter().map(|change| {
        let word = change["record"]["Word"].as_str().map(str::to_owned);
        assert_eq!(word.is_some(), change["operation"] == "upsert");
        (change["key"]["Id"].as_i64().unwrap(), word)
    });
    told.collect()
}

#[tokio::test]
async fn every_transaction_of_the_log_is_a_package_of_the_same_events() {
    let Some(database) = Database::start().await else {
        return;
    };
    database.run("CREATE TABLE words (id bigint PRIMARY KEY, word text); INSERT INTO words SELECT n, 'w' || n FROM generate_series(1, 50) n").await;
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "ci_words", DEFINITION).await;
    let rest = format!(
        "dataset = 'ci_words'\n[source]\nkind = 'postgres'\nurl = '{}'\ntable = 'public.words'\n[source.follow]\nevery = '10ms'\n",
        database.url
    );
    let desk = Desk::feed(&server, &provider, &rest);
    let mut service = desk.service();
    until("the first load", async || {
        state(&provider, "ci_words").await["records"] == 50
    })
    .await;
    database
        .run("SELECT pg_create_logical_replication_slot('witness', 'test_decoding')")
        .await;
    let reader = server.consumer().await;
    let client = server
        .grant(&reader, "ci_words", &["bulk", "changes"], json!({}))
        .await;
    let mut cursor = None;
    let loaded = changes(&client, &mut cursor).await;
    assert_eq!(loaded.len(), 50);
    let mut heard = Vec::new();
    for n in 0..40i64 {
        let before = state(&provider, "ci_words").await["last_sequence"].clone();
        let (one, two, three) = (1 + n * 7 % 50, 1 + n * 11 % 50, 100 + n);
        let text = match n % 4 {
            0 => format!(
                "BEGIN; UPDATE words SET word = 'n{n}' WHERE id IN ({one}, {two}); INSERT INTO words VALUES ({three}, 'new {n}'); COMMIT"
            ),
            // A key that moves, and one that goes and comes back.
            1 => format!(
                "BEGIN; INSERT INTO words VALUES ({three}, 'a{n}'); UPDATE words SET id = {} WHERE id = {three}; DELETE FROM words WHERE id = {}; COMMIT",
                three + 1_000,
                three - 1
            ),
            2 => format!(
                "BEGIN; DELETE FROM words WHERE id = {}; INSERT INTO words VALUES ({}, 'back {n}'); COMMIT",
                three + 999,
                three + 999
            ),
            _ => format!(
                "BEGIN; SAVEPOINT s; DELETE FROM words WHERE id < 50; ROLLBACK TO s; INSERT INTO words VALUES ({three}, 'ķ{n}'); COMMIT"
            ),
        };
        database.run(&text).await;
        until("the transaction is there", async || {
            state(&provider, "ci_words").await["last_sequence"] != before
        })
        .await;
        heard.push(changes(&client, &mut cursor).await);
    }
    assert_eq!(service.stop(), Some(0));
    let rows = database
        .client
        .query(
            "SELECT data FROM pg_logical_slot_get_changes('witness', NULL, NULL)",
            &[],
        )
        .await
        .unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let transactions = read(&lines);
    assert_eq!(transactions.len(), 40);
    let packages = provider
        .client
        .get_with("/intake/ci_words/packages", &[("limit", "1000".to_owned())])
        .await
        .unwrap();
    let mut told: Vec<(i64, u64, u64)> = packages["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let receipt = &package["receipt"];
            let number = |name: &str| receipt[name].as_u64().unwrap();
            (
                receipt["first_sequence"].as_i64().unwrap(),
                number("accepted"),
                number("deleted"),
            )
        })
        .collect();
    told.sort_unstable();
    // The first package is the load. Keys that were not there before and are not after make no event at the server.
    let mut there: BTreeSet<i64> = (1..=50).collect();
    assert_eq!(told.len(), transactions.len() + 1);
    assert_eq!(heard.len(), transactions.len());
    for (at, (mut events, (_, accepted, deleted))) in transactions.into_iter().zip(&told[1..]).enumerate() {
        events.retain(|id, now| now.is_some() || there.contains(id));
        let upserts = events.values().filter(|now| now.is_some()).count() as u64;
        let deletes = events.len() as u64 - upserts;
        assert_eq!(
            (upserts, deletes),
            (*accepted, *deleted),
            "transaction {at}: {events:?}"
        );
        assert_eq!(heard[at], events, "transaction {at}, as a recipient hears it");
        for (id, now) in &events {
            if now.is_some() {
                there.insert(*id)
            } else {
                there.remove(id)
            };
        }
    }
    let page = client
        .get_with("/data/ci_words/records", &[("limit", "1000".to_owned())])
        .await
        .unwrap();
    let held: BTreeSet<i64> = page["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record: &Value| record["Id"].as_i64().unwrap())
        .collect();
    assert_eq!(held, there);
}
