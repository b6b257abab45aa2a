//! A set of persons with a hidden field, its provider, and whoever may read the rest: what feeds, streams and digests
//! are tried on.

use dagr_server::client::Client;
use serde_json::{Value, json};

use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

const FIELDS: &str = r#"
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
  - Secret : slepens
subject: Code
changes: [{name: renamed, when: "old != null && new != null && new.Name != old.Name"}]
"#;

pub struct Persons {
    pub server: Server,
    pub provider: Party,
    pub reader: Party,
    /// The reader under a permission of code and name.
    pub holder: Client,
    /// Of that permission.
    pub number: String,
    pub set: &'static str,
}

impl Persons {
    /// `over` lies over the permission.
    pub async fn start(set: &'static str, settings: &[(&str, &str)], over: Value) -> Self {
        let server = Server::start_with(settings);
        let (provider, reader) = (server.producer().await, server.consumer().await);
        server
            .publish(&provider, set, &format!("name: {set}{FIELDS}"))
            .await;
        let ways = ["key", "changes", "list:renamed"];
        let (holder, number) = server.granted(&reader, set, &ways, shown(over)).await;
        Self {
            server,
            provider,
            reader,
            holder,
            number,
            set,
        }
    }

    pub async fn deliver(&self, package: &str, operations: &[Value]) {
        let path = format!("/intake/{}/packages/{package}", self.set);
        let lines = raw::lines(operations);
        let sent = self.provider.client.put(&path, "application/x-ndjson", lines);
        sent.await.unwrap();
    }

    /// Entries of the disclosure log under the permission.
    pub async fn entries(&self) -> Vec<Value> {
        let path = format!("/registry/disclosures?permission={}&limit=1000", self.number);
        let list = raw::get(&self.server.operator(), &path).await;
        list.json()["disclosures"].as_array().unwrap().clone()
    }
}

/// The fields that are not hidden, and what lies over that.
pub fn shown(over: Value) -> Value {
    let mut all = json!({ "fields": ["Code", "Name"] });
    for (name, value) in over.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    all
}

pub fn code(number: usize) -> String {
    format!("32{number:09}")
}

pub fn upsert(number: usize, name: &str, secret: &str) -> Value {
    json!({ "op": "upsert", "record": { "Code": code(number), "Name": name, "Secret": secret } })
}

pub fn is(answer: &Raw, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        answer.text()
    );
}
