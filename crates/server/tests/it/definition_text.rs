//! Definitions as connections read them: the provider's whole, a reader's as far as its permission shows.

use dagr_model::{definition::Definition, schema::Schema};
use dagr_server::client::Client;
use http::Method;
use serde_json::{Value, json};

use crate::{
    raw::{self, Raw},
    server::{Party, Server},
};

const DEFINITION: &str = r#"name: df_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name! : vārds
  - Secret : slepens
  - Pets * :
      fields:
        - Species : suga
        - Chip : mikroshēma
subject: Code
indexes: [Name, Secret]
changes: [{name: renamed, when: "old != null && new != null && new.Name != old.Name"}, {name: hidden, when: "new != null && new.Secret == 'x'"}]
"#;

const PATH: &str = "/data/df_person/definition";

struct Site {
    server: Server,
    provider: Party,
    reader: Party,
    holder: Client,
}

async fn site() -> Site {
    let server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "df_person", DEFINITION).await;
    let over = json!({ "fields": ["Code", "Name", "Pets.Species"], "quota": 1 });
    let holder = server.grant(&reader, "df_person", &["key"], over).await;
    let record = json!({ "Code": "32000000001", "Name": "Anna", "Secret": "s",
        "Pets": [{ "Species": "suns", "Chip": "c" }, { "Chip": "d" }] });
    let line = json!({ "op": "upsert", "record": record }).to_string();
    let path = "/intake/df_person/packages/p";
    provider
        .client
        .put(path, "application/x-ndjson", line)
        .await
        .unwrap();
    Site {
        server,
        provider,
        reader,
        holder,
    }
}

fn parsed(answer: &Raw) -> Definition {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/yaml");
    let definition: Definition = answer.text().parse().unwrap();
    assert_eq!(definition.print(), answer.text(), "canonical");
    definition
}

impl Site {
    async fn uses(&self) -> Value {
        let list = self.holder.get("/current_user_permissions").await.unwrap();
        list[0]["use_count"].clone()
    }

    async fn entries(&self) -> usize {
        let list = raw::get(&self.server.operator(), "/registry/disclosures?dataset=df_person").await;
        list.json()["disclosures"].as_array().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_reads_the_definition_it_delivers_to() {
    let site = site().await;
    let whole: Definition = DEFINITION.parse().unwrap();
    for path in [
        "/intake/df_person/definition",
        "/sandbox/df_person/intake/definition",
    ] {
        let answer = raw::get(&site.provider.client, path).await;
        assert_eq!(parsed(&answer), whole, "{path}");
        let known = [("if-none-match", answer.header("etag"))];
        let again = raw::call(&site.provider.client, Method::GET, path, &known, None).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
        let consumer = raw::get(&site.reader.client, path).await;
        assert_eq!(
            (consumer.status, consumer.code().as_str()),
            (403, "connection_kind")
        );
        let other = site.server.producer().await;
        let other = raw::get(&other.client, path).await;
        assert_eq!((other.status, other.code().as_str()), (404, "dataset_unknown"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_what_its_permission_shows() {
    let site = site().await;
    let answer = raw::get(&site.holder, PATH).await;
    let narrowed = parsed(&answer);
    let paths = ["Code", "Name", "Pets.Species"].map(str::to_owned);
    assert_eq!(
        narrowed,
        DEFINITION.parse::<Definition>().unwrap().narrowed(&paths)
    );
    for hidden in ["Secret", "Chip", "hidden", "mikroshēma"] {
        assert!(!answer.text().contains(hidden), "{hidden}: {}", answer.text());
    }
    assert_eq!(
        (site.entries().await, site.uses().await),
        (0, json!(0)),
        "nothing is entered"
    );

    let record = raw::get(&site.holder, "/data/df_person/records/32000000001").await;
    let read = Schema::compile(narrowed.into(), None).read_json(&record.body);
    assert_eq!(read.map(|read| read.json), Ok(record.body.clone()));
    assert_eq!(site.uses().await, json!(1));
    let known = [("if-none-match", answer.header("etag"))];
    let again = raw::call(&site.holder, Method::GET, PATH, &known, None).await;
    assert_eq!(again.status, 304, "a used up quota is of records");
    let word = raw::get(&site.holder, &format!("{PATH}?fields=Code")).await;
    assert_eq!((word.status, word.code().as_str()), (400, "query_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_records_is_refused_the_definition() {
    let site = site().await;
    let refused = async |client: &Client| {
        let answer = raw::get(client, PATH).await;
        (answer.status, answer.code())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refused(&site.server.anonymous()).await, is(401, "token_invalid"));
    assert_eq!(refused(&site.provider.client).await, is(403, "connection_kind"));
    assert_eq!(refused(&site.reader.client).await, is(403, "permission_missing"));
    let list = site.holder.get("/current_user_permissions").await.unwrap();
    let number = list[0]["permission_number"].as_str().unwrap();
    let stranger = site.server.consumer().await.client.with_permission(number);
    assert_eq!(refused(&stranger).await, is(403, "permission_missing"));
    let path = format!("/registry/permissions/{number}/suspend");
    let reason = json!({ "reason": "r" });
    site.server.operator().post(&path, &reason).await.unwrap();
    assert_eq!(refused(&site.holder).await, is(403, "permission_suspended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_is_hidden_changes_no_byte() {
    let site = site().await;
    let before = raw::get(&site.holder, PATH).await;
    let republish = async |text: String| {
        site.server.publish(&site.provider, "df_person", &text).await;
        raw::get(&site.holder, PATH).await
    };
    let hidden = DEFINITION.replace("slepens", "ļoti slepens") + "csv: {columns: {\"Noslēpums\": Secret}}\n";
    let same = republish(hidden.clone()).await;
    assert_eq!(
        (same.text(), same.header("etag")),
        (before.text(), before.header("etag"))
    );
    let shown = republish(hidden.replace("vārds", "pilns vārds")).await;
    assert_ne!(shown.header("etag"), before.header("etag"));
    assert!(shown.text().contains("pilns vārds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_set_shows_its_definition_to_anybody() {
    let site = site().await;
    let text =
        "name: df_open\nkey: Mark\nclassification: open\nfields:\n  - Mark : zīme\n  - Length : garums\n";
    site.server.publish(&site.provider, "df_open", text).await;
    let answer = raw::get(&site.server.anonymous(), "/data/df_open/definition").await;
    assert_eq!(parsed(&answer), text.parse::<Definition>().unwrap());
    let sandbox = raw::get(&site.server.anonymous(), "/sandbox/df_open/definition").await;
    assert_eq!(
        sandbox.status, 401,
        "in the sandbox every read needs a permission"
    );
}
