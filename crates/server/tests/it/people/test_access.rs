//! Test access by rule: at once, while the sandbox holds only what the platform generated.

use proptest::prelude::*;

use super::*;

/// As a provider of the sandbox would deliver.
async fn delivers(office: &Office, id: &str) {
    assert_eq!(delivered(office, id, "delta").await, 200);
}

/// The status of the answer.
async fn delivered(office: &Office, id: &str, mode: &str) -> u16 {
    let line = json!({ "op": "upsert", "record": { "Code": ONE, "Surname": "Ozols", "Town": "Cēsis" } });
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from(format!("{line}\n")))]);
    let options = PackageOptions {
        content_type: "application/x-ndjson".to_owned(),
        mode: Some(mode.to_owned()),
        ..PackageOptions::default()
    };
    let producer = office.connection(PROVIDER, ConnectionKind::Producer);
    let put = office
        .app
        .package_put(&producer, Section::Sandbox, "persons", id, options, body);
    put.await.unwrap().status
}

/// A connection of the recipient, in force.
async fn reader(office: &Office) -> Ctx {
    let (app, operator, name) = (&office.app, office.operator(), ClientId::new("tries"));
    if !app.catalog().connections.contains_key(&name) {
        let system = json!({ "institution": RECIPIENT, "code": "tries", "name": "Sistēma" });
        let system = serde_json::from_value(system).unwrap();
        app.system_create(&operator, &system).await.unwrap();
        let connection =
            json!({ "client_id": name, "system": "tries", "kind": "consumer", "token_lifetime_s": 600 });
        let connection = serde_json::from_value(connection).unwrap();
        app.connection_create(&operator, &connection).await.unwrap();
    }
    let connection = Arc::clone(&app.catalog().connections.get(&name).unwrap().connection);
    office.ctx(Caller::Connection(connection, Timestamp::MAX))
}

/// Keys that a page of the sandbox gives, or the refusal.
async fn page(office: &Office, permission: &str) -> Result<usize, &'static str> {
    let mut ctx = reader(office).await;
    ctx.permission = Some(permission.to_owned());
    let query = dagr_app::changes::ChangesQuery {
        limit: Some(1_000),
        ..Default::default()
    };
    let found = office
        .app
        .change_list(&ctx, Section::Sandbox, "persons", query)
        .await
        .map_err(|problem| problem.code)?;
    let body: Value = serde_json::from_slice(&found.into_inner().body).unwrap();
    Ok(body["changes"].as_array().unwrap().len())
}

fn tries(environments: &[&str]) -> Value {
    let mut asked = asked();
    asked["environments"] = json!(environments);
    asked["ways"] = json!(["key", "changes"]);
    asked
}

/// A filled sandbox whose rule is on; applicant, decider.
async fn set_up(office: &Office) -> (String, String) {
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    fill(office, &decider).await;
    rule(office, &decider, true).await;
    (applicant, decider)
}

async fn fill(office: &Office, decider: &str) {
    let filled = office
        .post(
            decider,
            "/registry/datasets/persons/sandbox/fill",
            json!({ "records": 40, "seed": 3 }),
        )
        .await;
    assert_eq!(filled.status, 200, "{}", filled.text());
    let receipt = filled.json();
    let of = |name: &str| receipt[name].as_u64().unwrap();
    assert_eq!(
        of("accepted") + of("unchanged") + of("duplicates"),
        40,
        "{receipt}"
    );
}

async fn rule(office: &Office, decider: &str, on: bool) {
    let put = json!({ "rules": { "template_only": false, "test_access": on }, "reason": "Lai izmēģina" });
    let set = office
        .call(decider, Method::PUT, "/registry/datasets/persons/rules", put)
        .await;
    assert_eq!(set.status, 200, "{}", set.text());
}

async fn permissions(office: &Office, token: &str, path: &str) -> Vec<String> {
    let view = office.get(token, path).await.json();
    let numbers = view["permissions"].as_array().unwrap();
    numbers
        .iter()
        .map(|number| number.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_sandbox_is_given_at_once_and_main_waits() {
    let office = Office::open().await;
    let (applicant, decider) = set_up(&office).await;
    let path = office.submitted(&applicant, tries(&["main", "sandbox"])).await;
    let [test] = &permissions(&office, &applicant, &path).await[..] else {
        panic!("no test access")
    };
    assert!(page(&office, test).await.unwrap() > 0);
    assert_eq!(
        office.get(&applicant, &path).await.json()["stage"]["name"],
        "submitted"
    );
    // The decision keeps what it gives anyway.
    let approve = json!({ "result": "approve" });
    let decided = office.post(&decider, &format!("{path}/decide"), approve).await;
    assert_eq!(decided.status, 200, "{}", decided.text());
    assert_eq!(permissions(&office, &applicant, &path).await.len(), 2);
    assert!(page(&office, test).await.is_ok());

    // For the sandbox alone the rule is the decision: by whom, and what they signed, stands in the event.
    let alone = office.submitted(&applicant, tries(&["sandbox"])).await;
    let view = office.get(&applicant, &alone).await.json();
    assert_eq!(view["stage"]["name"], "decided", "{view}");
    let rules = office
        .get(&applicant, "/registry/datasets/persons/rules")
        .await
        .json();
    let events = office.get(&applicant, &format!("{alone}/events")).await.json();
    let last = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["kind"] == "decide")
        .unwrap()
        .clone();
    assert_eq!(last["person"], rules["decider"]["person"]);
    assert_eq!(last["sealed"]["act"], "rules");
    assert_eq!(last["seal"], rules["decider"]["seal"]);
    assert!(
        page(&office, &permissions(&office, &applicant, &alone).await[0])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_delivery_ends_it_before_it_can_be_read() {
    let office = Office::open().await;
    let (applicant, decider) = set_up(&office).await;
    let path = office.submitted(&applicant, tries(&["sandbox"])).await;
    let test = permissions(&office, &applicant, &path).await[0].clone();
    delivers(&office, "real").await;
    assert_eq!(page(&office, &test).await, Err("permission_suspended"));
    for token in [&applicant, &decider] {
        let told = office.get(token, "/registry/notifications").await.json();
        assert_eq!(told["notifications"][0]["kind"], "test_access_ended", "{told}");
    }
    // Not again while a delivered record is there; again once everything is generated.
    let waits = office.submitted(&applicant, tries(&["sandbox"])).await;
    assert!(permissions(&office, &applicant, &waits).await.is_empty());
    fill(&office, &decider).await;
    let given = office.submitted(&applicant, tries(&["sandbox"])).await;
    assert_eq!(permissions(&office, &applicant, &given).await.len(), 1);
    // A rule that is off gives nothing.
    rule(&office, &decider, false).await;
    let waits = office.submitted(&applicant, tries(&["sandbox"])).await;
    assert!(permissions(&office, &applicant, &waits).await.is_empty());
}

#[tokio::test]
async fn without_a_providers_decision_no_rule_gives() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    // The operator decides for nobody.
    let put = json!({ "rules": { "template_only": false, "test_access": true }, "reason": "Lai izmēģina" });
    let rules = "/registry/datasets/persons/rules";
    let denied = office
        .call(&office.operator_token(), Method::PUT, rules, put)
        .await;
    assert_eq!(denied.code(), "role_required", "{}", denied.text());
    rule(&office, &decider, true).await;
    // Nothing in it yet.
    let waits = office.submitted(&applicant, tries(&["sandbox"])).await;
    assert!(permissions(&office, &applicant, &waits).await.is_empty());
    fill(&office, &decider).await;
    // What waits is not given afterwards, and a refusal ends what was given.
    assert!(permissions(&office, &applicant, &waits).await.is_empty());
    let path = office.submitted(&applicant, tries(&["main", "sandbox"])).await;
    let test = permissions(&office, &applicant, &path).await[0].clone();
    let refuse = json!({ "result": "refuse", "reason": "Nav pamata" });
    let decided = office.post(&decider, &format!("{path}/decide"), refuse).await;
    assert_eq!(decided.status, 200, "{}", decided.text());
    assert_eq!(page(&office, &test).await, Err("permission_revoked"));
    // Too many, too few, and somebody else's.
    let fill = "/registry/datasets/persons/sandbox/fill";
    for records in [0, 10_001] {
        let refused = office.post(&decider, fill, json!({ "records": records })).await;
        assert_eq!(refused.status, 422);
    }
    let foreign = office.post(&applicant, fill, json!({ "records": 5 })).await;
    assert_eq!(foreign.code(), "dataset_unknown");
}

#[tokio::test]
async fn a_held_delivery_ends_it_when_it_is_confirmed() {
    let steps = [
        Step::RuleOn,
        Step::Fill,
        Step::Hold,
        Step::Fill,
        Step::Submit,
        Step::Confirm,
        Step::Submit,
    ];
    follows_the_rule(&steps).await;
}

#[tokio::test]
async fn what_does_not_happen_ends_nothing() {
    let office = Office::open().await;
    let (applicant, decider) = set_up(&office).await;
    let mut asked = tries(&["main", "sandbox"]);
    asked["ways"] = json!(["index:Surname"]);
    let path = office.submitted(&applicant, asked).await;
    let test = permissions(&office, &applicant, &path).await[0].clone();
    let state = async || {
        office
            .get(&decider, &format!("/registry/permissions/{test}"))
            .await
            .json()["state"]
            .clone()
    };
    // A decision that would leave no way is refused.
    let partial = json!({ "result": "partial", "refused": [{ "field": "Surname", "reason": "Nevajag" }] });
    let refused = office.post(&decider, &format!("{path}/decide"), partial).await;
    assert_eq!(
        refused.json()["errors"][0]["rule"],
        "no_way",
        "{}",
        refused.text()
    );
    assert_eq!(state().await, "active");
    // No such package is held.
    let producer = office.connection(PROVIDER, ConnectionKind::Producer);
    let unknown = office
        .app
        .package_confirm(&producer, Section::Sandbox, "persons", "never")
        .await;
    assert_eq!(unknown.unwrap_err().status, 404);
    assert_eq!(state().await, "active");
    // Who filled the sandbox is in the trail.
    let trail = office
        .get(&office.operator_token(), "/registry/audit?action=sandbox_fill")
        .await
        .json();
    assert_eq!(trail["entries"][0]["before"]["records"], 40, "{trail}");
}

#[tokio::test]
async fn no_rule_gives_earlier_versions() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let sent = DefinitionSent {
        text: PERSONS
            .replace("name: persons", "name: kept")
            .replace("fields:", "history: true\nfields:"),
        institution: Some(PROVIDER.to_owned()),
        ..DefinitionSent::default()
    };
    office
        .app
        .definition_put(&office.operator(), "kept", sent)
        .await
        .unwrap();
    let set = "/registry/datasets/kept";
    let filled = office
        .post(&decider, &format!("{set}/sandbox/fill"), json!({ "records": 5 }))
        .await;
    assert_eq!(filled.status, 200, "{}", filled.text());
    let put = json!({ "rules": { "template_only": false, "test_access": true }, "reason": "Lai izmēģina" });
    office
        .call(&decider, Method::PUT, &format!("{set}/rules"), put)
        .await;
    for (ways, given) in [(json!(["key"]), 1), (json!(["key", "history"]), 0)] {
        let mut asked = tries(&["sandbox"]);
        asked["dataset"] = json!("kept");
        asked["ways"] = ways;
        let path = office.submitted(&applicant, asked).await;
        assert_eq!(permissions(&office, &applicant, &path).await.len(), given);
    }
}

/// What people and systems do, in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    RuleOn,
    RuleOff,
    Fill,
    Deliver,
    /// A delivery that would remove most records waits for its provider.
    Hold,
    Confirm,
    Submit,
    SubmitBoth,
}

fn step() -> impl Strategy<Value = Step> {
    prop::sample::select(vec![
        Step::RuleOn,
        Step::RuleOff,
        Step::Fill,
        Step::Deliver,
        Step::Hold,
        Step::Confirm,
        Step::Submit,
        Step::Submit,
        Step::SubmitBoth,
    ])
}

fn end(given: &mut [(String, bool)]) {
    for one in given {
        one.1 = false;
    }
}

/// The rule gives if and only if it is on and all there is was generated; a delivery ends all it gave.
async fn follows_the_rule(steps: &[Step]) {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let (mut is_on, mut is_generated, mut number) = (false, false, 0);
    let mut held: Vec<String> = Vec::new();
    // Permission, in force.
    let mut given: Vec<(String, bool)> = Vec::new();
    for step in steps {
        match step {
            Step::RuleOn | Step::RuleOff => {
                is_on = matches!(step, Step::RuleOn);
                rule(&office, &decider, is_on).await;
            }
            Step::Fill => {
                fill(&office, &decider).await;
                is_generated = true;
            }
            Step::Deliver => {
                number += 1;
                delivers(&office, &format!("real-{number}")).await;
                is_generated = false;
                end(&mut given);
            }
            Step::Hold => {
                number += 1;
                let id = format!("real-{number}");
                // The guard has nothing to keep in a small or empty sandbox.
                if delivered(&office, &id, "snapshot").await == 202 {
                    held.push(id);
                } else {
                    is_generated = false;
                }
                end(&mut given);
            }
            Step::Confirm => {
                let Some(id) = held.pop() else { continue };
                let producer = office.connection(PROVIDER, ConnectionKind::Producer);
                let confirmed = office
                    .app
                    .package_confirm(&producer, Section::Sandbox, "persons", &id)
                    .await;
                is_generated &= confirmed.is_err();
                end(&mut given);
            }
            Step::Submit | Step::SubmitBoth => {
                let environments: &[&str] = match step {
                    Step::Submit => &["sandbox"],
                    _ => &["sandbox", "main"],
                };
                let path = office.submitted(&applicant, tries(environments)).await;
                let found = permissions(&office, &applicant, &path).await;
                assert_eq!(found.len(), usize::from(is_on && is_generated), "{steps:?}");
                given.extend(found.into_iter().map(|number| (number, true)));
            }
        }
        for (permission, in_force) in &given {
            let read = page(&office, permission).await;
            assert_eq!(read.is_ok(), *in_force, "{steps:?}: {read:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_order_of_steps_gives_what_no_provider_decided(steps in prop::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows_the_rule(&steps));
    }
}
