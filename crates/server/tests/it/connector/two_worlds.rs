//! Two worlds that differ only in what a permission hides give its holder equal bytes: by every call that a replica
//! makes, while the permission is narrowed twice, and in the copy that the real replica keeps.

use std::collections::BTreeMap;

use dagr_server::client::Client;
use http::Method;
use jiff::Timestamp;
use rusqlite::{Connection, types::Value as Cell};
use serde_json::{Value, json};

use super::{Desk, figure};
use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

const DEFINITION: &str = "name: tw_people
key: Code
guard: 100%
data_description: Cilvēki
classification: restricted
fields:
  - Code person_code : kods
  - Zone : zona
  - Name : vārds
  - Secret : slepens
  - Pets * :
      comments: mājdzīvnieki
      fields:
        - Species : suga
        - Chip : mikroshēma
subject: Code
";

/// Chosen so that both worlds name everybody alike.
const PROVIDER: &str = "90000900001";
const READER: &str = "90000900002";

const PEOPLE: std::ops::Range<u32> = 100..160;

fn code(number: u32) -> String {
    format!("32{number:09}")
}

/// Every third is `in`, every third `half`, every third `other`.
fn zone(number: u32) -> &'static str {
    ["in", "half", "other"][number as usize % 3]
}

struct World {
    server: Server,
    provider: Party,
    reader: Party,
    number: String,
    holder: Client,
    /// What hidden values begin with; of the same length in neither world.
    canary: &'static str,
    packages: u32,
    cursors: BTreeMap<&'static str, String>,
    /// When something was done that the holder may know of: milliseconds, both ends included.
    known: Vec<(i64, i64)>,
    last_ms: i64,
    etags: Vec<String>,
}

async fn party(server: &Server, institution: &str, kind: &str, number: u32) -> Party {
    let body = json!({ "registration_number": institution, "name": format!("Iestāde {kind}") });
    server
        .operator()
        .post("/registry/institutions", &body)
        .await
        .unwrap();
    server.connection(institution, kind, number).await
}

fn millis() -> i64 {
    Timestamp::now().as_millisecond()
}

impl World {
    async fn new(canary: &'static str) -> Self {
        let before = millis();
        let server = Server::start();
        let provider = party(&server, PROVIDER, "producer", 900_001).await;
        let reader = party(&server, READER, "consumer", 900_002).await;
        server.publish(&provider, "tw_people", DEFINITION).await;
        let ways = ["key", "changes", "bulk"];
        let (holder, number) = server.granted(&reader, "tw_people", &ways, first_terms()).await;
        Self {
            server,
            provider,
            reader,
            number,
            holder,
            canary,
            packages: 0,
            cursors: BTreeMap::new(),
            known: vec![(before, millis())],
            last_ms: millis(),
            etags: Vec::new(),
        }
    }

    /// Waits for a millisecond of its own: times are compared by what they are the times of.
    fn begin(&mut self) -> i64 {
        while millis() <= self.last_ms + 1 {
            std::hint::spin_loop();
        }
        self.last_ms = millis();
        self.last_ms
    }

    fn is_known(&mut self, began: i64) {
        self.last_ms = millis();
        self.known.push((began, self.last_ms));
    }

    /// A package of which nothing may show.
    async fn deliver(&mut self, operations: &[Value]) {
        self.begin();
        self.packages += 1;
        let path = format!("/intake/tw_people/packages/p{}", self.packages);
        let lines = raw::lines(operations);
        self.provider
            .client
            .put(&path, "application/x-ndjson", lines)
            .await
            .unwrap();
        self.last_ms = millis();
    }

    async fn deliver_shown(&mut self, operations: &[Value]) {
        let began = self.begin();
        self.deliver(operations).await;
        self.is_known(began);
    }

    fn person(&self, number: u32, zone: &str, name: &str, version: u32) -> Value {
        json!({ "op": "upsert", "record": {
            "Code": code(number), "Zone": zone, "Name": name,
            "Secret": format!("{}-{number}-{version}", self.canary),
            "Pets": [{ "Species": "suns", "Chip": format!("{}-{version}", self.canary) }],
        }})
    }

    async fn shown(&mut self, numbers: std::ops::Range<u32>, version: u32) {
        let people: Vec<_> = numbers
            .map(|number| self.person(number, zone(number), &format!("Anna {number}.{version}"), version))
            .collect();
        self.deliver_shown(&people).await;
    }

    /// So many packages of so many records out of scope, beside, before and between those shown.
    async fn hidden(&mut self, packages: u32, records: u32, version: u32) {
        for package in 0..packages {
            let people: Vec<_> = (0..records)
                .map(|n| self.person(n * 7 % 300, "out", self.canary, version + package))
                .filter(|person| {
                    !PEOPLE.contains(&person["record"]["Code"].as_str().unwrap()[2..].parse().unwrap())
                })
                .collect();
            self.deliver(&people).await;
        }
    }

    /// The hidden fields of those shown, again and again.
    async fn secrets(&mut self, numbers: std::ops::Range<u32>, shown: u32, version: u32) {
        for number in numbers.rev() {
            let person = self.person(
                number,
                zone(number),
                &format!("Anna {number}.{shown}"),
                version + number,
            );
            self.deliver(&[person]).await;
        }
    }

    async fn amend(&mut self, change: Value) {
        let began = self.begin();
        let path = format!("/registry/permissions/{}", self.number);
        self.server.operator().patch(&path, &change).await.unwrap();
        self.is_known(began);
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Raw {
        let began = self.begin();
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let headers = [("x-request-id", "the-same")];
        let answer = raw::call(&self.holder, method, path, &headers, body).await;
        self.is_known(began);
        answer
    }

    async fn get(&mut self, path: &str) -> Raw {
        self.call(Method::GET, path, None).await
    }

    /// Pages until the end, on from the cursor of that name.
    async fn pages(&mut self, told: &mut Told, name: &'static str, path: &str) {
        loop {
            let after = self.cursors.get(name).map(|after| format!("&after={after}"));
            let answer = self.get(&format!("{path}{}", after.unwrap_or_default())).await;
            let page = answer.json();
            told.answer(path, &answer);
            match page["next"].as_str() {
                Some(next) => self.cursors.insert(name, next.to_owned()),
                None => self.cursors.remove(name),
            };
            if page["end"] == true || page["next"].is_null() {
                return;
            }
        }
    }

    /// Every call that a replica makes, and some more.
    async fn everything(&mut self) -> Vec<String> {
        let mut told = Told::default();
        for path in [
            "/data/tw_people/definition",
            "/data/tw_people/changes?limit=0",
            "/current_user_permissions",
            "/service_list",
        ] {
            told.answer(path, &self.get(path).await);
        }
        self.pages(
            &mut told,
            "records",
            "/data/tw_people/changes?limit=7&include=record",
        )
        .await;
        self.pages(&mut told, "keys", "/data/tw_people/changes?limit=10000")
            .await;
        self.cursors.remove("bulk");
        self.pages(&mut told, "bulk", "/data/tw_people/records?limit=7")
            .await;
        let after = self.cursors["records"].clone();
        for body in [
            json!({ "after": after }),
            json!({ "after": after, "parts": 256 }),
            json!({ "after": after, "parts": 3, "from": { "Code": code(95) }, "to": { "Code": code(150) } }),
        ] {
            let answer = self
                .call(Method::POST, "/data/tw_people/digest", Some(body))
                .await;
            told.answer("digest", &answer);
        }
        // Of every zone, of those out of scope in one world only, and of nobody.
        let keys: Vec<_> = [0, 7, 100, 101, 102, 150, 159, 280, 999]
            .iter()
            .map(|n| json!({ "Code": code(*n) }))
            .collect();
        let lookup = self
            .call(
                Method::POST,
                "/data/tw_people/lookup",
                Some(json!({ "keys": keys })),
            )
            .await;
        told.answer("lookup", &lookup);
        for number in [0, 7, 101, 102, 999] {
            let path = format!("/data/tw_people/records/{}", code(number));
            told.answer("record", &self.get(&path).await);
        }
        let waited = format!("/data/tw_people/changes?wait=1&include=record&after={after}");
        told.answer("waited", &self.get(&waited).await);
        for name in ["records", "keys"] {
            let path = format!("/data/tw_people/changes?limit=7&after={}", self.cursors[name]);
            let began = self.begin();
            told.events(name, &self.holder, &path).await;
            self.is_known(began);
        }
        let mut lines = told.finish(&self.known);
        for line in &mut lines {
            *line = line.replace(&self.server.data, "URL");
            self.number_etag(line);
        }
        lines
    }
}

impl World {
    /// Each server makes its own; what counts is when one changes.
    fn number_etag(&mut self, line: &mut String) {
        let Some((before, rest)) = line.split_once("(\"etag\", \"") else {
            return;
        };
        let (etag, after) = rest.split_once("\")").unwrap();
        let known = self.etags.iter().position(|known| known == etag);
        let number = known.unwrap_or_else(|| {
            self.etags.push(etag.to_owned());
            self.etags.len() - 1
        });
        *line = format!("{before}(\"etag\", {number}){after}");
    }
}

fn first_terms() -> Value {
    json!({
        "fields": ["Code", "Zone", "Name", "Pets.Species"],
        "scope": { "when": "record.Zone != 'out'" },
    })
}

/// What was told, in words that are the same where nothing differs: cursors by their length, times by what
/// was done then.
#[derive(Default)]
struct Told(Vec<(String, Vec<(String, String)>, Value)>);

impl Told {
    fn answer(&mut self, what: &str, answer: &Raw) {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .map(|(name, value)| match name.as_str() {
                "date" => (name, value.len().to_string()),
                // Of the body, which is compared but for the digits of its times.
                "content-length" => (name, String::new()),
                _ => (name, value),
            })
            .collect();
        headers.sort();
        headers.push(("status".to_owned(), answer.status.to_string()));
        let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
        self.0.push((what.to_owned(), headers, body));
    }

    /// The first event, and nothing after it.
    async fn events(&mut self, what: &str, client: &Client, path: &str) {
        let request = client.request(Method::GET, path).await.unwrap();
        let request = request
            .header("accept", "text/event-stream")
            .header("x-request-id", "the-same");
        let mut answer = client.send_streamed(request).await.unwrap();
        let mut text = String::new();
        while text.matches("\n\n").count() < 2 {
            let piece = answer.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
        let lines: Vec<Value> = text
            .lines()
            .map(|line| match line.split_once(": ") {
                Some(("id", id)) => json!({ "id": id.len() }),
                Some(("data", data)) => serde_json::from_str(data).unwrap(),
                _ => json!(line),
            })
            .collect();
        let headers = Raw {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: json!(lines).to_string().into_bytes(),
        };
        self.answer(what, &headers);
    }

    fn finish(mut self, known: &[(i64, i64)]) -> Vec<String> {
        for (_, _, body) in &mut self.0 {
            plain(body, known);
        }
        let lines = self.0.into_iter();
        lines
            .map(|(what, headers, body)| format!("{what}: {headers:?} {body}"))
            .collect()
    }
}

/// What was done at that time; it must be something the holder may know of.
fn moment(time: Timestamp, known: &[(i64, i64)]) -> String {
    let ms = time.as_millisecond();
    match known
        .iter()
        .position(|(began, ended)| (*began..=*ended).contains(&ms))
    {
        Some(at) => format!("moment {at}"),
        None => format!("{time}, when nothing was done that may be known"),
    }
}

fn plain(value: &mut Value, known: &[(i64, i64)]) {
    match value {
        Value::String(text) => {
            if let Ok(time) = text.parse::<Timestamp>() {
                *value = json!(moment(time, known));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plain(item, known)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member.as_str()) {
                    ("next", Some(cursor)) => *member = json!(cursor.len()),
                    // Public, of the whole set, to the minute: when something was delivered last.
                    ("freshness", Some(time)) => *member = json!(time.len()),
                    _ => plain(member, known),
                }
            }
        }
        _ => {}
    }
}

/// Everything of a copy but what the replica remembers for itself.
fn copied(desk: &Desk) -> Vec<String> {
    let db = Connection::open(desk.path("copy.db")).unwrap();
    let mut tables = db
        .prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'dagr_replica%' ORDER BY name")
        .unwrap();
    let tables: Vec<(String, Option<String>)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = Vec::new();
    for (name, sql) in tables {
        all.push(format!("{name}: {sql:?}"));
        if sql.is_some_and(|sql| sql.starts_with("CREATE TABLE")) {
            all.extend(rows(&db, &name));
        }
    }
    all
}

fn rows(db: &Connection, table: &str) -> Vec<String> {
    let mut statement = db
        .prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1, 2"))
        .unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: Vec<Cell> = (0..width).map(|at| row.get(at)).collect::<Result<_, _>>()?;
        Ok(format!("{cells:?}"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Both tell the same, and nothing of what is hidden.
async fn equal(worlds: &mut [World; 2], desks: &[Desk; 2], step: &str) {
    let [one, other] = worlds;
    let (a, b) = (one.everything().await, other.everything().await);
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(a, b, "{step}");
    }
    assert_eq!(a.len(), b.len(), "{step}: {a:#?}");
    let bytes: usize = a.iter().map(String::len).sum();
    let digests: Vec<Value> = desks
        .iter()
        .map(|desk| {
            desk.done("once", &[]);
            desk.done("verify", &[])
        })
        .collect();
    assert_eq!(digests[0], digests[1], "{step}");
    assert_eq!(digests[0]["repaired"], 0, "{step}: {:#}", digests[0]);
    let [copy, copy_other] = [copied(&desks[0]), copied(&desks[1])];
    assert_eq!(copy, copy_other, "{step}");
    for canary in [one.canary, other.canary] {
        for text in a.iter().chain(&b).chain(&copy).chain(&copy_other) {
            assert!(!text.contains(canary), "{step}: {text}");
        }
    }
    figure(&format!(
        "{step}: {} answers, {bytes} bytes, {} records in the copy",
        a.len(),
        digests[0]["records"]
    ));
}

fn desk(world: &World) -> Desk {
    let rest = format!(
        "dataset = 'tw_people'\npermission = '{}'\nwait = '1s'\n[target]\nkind = 'sqlite'\npath = 'copy.db'\n",
        world.number
    );
    Desk::replica(&world.server, &world.reader, &rest)
}

#[tokio::test]
async fn what_a_permission_hides_shows_in_no_byte_while_it_is_narrowed() {
    let mut worlds = [World::new("Kaija").await, World::new("Ērglis").await];
    let desks = [desk(&worlds[0]), desk(&worlds[1])];
    // Hidden first, between and last; in one world hardly anything.
    worlds[1].hidden(3, 200, 1).await;
    for world in &mut worlds {
        world.shown(PEOPLE, 1).await;
    }
    worlds[0].hidden(1, 3, 5).await;
    worlds[1].secrets(PEOPLE, 1, 10).await;
    equal(&mut worlds, &desks, "loaded").await;

    for (world, other) in [(0, 1_u32), (1, 0)] {
        worlds[world].shown(110..120, 2).await;
        worlds[world].hidden(1, 1 + 50 * other, 20).await;
    }
    worlds[1].secrets(100..110, 1, 30).await;
    worlds[1].secrets(110..120, 2, 40).await;
    worlds[0].secrets(120..125, 1, 50).await;
    for world in &mut worlds {
        let gone = json!({ "op": "delete", "key": { "Code": code(115) } });
        world.deliver_shown(&[gone]).await;
    }
    equal(&mut worlds, &desks, "followed").await;

    // A field goes; from now on names are hidden.
    for world in &mut worlds {
        world
            .amend(json!({ "fields": ["Code", "Zone", "Pets.Species"] }))
            .await;
    }
    for number in (120..140).rev() {
        let person = worlds[1].person(number, zone(number), "Ērglis", 50);
        worlds[1].deliver(&[person]).await;
    }
    worlds[1].hidden(2, 250, 60).await;
    equal(&mut worlds, &desks, "without a field").await;

    // Half the scope goes; from now on whoever is not `in` is hidden.
    for world in &mut worlds {
        world
            .amend(json!({ "scope": { "when": "record.Zone == 'in'" } }))
            .await;
    }
    // Whether any of them went since does not show.
    let moved: Vec<_> = (130..150)
        .filter(|number| zone(*number) == "half")
        .map(|number| worlds[1].person(number, "out", "Ērglis", 70))
        .collect();
    worlds[1].deliver(&moved).await;
    let gone: Vec<_> = (100..130)
        .filter(|number| zone(*number) == "other" && *number != 115)
        .map(|number| json!({ "op": "delete", "key": { "Code": code(number) } }))
        .collect();
    worlds[1].deliver(&gone).await;
    equal(&mut worlds, &desks, "half the scope").await;
    for world in &mut worlds {
        world.shown(102..105, 3).await;
    }
    equal(&mut worlds, &desks, "half the scope, followed").await;

    // Narrowed twice more while nobody looks, with hidden deliveries between and after.
    for world in &mut worlds {
        world.amend(json!({ "fields": ["Code", "Zone"] })).await;
    }
    worlds[1].hidden(1, 100, 80).await;
    for world in &mut worlds {
        world
            .amend(json!({ "scope": { "keys": [[code(102)], [code(105)], [code(999)]] } }))
            .await;
    }
    worlds[0].hidden(2, 10, 90).await;
    equal(&mut worlds, &desks, "narrowed while nobody looked").await;
}
