//! Templates: what a provider offers, and what may be asked under it.

use super::*;

pub fn offered() -> Value {
    json!({
        "reason": "Pašvaldības pabalstiem vajag vienu un to pašu",
        "template": {
            "title": "Pabalsta piešķiršana", "use_case": "Pašvaldība pārbauda, kur persona dzīvo",
            "purpose": "Pabalsts", "legal_basis": "Sociālo pakalpojumu likums",
            "fields": [{ "field": "Code", "law": "4. pants" }, { "field": "Town", "law": "5. pants" }],
            "ways": ["key"], "quota": 1000, "days": 365,
        },
    })
}

async fn offer(office: &Office, decider: &str) -> Value {
    let made = office
        .post(decider, "/registry/datasets/persons/templates", offered())
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn under(template: &Value) -> Value {
    json!({
        "kind": "data", "dataset": "persons", "environments": ["main"],
        "template": { "number": template["number"], "version": template["version"] },
    })
}

#[tokio::test]
async fn an_application_under_a_template_is_filled_in_and_kept_within_it() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    office.deliver().await;
    let template = offer(&office, &decider).await;

    let made = office
        .post(&applicant, "/registry/applications", under(&template))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").to_owned();
    let asked = &made.json()["asked"];
    assert_eq!(asked["purpose"], "Pabalsts");
    assert_eq!(asked["fields"][1]["field"], "Town");
    assert_eq!(asked["valid_to"], "2025-06-02");

    // Beyond it: each excess is named, and nothing is submitted.
    let patch = json!({
        "use_case": "Pārbaudām adresi", "quota": 5000, "ways": ["key", "changes"],
        "fields": [{ "field": "Code", "law": "4. pants" }, { "field": "Surname", "law": "4. pants" }],
    });
    let patched = office.call(&applicant, Method::PATCH, &path, patch).await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    let submit = format!("{path}/submit");
    let refused = office.post(&applicant, &submit, json!({})).await;
    let places: Vec<Value> = refused.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["place"].clone())
        .collect();
    assert_eq!((refused.status, refused.code()), (422, "invalid".to_owned()));
    assert_eq!(
        json!(places),
        json!(["fields.Surname", "ways", "quota"]),
        "{}",
        refused.text()
    );

    let within = json!({
        "quota": 10, "ways": ["key"],
        "fields": [{ "field": "Code", "law": "4. pants" }, { "field": "Town", "law": "5. pants" }],
    });
    office.call(&applicant, Method::PATCH, &path, within).await;
    let done = office.post(&applicant, &submit, json!({})).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let approve = json!({ "result": "approve" });
    let decided = office.post(&decider, &format!("{path}/decide"), approve).await;
    let permission = decided.json()["permissions"][0].as_str().unwrap().to_owned();
    assert!(
        office
            .look_up(&permission, None)
            .await
            .unwrap()
            .get("Surname")
            .is_none()
    );
    assert_eq!(
        office.look_up(&permission, Some(&["Surname"])).await,
        Err("permission_field")
    );
}

#[tokio::test]
async fn a_template_that_changed_or_ended_is_chosen_again() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let first = offer(&office, &decider).await;
    let draft = async |template: &Value| {
        let made = office
            .post(&applicant, "/registry/applications", under(template))
            .await;
        let path = made.header("location").to_owned();
        let said = json!({ "use_case": "Pārbaudām adresi" });
        office.call(&applicant, Method::PATCH, &path, said).await;
        path
    };
    let submit = async |path: &str| {
        office
            .post(&applicant, &format!("{path}/submit"), json!({}))
            .await
    };
    let (early, sent) = (draft(&first).await, draft(&first).await);
    assert_eq!(submit(&sent).await.status, 200);
    let returned = json!({ "remarks": [{ "text": "Kāpēc?" }] });
    office.post(&decider, &format!("{sent}/return"), returned).await;

    let path = format!("/registry/templates/{}", first["number"]);
    let next = office.call(&decider, Method::PUT, &path, offered()).await;
    assert_eq!(next.json()["version"], 2, "{}", next.text());
    let outdated = submit(&early).await;
    assert_eq!(
        outdated.json()["errors"][0]["rule"],
        "outdated",
        "{}",
        outdated.text()
    );
    // What was submitted under it stays under it.
    assert_eq!(submit(&sent).await.status, 200);
    let late = draft(&next.json()).await;

    let reason = json!({ "reason": "Vairs nevajag" });
    let retire = office
        .post(&decider, &format!("{path}/retire"), reason.clone())
        .await;
    assert_eq!(retire.json()["state"], "retired", "{}", retire.text());
    assert_eq!(submit(&late).await.json()["errors"][0]["rule"], "outdated");
    let again = office.post(&decider, &format!("{path}/retire"), reason).await;
    assert_eq!(again.code(), "state_conflict");
    let list = "/registry/datasets/persons/templates";
    let shown = async |path: &str| {
        office.get(&applicant, path).await.json()["templates"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(shown(list).await, Some(0));
    assert_eq!(shown(&format!("{list}?retired=true")).await, Some(1));
}

#[tokio::test]
async fn a_provider_may_take_applications_by_template_only() {
    let office = Office::open().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let template = offer(&office, &decider).await;
    let rules = "/registry/datasets/persons/rules";
    assert_eq!(office.get(&applicant, rules).await.json()["version"], 0);
    let put = json!({ "rules": { "template_only": true }, "reason": "Tā ir skaidrāk" });
    let denied = office.call(&applicant, Method::PUT, rules, put.clone()).await;
    assert_eq!(denied.code(), "role_required");
    let set = office.call(&decider, Method::PUT, rules, put).await;
    assert_eq!(set.status, 200, "{}", set.text());

    let free = office.post(&applicant, "/registry/applications", asked()).await;
    let path = free.header("location").to_owned();
    let refused = office
        .post(&applicant, &format!("{path}/submit"), json!({}))
        .await;
    assert_eq!(
        refused.json()["errors"][0]["place"],
        "template",
        "{}",
        refused.text()
    );
    // Another set's template, or none that there is.
    for number in [0, 99] {
        let patch = json!({ "template": { "number": number, "version": 1 } });
        office.call(&applicant, Method::PATCH, &path, patch).await;
        let refused = office
            .post(&applicant, &format!("{path}/submit"), json!({}))
            .await;
        assert_eq!(
            refused.json()["errors"][0]["rule"],
            "unknown",
            "{}",
            refused.text()
        );
    }
    let mut whole = under(&template);
    whole["use_case"] = json!("Pārbaudām adresi");
    office.submitted(&applicant, whole).await;
}

#[tokio::test]
async fn a_template_no_permission_could_be_made_of_is_refused_with_every_fault() {
    let office = Office::open().await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let mut bad = offered();
    bad["template"]["title"] = json!(" ");
    bad["template"]["fields"] = json!([{ "field": "Phone", "law": "" }]);
    bad["template"]["days"] = json!(0);
    let refused = office
        .post(&decider, "/registry/datasets/persons/templates", bad)
        .await;
    let faults = refused.json()["errors"].as_array().unwrap().clone();
    let at = |place: &str| faults.iter().any(|fault| fault["place"] == place);
    assert_eq!(refused.status, 422);
    for place in ["template.title", "template.fields.Phone.law", "template.days"] {
        assert!(at(place), "{place}: {}", refused.text());
    }
    assert!(
        refused.text().contains("Phone") && faults.len() >= 4,
        "{}",
        refused.text()
    );
}
