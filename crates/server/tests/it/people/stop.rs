//! The emergency stop.

use super::*;

#[tokio::test]
async fn a_stop_suspends_everything_at_once_and_its_end_resumes_exactly_that() {
    let office = Office::open().await;
    office.deliver().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let running = office.granted(&applicant, &decider, asked()).await;
    let before = office.granted(&applicant, &decider, asked()).await;
    let waiting = office.submitted(&applicant, asked()).await;
    let reason = json!({ "reason": "Aizdomas par noplūdi" });
    let suspend = format!("/registry/permissions/{before}/suspend");
    assert_eq!(office.post(&decider, &suspend, reason.clone()).await.status, 200);
    office.look_up(&running, None).await.unwrap();

    let (stop, resume) = (
        "/registry/datasets/persons/stop",
        "/registry/datasets/persons/resume",
    );
    assert_eq!(
        office.post(&decider, stop, json!({ "reason": " " })).await.status,
        422
    );
    assert_eq!(
        office.post(&decider, resume, reason.clone()).await.code(),
        "state_conflict"
    );
    let stopped = office.post(&decider, stop, reason.clone()).await;
    assert_eq!(
        (stopped.status, &stopped.json()["permissions"]),
        (200, &json!(1)),
        "{}",
        stopped.text()
    );
    assert_eq!(office.look_up(&running, None).await, Err("permission_suspended"));
    // What another start would load.
    let kept = office.registry.load().await.unwrap().permissions;
    let states: Vec<Value> = kept.iter().map(|one| json!(one.value.state)).collect();
    // The first is the provider's own, of its sandbox.
    assert_eq!(states, ["active", "suspended", "suspended"]);
    assert_eq!(
        office.post(&decider, stop, reason.clone()).await.code(),
        "state_conflict"
    );
    // Nothing comes into force meanwhile.
    let single = format!("/registry/permissions/{running}/resume");
    assert_eq!(
        office.post(&decider, &single, reason.clone()).await.code(),
        "state_conflict"
    );
    let approve = json!({ "result": "approve" });
    let decide = office
        .post(&decider, &format!("{waiting}/decide"), approve.clone())
        .await;
    assert_eq!(decide.code(), "state_conflict", "{}", decide.text());
    let told = office.get(&applicant, "/registry/notifications").await.json();
    assert_eq!(told["notifications"][0]["kind"], "dataset_stopped");

    let ended = office.post(&decider, resume, reason.clone()).await;
    assert!(ended.json()["ended"].is_string(), "{}", ended.text());
    office.look_up(&running, None).await.unwrap();
    assert_eq!(office.look_up(&before, None).await, Err("permission_suspended"));
    let decided = office.post(&decider, &format!("{waiting}/decide"), approve).await;
    assert_eq!(decided.status, 200, "{}", decided.text());
    let list = office
        .get(&applicant, "/registry/datasets/persons/stops")
        .await
        .json();
    assert_eq!(list["stops"][0]["end_reason"], "Aizdomas par noplūdi");
}

#[tokio::test]
async fn the_provider_stops_and_resumes_and_an_operator_only_stops() {
    let office = Office::open().await;
    let reason = json!({ "reason": "Pārbaude" });
    let (stop, resume) = (
        "/registry/datasets/persons/stop",
        "/registry/datasets/persons/resume",
    );
    let mut code = 0;
    for institution in [PROVIDER, RECIPIENT, KEEPER] {
        for role in Role::ALL {
            code += 1;
            let (_, token) = office.person(code, institution, &[role]).await;
            let answers = institution == PROVIDER && matches!(role, Role::Head | Role::DataManager);
            let stops = answers || role == Role::Operator;
            let done = office.post(&token, stop, reason.clone()).await;
            assert_eq!(done.status, if stops { 200 } else { 403 }, "{institution} {role}");
            if !stops {
                continue;
            }
            let done = office.post(&token, resume, reason.clone()).await;
            assert_eq!(
                done.status,
                if answers { 200 } else { 403 },
                "{institution} {role}"
            );
            if !answers {
                let operator = office.operator();
                office
                    .app
                    .dataset_resume(&operator, "persons", "x")
                    .await
                    .unwrap();
            }
        }
    }
    let (_, head) = office.person(99, PROVIDER, &[Role::Head]).await;
    let unknown = office.post(&head, "/registry/datasets/none/stop", reason).await;
    assert_eq!(unknown.code(), "dataset_unknown");
}
