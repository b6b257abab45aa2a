//! A disk that fails or is full under the running server, and is well again: nothing personal leaves unlogged,
//! nothing is half done, nothing needs a restart.

use std::collections::BTreeSet;

use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};

use crate::{
    durability::entered,
    raw::{self, Raw},
    server::{Party, Server},
    trace::{self, Fault},
};

const PERSONS: &str = "name: fa_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
subject: Code
";

/// Names nobody, and is not open: entries follow their answers.
const RESTRICTED: &str = "name: fa_place
key: Place
data_description: Vietas
classification: restricted
fields:
  - Place : vieta
";

const OPEN: &str = "name: fa_open
key: Row
data_description: Rindas
classification: open
fields:
  - Row int : rinda
";

const QUOTA: u64 = 40;
const ANNA: &str = "/data/fa_person/records/32000000001";

struct Site {
    server: Server,
    provider: Party,
    reader: Party,
    /// Reads persons under a quota of keys.
    person: Client,
    number: String,
    place: Client,
    /// Request ids of the personal answers given, and of those refused.
    answered: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Site {
    async fn start() -> Self {
        let server = Server::start();
        let (provider, reader) = (server.producer().await, server.consumer().await);
        for (name, definition) in [
            ("fa_person", PERSONS),
            ("fa_place", RESTRICTED),
            ("fa_open", OPEN),
        ] {
            server.publish(&provider, name, definition).await;
        }
        let ways = ["key", "bulk", "changes"];
        let person = server
            .grant(&reader, "fa_person", &ways, json!({ "quota": QUOTA }))
            .await;
        let place = server.grant(&reader, "fa_place", &ways, Value::Null).await;
        let usable = person.get("/current_user_permissions").await.unwrap();
        let mut usable = usable.as_array().unwrap().iter();
        let number = usable.find(|permission| permission["service_name"] == "fa_person");
        let number = number.unwrap()["permission_number"].as_str().unwrap().to_owned();
        let site = Self {
            server,
            provider,
            reader,
            person,
            number,
            place,
            answered: BTreeSet::new(),
            refused: BTreeSet::new(),
        };
        let people = [("32000000001", "Anna"), ("32000000002", "Juris")];
        let people = people.map(|(code, name)| json!({ "Code": code, "Name": name }));
        for (set, records) in [
            ("fa_person", people.to_vec()),
            ("fa_place", vec![json!({ "Place": "Talsi" })]),
            ("fa_open", vec![json!({ "Row": 1 })]),
        ] {
            assert_eq!(site.deliver(set, "first", &records).await.status, 200);
        }
        site
    }

    async fn deliver(&self, set: &str, package: &str, records: &[Value]) -> Raw {
        let rows = records
            .iter()
            .map(|record| json!({ "op": "upsert", "record": record }));
        let body = raw::lines(&rows.collect::<Vec<_>>()).into_bytes();
        let path = format!("/intake/{set}/packages/{package}");
        let body = Some(("application/x-ndjson", body));
        raw::call(&self.provider.client, Method::PUT, &path, &[], body).await
    }

    /// Every way to a person, each under its own request id: all answer `status`.
    async fn ask(&mut self, round: &str, status: u16) {
        let lookup = json!({ "keys": [{ "Code": "32000000001" }, { "Code": "32000000002" }] }).to_string();
        let calls = [
            (Method::GET, ANNA, None),
            (Method::HEAD, ANNA, None),
            (Method::GET, "/data/fa_person/records", None),
            (Method::GET, "/data/fa_person/changes?include=record", None),
            (Method::POST, "/data/fa_person/lookup", Some(lookup)),
        ];
        for (place, (method, path, body)) in calls.into_iter().enumerate() {
            let id = format!("{round}-{place}");
            let body = body.map(|body| ("application/json", body.into_bytes()));
            let headers = [("x-request-id", id.as_str())];
            let is_head = method == Method::HEAD;
            let answer = raw::call(&self.person, method, path, &headers, body).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            if status == 200 {
                self.answered.insert(id);
                continue;
            }
            assert!(
                is_head || answer.code() == "disclosure_unavailable",
                "{}",
                answer.text()
            );
            let shown = format!("{:?}{}", answer.headers, answer.text());
            assert!(!shown.contains("Anna") && !shown.contains("Juris"), "{shown}");
            assert_eq!(answer.header("etag"), "", "a refusal says nothing of the record");
            assert!(!answer.header("retry-after").is_empty());
            self.refused.insert(id);
        }
    }

    /// `reader`: signed in before a fault, or after a restart. A sign-in writes to the disk.
    async fn uses(&self, reader: &Client) -> u64 {
        let usable = reader.get("/current_user_permissions").await.unwrap();
        let mine = usable.as_array().unwrap().iter();
        let mut mine = mine.filter(|permission| permission["permission_number"] == self.number.as_str());
        mine.next().unwrap()["use_count"].as_u64().unwrap()
    }

    async fn state(&self) -> Value {
        let client = &self.provider.client;
        client.get("/intake/fa_person/state").await.unwrap()
    }

    /// Stopped by SIGKILL and started again: every answer has its entry, once; nothing is damaged.
    async fn judge(mut self, records: u64) {
        let before = self.uses(&self.reader.client).await;
        assert_eq!(self.state().await["records"], records);
        self.server.kill_and_restart();
        let entries = entered(&self.server, "fa_person").await;
        let missing: Vec<_> = self.answered.difference(&entries).collect();
        assert!(missing.is_empty(), "answered without an entry: {missing:?}");
        let told: Vec<_> = self.refused.intersection(&entries).collect();
        assert!(told.is_empty(), "refused, and in the log: {told:?}");
        let uses = self.uses(&self.server.again(&self.reader)).await;
        // Of the calls of a round one asks for two keys.
        let given = self.answered.len() as u64 + self.answered.len() as u64 / 5;
        assert_eq!(uses, given, "the log is the truth after a restart");
        assert!(before >= given, "{before} uses counted for {given} given");
        let provider = self.server.again(&self.provider);
        let state = provider.get("/intake/fa_person/state").await.unwrap();
        assert_eq!(state["records"], records);
        let scrubbed = self.server.scrub();
        let text = String::from_utf8_lossy(&scrubbed.stdout).into_owned();
        assert_eq!(scrubbed.status.code(), Some(0), "{text}");
        assert!(text.contains(" 0 damaged"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_syncs_fail_nothing_personal_leaves_and_then_it_goes_on() {
    if !trace::is_possible() {
        return;
    }
    let mut site = Site::start().await;
    site.ask("before", 200).await;
    let Some(fault) = Fault::inject(&site.server, "fdatasync,fsync", "EIO") else {
        return;
    };
    site.ask("failing", 503).await;
    let (status, why) = site.server.ready().await;
    assert_eq!((status, why.trim()), (503, "the disclosure log takes no entries"));
    // Names nobody, but the log takes nothing: said at once. Open data need no log.
    let place = raw::get(&site.place, "/data/fa_place/records/Talsi").await;
    assert_eq!(
        (place.status, place.code().as_str()),
        (503, "disclosure_unavailable")
    );
    let open = raw::get(&site.server.anonymous(), "/data/fa_open/records/1").await;
    assert_eq!((open.status, open.json()), (200, json!({ "Row": 1 })));
    let log = raw::get(&site.server.operator(), "/registry/disclosures").await;
    assert_eq!(
        (log.status, log.code().as_str()),
        (503, "disclosure_unavailable"),
        "a log that may lack what was given is not shown"
    );
    // A package whose commit cannot be synced is no package.
    let third = [json!({ "Code": "32000000003", "Name": "Ilze" })];
    let before = site.state().await;
    let failed = site.deliver("fa_person", "third", &third).await;
    assert!(failed.status >= 500, "{}", failed.text());
    assert_eq!(site.state().await, before);
    assert!(site.uses(&site.reader.client).await >= 6);
    // A sign-in is durable too, so that no assertion is used twice.
    let sign_in = site.server.again(&site.provider).token().await.unwrap_err();
    assert_eq!(sign_in.code(), Some("registry_unavailable"));

    drop(fault);
    site.server.until_ready().await;
    site.ask("after", 200).await;
    assert_eq!(site.deliver("fa_person", "third", &third).await.status, 200);
    site.judge(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_takes_no_bytes_intake_is_refused_whole_and_then_it_goes_on() {
    if !trace::is_possible() {
        return;
    }
    let mut site = Site::start().await;
    site.ask("before", 200).await;
    let calls = "pwrite64,fallocate,ftruncate";
    let Some(fault) = Fault::inject(&site.server, calls, "ENOSPC") else {
        return;
    };
    site.ask("full", 503).await;
    assert_eq!(site.server.ready().await.0, 503);
    let open = raw::get(&site.server.anonymous(), "/data/fa_open/records/1").await;
    assert_eq!(open.status, 200);
    let third = [json!({ "Code": "32000000003", "Name": "Ilze" })];
    let before = site.state().await;
    let refused = site.deliver("fa_person", "third", &third).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "storage_full"),
        "{}",
        refused.text()
    );
    assert!(!refused.header("retry-after").is_empty());
    let view = raw::get(&site.provider.client, "/intake/fa_person/packages/third").await;
    assert_eq!(view.code(), "package_unknown", "its id is free");
    assert_eq!(site.state().await, before);
    let stages = std::fs::read_dir(site.server.dir().join("stage")).unwrap();
    assert_eq!(stages.count(), 0, "its stage is gone");

    drop(fault);
    site.server.until_ready().await;
    site.ask("after", 200).await;
    assert_eq!(site.deliver("fa_person", "third", &third).await.status, 200);
    site.judge(3).await;
}
