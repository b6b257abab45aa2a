//! The cells: every read × everything that can be wrong with it, and what is right.

use dagr_server::client::Client;
use serde_json::{Value, json};

use super::{
    CANARY, WAYS, World, holds_no_secret,
    reads::{Key, Read},
};
use crate::raw::{Raw, call};

/// One question and its answer.
struct Cell {
    what: &'static str,
    client: Client,
    /// Whose entries are counted, and whom `explain` is asked about.
    number: String,
    key: Key,
    fields: Option<&'static str>,
    after: Option<String>,
    status: u16,
    code: &'static str,
    /// The holder asks, and `explain` can express the question.
    explained: bool,
}

impl Cell {
    fn new(what: &'static str, world: &World, number: &str, status: u16, code: &'static str) -> Self {
        Self {
            what,
            client: world.under(number),
            number: number.to_owned(),
            key: Key::Inside,
            fields: None,
            after: None,
            status,
            code,
            explained: true,
        }
    }

    /// Asked by somebody else: `explain` would answer that one something else.
    fn by(self, client: Client) -> Self {
        Self {
            client,
            explained: false,
            ..self
        }
    }

    fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }

    fn fields(self, fields: &'static str) -> Self {
        Self {
            fields: Some(fields),
            ..self
        }
    }

    /// With a cursor, which `explain` does not take.
    fn after(self, after: &str) -> Self {
        Self {
            after: Some(after.to_owned()),
            explained: false,
            ..self
        }
    }

    async fn check(&self, world: &World, read: Read) -> Raw {
        let before = world.entries(&self.number).await;
        let (method, path, body) = read.call(self.key, self.fields, self.after.as_deref());
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let answer = call(&self.client, method, &path, &[], body).await;
        let place = format!("{read:?} × {}: {}", self.what, answer.text());
        assert_eq!(answer.status, self.status, "{place}");
        if read != Read::Head {
            assert_eq!(answer.code(), self.code, "{place}");
        }
        assert!(
            answer.status >= 400 || answer.header("cache-control").contains("no-store"),
            "{place}"
        );
        assert!(answer.headers.get("last-modified").is_none(), "{place}");
        holds_no_secret(&place, &answer);
        // A refusal leaves no entry; what was read leaves one, found or not.
        let read_it = self.code.is_empty() || self.code == "record_unknown";
        let after = world.entries(&self.number).await;
        let new = usize::from(read_it);
        assert_eq!(after, (before.0 + new, before.1 + new), "entries: {place}");
        if self.explained {
            self.explain(read, read_it).await;
        }
        answer
    }

    async fn explain(&self, read: Read, read_it: bool) {
        let path = read.explain(&self.number, self.key, self.fields);
        let answer = call(&self.client, http::Method::GET, &path, &[], None).await;
        let told = answer.json();
        let place = format!("{read:?} × {} explained: {told}", self.what);
        assert_eq!(answer.status, 200, "{place}");
        let refused = told["answer"] == "refused";
        assert_eq!(refused, !read_it, "{place}");
        let code = told["code"].as_str().unwrap_or_default();
        assert_eq!(code, if read_it { "" } else { self.code }, "{place}");
        assert!(!answer.text().contains(CANARY), "{place}");
        let last = &told["reasons"].as_array().unwrap().last().unwrap()["ok"];
        assert_eq!(last, &Value::Bool(read_it), "{place}");
    }
}

/// Permissions that refuse every read, with their code.
async fn refusing(world: &World) -> Vec<(String, &'static str)> {
    let mut numbers = Vec::new();
    for (over, code) in [
        (json!({ "valid_from": "2099-01-01" }), "permission_not_yet_valid"),
        (json!({ "valid_to": "2001-01-01" }), "permission_expired"),
        (json!({ "case_required": true }), "case_required"),
    ] {
        numbers.push((world.permission(over).await, code));
    }
    for (verb, code) in [
        ("suspend", "permission_suspended"),
        ("revoke", "permission_revoked"),
    ] {
        let number = world.permission(json!({})).await;
        world.transition(&number, verb).await;
        numbers.push((number, code));
    }
    let number = world.permission(json!({ "quota": 1 })).await;
    world
        .under(&number)
        .get("/data/mx_person/records/36184726051/2020")
        .await
        .unwrap();
    numbers.push((number, "permission_exhausted"));
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_without_a_permission() {
    let world = World::start().await;
    let good = world.permission(json!({})).await;
    world
        .server
        .publish(
            &world.provider,
            "mx_other",
            "name: mx_other\nkey: Id\nfields:\n  - Id : x\n",
        )
        .await;
    let other = world
        .permission(json!({ "dataset": "mx_other", "fields": "all", "ways": ["key"] }))
        .await;
    let refusing = refusing(&world).await;
    for read in Read::ALL {
        let cell = |what, status, code| Cell::new(what, &world, &good, status, code);
        let missing = |what, client| cell(what, 403, "permission_missing").by(client);
        let anonymous = world.server.anonymous().with_permission(&good);
        let nobody = Client::bearer(&world.server.data, "nonsense").unwrap();
        let producer = world.provider.client.with_permission(&good);
        let operator = world.server.operator().with_permission(&good);
        for cell in [
            cell("anonymous", 401, "token_invalid").by(anonymous),
            cell("a token of nobody", 401, "token_invalid").by(nobody.with_permission(&good)),
            cell("the operator", 401, "token_invalid").by(operator),
            cell("wrong kind of connection", 403, "connection_kind").by(producer),
            missing("stranger", world.stranger.client.with_permission(&good)),
            missing("no permission", world.holder.client.clone()),
            missing("an unknown permission", world.under("999999")),
            missing("no number", world.under("x")),
            missing("the permission of another set", world.under(&other)),
        ] {
            cell.check(&world, read).await;
        }
        for (number, code) in &refusing {
            Cell::new(code, &world, number, 403, code)
                .check(&world, read)
                .await;
        }
        let ways: Vec<&str> = WAYS.into_iter().filter(|way| *way != read.way()).collect();
        let number = world.permission(json!({ "ways": ways })).await;
        Cell::new("way missing", &world, &number, 403, "permission_way")
            .check(&world, read)
            .await;
        // With its case, the same permission reads.
        let with_case = world.under(&refusing[2].0).with_case("case-1");
        Cell {
            client: with_case,
            ..Cell::new("a case", &world, &refusing[2].0, 200, "")
        }
        .check(&world, read)
        .await;
    }
    world.leaves_no_trace().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_within_the_permission() {
    let world = World::start().await;
    let good = world.permission(json!({})).await;
    let other = world.permission(json!({})).await;
    let foreign = world
        .under(&other)
        .get("/data/mx_person/changes?limit=1")
        .await
        .unwrap();
    let foreign = foreign["next"].as_str().unwrap();
    for read in Read::ALL {
        let cell = |what, status, code| Cell::new(what, &world, &good, status, code);
        let all = cell("allowed", 200, "").check(&world, read).await;
        assert!(!all.text().contains("37295837162"), "{read:?}: {}", all.text());
        cell("field given", 200, "")
            .fields("Name")
            .check(&world, read)
            .await;
        for (what, fields, status, code) in [
            ("field unknown", "Nope", 400, "field_unknown"),
            ("child unknown", "Pets.Nope", 400, "field_unknown"),
            ("field outside", "Secret", 403, "permission_field"),
            ("child outside", "Pets.Chip", 403, "permission_field"),
            ("child outside its structure", "Pets", 403, "permission_field"),
        ] {
            cell(what, status, code).fields(fields).check(&world, read).await;
        }
        if read.has_key() {
            cell("key invalid", 400, "key_invalid")
                .key(Key::Invalid)
                .check(&world, read)
                .await;
            cell("key outside", 403, "permission_scope")
                .key(Key::Outside)
                .check(&world, read)
                .await;
        }
        if read.is_page() {
            for cursor in ["AAAA", "", "%C3%A4", foreign] {
                cell("cursor invalid", 400, "cursor_invalid")
                    .after(cursor)
                    .check(&world, read)
                    .await;
            }
        }
    }
    world.leaves_no_trace().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_a_predicate_is_absent() {
    let world = World::start().await;
    let number = world
        .permission(json!({ "scope": { "when": "record.Zone == 'in'" } }))
        .await;
    // Renamed once more, so that the list has an event after the predicate began.
    world.deliver("third", "Anna").await;
    for read in Read::ALL {
        let found = Cell::new("in the predicate", &world, &number, 200, "")
            .check(&world, read)
            .await;
        let text = found.text();
        assert!(
            read == Read::Head || text.contains("36184726051"),
            "{read:?}: {text}"
        );
        assert!(!text.contains("37295837162"), "{read:?}: {text}");
        if !read.has_key() {
            continue;
        }
        let alone = matches!(read, Read::Record | Read::Head | Read::AsOf);
        let (status, code) = if alone { (404, "record_unknown") } else { (200, "") };
        let mut answers = Vec::new();
        for key in [Key::Outside, Key::Absent] {
            let answer = Cell::new("out of the predicate", &world, &number, status, code)
                .key(key)
                .check(&world, read)
                .await;
            let last = world
                .disclosures(&format!("permission={number}"))
                .await
                .pop()
                .unwrap();
            answers.push(same_words(&answer, &last, key));
        }
        assert_eq!(answers[0], answers[1], "{read:?}: told apart");
    }
    world.leaves_no_trace().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_key_field_allows_full_keys_only() {
    let world = World::start().await;
    let number = world.permission(json!({ "fields": ["Code", "Name"] })).await;
    for read in Read::ALL {
        let (status, code) = if read.is_full_key() {
            (200, "")
        } else {
            (403, "permission_way")
        };
        Cell::new("a part of the key hidden", &world, &number, status, code)
            .check(&world, read)
            .await;
    }
}

/// The answer and its entry without what differs between any two calls, the asked code made one.
fn same_words(answer: &Raw, entry: &Value, key: Key) -> (Vec<String>, Value, Value) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id" && *name != "date")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    let without = |value: &Value| {
        let mut value = value.clone();
        for name in ["request_id", "id", "at"] {
            if let Some(members) = value.as_object_mut() {
                members.shift_remove(name);
            }
        }
        let text = value.to_string().replace(key.code(), "ASKED");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    (headers, without(&answer.json()), without(entry))
}
