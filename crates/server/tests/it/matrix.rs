//! The permission matrix: every read of a data set, by everybody and under every permission it must not be given
//! under. Each cell asserts status, code, the number of entries in the disclosure log, and what `explain` says;
//! nothing hidden appears anywhere.

mod cells;
mod concurrent;
mod everything;
mod order;
mod reads;
mod uses;

use dagr_server::client::Client;
use serde_json::{Value, json};

use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

/// In every hidden field and in every record out of scope.
const CANARY: &str = "CANARY";
/// Never asked for and out of every scope.
const NEVER: &str = "38271946053";

const DEFINITION: &str = r#"
name: mx_person
key: Code(, Year)
data_description: Personas
fields:
  - Code person_code : kods
  - Year int : gads
  - Name : vārds
  - Zone : zona
  - Secret : slepens
  - Pets * :
      fields:
        - Species : suga
        - Chip : mikroshēma
subject: Code
indexes: [Name, Secret]
history: true
changes: [{name: renamed, when: "old != null && new != null && new.Name != old.Name"}]
"#;

const WAYS: [&str; 6] = ["key", "bulk", "changes", "list:renamed", "index:Name", "history"];
const FIELDS: [&str; 5] = ["Code", "Year", "Name", "Zone", "Pets.Species"];

/// One server with one set, its provider, a holder of permissions and somebody else.
struct World {
    server: Server,
    provider: Party,
    holder: Party,
    stranger: Party,
}

impl World {
    async fn start() -> Self {
        let server = Server::start_with(&[("DAGR_LOG__LEVEL", "debug")]);
        let (provider, holder, stranger) = (
            server.producer().await,
            server.consumer().await,
            server.consumer().await,
        );
        server.publish(&provider, "mx_person", DEFINITION).await;
        let world = Self {
            server,
            provider,
            holder,
            stranger,
        };
        world.deliver("first", "Anete").await;
        world.deliver("second", "Anna").await;
        world
    }

    /// Everybody under a new name: `Zone` `in` for the first person only.
    async fn deliver(&self, package: &str, name: &str) {
        let person = |code: &str, year: u32, name: &str, zone: &str| {
            json!({ "op": "upsert", "record": {
                "Code": code, "Year": year, "Name": name, "Zone": zone, "Secret": format!("{CANARY}-secret-{code}"),
                "Pets": [{ "Species": "suns", "Chip": format!("{CANARY}-chip-{code}") }],
            }})
        };
        let hidden = format!("{CANARY}-{name}");
        let lines = [
            person("36184726051", 2020, name, "in"),
            person("36184726051", 2021, name, "in"),
            person("37295837162", 2020, &hidden, "out"),
            person(NEVER, 2020, &hidden, "out"),
        ];
        let body = lines.map(|line| line.to_string()).join("\n");
        let path = format!("/intake/mx_person/packages/{package}");
        self.provider
            .client
            .put(&path, "application/x-ndjson", body)
            .await
            .unwrap();
    }

    /// A permission of the holder with all ways, no hidden field, and of persons the first and some who do not
    /// exist; `over` lies over that. Gives its number.
    async fn permission(&self, over: Value) -> String {
        let mut body = json!({
            "dataset": "mx_person", "recipient": self.holder.institution, "environment": "main",
            "purpose": "test", "legal_basis": "test", "fields": FIELDS, "ways": WAYS,
            "scope": { "keys": [["36184726051"], ["34162514838"], ["38173625949"]] },
        });
        for (name, value) in over.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let operator = self.server.operator();
        let view = operator.post("/registry/permissions", &body).await.unwrap();
        view["number"].as_str().unwrap().to_owned()
    }

    async fn transition(&self, number: &str, verb: &str) {
        let path = format!("/registry/permissions/{number}/{verb}");
        let body = json!({ "reason": "test" });
        self.server.operator().post(&path, &body).await.unwrap();
    }

    fn under(&self, number: &str) -> Client {
        self.holder.client.with_permission(number)
    }

    /// Entries in the log: of this permission, and of the set.
    async fn entries(&self, number: &str) -> (usize, usize) {
        (
            self.disclosures(&format!("permission={number}")).await.len(),
            self.disclosures("dataset=mx_person").await.len(),
        )
    }

    async fn disclosures(&self, filter: &str) -> Vec<Value> {
        let path = format!("/registry/disclosures?{filter}&limit=1000");
        let answer = raw::get(&self.server.operator(), &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        holds_no_secret("the disclosure log", &answer);
        let page = answer.json();
        assert_eq!(page["next"], Value::Null, "more entries than one page");
        page["disclosures"].as_array().unwrap().clone()
    }

    /// Uses counted under a permission that is usable now.
    async fn use_count(&self, number: &str) -> u64 {
        let list = self.holder.client.get("/current_user_permissions").await.unwrap();
        let permissions = list.as_array().unwrap().iter();
        let mut found = permissions.filter(|permission| permission["permission_number"] == number);
        found.next().unwrap()["use_count"].as_u64().unwrap()
    }

    /// Nothing hidden, and no key of a personal set, in the log or the metrics.
    async fn leaves_no_trace(&self) {
        let metrics = raw::get(&self.server.operations(), "/metrics").await.text();
        let log = self.server.logged();
        assert!(!log.is_empty(), "the log is on");
        for (place, text) in [("the metrics", metrics), ("the log", log)] {
            for secret in [
                CANARY,
                "36184726051",
                "37295837162",
                NEVER,
                "34162514838",
                "38173625949",
            ] {
                assert!(!text.contains(secret), "{secret} in {place}: {text}");
            }
        }
    }
}

/// No canary in status line, header or body.
fn holds_no_secret(what: &str, answer: &Raw) {
    let (headers, body) = (format!("{:?}", answer.headers), answer.text());
    for secret in [CANARY, NEVER] {
        let leaks = headers.contains(secret) || body.contains(secret);
        assert!(!leaks, "{what} tells {secret}: {headers} {body}");
    }
}
