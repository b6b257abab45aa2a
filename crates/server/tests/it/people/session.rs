//! Who am I, for whom do I act, what should I look at.

use super::*;

#[tokio::test]
async fn a_person_sees_and_switches_the_institution_acted_for_and_signs_out() {
    let office = Office::open().await;
    let (person, token) = office
        .person(1, RECIPIENT, &[Role::DataManager, Role::Head])
        .await;
    let seen = office.get(&token, "/registry/session").await;
    let view = seen.json();
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(view["person"], json!(person.0));
    assert_eq!(
        view["acting_for"],
        json!({ "institution": RECIPIENT, "name": format!("Iestāde {RECIPIENT}"), "roles": ["head", "data_manager"] })
    );
    assert_eq!(view["ends"], "2024-06-04T00:00:00Z");
    assert!(!seen.text().contains("39000000001"), "the code is shown");

    let create = RoleCreate {
        institution: RegistrationNumber::new(PROVIDER),
        role: Role::LegalReviewer,
    };
    office
        .app
        .role_grant(&office.operator(), person, &create)
        .await
        .unwrap();
    let path = "/registry/session";
    let to = json!({ "institution": PROVIDER });
    let switched = office.call(&token, Method::PUT, path, to).await;
    assert_eq!(switched.json()["acting_for"]["roles"], json!(["legal_reviewer"]));
    let again = office.get(&token, path).await.json();
    assert_eq!(again["acting_for"]["institution"], PROVIDER);
    assert_eq!(again["may_act_for"].as_array().unwrap().len(), 2);
    let oneself = office
        .call(&token, Method::PUT, path, json!({ "institution": null }))
        .await;
    assert_eq!(oneself.json()["acting_for"], Value::Null);
    for (body, code) in [
        (json!({ "institution": OTHER }), "role_required"),
        (json!({}), "invalid"),
    ] {
        assert_eq!(office.call(&token, Method::PUT, path, body).await.code(), code);
    }
    let out = office
        .send(Some(&token), (Method::DELETE, path), &[], Vec::new())
        .await;
    assert_eq!((out.status, out.body.len()), (204, 0));
    assert_eq!(office.get(&token, path).await.status, 401);
}

#[tokio::test]
async fn notifications_are_of_the_person_and_of_the_institution_acted_for() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let made = office.post(&applicant, "/registry/applications", asked()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("{}/submit", made.header("location"));
    assert_eq!(office.post(&applicant, &path, json!({})).await.status, 200);
    let list = "/registry/notifications?unread=true";
    for (code, role) in [(10, Role::Head), (11, Role::Auditor), (12, Role::LegalReviewer)] {
        let (_, token) = office.person(code, PROVIDER, &[role]).await;
        let told = office.get(&token, list).await.json();
        assert_eq!(
            told["notifications"][0]["kind"], "application_submitted",
            "{role}"
        );
        let (_, other) = office.person(code + 10, OTHER, &[role]).await;
        let told = office.get(&other, list).await.json();
        assert_eq!(told["notifications"], json!([]), "{role} elsewhere");
    }
    let (_, reader) = office.person(30, PROVIDER, &[Role::Head]).await;
    let id = office.get(&reader, list).await.json()["notifications"][0]["id"].clone();
    let read = format!("/registry/notifications/{id}/read");
    let (_, stranger) = office.person(31, OTHER, &[Role::Head]).await;
    assert_eq!(office.post(&stranger, &read, json!({})).await.status, 404);
    assert!(office.post(&reader, &read, json!({})).await.json()["read_at"].is_string());
    assert_eq!(office.get(&reader, list).await.json()["notifications"], json!([]));
    let word = office.get(&reader, "/registry/notifications?wish=1").await;
    assert_eq!(word.code(), "query_invalid");
    let nothing = office
        .post(&reader, "/registry/notifications/x/read", json!({}))
        .await;
    assert_eq!(nothing.code(), "not_found");
}

#[tokio::test]
async fn a_set_is_previewed_by_whoever_is_signed_in_and_never_with_delivered_records() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::TechnicalContact]).await;
    let path = "/registry/datasets/persons/preview";
    let seen = office
        .get(&applicant, &format!("{path}?fields=Code,Town&records=2&seed=7"))
        .await
        .json();
    assert_eq!(
        (&seen["generated"], &seen["fields"]),
        (&json!(true), &json!(["Code", "Town"]))
    );
    let records = seen["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.get("Surname").is_none()));
    for (query, status) in [("?records=21", 400), ("?fields=Wish", 422), ("?wish=1", 400)] {
        let refused = office.get(&applicant, &format!("{path}{query}")).await;
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
    }
    let unknown = office.get(&applicant, "/registry/datasets/none/preview").await;
    assert_eq!(unknown.code(), "dataset_unknown");
}
