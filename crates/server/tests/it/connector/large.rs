//! A first load so large that it goes out while it is made, and its copy of digests follows: broken off at each stage.

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::{Desk, proxy::Proxy, state, until, watched};
use crate::server::{Party, Server};

const SET: &str = "cl_words";
const DEFINITION: &str = "name: cl_words\nkey: Id\ndata_description: Vārdi\nclassification: restricted\nfields:\n  - Id : numurs\n  - Word : vārds\n";

/// With keys as long as these the digests are more than is kept in memory.
const ROWS: u64 = 30_000;

/// Rows in no order, which no compression makes small. `round`: what the words are made of.
fn rows(round: u64) -> Vec<u8> {
    let mut text = "Id,Word\n".to_owned();
    for n in 1..=ROWS {
        let word = |text: &mut String, mut random: u64| {
            for _ in 0..7 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                text.push_str(&format!("{:016x}", random.wrapping_mul(0x2545_f491_4f6c_dd1d)));
            }
        };
        word(&mut text, n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        text.push_str(",ķ");
        word(&mut text, (n ^ round << 40).wrapping_mul(0xbf58_476d_1ce4_e5b9));
        text.push('\n');
    }
    text.into_bytes()
}

/// One value of what the feed remembers, looked at from outside while it works.
fn remembered(desk: &Desk, query: &str) -> Option<i64> {
    let path = desk.path("cl_words.state/feed.db");
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    db.query_row(query, [], |row| row.get(0)).ok()
}

const PACKAGES: &str = "SELECT count(*) FROM package";
const WAITING: &str = "SELECT count(*) FROM package WHERE state = 'waiting'";
const COPY_DUE: &str = "SELECT count(*) FROM meta WHERE name = 'copy_due'";

async fn packages(provider: &Party) -> Vec<Value> {
    let path = format!("/intake/{SET}/packages");
    let page = provider.client.get(&path).await.unwrap();
    page["packages"].as_array().unwrap().clone()
}

/// Does the server read a package of which the feed has not entered more than `entered`?
async fn is_on_its_way(desk: &Desk, provider: &Party, entered: i64) -> bool {
    let is_open =
        |package: &Value| package["state"] == "open" && package["progress"]["rows"].as_u64().unwrap_or(0) > 0;
    packages(provider).await.iter().any(is_open) && remembered(desk, PACKAGES) == Some(entered)
}

/// How the packages ended, the newest first.
async fn ended(provider: &Party, states: &[&str]) {
    let all = packages(provider).await;
    let found: Vec<&str> = all
        .iter()
        .filter_map(|package| package["state"].as_str())
        .collect();
    assert_eq!(found, states, "{all:#?}");
}

/// A feed of a directory, and a server behind a line that can be cut.
struct Site {
    server: Server,
    proxy: Proxy,
    provider: Party,
    desk: Desk,
}

async fn site() -> Site {
    let proxy = Proxy::start();
    let server = Server::start_with(&[("DAGR_LISTEN__PUBLIC_URL", proxy.url.as_str())]);
    proxy.lead_to(&server.data);
    let provider = proxy.past(&server, server.producer().await).await;
    server.publish(&provider, SET, DEFINITION).await;
    let desk = Desk::watching(&server, &provider, SET);
    desk.aim(&proxy.url, &provider, &watched(SET), "");
    Site {
        server,
        proxy,
        provider,
        desk,
    }
}

#[tokio::test]
async fn a_load_that_is_killed_at_any_stage_arrives_once() {
    let Site {
        mut server,
        proxy,
        mut provider,
        desk,
    } = site().await;
    desk.drop_in("1.csv", &rows(1));

    let mut feeding = desk.service();
    until("it leaves before it is whole", async || {
        is_on_its_way(&desk, &provider, 0).await
    })
    .await;
    feeding.kill();
    assert_eq!(state(&provider, SET).await["records"], 0, "nothing of a part");

    let mut feeding = desk.service();
    until("it leaves again", async || {
        is_on_its_way(&desk, &provider, 0).await
    })
    .await;
    server.kill_and_restart();
    proxy.lead_to(&server.data);
    provider = proxy.past(&server, provider).await;
    until("it is entered, and goes from the spool", async || {
        is_on_its_way(&desk, &provider, 1).await
    })
    .await;
    proxy.swallow(true);
    until("the server has all of it", async || {
        state(&provider, SET).await["records"] == ROWS
    })
    .await;
    assert_eq!(remembered(&desk, WAITING), Some(1), "the answer was lost");
    feeding.kill();
    proxy.swallow(false);

    let feeding = desk.service();
    until("the feed knows it", async || {
        remembered(&desk, WAITING) == Some(0)
    })
    .await;
    desk.until_whole(feeding, &provider, SET).await;
    ended(&provider, &["applied"]).await;
}

#[tokio::test]
async fn many_changes_that_are_killed_at_any_stage_arrive_once_or_are_taken_back() {
    let Site {
        server: _server,
        provider,
        desk,
        ..
    } = site().await;
    desk.drop_in("1.csv", &rows(1));
    desk.done("once", &[]);
    let first = state(&provider, SET).await;

    desk.drop_in("2.csv", &rows(2));
    let mut feeding = desk.service();
    until("the changes leave before they are whole", async || {
        is_on_its_way(&desk, &provider, 1).await
    })
    .await;
    feeding.kill();
    assert_eq!(state(&provider, SET).await["digest"], first["digest"]);
    let mut feeding = desk.service();
    until("they are entered, and the copy follows", async || {
        remembered(&desk, COPY_DUE) == Some(1)
    })
    .await;
    feeding.kill();
    desk.until_whole(desk.service(), &provider, SET).await;
    let second = state(&provider, SET).await;
    assert_ne!(second["digest"], first["digest"]);

    // Other words, and most of the records gone: the guard holds it.
    let text = String::from_utf8(rows(3)).unwrap();
    let few: Vec<&str> = text.lines().take(ROWS as usize / 3).collect();
    desk.drop_in("3.csv", few.join("\n").as_bytes());
    let mut feeding = desk.service();
    until("the copy follows these too", async || {
        remembered(&desk, COPY_DUE) == Some(1)
    })
    .await;
    feeding.kill();
    let (code, _) = desk.answer("once", &[]);
    assert_eq!(code, Some(1), "{}", desk.said());
    assert_eq!(desk.status()["state"], "held");
    desk.done("reject", &[]);
    assert_eq!(state(&provider, SET).await["digest"], second["digest"]);
    // Compared with what was sent before it, not with what was taken back.
    desk.drop_in("4.csv", &rows(2));
    let done = desk.done("once", &["--reconcile"]);
    assert_eq!(
        (
            &done["upserts"],
            &done["deletes"],
            &done["reconciled"]["differing"]
        ),
        (&json!(0), &json!(0), &json!(0)),
        "{done:#}"
    );
    ended(&provider, &["rejected", "applied", "applied"]).await;
}
