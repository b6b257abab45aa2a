//! What was acknowledged is there after SIGKILL.
//! `DAGR_ROUNDS` kills (3 unless it says otherwise).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dagr_model::ids::DatasetName;
use dagr_registry::{Actor, Registry};
use dagr_server::client::Client;
use http::Method;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::{
    raw,
    server::{Party, Server},
};

const OPEN: &str = "name: du_rows
key: Package(, Row)
data_description: Rindas
classification: open
fields:
  - Package : nodevums
  - Row int : rinda
  - Text : teksts
";

const PERSONS: &str = "name: du_person
key: Code
data_description: Personas
fields:
  - Code person_code : kods
  - Name : vārds
subject: Code
";

/// Rows of one package: enough that a kill finds some in every stage.
const ROWS: usize = 300;
const WORKERS: usize = 4;
/// Another moment of the work is hit in each of so many rounds; then they come again.
const MOMENTS: usize = 20;

fn rounds() -> usize {
    std::env::var("DAGR_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

fn package(id: &str) -> String {
    let row = |row| {
        let record = json!({ "Package": id, "Row": row, "Text": "x".repeat(200) });
        json!({ "op": "upsert", "record": record }).to_string()
    };
    (0..ROWS).map(row).collect::<Vec<_>>().join("\n")
}

/// Counts answers, and tells when there are enough for the next kill.
#[derive(Default)]
struct Answers {
    count: AtomicUsize,
    more: Notify,
}

impl Answers {
    fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.more.notify_one();
    }

    async fn reach(&self, count: usize) {
        while self.count.load(Ordering::SeqCst) < count {
            self.more.notified().await;
        }
    }
}

/// Delivers until the server is gone; tells every id sent, and whether its receipt came.
async fn deliver(
    client: Client,
    name: String,
    answers: Arc<Answers>,
    told: mpsc::UnboundedSender<(String, bool)>,
) {
    for number in 0.. {
        let id = format!("{name}-{number}");
        let path = format!("/intake/du_rows/packages/{id}");
        let receipt = client.put(&path, "application/x-ndjson", package(&id)).await;
        let acknowledged = receipt.is_ok();
        if let Ok(receipt) = receipt {
            assert_eq!(receipt["accepted"], ROWS, "{receipt}");
            answers.add();
        }
        told.send((id, acknowledged)).unwrap();
        if !acknowledged {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_packages_are_whole_after_a_kill_and_no_package_is_half() {
    let mut server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "du_rows", OPEN).await;
    let mut all: BTreeMap<String, bool> = BTreeMap::new();
    let mut rows = 0;
    for round in 0..rounds() {
        let answers = Arc::new(Answers::default());
        let (told, mut heard) = mpsc::unbounded_channel();
        let client = server.again(&provider);
        client.token().await.unwrap();
        for worker in 0..WORKERS {
            let name = format!("r{round}-w{worker}");
            tokio::spawn(deliver(client.clone(), name, Arc::clone(&answers), told.clone()));
        }
        drop(told);
        // Another moment of the intake each round.
        answers.reach(3 + 2 * (round % MOMENTS)).await;
        server.kill_and_restart();
        let mut new = BTreeMap::new();
        while let Some((id, acknowledged)) = heard.recv().await {
            new.insert(id, acknowledged);
        }
        rows += judge_packages(&server, &provider, &new).await;
        judge_state(&server, &provider, rows).await;
        all.append(&mut new);
    }
    // Later kills took nothing of what earlier rounds left.
    assert_eq!(judge_packages(&server, &provider, &all).await, rows);
}

/// Tells how many rows are there of these packages.
async fn judge_packages(server: &Server, provider: &Party, packages: &BTreeMap<String, bool>) -> usize {
    let (anyone, provider) = (server.anonymous(), server.again(provider));
    let mut whole = 0;
    for (id, acknowledged) in packages {
        let page = anyone
            .get(&format!("/data/du_rows/records/{id}?limit=1000"))
            .await
            .unwrap();
        let rows = page["records"].as_array().unwrap().len();
        assert!(rows == 0 || rows == ROWS, "{id} is half there: {rows} of {ROWS}");
        whole += rows;
        let view = raw::get(&provider, &format!("/intake/du_rows/packages/{id}")).await;
        if *acknowledged {
            assert_eq!(rows, ROWS, "{id} was acknowledged");
        }
        let applied = view.json()["state"] == "applied";
        assert_eq!(applied, rows == ROWS, "{id}: {} with {rows} rows", view.text());
    }
    whole
}

async fn judge_state(server: &Server, provider: &Party, rows: usize) {
    let provider = server.again(provider);
    let state = provider.get("/intake/du_rows/state").await.unwrap();
    assert_eq!(state["records"], rows);
    assert_eq!(state["last_sequence"], rows, "the sequence has no gap");
}

/// Asks for one person until the server is gone or the quota is; tells the ids of requests answered.
async fn ask(client: Client, name: String, answers: Arc<Answers>, told: mpsc::UnboundedSender<String>) {
    for number in 0.. {
        let id = format!("{name}-{number}");
        let mut request = client
            .request(Method::GET, "/data/du_person/records/32000000001")
            .await
            .unwrap();
        request = request.header("x-request-id", &id);
        let Ok(answer) = client.send(request).await else {
            return;
        };
        assert_eq!(answer.status, 200);
        told.send(id).unwrap();
        answers.add();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_holds_and_every_answer_has_its_entry_through_kills() {
    let per_round = 40;
    let quota = per_round * rounds() + 60;
    let mut server = Server::start();
    let (provider, reader) = (server.producer().await, server.consumer().await);
    server.publish(&provider, "du_person", PERSONS).await;
    let record = json!({ "op": "upsert", "record": { "Code": "32000000001", "Name": "Anna" } });
    let path = "/intake/du_person/packages/p";
    provider
        .client
        .put(path, "application/x-ndjson", record.to_string())
        .await
        .unwrap();
    let body = json!({
        "dataset": "du_person", "recipient": reader.institution, "environment": "main", "purpose": "p",
        "legal_basis": "l", "fields": "all", "ways": ["key"], "quota": quota,
    });
    let made = server
        .operator()
        .post("/registry/permissions", &body)
        .await
        .unwrap();
    let number = made["number"].as_str().unwrap();

    let mut answered = BTreeSet::new();
    for round in 0..=rounds() {
        let answers = Arc::new(Answers::default());
        let (told, mut heard) = mpsc::unbounded_channel();
        let client = server.again(&reader).with_permission(number);
        client.token().await.unwrap();
        for worker in 0..WORKERS {
            let name = format!("r{round}-w{worker}");
            tokio::spawn(ask(client.clone(), name, Arc::clone(&answers), told.clone()));
        }
        drop(told);
        // The last round is left alone until the quota is spent.
        if round < rounds() {
            answers.reach(per_round / 2 + round % MOMENTS).await;
            server.kill_and_restart();
        }
        while let Some(id) = heard.recv().await {
            assert!(answered.insert(id));
        }
        assert!(
            answered.len() <= quota,
            "{} answers under a quota of {quota}",
            answered.len()
        );
    }
    let client = server.again(&reader).with_permission(number);
    let refused = client
        .get("/data/du_person/records/32000000001")
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("permission_exhausted"));
    let entered = entered(&server, "du_person").await;
    let missing: Vec<_> = answered.iter().filter(|id| !entered.contains(*id)).collect();
    assert!(missing.is_empty(), "answered without an entry: {missing:?}");
    let usable = client.get("/current_user_permissions").await.unwrap();
    assert_eq!(usable[0]["use_count"], quota);
    assert!(
        entered.len() <= quota,
        "{} entries under a quota of {quota}",
        entered.len()
    );
}

/// Request ids of the reads in the log; none twice.
pub async fn entered(server: &Server, dataset: &str) -> BTreeSet<String> {
    let (operator, mut ids, mut after) = (server.operator(), BTreeSet::new(), None::<String>);
    loop {
        let mut query = vec![("dataset", dataset.to_owned())];
        query.extend(after.take().map(|after| ("after", after)));
        let page = operator.get_with("/registry/disclosures", &query).await.unwrap();
        for entry in page["disclosures"].as_array().unwrap() {
            let id = entry["request_id"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{id} stands twice");
        }
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return ids,
        }
    }
}

/// Another field at the same place in each.
fn replaced(field: &str) -> String {
    format!(
        "name: du_kind\nkey: Code\ndata_description: Veidi\nclassification: open\nfields:\n  - Code : kods\n  - {field} : lauks\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_serves_no_record_of_the_one_it_replaced_after_a_kill() {
    let mut server = Server::start();
    let provider = server.producer().await;
    for (round, store_is_gone) in [false, true].into_iter().enumerate() {
        let (old, new) = (format!("Old{round}"), format!("New{round}"));
        server.publish(&provider, "du_kind", &replaced(&old)).await;
        let client = server.again(&provider);
        let body = json!({ "op": "upsert", "record": { "Code": "a", old.as_str(): "value" } }).to_string();
        let path = format!("/intake/du_kind/packages/p{round}");
        client.put(&path, "application/x-ndjson", body).await.unwrap();
        let before = client.get("/intake/du_kind/state").await.unwrap()["epoch"]
            .as_u64()
            .unwrap();
        let put = format!(
            "/registry/datasets/du_kind/definition?institution={}",
            provider.institution
        );
        server
            .operator()
            .put(&put, "application/yaml", replaced(&new))
            .await
            .unwrap();

        // Killed when the registry had committed, or when the store was gone and no other was there yet.
        server.kill();
        let registry = Registry::open(server.dir().join("registry.sqlite"))
            .await
            .unwrap();
        let by = Actor {
            name: "test".to_owned(),
            request_id: "-".to_owned(),
            at: jiff::Timestamp::now(),
        };
        let name = DatasetName::new("du_kind");
        let held = u32::try_from(before).unwrap();
        registry.publish_anew(&by, &name, None, held).await.unwrap();
        registry.close().await;
        if store_is_gone {
            std::fs::remove_dir_all(server.dir().join("sets/main/du_kind")).unwrap();
        }
        server.launch();

        let record = raw::get(&server.anonymous(), "/data/du_kind/records/a").await;
        assert_eq!((record.status, record.code().as_str()), (404, "record_unknown"));
        let client = server.again(&provider);
        let state = client.get("/intake/du_kind/state").await.unwrap();
        assert_eq!(
            (state["records"].as_u64(), state["epoch"].as_u64()),
            (Some(0), Some(before + 1))
        );
        let body = json!({ "op": "upsert", "record": { "Code": "a", new.as_str(): "value" } }).to_string();
        client
            .put(&format!("{path}-new"), "application/x-ndjson", body)
            .await
            .unwrap();
        let record = raw::get(&server.anonymous(), "/data/du_kind/records/a").await;
        assert_eq!(record.json(), json!({ "Code": "a", new.as_str(): "value" }));
    }
}
