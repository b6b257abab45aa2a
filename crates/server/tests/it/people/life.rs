//! The life of a permission, after it was granted: use, what is not used, narrowing, its end.

use super::*;

struct Life {
    office: Office,
    applicant: String,
    decider: String,
    permission: String,
}

async fn life(over: Value) -> Life {
    let office = Office::open().await;
    office.deliver().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let mut wanted = asked();
    for (name, value) in over.as_object().unwrap() {
        wanted[name] = value.clone();
    }
    let permission = office.granted(&applicant, &decider, wanted).await;
    Life {
        office,
        applicant,
        decider,
        permission,
    }
}

#[tokio::test]
async fn use_is_told_by_day_and_field_and_to_the_parties_alone() {
    let Life {
        office,
        applicant,
        decider,
        permission,
    } = life(json!({ "quota": 10 })).await;
    office.look_up(&permission, None).await.unwrap();
    office
        .look_up(&permission, Some(&["Code", "Town"]))
        .await
        .unwrap();
    let refused = office.look_up(&permission, Some(&["Wish"])).await;
    assert_eq!(refused, Err("field_unknown"));
    assert_eq!(office.app.permission_use_run().await.unwrap(), 2);
    assert_eq!(office.app.permission_use_run().await.unwrap(), 0, "counted once");
    office.set_clock("2024-06-03T21:30:00Z");
    office.look_up(&permission, Some(&["Code"])).await.unwrap();
    office.app.permission_use_run().await.unwrap();

    let path = format!("/registry/permissions/{permission}/use");
    let applicant = renewed(&office, 1, applicant).await;
    let used = office.get(&applicant, &path).await.json();
    assert_eq!(
        (&used["calls"], &used["narrowed"], &used["records"]),
        (&json!(3), &json!(2), &json!(3))
    );
    assert_eq!((&used["taken"], &used["refusals"]), (&json!(3), &Value::Null));
    // Half past midnight in Latvia.
    let days: Vec<&Value> = used["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["day"])
        .collect();
    assert_eq!(days, ["2024-06-03", "2024-06-04"]);
    let fields = used["fields"].as_array().unwrap();
    assert_eq!(
        fields[1],
        json!({ "field": "Surname", "last_given": "2024-06-03", "last_named": null })
    );
    assert_eq!(fields[2]["last_named"], "2024-06-03");
    assert!(!used.to_string().contains(ONE), "a person in the counts");
    let decider = renewed(&office, 2, decider).await;
    assert_eq!(office.get(&decider, &path).await.status, 200);
    let (_, stranger) = office.person(3, OTHER, &[Role::Head]).await;
    assert_eq!(office.get(&stranger, &path).await.code(), "permission_unknown");
}

/// Signed in again: a session lasts for hours, these tests for months.
async fn renewed(office: &Office, code: u32, _ended: String) -> String {
    office.sign_in(&format!("39{code:09}")).await
}

#[tokio::test]
async fn what_was_not_used_is_offered_and_given_up_without_a_decision() {
    let Life {
        office,
        applicant,
        decider,
        permission,
    } = life(json!({})).await;
    let list = "/registry/unused_permissions?days=30";
    let early = office.get(&applicant, list).await;
    assert_eq!(early.json()["permissions"], json!([]), "{}", early.text());
    office.set_clock("2024-08-01T09:00:00Z");
    let applicant = renewed(&office, 1, applicant).await;
    let idle = office.get(&applicant, list).await.json();
    assert_eq!(idle["permissions"][0]["is_unused"], true, "{idle}");
    office
        .look_up(&permission, Some(&["Code", "Town"]))
        .await
        .unwrap();
    office.app.permission_use_run().await.unwrap();
    let used = office.get(&applicant, list).await.json();
    let found = &used["permissions"][0];
    assert_eq!(
        (&found["fields_not_given"], &found["ways_not_used"]),
        (&json!(["Surname"]), &json!(["index:Surname"]))
    );
    office.look_up(&permission, None).await.unwrap();
    office.app.permission_use_run().await.unwrap();
    let decider = renewed(&office, 2, decider).await;
    let provider = format!("{list}&provider={PROVIDER}");
    let whole = office.get(&decider, &provider).await.json();
    assert_eq!(
        whole["permissions"][0]["fields_not_named"],
        json!(["Surname"]),
        "{whole}"
    );

    let path = format!("/registry/permissions/{permission}/narrow");
    let give_up = json!({ "fields": ["Surname"], "reason": "Neizmanto" });
    let (_, lawyer) = office.person(5, RECIPIENT, &[Role::LegalReviewer]).await;
    let (_, stranger) = office.person(6, OTHER, &[Role::Head]).await;
    assert_eq!(
        office.post(&lawyer, &path, give_up.clone()).await.code(),
        "role_required"
    );
    assert_eq!(
        office.post(&stranger, &path, give_up.clone()).await.code(),
        "permission_unknown"
    );
    for (wrong, rule) in [
        (json!({ "reason": "x" }), "required"),
        (
            json!({ "fields": ["Code", "Surname", "Town"], "reason": "x" }),
            "nothing_left",
        ),
        (json!({ "ways": ["bulk"], "reason": "x" }), "not_held"),
    ] {
        let refused = office.post(&applicant, &path, wrong).await;
        assert_eq!(refused.json()["errors"][0]["rule"], rule, "{}", refused.text());
    }
    let narrowed = office.post(&applicant, &path, give_up.clone()).await;
    assert_eq!(narrowed.status, 200, "{}", narrowed.text());
    let view = narrowed.json();
    assert_eq!(
        (&view["fields"], &view["ways"], &view["revision"]),
        (&json!(["Code", "Town"]), &json!(["key"]), &json!(2))
    );
    let refused = office.look_up(&permission, Some(&["Surname"])).await;
    assert_eq!(refused, Err("permission_field"));
    assert_eq!(office.post(&applicant, &path, give_up).await.status, 422);
}

#[tokio::test]
async fn both_sides_are_told_in_time_that_a_permission_ends_and_once() {
    let Life {
        office, permission, ..
    } = life(json!({ "valid_to": "2024-12-31" })).await;
    let told = async |code: u32| -> Vec<String> {
        let token = office.sign_in(&format!("39{code:09}")).await;
        let list = office
            .get(&token, "/registry/notifications?limit=100")
            .await
            .json();
        let all = list["notifications"].as_array().unwrap().iter();
        all.filter(|one| one["kind"] == "permission_expiring")
            .map(|one| one["object"].as_str().unwrap().to_owned())
            .collect()
    };
    for (day, count) in [
        ("2024-11-30", 0),
        ("2024-12-01", 1),
        ("2024-12-02", 1),
        ("2024-12-24", 2),
        ("2024-12-31", 2),
        ("2025-01-01", 2),
    ] {
        office.set_clock(&format!("{day}T09:00:00Z"));
        office.app.permission_renewal_run().await.unwrap();
        office.app.permission_renewal_run().await.unwrap();
        let object = format!("permissions/{permission}");
        for side in [1, 2] {
            assert_eq!(told(side).await, vec![object.clone(); count], "{day} {side}");
        }
    }
    assert_eq!(office.look_up(&permission, None).await, Err("permission_expired"));
}

#[tokio::test]
async fn operators_are_told_of_applications_that_they_decide() {
    let office = Office::open().await;
    let (_, head) = office.person(1, OTHER, &[Role::Head]).await;
    let (_, first) = office.person(2, KEEPER, &[Role::Operator]).await;
    let (_, second) = office.person(3, KEEPER, &[Role::Operator, Role::Head]).await;
    let (_, colleague) = office.person(4, KEEPER, &[Role::DataManager]).await;
    let role = json!({ "kind": "role", "role": "recipient", "grounds": "Likums" });
    let path = office.submitted(&head, role).await;
    let object = path.trim_start_matches("/registry/").to_owned();
    for (token, told) in [(&first, 1), (&second, 1), (&colleague, 0)] {
        let list = office.get(token, "/registry/notifications").await.json();
        let all = list["notifications"].as_array().unwrap();
        assert_eq!(
            all.iter().filter(|one| one["object"] == object.as_str()).count(),
            told
        );
    }
}
