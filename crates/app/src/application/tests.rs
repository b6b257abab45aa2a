//! A whole life, through the use cases: people with sessions, an application, its permission, a look-up.

mod own;
mod rights;

use std::sync::Arc;

use dagr_model::{
    application::{FieldRefused, Remark, Verdict},
    ids::{PersonId, RegistrationNumber, Section},
    role::Role,
};
use dagr_registry::{PersonCreate, RoleCreate};
use serde_json::{Value, json};

use super::*;
use crate::{
    ctx::{Caller, ConnectionKind},
    permission::Transition,
    record::RecordQuery,
    session::{SessionOpened, SignedIn},
    testing::{PROVIDER, STRANGER, World},
};

const PERSONS: &str = "name: persons
key: Code
subject: Code
data_description: Personas
indexes: [Surname]
fields:
  - Code person_code : Personas kods
  - Surname : Uzvārds
  - Address :
      comments : Adrese
      fields:
        - Town : Pilsēta
        - Street : Iela
";
const ONE: &str = "36184726051";
/// The applicant.
const RECIPIENT: &str = STRANGER;

/// People are numbered by their codes: 1 is `39000000001`.
async fn person(world: &World, number: u32, institution: &str, roles: &[Role]) -> SessionOpened {
    let code = format!("39{number:09}");
    let create = PersonCreate {
        code: code.clone(),
        name: format!("Persona {number}"),
    };
    let operator = world.operator();
    let made = world.app.person_create(&operator, &create).await.unwrap();
    for role in roles {
        grant(world, made.value.id, institution, *role).await;
    }
    sign_in(world, number).await
}

async fn grant(world: &World, person: PersonId, institution: &str, role: Role) {
    let create = RoleCreate {
        institution: RegistrationNumber::new(institution),
        role,
    };
    let operator = world.operator();
    world.app.role_grant(&operator, person, &create).await.unwrap();
}

async fn sign_in(world: &World, number: u32) -> SessionOpened {
    let signed_in = SignedIn {
        code: format!("39{number:09}"),
        name: "Nezināms".into(),
        by: "development".into(),
    };
    let nobody = world.ctx(Caller::Anonymous);
    world.app.session_open(&nobody, &signed_in).await.unwrap()
}

/// The context of a call made with this token now.
async fn by(world: &World, session: &SessionOpened) -> Ctx {
    let caller = world
        .app
        .caller(&format!("Bearer {}", session.token))
        .await
        .unwrap();
    world.ctx(caller)
}

struct Cast {
    world: World,
    applicant: SessionOpened,
    lawyer: SessionOpened,
    decider: SessionOpened,
}

impl Cast {
    async fn new() -> Self {
        let world = World::new().await;
        world.publish(PERSONS).await;
        let lines = json!({ "op": "upsert", "record": {
            "Code": ONE, "Surname": "Ozols", "Address": { "Town": "Cēsis", "Street": "Lielā iela 1" },
        }});
        world
            .deliver("persons", "first", &format!("{lines}\n"))
            .await
            .unwrap();
        Self {
            applicant: person(&world, 1, RECIPIENT, &[Role::DataManager]).await,
            lawyer: person(&world, 2, PROVIDER, &[Role::LegalReviewer]).await,
            decider: person(&world, 3, PROVIDER, &[Role::Head]).await,
            world,
        }
    }

    async fn applicant(&self) -> Ctx {
        by(&self.world, &self.applicant).await
    }

    async fn lawyer(&self) -> Ctx {
        by(&self.world, &self.lawyer).await
    }

    async fn decider(&self) -> Ctx {
        by(&self.world, &self.decider).await
    }

    async fn draft(&self) -> String {
        let made = self
            .world
            .app
            .application_create(&self.applicant().await, asked())
            .await
            .unwrap();
        made.value.application.number.to_string()
    }

    async fn submitted(&self) -> String {
        let number = self.draft().await;
        let ctx = self.applicant().await;
        self.world
            .app
            .application_submit(&ctx, &number, None)
            .await
            .unwrap();
        number
    }

    /// What a look-up under a permission answers: the record, or the refusal's code.
    async fn look_up(&self, permission: &str, fields: Option<&[&str]>) -> Result<Value, &'static str> {
        let mut ctx = self.world.connection(RECIPIENT, ConnectionKind::Consumer);
        ctx.permission = Some(permission.to_owned());
        let query = RecordQuery {
            fields: fields.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect()),
            as_of: None,
        };
        let app = &self.world.app;
        let answer = app
            .record_get(&ctx, Section::Main, "persons", &[ONE.to_owned()], query)
            .await
            .map_err(|problem| problem.code)?;
        Ok(serde_json::from_slice(&answer.into_inner().body).unwrap())
    }
}

fn asked() -> Asked {
    serde_json::from_value(json!({
        "kind": "data", "dataset": "persons", "environments": ["main", "sandbox"], "purpose": "Pabalsts",
        "legal_basis": "Sociālo pakalpojumu likums", "use_case": "Lēmums par pabalstu",
        "ways": ["key", "index:Surname"],
        "fields": [
            { "field": "Code", "law": "4. pants" },
            { "field": "Address", "law": "5. pants" },
            { "field": "Surname", "law": "4. pants" },
        ],
    }))
    .unwrap()
}

fn partial(fields: &[&str]) -> Verdict {
    let refused = fields.iter().map(|field| FieldRefused {
        field: (*field).to_owned(),
        reason: "Nav samērīgi".to_owned(),
    });
    Verdict::Partial {
        refused: refused.collect(),
    }
}

#[tokio::test]
async fn from_draft_to_look_up_to_revocation() {
    let cast = Cast::new().await;
    let app = Arc::clone(&cast.world.app);
    let number = cast.draft().await;
    let draft = app
        .application_get(&cast.applicant().await, &number)
        .await
        .unwrap();
    // A structured field is what lies below it, each with its law.
    let fields: Vec<&str> = draft.value.application.asked.fields().collect();
    assert_eq!(fields, ["Code", "Address.Town", "Address.Street", "Surname"]);
    // A draft is the applicant's alone.
    let early = app.application_get(&cast.decider().await, &number).await;
    assert_eq!(early.unwrap_err().code, "not_found");

    let submitted = app
        .application_submit(&cast.applicant().await, &number, Some(draft.version))
        .await
        .unwrap();
    // 1 June 2024 is a Saturday; ten working days later.
    assert_eq!(submitted.value.due, Some("2024-06-14".parse().unwrap()));
    let remarks = vec![Remark {
        place: Some("fields.Address.Street".into()),
        text: "Kāpēc vajadzīga iela?".into(),
    }];
    app.application_return(&cast.lawyer().await, &number, remarks, None)
        .await
        .unwrap();
    let again = app
        .application_update(&cast.applicant().await, &number, &json!({ "quota": 50 }), None)
        .await
        .unwrap();
    assert_eq!(again.value.application.stage.name(), "returned");
    app.application_resubmit(&cast.applicant().await, &number, None)
        .await
        .unwrap();
    app.application_review(&cast.lawyer().await, &number, None, None)
        .await
        .unwrap();

    let decided = app
        .application_decide(&cast.decider().await, &number, partial(&["Address.Street"]), None)
        .await
        .unwrap();
    let [main, sandbox] = decided.value.permissions.as_slice() else {
        panic!("not one permission for each environment")
    };
    let main = main.as_str();
    // In force at once: no restart, and exactly what was granted.
    assert_eq!(
        cast.look_up(main, None).await.unwrap(),
        json!({ "Code": ONE, "Surname": "Ozols", "Address": { "Town": "Cēsis" } })
    );
    assert_eq!(
        cast.look_up(main, Some(&["Address.Street"])).await,
        Err("permission_field")
    );
    assert_eq!(
        cast.look_up(sandbox.as_str(), None).await,
        Err("permission_missing"),
        "the sandbox's permission is another"
    );
    let permission = app.permission_get(&cast.applicant().await, main).await.unwrap();
    assert_eq!((permission.value.quota, permission.value.revision), (Some(50), 1));

    app.permission_move(
        &cast.decider().await,
        main,
        Transition::Revoke,
        "Beidzies pamats",
        None,
    )
    .await
    .unwrap();
    assert_eq!(cast.look_up(main, None).await, Err("permission_revoked"));
}

#[tokio::test]
async fn every_step_is_kept_and_sealed() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.submitted().await;
    let ctx = cast.decider().await;
    app.application_decide(&ctx, &number, Verdict::Approve, None)
        .await
        .unwrap();
    let page = ListQuery {
        after: None,
        limit: 100,
    };
    let events = app
        .application_events(&cast.applicant().await, &number, page.clone())
        .await
        .unwrap()
        .items;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["create", "submit", "decide"]);
    for event in &events[1..] {
        let (statement, seal) = (event.sealed.clone().unwrap(), event.seal.clone().unwrap());
        assert!(app.seal_verify(&statement, &seal), "{}", event.kind);
        let mut other = statement.clone();
        other["person"] = json!(99);
        assert!(!app.seal_verify(&other, &seal));
        assert_eq!(statement["signed_in_by"], "development");
        assert!(statement["asked"]["fields"].is_array());
    }
    assert_eq!(events[2].sealed.as_ref().unwrap()["role"], "head");
    // The provider does not see how the draft came about.
    let seen = app.application_events(&ctx, &number, page).await.unwrap().items;
    assert_eq!(seen.len(), 2);
    let trail = app
        .audit_list(
            &cast.world.operator(),
            crate::audit::AuditQuery {
                limit: 100,
                ..crate::audit::AuditQuery::default()
            },
        )
        .await
        .unwrap()
        .items;
    let text = serde_json::to_string(&trail).unwrap();
    assert!(
        !text.contains("39000000001") && !text.contains("39000000003"),
        "a code in the trail"
    );
    let decided = trail
        .iter()
        .find(|entry| entry.action == "application_decide")
        .unwrap();
    assert!(decided.actor.starts_with("person:"), "{}", decided.actor);
    assert_eq!(
        trail
            .iter()
            .filter(|entry| entry.action == "permission_create")
            .count(),
        3
    );
}

#[tokio::test]
async fn two_deciders_at_once_make_one_decision() {
    let cast = Cast::new().await;
    let app = Arc::clone(&cast.world.app);
    let other = person(&cast.world, 4, PROVIDER, &[Role::DataManager]).await;
    let number = cast.submitted().await;
    let before = app
        .permission_list(&cast.world.operator(), query())
        .await
        .unwrap();
    let (first, second) = (cast.decider().await, by(&cast.world, &other).await);
    let decide = |ctx: Ctx, verdict: Verdict| {
        let (app, number) = (Arc::clone(&app), number.clone());
        async move { app.application_decide(&ctx, &number, verdict, None).await }
    };
    let (a, b) = tokio::join!(
        decide(first, Verdict::Approve),
        decide(second, partial(&["Address.Street"]))
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    let late = a.err().or(b.err()).unwrap();
    assert_eq!((late.status, late.code), (409, "state_conflict"));
    let after = app
        .permission_list(&cast.world.operator(), query())
        .await
        .unwrap();
    assert_eq!(after.items.len(), before.items.len() + 2);
}

fn query() -> crate::permission::PermissionQuery {
    crate::permission::PermissionQuery {
        page: ListQuery {
            after: None,
            limit: 100,
        },
        ..crate::permission::PermissionQuery::default()
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_before_it_is_submitted() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.draft().await;
    let ctx = cast.applicant().await;
    let patch = json!({
        "purpose": "", "ways": ["key", "index:Town", "history"],
        "fields": [{ "field": "Code" }, { "field": "Surnme", "law": "4. pants" }],
    });
    app.application_update(&ctx, &number, &patch, None).await.unwrap();
    let faults = app.application_check(&ctx, &number).await.unwrap();
    let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "purpose",
            "fields.Code.law",
            "fields.Surnme",
            "ways.index:Town",
            "ways.history"
        ]
    );
    let refused = app.application_submit(&ctx, &number, None).await.unwrap_err();
    assert_eq!((refused.status, refused.faults), (422, faults));
    // Another in between is not overwritten.
    let stale = app.application_update(&ctx, &number, &json!({}), Some(1)).await;
    assert_eq!(stale.unwrap_err().code, "precondition_failed");
    for wrong in [
        json!({ "wish": 1 }),
        json!({ "quota": "many" }),
        json!({ "dataset": "others" }),
    ] {
        let problem = app
            .application_update(&ctx, &number, &wrong, None)
            .await
            .unwrap_err();
        assert_eq!(problem.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn an_index_without_its_field_is_not_granted() {
    let cast = Cast::new().await;
    let number = cast.submitted().await;
    let decided = cast
        .world
        .app
        .application_decide(&cast.decider().await, &number, partial(&["Surname"]), None)
        .await
        .unwrap();
    let permission = decided.value.permissions[0].as_str();
    let held = cast
        .world
        .app
        .permission_get(&cast.world.operator(), permission)
        .await
        .unwrap();
    assert_eq!(serde_json::to_value(&held.value.ways).unwrap(), json!(["key"]));
}
