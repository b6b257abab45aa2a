//! The change feed as server-sent events, through the real program.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};

use crate::{
    persons::{Persons, code, is, upsert},
    raw::{self, Raw},
};

const PATH: &str = "/data/es_person/changes";
const ACCEPT: (&str, &str) = ("accept", "text/event-stream");

async fn site_with(settings: &[(&str, &str)], over: Value) -> Persons {
    Persons::start("es_person", settings, over).await
}

async fn site() -> Persons {
    site_with(&[], Value::Null).await
}

/// One event as a reader takes it from the stream.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

/// A reader as the standard describes one.
struct Stream {
    body: reqwest::Response,
    read: String,
}

impl Stream {
    async fn open(client: &Client, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = client.request(Method::GET, path).await.unwrap();
        for (name, value) in std::iter::once(&ACCEPT).chain(headers) {
            request = request.header(*name, *value);
        }
        let body = client.send_streamed(request).await.unwrap();
        assert_eq!(body.status(), 200, "{:?}", body.text().await);
        Self {
            body,
            read: String::new(),
        }
    }

    /// A stream is never silent for longer than its heartbeat.
    async fn piece(&mut self) -> Option<Bytes> {
        let piece = tokio::time::timeout(Duration::from_secs(40), self.body.chunk());
        piece.await.expect("a silent stream").unwrap()
    }

    /// The next block that is an event; `None`: the stream has ended.
    async fn event(&mut self) -> Option<Event> {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_mins(2), "no event");
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                if let Some(event) = event(&block) {
                    return Some(event);
                }
            }
            let piece = self.piece().await?;
            self.read.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn codes(&mut self) -> Vec<Value> {
        let event = self.event().await.unwrap();
        assert_eq!(event.name, "changes");
        let changes = event.data["changes"].as_array().unwrap();
        changes
            .iter()
            .map(|change| change["key"]["Code"].clone())
            .collect()
    }
}

fn event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", name)) => name.clone_into(&mut event.name),
            Some(("id", id)) => event.id = Some(id.to_owned()),
            Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
            other => assert!(matches!(other, None | Some(("retry", "3000"))), "{line}"),
        }
    }
    (!event.name.is_empty()).then_some(event)
}

async fn refused(client: &Client, path: &str, headers: &[(&str, &str)]) -> Raw {
    let headers: Vec<_> = std::iter::once(&ACCEPT).chain(headers).copied().collect();
    raw::call(client, Method::GET, path, &headers, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_loads_follows_and_goes_on_where_it_was() {
    let site = site().await;
    let first: Vec<Value> = (0..5).map(|number| upsert(number, "Anna", "s")).collect();
    site.deliver("first", &first).await;
    let path = format!("{PATH}?include=record&limit=2");
    let mut stream = Stream::open(&site.holder, &path, &[("accept-encoding", "gzip, zstd")]).await;
    let header = |name: &str| {
        stream
            .body
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("content-encoding"), None, "an event is not held back");
    let one = stream.event().await.unwrap();
    assert_eq!(one.name, "changes");
    assert_eq!(one.id.as_deref(), one.data["next"].as_str());
    assert_eq!(
        one.data["changes"][1]["record"],
        json!({ "Code": code(1), "Name": "Anna" })
    );
    assert_eq!(stream.codes().await, [code(2), code(3)]);
    assert_eq!(stream.codes().await, [code(4)]);
    site.deliver("hidden", &[upsert(1, "Anna", "other")]).await;
    site.deliver("more", &[upsert(9, "Ilze", "s")]).await;
    assert_eq!(stream.codes().await, [code(9)], "and nothing of what is hidden");
    drop(stream);

    // A reader that was cut off after the first event sends its id, and the address it began with.
    let id = one.id.unwrap();
    let again = format!("{path}&after=not-a-cursor");
    let mut stream = Stream::open(&site.holder, &again, &[("last-event-id", &id)]).await;
    assert_eq!(stream.codes().await, [code(2), code(3)]);
    let entries = site.entries().await;
    let told: Vec<(&str, u64)> = entries
        .iter()
        .map(|entry| (entry["way"].as_str().unwrap(), entry["count"].as_u64().unwrap()))
        .collect();
    let given: Vec<_> = told.iter().filter(|(_, count)| *count > 0).collect();
    assert!(
        given.starts_with(&[&("changes", 2), &("changes", 2), &("changes", 1), &("changes", 1)]),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_under_way_is_an_event_and_the_end() {
    let site = site().await;
    site.deliver("first", &[upsert(1, "Anna", "s")]).await;
    let headers = [("x-request-id", "stream-one")];
    let mut stream = Stream::open(&site.holder, PATH, &headers).await;
    assert_eq!(stream.codes().await, [code(1)]);
    let path = format!("/registry/permissions/{}/suspend", site.number);
    let reason = json!({ "reason": "r" });
    site.server.operator().post(&path, &reason).await.unwrap();
    site.deliver("more", &[upsert(2, "Ilze", "s")]).await;
    let problem = stream.event().await.unwrap();
    assert_eq!((problem.name.as_str(), problem.id), ("problem", None));
    for (member, value) in [
        ("code", json!("permission_suspended")),
        ("status", json!(403)),
        ("request_id", json!("stream-one")),
    ] {
        assert_eq!(problem.data[member], value, "{}", problem.data);
    }
    assert_eq!(stream.event().await, None);
    is(
        &refused(&site.holder, PATH, &[]).await,
        403,
        "permission_suspended",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_counted() {
    let site = site_with(&[], json!({ "quota": 2 })).await;
    let first: Vec<Value> = (0..9).map(|number| upsert(number, "Anna", "s")).collect();
    site.deliver("first", &first).await;
    let mut stream = Stream::open(&site.holder, &format!("{PATH}?limit=3"), &[]).await;
    assert_eq!(stream.codes().await.len(), 3);
    assert_eq!(stream.codes().await.len(), 3);
    let problem = stream.event().await.unwrap();
    assert_eq!(problem.data["code"], "permission_exhausted", "{}", problem.data);
    assert_eq!(stream.event().await, None);
    assert_eq!(site.entries().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_connection_ends_its_streams() {
    let site = site().await;
    site.deliver("first", &[upsert(1, "Anna", "s")]).await;
    let mut stream = Stream::open(&site.holder, PATH, &[]).await;
    assert_eq!(stream.codes().await, [code(1)]);
    let path = format!("/registry/connections/{}/withdraw", site.reader.client_id);
    let reason = json!({ "reason": "r" });
    site.server.operator().post(&path, &reason).await.unwrap();
    // Nor is the page given that was being waited for.
    site.deliver("more", &[upsert(2, "Ilze", "s")]).await;
    let told = stream.event().await.unwrap();
    assert_eq!(
        (told.name.as_str(), &told.data["code"]),
        ("problem", &json!("token_invalid"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_sixteen_streams_at_most() {
    let site = site().await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = Stream::open(&site.holder, PATH, &[]).await;
        stream.event().await.unwrap();
        streams.push(stream);
    }
    let answer = refused(&site.holder, PATH, &[]).await;
    is(&answer, 429, "too_many_at_once");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(
        raw::get(&site.holder, PATH).await.status,
        200,
        "pages are not streams"
    );
    let other = site.server.consumer().await;
    let other = site
        .server
        .grant(&other, "es_person", &["changes"], Value::Null)
        .await;
    Stream::open(&other, PATH, &[]).await.event().await.unwrap();
    streams.pop();
    // It is noticed when the connection is: soon.
    while refused_now(&site.holder).await {
        tokio::task::yield_now().await;
    }
}

async fn refused_now(client: &Client) -> bool {
    let request = client.request(Method::GET, PATH).await.unwrap();
    let request = request.header(ACCEPT.0, ACCEPT.1);
    client.send_streamed(request).await.unwrap().status() == 429
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_is_refused_as_any_call() {
    let site = site().await;
    is(
        &refused(&site.server.anonymous(), PATH, &[]).await,
        401,
        "token_invalid",
    );
    is(
        &refused(&site.reader.client, PATH, &[]).await,
        403,
        "permission_missing",
    );
    is(
        &refused(&site.holder, &format!("{PATH}?wait=5"), &[]).await,
        400,
        "query_invalid",
    );
    is(
        &refused(&site.holder, &format!("{PATH}?limit=0"), &[]).await,
        400,
        "query_invalid",
    );
    let id = [("last-event-id", "x")];
    is(&refused(&site.holder, PATH, &id).await, 400, "cursor_invalid");
    is(
        &refused(&site.holder, &format!("{PATH}/unknown"), &[]).await,
        404,
        "not_found",
    );
    is(
        &refused(&site.holder, &format!("{PATH}?fields=Secret"), &[]).await,
        403,
        "permission_field",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_list_is_a_stream_of_its_own() {
    let site = site().await;
    site.deliver("first", &[upsert(1, "Anna", "s"), upsert(2, "Ilze", "s")])
        .await;
    let mut stream = Stream::open(&site.holder, &format!("{PATH}/renamed"), &[]).await;
    assert_eq!(
        stream.codes().await,
        Vec::<Value>::new(),
        "a cursor to begin with"
    );
    site.deliver("more", &[upsert(2, "Zane", "s"), upsert(3, "Ilze", "s")])
        .await;
    assert_eq!(stream.codes().await, [code(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_ends_its_streams() {
    let mut site = site_with(&[("DAGR_LIMITS__DRAIN_S", "300")], Value::Null).await;
    site.deliver("first", &[upsert(1, "Anna", "s")]).await;
    let mut stream = Stream::open(&site.holder, PATH, &[]).await;
    assert_eq!(stream.codes().await, [code(1)]);
    let began = Instant::now();
    site.server.ask_to_stop();
    assert_eq!(stream.event().await, None);
    assert_eq!(site.server.ended(), Some(0));
    assert!(began.elapsed() < Duration::from_mins(1));
}
