//! Packages to a server that says what the test wants.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use serde_json::json;

use super::*;
use crate::{
    client::{self, Refusal},
    collect::Collect,
    compare::{Comparison, Extent},
};

const FEED: &str = "dataset = 'x_set'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = { file = 'k' }\n[source]\nkind = 'files'\npath = 'x.csv'\n";

/// Answers every call with the next of these.
fn server(answers: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (answer, stream) in answers.iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while !lines.next().unwrap().unwrap().is_empty() {}
            let (body, kind) = (answer.to_string(), "content-type: application/json");
            let head = format!(
                "HTTP/1.1 200 x\r\n{kind}\r\nconnection: close\r\ncontent-length: {}",
                body.len()
            );
            stream
                .write_all(format!("{head}\r\n\r\n{body}").as_bytes())
                .unwrap();
        }
    });
    url
}

fn schema() -> Arc<dagr_model::schema::Schema> {
    let text = "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id int : i\n";
    let definition = Arc::new(text.parse().unwrap());
    Arc::new(dagr_model::schema::Schema::compile(definition, None))
}

/// Makes a package of five records.
fn five(feed: &Feed, state: &State, schema: &Arc<dagr_model::schema::Schema>) {
    let mut comparison = Comparison::begin(state, schema, "x", Extent::Snapshot).unwrap();
    let mut collect = Collect::new(schema, &feed.map, &mut comparison);
    for id in 1..=5 {
        let record = json!({ "Id": id }).to_string();
        collect.json(id, record.as_bytes()).unwrap();
    }
    collect.finish().unwrap();
    comparison.finish(&[]).unwrap();
}

#[tokio::test]
async fn what_the_servers_list_leaves_out_is_looked_for_at_once() {
    client::install_provider();
    let row = |line: u64| json!({ "line": line });
    let url = server(vec![
        json!({ "rows": [row(1), row(1), row(900)], "next": "x" }),
        json!({ "rows": [row(3), { "line": null }], "next": null }),
    ]);
    let schema = schema();
    let dir = tempfile::tempdir().unwrap();
    let (feed, state) = (
        Feed::parse(FEED, dir.path()).unwrap(),
        State::open(dir.path()).unwrap(),
    );
    five(&feed, &state, &schema);
    state.set_meta("last_reconcile", "2026-01-01T00:00:00Z").unwrap();
    let sender = Sender {
        feed: &feed,
        state: &state,
        client: &Client::bearer(&url, "t").unwrap(),
        schema: &schema,
        receipts: &Receipts::default(),
        early: &RefCell::default(),
        progress: &Arc::default(),
    };
    let package = state.unfinished().unwrap().remove(0);
    let receipt = json!({ "quarantined": 3 });
    sender.take(&package, &receipt).await.unwrap();
    assert_eq!(state.digest().unwrap().1, 3);
    for (id, is_declined) in [(1, true), (2, false), (3, true), (4, false)] {
        let key = schema.key_from_values(&[json!(id)]).unwrap();
        assert_eq!(state.declined(&key).unwrap().is_some(), is_declined, "{id}");
    }
    assert_eq!(state.meta("last_reconcile").unwrap().as_deref(), Some(""));
}

/// One package of five records waits.
#[tokio::test]
async fn a_receipt_of_something_else_or_of_somebody_else_is_not_taken() {
    client::install_provider();
    let dir = tempfile::tempdir().unwrap();
    let (feed, state) = (
        Feed::parse(FEED, dir.path()).unwrap(),
        State::open(dir.path()).unwrap(),
    );
    let schema = schema();
    five(&feed, &state, &schema);
    let package = state.unfinished().unwrap().remove(0);
    let other = json!({ "package_id": "other", "digest": package.sha256 });
    let altered = json!({ "package_id": package.id, "digest": "00" });
    let unsigned = json!({ "package_id": package.id, "digest": package.sha256, "signature": "e30..x" });
    for (receipt, word) in [
        (other, "another package_id"),
        (altered, "another digest"),
        (unsigned, "not signed"),
    ] {
        let sender = Sender {
            feed: &feed,
            state: &state,
            client: &Client::bearer(&server(Vec::new()), "t").unwrap(),
            schema: &schema,
            receipts: &Receipts::default(),
            early: &RefCell::default(),
            progress: &Arc::default(),
        };
        let told = sender.applied(&package, &receipt).await.unwrap_err().to_string();
        assert!(
            told.contains(word) && told.contains("nothing more is sent"),
            "{told}"
        );
        assert_eq!(state.unfinished().unwrap().len(), 1, "it waits");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_again_before_the_server_wants_it() {
    let busy = |seconds| {
        let retry_after = Some(Duration::from_secs(seconds));
        let refusal = Refusal {
            status: 429,
            retry_after,
            ..Refusal::default()
        };
        Error::from(CallError::Refused(Box::new(refusal)))
    };
    let retry = Retry {
        pause: Duration::from_secs(1),
        limit: Duration::from_mins(1),
    };
    let (began, mut tries) = (tokio::time::Instant::now(), 0);
    let done = again(retry.clone(), async || {
        tries += 1;
        if tries < 3 { Err(busy(20)) } else { Ok(()) }
    });
    done.await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(40));
    let began = tokio::time::Instant::now();
    for later in [3_600, u64::MAX] {
        again(retry.clone(), async || Err::<(), _>(busy(later)))
            .await
            .unwrap_err();
    }
    assert_eq!(began.elapsed(), Duration::ZERO, "later than it may last");
}
