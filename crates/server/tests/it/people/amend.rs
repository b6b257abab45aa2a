//! Applications that change or extend a permission.

use super::*;

struct Cast {
    office: Office,
    applicant: String,
    decider: String,
    permission: String,
}

/// A permission to Code and Surname until the end of the year.
async fn cast() -> Cast {
    let office = Office::open().await;
    office.deliver().await;
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, decider) = office.person(2, PROVIDER, &[Role::Head]).await;
    let mut wanted = asked();
    wanted["fields"].as_array_mut().unwrap().truncate(2);
    wanted["valid_to"] = json!("2024-12-31");
    let permission = office.granted(&applicant, &decider, wanted).await;
    Cast {
        office,
        applicant,
        decider,
        permission,
    }
}

impl Cast {
    async fn draft(&self) -> Answer {
        let path = format!("/registry/permissions/{}/amend", self.permission);
        self.office.post(&self.applicant, &path, json!({})).await
    }

    /// Submitted with this change; gives the application's path.
    async fn submitted(&self, change: Value) -> String {
        let made = self.draft().await;
        assert_eq!(made.status, 201, "{}", made.text());
        let path = made.header("location").to_owned();
        let (office, token) = (&self.office, &self.applicant);
        let changed = office.call(token, Method::PATCH, &path, change).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        let done = office.post(token, &format!("{path}/submit"), json!({})).await;
        assert_eq!(done.status, 200, "{}", done.text());
        path
    }

    async fn decide(&self, path: &str, verdict: Value) -> Answer {
        self.office
            .post(&self.decider, &format!("{path}/decide"), verdict)
            .await
    }

    async fn held(&self) -> (Value, String) {
        let path = format!("/registry/permissions/{}", self.permission);
        let answer = self.office.get(&self.applicant, &path).await;
        (answer.json(), answer.header("etag").to_owned())
    }
}

fn wider() -> Value {
    json!({
        "valid_to": "2026-12-31",
        "fields": [
            { "field": "Code", "law": "4. pants" },
            { "field": "Surname", "law": "4. pants" },
            { "field": "Town", "law": "6. pants" },
        ],
    })
}

#[tokio::test]
async fn an_amendment_is_the_next_revision_of_the_same_permission() {
    let cast = cast().await;
    let office = &cast.office;
    assert_eq!(
        office.look_up(&cast.permission, Some(&["Town"])).await,
        Err("permission_field")
    );
    let path = cast.submitted(wider()).await;
    let draft = office.get(&cast.applicant, &path).await.json();
    assert_eq!(draft["asked"]["amends"], cast.permission.as_str());
    // The law cited before is cited again.
    assert_eq!(draft["asked"]["fields"][0]["law"], "4. pants");
    let facts = office.get(&cast.decider, &format!("{path}/facts")).await.json();
    assert_eq!(facts["amends"]["added"], json!(["Town"]));
    // Submitted changes nothing.
    assert_eq!(cast.held().await.1, "\"1\"");
    let decided = cast.decide(&path, json!({ "result": "approve" })).await;
    assert_eq!(
        decided.json()["permissions"],
        json!([cast.permission]),
        "{}",
        decided.text()
    );
    let (held, etag) = cast.held().await;
    assert_eq!(
        (&held["fields"], &held["valid_to"], &held["revision"]),
        (
            &json!(["Code", "Surname", "Town"]),
            &json!("2026-12-31"),
            &json!(2)
        )
    );
    assert_eq!(etag, "\"2\"");
    let shown = office.look_up(&cast.permission, None).await.unwrap();
    assert_eq!(shown["Town"], "Cēsis");
    // Besides the provider's own.
    assert_eq!(office.registry.load().await.unwrap().permissions.len(), 2);
}

#[tokio::test]
async fn a_refused_amendment_leaves_the_permission_and_a_partial_one_is_what_was_granted() {
    let cast = cast().await;
    let path = cast.submitted(wider()).await;
    let refused = cast
        .decide(&path, json!({ "result": "refuse", "reason": "Nav pamata" }))
        .await;
    assert_eq!(refused.json()["permissions"], json!([]), "{}", refused.text());
    assert_eq!(cast.held().await.1, "\"1\"");
    let path = cast.submitted(wider()).await;
    let partial = json!({ "result": "partial", "refused": [{ "field": "Town", "reason": "Nav samērīgi" }] });
    assert_eq!(cast.decide(&path, partial).await.status, 200);
    let (held, _) = cast.held().await;
    // Only its end changed: cursors go on.
    assert_eq!(
        (&held["fields"], &held["valid_to"], &held["revision"]),
        (&json!(["Code", "Surname"]), &json!("2026-12-31"), &json!(1))
    );
}

#[tokio::test]
async fn only_the_holder_applies_for_a_change_and_of_what_still_lives() {
    let cast = cast().await;
    let office = &cast.office;
    let path = format!("/registry/permissions/{}/amend", cast.permission);
    assert_eq!(
        office.post(&cast.decider, &path, json!({})).await.code(),
        "role_required"
    );
    let (_, stranger) = office.person(3, OTHER, &[Role::Head]).await;
    assert_eq!(
        office.post(&stranger, &path, json!({})).await.code(),
        "permission_unknown"
    );
    let (_, lawyer) = office.person(4, RECIPIENT, &[Role::LegalReviewer]).await;
    assert_eq!(
        office.post(&lawyer, &path, json!({})).await.code(),
        "role_required"
    );
    // Somebody else's number in a draft of one's own.
    let mut foreign = asked();
    foreign["amends"] = json!(cast.permission);
    let refused = office.post(&stranger, "/registry/applications", foreign).await;
    assert_eq!(
        refused.json()["errors"][0]["place"],
        "amends",
        "{}",
        refused.text()
    );
    // What an application is about stays.
    let draft = cast.draft().await.header("location").to_owned();
    let other = office
        .call(&cast.applicant, Method::PATCH, &draft, json!({ "amends": null }))
        .await;
    assert_eq!(other.json()["errors"][0]["rule"], "fixed", "{}", other.text());
    let elsewhere = json!({ "environments": ["sandbox"] });
    office
        .call(&cast.applicant, Method::PATCH, &draft, elsewhere)
        .await;
    let check = office
        .get(&cast.applicant, &format!("{draft}/check"))
        .await
        .json();
    assert_eq!(check["errors"][0]["rule"], "fixed", "{check}");
    // Revoked between submission and decision.
    let waiting = cast.submitted(wider()).await;
    let revoke = format!("/registry/permissions/{}/revoke", cast.permission);
    let done = office
        .post(&cast.decider, &revoke, json!({ "reason": "x" }))
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    let late = cast.decide(&waiting, json!({ "result": "approve" })).await;
    assert_eq!((late.status, late.code().as_str()), (409, "state_conflict"));
    assert_eq!(cast.draft().await.json()["errors"][0]["rule"], "revoked");
    assert_eq!(cast.held().await.0["state"], "revoked");
}
