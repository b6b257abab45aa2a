mod transfer;

use std::collections::BTreeSet;

use dagr_model::{
    application::{Application, Asked, Event, Signatory, Stage, Verdict},
    ids::{ApplicationNumber, PersonId, RegistrationNumber},
    role::Role,
};
use serde_json::json;

use super::*;

async fn people(registry: &Registry) {
    for (number, institution, role) in [(1, RECIPIENT, Role::DataManager), (2, PROVIDER, Role::Head)] {
        let create = PersonCreate {
            code: format!("390000-0000{number}"),
            name: format!("Persona {number}"),
        };
        let made = registry.person_insert(&by(), &create).await.unwrap();
        let role = RoleCreate {
            institution: RegistrationNumber::new(institution),
            role,
        };
        registry
            .role_insert(&by(), made.value.id, &role, RoleState::Active)
            .await
            .unwrap();
    }
}

fn signatory(person: i64, institution: &str, role: Role) -> Signatory {
    Signatory {
        person: PersonId(person),
        institution: RegistrationNumber::new(institution),
        roles: BTreeSet::from([role]),
    }
}

fn draft() -> Application {
    let asked: Asked = serde_json::from_value(json!({
        "kind": "data", "dataset": "persons", "environments": ["main"], "purpose": "p", "legal_basis": "l",
        "use_case": "u", "quota": 7, "ways": ["key"], "fields": [{ "field": "Code", "law": "1. pants" }],
    }))
    .unwrap();
    Application::draft(
        ApplicationNumber::new(""),
        Some(RegistrationNumber::new(PROVIDER)),
        asked,
        &signatory(1, RECIPIENT, Role::DataManager),
    )
    .unwrap()
}

fn kept(person: i64, role: Role, event: Option<Event>) -> EventCreate {
    EventCreate {
        person: PersonId(person),
        institution: RegistrationNumber::new(if person == 1 { RECIPIENT } else { PROVIDER }),
        role,
        event,
        seal: None,
    }
}

async fn submitted(registry: &Registry) -> Versioned<Application> {
    let draft = registry
        .application_insert(&by(), &draft(), &kept(1, Role::DataManager, None))
        .await
        .unwrap();
    let submit = Event::Submit {
        due: "2027-01-29".parse().unwrap(),
        seal: "h..s".into(),
    };
    let who = signatory(1, RECIPIENT, Role::DataManager);
    let next = draft.value.apply(&submit, &who, at(1)).unwrap();
    let event = kept(1, Role::DataManager, Some(submit));
    let moved = registry
        .application_move(&by(), draft.version, &next, &event, &Outcome::default())
        .await
        .unwrap();
    moved.application
}

fn decision(application: &Application) -> (Application, EventCreate, Outcome) {
    let decide = Event::Decide {
        verdict: Verdict::Approve,
        seal: "h..s".into(),
    };
    let next = application
        .apply(&decide, &signatory(2, PROVIDER, Role::Head), at(2))
        .unwrap();
    let create = PermissionCreate {
        scope: None,
        ..permission("persons")
    };
    let outcome = Outcome {
        amended: None,
        permissions: vec![(create, vec!["Code".into()])],
        notifications: vec![NotificationCreate {
            to: To::Institution(RegistrationNumber::new(RECIPIENT)),
            kind: "application_decided".into(),
            object: format!("applications/{}", application.number),
            once: None,
        }],
        role: None,
    };
    (next, kept(2, Role::Head, Some(decide)), outcome)
}

#[tokio::test]
async fn a_decision_is_made_once_with_all_that_comes_of_it() {
    let registry = furnished().await;
    people(&registry).await;
    let before = submitted(&registry).await;
    let (next, event, outcome) = decision(&before.value);
    let by = by();
    let decide = || registry.application_move(&by, before.version, &next, &event, &outcome);
    let (a, b) = tokio::join!(decide(), decide());
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    assert_eq!(
        a.clone().err().or(b.clone().err()),
        Some(RegistryError::Precondition)
    );
    let moved = a.or(b).unwrap();
    assert_eq!(moved.permissions.len(), 1);
    let numbers = registry.application_permissions(&next.number).await.unwrap();
    assert_eq!(numbers, [moved.permissions[0].value.number.clone()]);
    let found = registry.application_get(&next.number).await.unwrap().unwrap();
    assert_eq!((&found.value, found.version), (&next, 3));
    let events = registry
        .application_events(&next.number, None, 10)
        .await
        .unwrap()
        .items;
    assert_eq!(events.len(), 3);
    assert_eq!(events[1].application["stage"]["name"], "submitted");
    assert_eq!(events[2].event["verdict"]["result"], "approve");
    // A fault in one part undoes all of it.
    let again = submitted(&registry).await;
    let (next, event, mut outcome) = decision(&again.value);
    outcome.permissions[0].1.clear();
    let refused = registry
        .application_move(&by, again.version, &next, &event, &outcome)
        .await;
    assert!(matches!(refused, Err(RegistryError::Invalid(_))));
    let found = registry
        .application_get(&again.value.number)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, again);
}

#[tokio::test]
async fn roles_and_sessions_are_kept() {
    let registry = furnished().await;
    people(&registry).await;
    let session = SessionCreate {
        hash: "00".repeat(32),
        person: PersonId(2),
        institution: Some(RegistrationNumber::new(PROVIDER)),
        signed_in_by: "oidc".into(),
    };
    registry.session_insert(&session, at(0)).await.unwrap();
    let found = registry.session_get(&session.hash).await.unwrap().unwrap();
    assert_eq!((found.person.id, found.roles.len()), (PersonId(2), 1));
    assert_eq!(found.institution, Some(RegistrationNumber::new(PROVIDER)));
    assert_eq!(found.roles[0].institution, RegistrationNumber::new(PROVIDER));
    assert_eq!((found.created, found.last_used), (at(0), at(0)));
    assert_eq!(registry.session_get("none").await.unwrap(), None);
    let ended = registry
        .role_end(&by(), found.roles[0].id, "beidzies")
        .await
        .unwrap();
    assert_eq!(ended.state, RoleState::Ended);
    assert!(
        registry
            .session_get(&session.hash)
            .await
            .unwrap()
            .unwrap()
            .roles
            .is_empty()
    );
    // It can be given again; the row that ended stays.
    let role = RoleCreate {
        institution: RegistrationNumber::new(PROVIDER),
        role: Role::Head,
    };
    registry
        .role_insert(&by(), PersonId(2), &role, RoleState::Proposed)
        .await
        .unwrap();
    let twice = registry
        .role_insert(&by(), PersonId(2), &role, RoleState::Active)
        .await;
    assert!(matches!(twice, Err(RegistryError::Exists { .. })));
    let filter = RoleFilter {
        institution: Some(RegistrationNumber::new(PROVIDER)),
        ..RoleFilter::default()
    };
    assert_eq!(
        registry.role_list(&filter, None, 10).await.unwrap().items.len(),
        2
    );
    assert_eq!(registry.session_purge(at(10), at(0)).await.unwrap(), 1);
    let audit = registry
        .audit_list(&AuditFilter::default(), None, 100)
        .await
        .unwrap();
    let text = serde_json::to_string(&audit.items).unwrap();
    assert!(!text.contains("39000000002"), "a code in the trail");
}

#[tokio::test]
async fn a_frame_counts_what_is_unread_and_knows_who_was_admitted() {
    let registry = furnished().await;
    people(&registry).await;
    let (person, own) = (PersonId(1), RegistrationNumber::new(RECIPIENT));
    let told = |to: To| NotificationCreate {
        to,
        kind: "application_due".into(),
        object: "applications/1".into(),
        once: None,
    };
    let frame = async |institution| registry.frame_get(person, institution, 10).await.unwrap();
    let said = |unread, is_admitted| FrameView { unread, is_admitted };
    assert_eq!(frame(Some(&own)).await, said(0, false));
    for to in [
        To::Person(person),
        To::Institution(own.clone()),
        To::Institution(own.clone()),
        To::Person(PersonId(2)),
        To::Institution(RegistrationNumber::new(PROVIDER)),
    ] {
        registry.notification_insert(&told(to), at(0)).await.unwrap();
    }
    assert_eq!(frame(Some(&own)).await, said(3, false));
    assert_eq!(frame(None).await, said(1, false));
    // What is read is gone at once.
    let filter = NotificationFilter {
        person,
        institution: None,
        unread: true,
    };
    let unread = registry.notification_list(&filter, None, 10).await.unwrap().items;
    registry
        .notification_read(unread[0].id, person, None, at(1))
        .await
        .unwrap();
    assert_eq!(frame(None).await, said(0, false));
    let many = vec![told(To::Institution(own.clone())); 20];
    registry.notification_insert_all(&many, at(2)).await.unwrap();
    assert_eq!(frame(Some(&own)).await, said(10, false));
    // Admitted; in another role first.
    submitted(&registry).await;
    for (role, admitted) in [("recipient", false), ("provider", true)] {
        let mut tx = registry.write().await.unwrap();
        crate::db::query("INSERT INTO institution_roles SELECT $1, $2, id, 5 FROM applications")
            .bind(RECIPIENT)
            .bind(role)
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(frame(Some(&own)).await, said(10, admitted), "{role}");
        assert!(!frame(None).await.is_admitted);
    }
}

#[tokio::test]
async fn lists_are_quick_among_a_hundred_thousand() {
    let registry = furnished().await;
    people(&registry).await;
    let one = submitted(&registry).await;
    let mut tx = registry.write().await.unwrap();
    crate::db::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO applications (id, number, dataset, applicant, provider, stage, due, body, version)
         SELECT 300000 + i, 300000 + i, 'persons', $1, $2,
           CASE i % 4 WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'decided' ELSE 'returned' END,
           CASE i % 4 WHEN 1 THEN '2027-02-' || (10 + i % 18) END, $3, 1 FROM n",
    )
    .bind(RECIPIENT)
    .bind(PROVIDER)
    .bind(serde_json::to_string(&one.value).unwrap())
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let (applicant, provider) = (
        RegistrationNumber::new(RECIPIENT),
        RegistrationNumber::new(PROVIDER),
    );
    for side in [
        Side::Everybody,
        Side::Applicant(applicant.clone()),
        Side::Provider(provider.clone()),
        Side::Either(provider.clone()),
        Side::Operator,
    ] {
        for stage in [None, Some("submitted".to_owned()), Some("withdrawn".to_owned())] {
            for order in [ApplicationOrder::Newest, ApplicationOrder::Due] {
                let filter = ApplicationFilter {
                    side: side.clone(),
                    stage: stage.clone(),
                    order,
                    ..ApplicationFilter::default()
                };
                let begun = std::time::Instant::now();
                let page = registry.application_list(&filter, None, 50).await.unwrap();
                let next = registry
                    .application_list(&filter, page.next.clone(), 50)
                    .await
                    .unwrap();
                let took = begun.elapsed();
                // Generous: this is an unoptimised build on a shared machine.
                assert!(took.as_millis() < 2_000, "{filter:?} took {took:?}");
                let waits = stage.as_deref() == Some("submitted") && side != Side::Operator;
                assert!(!waits || page.items.len() == 50, "{filter:?}");
                // The bodies are all alike, so only their number is looked at.
                assert!(page.next.is_none() || next.items.len() <= 50);
            }
        }
    }
    assert!(matches!(one.value.stage, Stage::Submitted { .. }));
}
