//! Who may do what, and what people see.

use dagr_model::application::InstitutionRole;

use super::*;
use crate::preview::PreviewQuery;

#[tokio::test]
async fn a_session_is_a_person_and_no_connection() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let ctx = cast.applicant().await;
    let answer = app
        .record_get(
            &ctx,
            Section::Main,
            "persons",
            &[ONE.to_owned()],
            RecordQuery::default(),
        )
        .await;
    assert_eq!(answer.err().unwrap().code, "token_invalid");
    assert_eq!(
        app.institution_list(&ctx, ListQuery::default())
            .await
            .unwrap_err()
            .code,
        "role_required"
    );
    let tokens = [&cast.applicant.token, &cast.decider.token];
    assert_eq!(tokens[0].len(), tokens[1].len());
    // Idle for half an hour.
    cast.world.clock.set("2024-06-01T12:29:00Z");
    assert!(matches!(cast.applicant().await.caller, Caller::Person(_)));
    cast.world.clock.set("2024-06-01T12:58:00Z");
    assert!(matches!(cast.applicant().await.caller, Caller::Person(_)));
    assert!(matches!(cast.lawyer().await.caller, Caller::Anonymous));
    // Used all the time, but signed in half a day ago.
    for hour in 13..24 {
        for minute in ["00", "25", "50"] {
            cast.world.clock.set(&format!("2024-06-01T{hour}:{minute}:00Z"));
            cast.applicant().await;
        }
    }
    cast.world.clock.set("2024-06-02T00:00:00Z");
    assert!(matches!(cast.applicant().await.caller, Caller::Anonymous));
    let again = sign_in(&cast.world, 1).await;
    let ctx = by(&cast.world, &again).await;
    app.session_close(&ctx).await.unwrap();
    assert!(matches!(by(&cast.world, &again).await.caller, Caller::Anonymous));
}

#[tokio::test]
async fn a_person_acts_for_one_institution_at_a_time() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let Caller::Person(me) = cast.applicant().await.caller else {
        panic!("not signed in")
    };
    grant(&cast.world, me.id, PROVIDER, Role::Head).await;
    let number = cast.submitted().await;
    let ctx = cast.applicant().await;
    let as_applicant = app
        .application_decide(&ctx, &number, Verdict::Approve, None)
        .await;
    assert_eq!(as_applicant.unwrap_err().code, "role_required");
    app.session_act_for(&ctx, Some(PROVIDER)).await.unwrap();
    let own = app
        .application_decide(&cast.applicant().await, &number, Verdict::Approve, None)
        .await
        .unwrap_err();
    assert!(own.detail.contains("does not decide it"), "{own}");
    let elsewhere = app.session_act_for(&ctx, Some("40000000009")).await;
    assert_eq!(elsewhere.unwrap_err().code, "role_required");
}

#[tokio::test]
async fn a_role_that_ended_is_gone_at_once() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let operator = cast.world.operator();
    let Caller::Person(decider) = cast.decider().await.caller else {
        panic!("not signed in")
    };
    let number = cast.submitted().await;
    let page = ListQuery {
        after: None,
        limit: 10,
    };
    let roles = app.role_list(&operator, Some(decider.id), page).await.unwrap();
    app.role_end(&operator, decider.id, roles.items[0].id, "Amats beidzies")
        .await
        .unwrap();
    let refused = app
        .application_decide(&cast.decider().await, &number, Verdict::Approve, None)
        .await;
    assert_eq!(refused.unwrap_err().code, "role_required");
}

#[tokio::test]
async fn an_operators_reach_takes_two_operators() {
    let world = World::new().await;
    let app = &world.app;
    let first = person(&world, 1, PROVIDER, &[Role::Operator]).await;
    let second = person(&world, 2, PROVIDER, &[Role::Operator]).await;
    let third = person(&world, 3, PROVIDER, &[]).await;
    let ctx = by(&world, &first).await;
    let operator = RoleCreate {
        institution: RegistrationNumber::new(PROVIDER),
        role: Role::Operator,
    };
    let proposed = app.role_grant(&ctx, third.person.id, &operator).await.unwrap();
    assert_eq!(serde_json::to_value(proposed.state).unwrap(), "proposed");
    let own = app
        .role_confirm(&ctx, third.person.id, proposed.id)
        .await
        .unwrap_err();
    assert_eq!(own.code, "state_conflict");
    let other = by(&world, &second).await;
    let confirmed = app
        .role_confirm(&other, third.person.id, proposed.id)
        .await
        .unwrap();
    assert_eq!(serde_json::to_value(confirmed.state).unwrap(), "active");
    // For oneself: whatever role, another confirms it.
    let head = RoleCreate {
        role: Role::Head,
        ..operator
    };
    let own = app.role_grant(&ctx, first.person.id, &head).await.unwrap();
    assert_eq!(serde_json::to_value(own.state).unwrap(), "proposed");
    // One person alone widens nothing.
    let create = serde_json::from_value(json!({
        "dataset": "persons", "recipient": RECIPIENT, "environment": "main", "purpose": "p", "legal_basis": "l",
        "fields": "all", "ways": ["key"],
    }));
    let alone = app.permission_create(&ctx, &create.unwrap()).await.unwrap_err();
    assert_eq!(alone.code, "role_required");
}

#[tokio::test]
async fn a_head_keeps_the_own_institution_only() {
    let world = World::new().await;
    let app = &world.app;
    let head = person(&world, 1, PROVIDER, &[Role::Head]).await;
    let other = person(&world, 2, RECIPIENT, &[]).await;
    let ctx = by(&world, &head).await;
    for (institution, role, allowed) in [
        (PROVIDER, Role::DataManager, true),
        (PROVIDER, Role::Operator, false),
        (RECIPIENT, Role::DataManager, false),
    ] {
        let create = RoleCreate {
            institution: RegistrationNumber::new(institution),
            role,
        };
        let granted = app.role_grant(&ctx, other.person.id, &create).await;
        assert_eq!(granted.is_ok(), allowed, "{institution} {role}");
    }
}

#[tokio::test]
async fn an_institution_is_admitted_by_an_operator_who_did_not_ask() {
    let world = World::new().await;
    let app = &world.app;
    let head = person(&world, 1, RECIPIENT, &[Role::Head]).await;
    let operator = person(&world, 2, PROVIDER, &[Role::Operator]).await;
    let asked = serde_json::from_value(json!({ "kind": "role", "role": "recipient", "grounds": "Likums" }));
    let ctx = by(&world, &head).await;
    let made = app.application_create(&ctx, asked.unwrap()).await.unwrap();
    let number = made.value.application.number.to_string();
    app.application_submit(&ctx, &number, None).await.unwrap();
    let decider = by(&world, &operator).await;
    app.application_decide(&decider, &number, Verdict::Approve, None)
        .await
        .unwrap();
    let roles = app.institution_roles(&ctx, RECIPIENT).await.unwrap();
    assert_eq!(roles, [InstitutionRole::Recipient]);
}

#[tokio::test]
async fn decider_and_applicant_see_what_is_theirs() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.submitted().await;
    let query = PreviewQuery::default();
    let preview = app
        .application_preview(&cast.decider().await, &number, &query)
        .await
        .unwrap();
    let text = serde_json::to_string(&preview).unwrap();
    assert!(
        !text.contains(ONE) && !text.contains("Ozols"),
        "a delivered record: {text}"
    );
    assert!(text.contains("\"generated\":true") && text.contains("\"Address\""));
    let facts = app
        .application_facts(&cast.decider().await, &number)
        .await
        .unwrap();
    assert_eq!(facts.records, Some(1));
    assert_eq!(facts.fields[0].ty, "person_code");
    assert!(facts.fields[0].is_key && facts.fields.iter().all(|field| field.known));
    let facts = app
        .application_facts(&cast.applicant().await, &number)
        .await
        .unwrap();
    assert_eq!((facts.records, facts.others_total), (None, 0));

    app.comment_create(&cast.lawyer().await, &number, "Vai der trīs gadi?")
        .await
        .unwrap();
    let page = ListQuery {
        after: None,
        limit: 10,
    };
    let thread = app
        .comment_list(&cast.applicant().await, &number, page.clone())
        .await
        .unwrap();
    assert_eq!(thread.items.len(), 1);
    let told = app
        .notification_list(&cast.applicant().await, true, page.clone())
        .await
        .unwrap();
    assert_eq!(told.items[0].kind, "application_commented");
    let third = person(&cast.world, 5, "40000000001", &[Role::TechnicalContact]).await;
    assert!(
        app.application_get(&by(&cast.world, &third).await, &number)
            .await
            .is_ok()
    );
    let nobody = person(&cast.world, 6, PROVIDER, &[]).await;
    let unknown = app
        .application_get(&by(&cast.world, &nobody).await, &number)
        .await;
    assert_eq!(unknown.unwrap_err().code, "role_required");
}

#[tokio::test]
async fn what_never_left_the_applicant_is_nobody_elses() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let operator = person(&cast.world, 7, PROVIDER, &[Role::Operator]).await;
    let (draft, withdrawn) = (cast.draft().await, cast.draft().await);
    let reason = "Vairs nevajag".to_owned();
    app.application_withdraw(&cast.applicant().await, &withdrawn, reason, None)
        .await
        .unwrap();
    let submitted = cast.submitted().await;
    let query = || ApplicationQuery {
        page: ListQuery {
            after: None,
            limit: 10,
        },
        ..ApplicationQuery::default()
    };
    let numbers = async |ctx: &Ctx| -> Vec<String> {
        let page = app.application_list(ctx, query()).await.unwrap();
        let numbers = page
            .items
            .iter()
            .map(|item| item.value.application.number.to_string());
        numbers.collect()
    };
    let all = [submitted.clone(), withdrawn.clone(), draft];
    assert_eq!(numbers(&cast.applicant().await).await, all);
    for other in [cast.decider().await, by(&cast.world, &operator).await] {
        assert_eq!(numbers(&other).await, std::slice::from_ref(&submitted));
        let unseen = app.application_get(&other, &withdrawn).await;
        assert_eq!(unseen.unwrap_err().code, "not_found");
    }
    let found = app
        .application_get(&cast.decider().await, &submitted)
        .await
        .unwrap();
    let may: Vec<&str> = found.value.possible.iter().map(|verb| verb.as_str()).collect();
    assert_eq!(may, ["return", "decide"]);
}

#[tokio::test]
async fn deadlines_are_told_once() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    cast.submitted().await;
    let page = ListQuery {
        after: None,
        limit: 50,
    };
    let kinds = async |number: u32| -> Vec<String> {
        let session = sign_in(&cast.world, number).await;
        let ctx = by(&cast.world, &session).await;
        let told = app.notification_list(&ctx, true, page.clone()).await.unwrap();
        told.items.into_iter().map(|one| one.kind).collect()
    };
    app.application_due_run().await.unwrap();
    assert_eq!(kinds(2).await, ["application_submitted"]);
    cast.world.clock.set("2024-06-13T08:00:00Z");
    for _ in 0..2 {
        app.application_due_run().await.unwrap();
    }
    assert_eq!(kinds(2).await, ["application_due", "application_submitted"]);
    cast.world.clock.set("2024-06-17T08:00:00Z");
    for _ in 0..2 {
        app.application_due_run().await.unwrap();
    }
    assert_eq!(kinds(2).await[0], "application_overdue");
    // The head is told as a person, too.
    assert_eq!(
        kinds(3)
            .await
            .iter()
            .filter(|kind| *kind == "application_overdue")
            .count(),
        2
    );
}
