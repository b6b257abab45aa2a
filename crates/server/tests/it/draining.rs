//! SIGTERM while calls are under way: they end as they should, nobody new is let in, nothing acknowledged is lost.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use dagr_server::client::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};

use crate::{
    durability::entered,
    raw::{self, Raw},
    server::{Party, Server},
};

const PERSONS: &str = "name: dr_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
subject: Code
";

/// Rows of the long answer, and what one of them shows: more than the buffers between the two ends hold.
const ROWS: usize = 2_000;
const NAME_BYTES: usize = 4_000;

struct Site {
    server: Server,
    provider: Party,
    reader: Party,
    client: Client,
    number: String,
}

fn upsert(number: usize, name: &str) -> Value {
    let record = json!({ "Code": format!("32{number:09}"), "Name": name });
    json!({ "op": "upsert", "record": record })
}

impl Site {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let server = Server::start_with(settings);
        let (provider, reader) = (server.producer().await, server.consumer().await);
        server.publish(&provider, "dr_person", PERSONS).await;
        let ways = ["key", "changes", "bulk"];
        let client = server.grant(&reader, "dr_person", &ways, Value::Null).await;
        let usable = client.get("/current_user_permissions").await.unwrap();
        let number = usable[0]["permission_number"].as_str().unwrap().to_owned();
        let site = Self {
            server,
            provider,
            reader,
            client,
            number,
        };
        site.deliver("first", &[upsert(0, "Anna")]).await;
        site
    }

    async fn deliver(&self, package: &str, operations: &[Value]) {
        let path = format!("/intake/dr_person/packages/{package}");
        let body = raw::lines(operations);
        self.provider
            .client
            .put(&path, "application/x-ndjson", body)
            .await
            .unwrap();
    }

    fn address(&self) -> String {
        self.server.data.trim_start_matches("http://").to_owned()
    }

    /// A package whose body stops after its first line; returns when the server knows it.
    async fn open_package(&self, id: &str, body: &[u8], sent: usize) -> TcpStream {
        let token = self.provider.client.token().await.unwrap().unwrap();
        let head = format!(
            "PUT /intake/dr_person/packages/{id} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\
             content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut socket = TcpStream::connect(self.address()).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&body[..sent]).await.unwrap();
        let path = format!("/intake/dr_person/packages/{id}");
        while raw::get(&self.provider.client, &path).await.json()["state"] != "open" {
            tokio::task::yield_now().await;
        }
        socket
    }

    /// A call that waits for changes.
    async fn waiting(&self, id: &str) -> JoinHandle<Raw> {
        let mut path = "/data/dr_person/changes?limit=10000".to_owned();
        let after = loop {
            let page = self.client.get(&path).await.unwrap();
            let next = page["next"].as_str().unwrap().to_owned();
            if page["end"] == true {
                break next;
            }
            path = format!("/data/dr_person/changes?limit=10000&after={next}");
        };
        let path = format!("/data/dr_person/changes?wait=60&after={after}");
        let (client, id) = (self.client.clone(), id.to_owned());
        tokio::spawn(async move {
            let headers = [("x-request-id", id.as_str())];
            raw::call(&client, http::Method::GET, &path, &headers, None).await
        })
    }

    /// A page of which only the first bytes are taken; the rest fills what lies between.
    async fn slow_page(&self, id: &str) -> (TcpStream, Vec<u8>) {
        let token = self.client.token().await.unwrap().unwrap();
        let head = format!(
            "GET /data/dr_person/records?limit=10000 HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\
             x-dagr-permission: {}\r\nx-request-id: {id}\r\n\r\n",
            self.number
        );
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut socket = socket.connect(self.address().parse().unwrap()).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut begun = vec![0; 1_024];
        socket.read_exact(&mut begun).await.unwrap();
        assert!(begun.starts_with(b"HTTP/1.1 200"));
        (socket, begun)
    }

    /// Returns when the server says that it stops; until then it is ready.
    async fn until_stopping(&self) {
        loop {
            match self.server.ready().await {
                (200, _) => tokio::task::yield_now().await,
                told => {
                    assert_eq!((told.0, told.1.trim()), (503, "stopping"));
                    return;
                }
            }
        }
    }

    /// Returns when nobody new is let in.
    async fn until_closed(&self) {
        loop {
            match TcpStream::connect(self.address()).await {
                // Let in, or queued, before the port was closed: the server ends it.
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                    return;
                }
            }
        }
    }
}

/// Head and body of an answer read to its end.
async fn rest(mut socket: TcpStream, mut begun: Vec<u8>) -> (String, Value) {
    socket.read_to_end(&mut begun).await.unwrap();
    let text = String::from_utf8(begun).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_end_and_nobody_new_is_let_in() {
    let mut site = Site::start(&[("DAGR_LIMITS__DRAIN_S", "300")]).await;
    let many: Vec<_> = (1..ROWS)
        .map(|number| upsert(number, &"x".repeat(NAME_BYTES)))
        .collect();
    site.deliver("many", &many).await;
    let waiting = site.waiting("waiting").await;
    let (page, begun) = site.slow_page("slow-page").await;
    let body = raw::lines(&[upsert(ROWS, "Ilze"), upsert(ROWS + 1, "Juris")]).into_bytes();
    let mut package = site.open_package("slow", &body, 70).await;

    let asked = Instant::now();
    site.server.ask_to_stop();
    site.until_stopping().await;
    site.until_closed().await;
    // A wait is answered at once, as one in which nothing came.
    let waited = waiting.await.unwrap();
    assert_eq!(
        (waited.status, &waited.json()["changes"], &waited.json()["end"]),
        (200, &json!([]), &json!(true)),
        "{}",
        waited.text()
    );
    assert!(site.server.is_running(), "two calls are under way");
    let (head, page) = rest(page, begun).await;
    assert!(head.contains("x-request-id: slow-page"), "{head}");
    let records = page["records"].as_array().unwrap().len();
    assert!(page["next"].is_string() || records == ROWS, "{records} of {ROWS}");
    let (status, why) = site.server.ready().await;
    assert_eq!(
        (status, why.trim()),
        (503, "stopping"),
        "health answers to the end"
    );
    package.write_all(&body[70..]).await.unwrap();
    let (head, receipt) = rest(package, Vec::new()).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(receipt["accepted"], 2);
    assert_eq!(site.server.ended(), Some(0));
    assert!(asked.elapsed() < Duration::from_mins(5));

    site.server.launch();
    let provider = site.server.again(&site.provider);
    let again = provider.get("/intake/dr_person/packages/slow").await.unwrap();
    assert_eq!(again["receipt"], receipt, "the receipt given is the one kept");
    let state = provider.get("/intake/dr_person/state").await.unwrap();
    assert_eq!(state["records"], ROWS + 2);
    let entries = entered(&site.server, "dr_person").await;
    for id in ["waiting", "slow-page"] {
        assert!(entries.contains(id), "{id} was answered: {entries:?}");
    }
    let client = site.server.again(&site.reader).with_permission(&site.number);
    let record = format!("/data/dr_person/records/32{ROWS:09}");
    assert_eq!(client.get(&record).await.unwrap()["Name"], "Ilze");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_does_not_end_holds_nobody_longer_than_the_limit() {
    let mut site = Site::start(&[("DAGR_LIMITS__DRAIN_S", "1")]).await;
    let body = raw::lines(&[upsert(1, "Ilze"), upsert(2, "Juris")]).into_bytes();
    let mut package = site.open_package("slow", &body, 70).await;
    // Says nothing at all: a connection is no call.
    let mut silent = TcpStream::connect(site.address()).await.unwrap();
    let asked = Instant::now();
    assert_eq!(site.server.terminate(), Some(0));
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(1), "the call had its time: {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let mut answer = Vec::new();
    // Cut off, by an end or a reset.
    let _ = package.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    let _ = silent.read_to_end(&mut answer).await;

    site.server.launch();
    let provider = site.server.again(&site.provider);
    let state = provider.get("/intake/dr_person/state").await.unwrap();
    assert_eq!(state["records"], 1, "a package that was cut off leaves nothing");
    let path = "/intake/dr_person/packages/slow";
    let receipt = provider.put(path, "application/x-ndjson", body).await.unwrap();
    assert_eq!(receipt["accepted"], 2, "and its id is free");
}
