//! Plans from start to closed through the use cases, with what the system finds by itself.

use std::collections::BTreeSet;

use dagr_model::{
    application::{Asked, Verdict},
    ids::Section,
    plan::{Evidence, EvidenceKind, PlanSide, Scenario, StepKind},
    role::Role,
};
use dagr_registry::{PersonCreate, RoleCreate};
use serde_json::json;

use super::*;
use crate::{
    ctx::ConnectionKind,
    record::RecordQuery,
    session::{SessionOpened, SignedIn},
    testing::{PROVIDER, STRANGER, World},
};

const RECIPIENT: &str = STRANGER;
const OUTSIDER: &str = "40000000003";
const ONE: &str = "36184726051";
const PERSONS: &str = "name: persons
key: Code
subject: Code
data_description: Personas
fields:
  - Code person_code : Personas kods
  - Surname : Uzvārds
";

struct Cast {
    world: World,
    provider: SessionOpened,
    recipient: SessionOpened,
    outsider: SessionOpened,
}

/// People are numbered by their codes.
async fn person(world: &World, number: u32, institution: &str, roles: &[Role]) -> SessionOpened {
    let create = PersonCreate {
        code: format!("39{number:09}"),
        name: format!("Persona {number}"),
    };
    let operator = world.operator();
    let made = world.app.person_create(&operator, &create).await.unwrap();
    for role in roles {
        let create = RoleCreate {
            institution: RegistrationNumber::new(institution),
            role: *role,
        };
        world
            .app
            .role_grant(&operator, made.value.id, &create)
            .await
            .unwrap();
    }
    sign_in(world, number).await
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

impl Cast {
    async fn new() -> Self {
        let world = World::new().await;
        let create = dagr_registry::InstitutionCreate {
            registration_number: RegistrationNumber::new(OUTSIDER),
            name: "Cita iestāde".into(),
            kind: None,
            parent: None,
        };
        let operator = world.operator();
        world.app.institution_create(&operator, &create).await.unwrap();
        Self {
            provider: person(&world, 1, PROVIDER, &[Role::Head]).await,
            recipient: person(&world, 2, RECIPIENT, &[Role::DataManager]).await,
            outsider: person(&world, 3, OUTSIDER, &[Role::Head]).await,
            world,
        }
    }

    async fn by(&self, session: &SessionOpened) -> Ctx {
        let token = format!("Bearer {}", session.token);
        self.world.ctx(self.world.app.caller(&token).await.unwrap())
    }

    async fn provider(&self) -> Ctx {
        self.by(&self.provider).await
    }

    async fn recipient(&self) -> Ctx {
        self.by(&self.recipient).await
    }

    async fn plan(&self, scenario: Scenario) -> String {
        let app = &self.world.app;
        let made = app.plan_create(&self.provider().await, create(scenario)).await;
        made.unwrap().value.head.number.to_string()
    }

    async fn view(&self, number: &str) -> PlanView {
        let found = self.world.app.plan_get(&self.provider().await, number).await;
        found.unwrap().value
    }

    /// What the system found of the plan, with whose step it shows.
    async fn found(&self, number: &str) -> BTreeSet<(String, &'static str)> {
        let steps = self.view(number).await.steps;
        let found = |view: StepView| {
            let by_system = |one: &Evidence| one.by.is_none();
            let side = if view.step.side == PlanSide::Provider {
                "provider"
            } else {
                "recipient"
            };
            let evidence = view.step.evidence.into_iter().filter(by_system);
            evidence
                .map(|one| (format!("{:?}", one.kind), side))
                .collect::<Vec<_>>()
        };
        steps.into_iter().flat_map(found).collect()
    }

    /// Every step of a side is done, or as `skip` says not applicable.
    async fn settle(&self, number: &str, side: PlanSide, skip: Option<StepKind>) {
        let app = &self.world.app;
        let ctx = match side {
            PlanSide::Provider => self.provider().await,
            PlanSide::Recipient => self.recipient().await,
        };
        for view in self.view(number).await.steps {
            let step = view.step.number;
            if view.step.side != side {
                continue;
            }
            if Some(view.step.kind) == skip {
                let reason = "Vecā saskarne paliek".to_owned();
                app.plan_step_not_applicable(&ctx, number, step, reason, None)
                    .await
                    .unwrap();
            } else {
                app.plan_step_done(&ctx, number, step, Some("Izdarīts".into()), None)
                    .await
                    .unwrap();
            }
        }
    }

    /// The recipient applies, the provider approves, the recipient looks one record up.
    async fn permit_and_look_up(&self) {
        let app = &self.world.app;
        let asked: Asked = serde_json::from_value(json!({
            "kind": "data", "dataset": "persons", "environments": ["main"], "purpose": "Pabalsts",
            "legal_basis": "Likums", "use_case": "Lēmums", "ways": ["key"],
            "fields": [{ "field": "Code", "law": "4. pants" }, { "field": "Surname", "law": "4. pants" }],
        }))
        .unwrap();
        let ctx = self.recipient().await;
        let made = app.application_create(&ctx, asked).await.unwrap();
        let number = made.value.application.number.to_string();
        app.application_submit(&ctx, &number, None).await.unwrap();
        let decided = app
            .application_decide(&self.provider().await, &number, Verdict::Approve, None)
            .await
            .unwrap();
        let mut ctx = self.world.connection(RECIPIENT, ConnectionKind::Consumer);
        ctx.permission = Some(decided.value.permissions[0].to_string());
        let query = RecordQuery {
            fields: None,
            as_of: None,
        };
        app.record_get(&ctx, Section::Main, "persons", &[ONE.to_owned()], query)
            .await
            .unwrap();
    }
}

fn create(scenario: Scenario) -> PlanCreate {
    let subject = match scenario {
        Scenario::BehindApiManager => json!({ "kind": "service", "service": "Adrešu pārbaude" }),
        _ => json!({ "kind": "dataset", "dataset": "persons" }),
    };
    serde_json::from_value(json!({
        "scenario": scenario, "subject": subject, "title": "Personas", "recipients": [RECIPIENT],
        "period": { "from": "2024-06-01", "to": "2024-06-30" },
    }))
    .unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.unwrap_err().code
}

#[tokio::test]
async fn a_plan_of_each_scenario_goes_from_start_to_closed() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    for scenario in Scenario::ALL {
        let number = cast.plan(scenario).await;
        let early = app.plan_close(&cast.provider().await, &number, None, None).await;
        assert_eq!(code(early), "state_conflict");
        cast.settle(&number, PlanSide::Recipient, None).await;
        cast.settle(
            &number,
            PlanSide::Provider,
            Some(StepKind::CloseHistoricInterface),
        )
        .await;
        assert_eq!(
            cast.view(&number).await.head.possible,
            ["update", "invite", "close"]
        );
        let closed = app
            .plan_close(&cast.provider().await, &number, Some("Viss".into()), None)
            .await
            .unwrap();
        assert_eq!(closed.value.head.stage.name(), "closed");
        assert_eq!(closed.value.head.steps_open, 0);
        let ctx = cast.provider().await;
        let after = app.plan_step_note(&ctx, &number, 1, "x".into(), None).await;
        assert_eq!(code(after), "state_conflict");
        let page = ListQuery {
            after: None,
            limit: 100,
        };
        let events = app.plan_events(&ctx, &number, page).await.unwrap().items;
        assert_eq!(events.len() as i64, closed.version);
    }
}

#[tokio::test]
async fn the_system_fills_in_what_it_finds() {
    let cast = Cast::new().await;
    // Planned before there is anything of the set.
    let number = cast.plan(Scenario::NewDataset).await;
    assert_eq!(cast.found(&number).await, BTreeSet::new());
    cast.world.sandbox(PERSONS).await;
    assert_eq!(
        cast.found(&number).await,
        BTreeSet::new(),
        "a draft is not published"
    );
    cast.world.publish(PERSONS).await;
    let pair = |kind: &str, side: &'static str| (kind.to_owned(), side);
    let mut wanted = BTreeSet::from([pair("DefinitionPublished", "provider")]);
    assert_eq!(cast.found(&number).await, wanted);
    let line = json!({ "op": "upsert", "record": { "Code": ONE, "Surname": "Ozols" } });
    cast.world
        .deliver("persons", "first", &format!("{line}\n"))
        .await
        .unwrap();
    wanted.insert(pair("FirstPackageReceived", "provider"));
    assert_eq!(cast.found(&number).await, wanted);
    cast.permit_and_look_up().await;
    wanted.insert(pair("PermissionGranted", "provider"));
    wanted.insert(pair("PermissionGranted", "recipient"));
    wanted.insert(pair("FirstLookUp", "recipient"));
    assert_eq!(cast.found(&number).await, wanted);
    // It is kept with the next event, as it was first found.
    let ctx = cast.provider().await;
    let app = &cast.world.app;
    let other = vec![RegistrationNumber::new(OUTSIDER)];
    app.plan_invite(&ctx, &number, other, None).await.unwrap();
    let kept = app.plan_step_done(&ctx, &number, 1, None, None).await.unwrap();
    cast.world.clock.set("2024-06-01T12:20:00Z");
    cast.world
        .deliver("persons", "second", &format!("{line}\n"))
        .await
        .unwrap();
    let looked_again = cast.view(&number).await;
    let evidence = |view: &PlanView| -> Vec<Evidence> {
        let steps = view.steps.iter();
        steps.flat_map(|view| view.step.evidence.clone()).collect()
    };
    assert_eq!(evidence(&looked_again), evidence(&kept.value));
    let first = "2024-06-01T12:00:00Z".parse().unwrap();
    assert!(evidence(&looked_again).iter().all(|one| one.at == first));
    // Another recipient sees what was published and delivered, not what this one was given.
    let outsider = cast.by(&cast.outsider).await;
    let seen = app.plan_get(&outsider, &number).await.unwrap().value;
    assert_eq!(evidence(&seen).len(), 2);
    let page = ListQuery {
        after: None,
        limit: 10,
    };
    let events = app.plan_events(&outsider, &number, page).await.unwrap().items;
    let told = serde_json::to_string(&events).unwrap();
    assert!(told.contains("first_package_received") && !told.contains("permission_granted"));
    let own = app.plan_get(&cast.recipient().await, &number).await.unwrap();
    assert_eq!(evidence(&own.value).len(), 4, "not the provider's list of grants");
    let kinds: Vec<EvidenceKind> = evidence(&looked_again).iter().map(|one| one.kind).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[tokio::test]
async fn parties_and_operators_see_a_plan_and_nobody_else() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.plan(Scenario::MoveToDagr).await;
    let outsider = cast.by(&cast.outsider).await;
    let operator = cast.world.operator();
    for ctx in [&cast.provider().await, &cast.recipient().await, &operator] {
        assert!(app.plan_get(ctx, &number).await.is_ok());
        let board = app.plan_list(ctx, every()).await.unwrap();
        assert_eq!(board.items.len(), 1);
    }
    let page = ListQuery::default;
    assert_eq!(code(app.plan_get(&outsider, &number).await), "not_found");
    assert_eq!(
        code(app.plan_events(&outsider, &number, page()).await),
        "not_found"
    );
    assert_eq!(
        code(app.plan_comment_list(&outsider, &number, page()).await),
        "not_found"
    );
    assert_eq!(
        code(app.plan_comment_create(&outsider, &number, "x").await),
        "not_found"
    );
    assert_eq!(code(app.plan_definition(&outsider, &number).await), "not_found");
    assert_eq!(
        code(app.plan_step_note(&outsider, &number, 1, "x".into(), None).await),
        "not_found"
    );
    assert!(app.plan_list(&outsider, every()).await.unwrap().items.is_empty());
    let of_provider = PlanQuery {
        institution: Some(PROVIDER.into()),
        ..every()
    };
    assert_eq!(code(app.plan_list(&outsider, of_provider).await), "role_required");
    let nobody = cast.world.ctx(Caller::Anonymous);
    assert_eq!(code(app.plan_get(&nobody, &number).await), "token_invalid");
    // The operator looks on; each side moves its own.
    let moved = app.plan_step_done(&operator, &number, 1, None, None).await;
    assert_eq!(code(moved), "role_required");
    let moved = app
        .plan_step_done(&cast.recipient().await, &number, 1, None, None)
        .await;
    assert_eq!(code(moved), "role_required");
    // Invited, the outsider has steps of its own and a word.
    let invited = vec![RegistrationNumber::new(OUTSIDER)];
    let provider = cast.provider().await;
    app.plan_invite(&provider, &number, invited, None).await.unwrap();
    app.plan_step_done(&outsider, &number, 12, None, None)
        .await
        .unwrap();
    app.plan_comment_create(&outsider, &number, "Vajag trīs mēnešus")
        .await
        .unwrap();
    let page = ListQuery {
        after: None,
        limit: 10,
    };
    let thread = app.plan_comment_list(&provider, &number, page).await.unwrap();
    assert_eq!(thread.items[0].text, "Vajag trīs mēnešus");
}

fn every() -> PlanQuery {
    PlanQuery {
        page: ListQuery {
            after: None,
            limit: 100,
        },
        ..PlanQuery::default()
    }
}

#[tokio::test]
async fn a_plan_is_late_when_the_period_is_over() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.plan(Scenario::NewDataset).await;
    let late = |late| PlanQuery { late, ..every() };
    let ctx = cast.provider().await;
    assert!(app.plan_list(&ctx, late(true)).await.unwrap().items.is_empty());
    // 1 July in Riga, still June in London.
    cast.world.clock.set("2024-06-30T21:30:00Z");
    let ctx = cast.world.operator();
    let view = app.plan_get(&ctx, &number).await.unwrap().value;
    assert!(view.head.late);
    assert_eq!(view.head.steps_late, 2);
    let board = app.plan_list(&ctx, late(true)).await.unwrap();
    assert_eq!(board.items.len(), 1);
}

#[tokio::test]
async fn steps_that_fall_due_are_told_once_to_whoever_waits() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.plan(Scenario::NewDataset).await;
    let assign = |due: &str| StepAssign {
        person: None,
        due: Some(Some(due.parse().unwrap())),
    };
    let ctx = cast.provider().await;
    app.plan_step_assign(&ctx, &number, 1, assign("2024-06-14"), None)
        .await
        .unwrap();
    // Days go by: everybody signs in anew.
    let kinds = async |number: u32| -> Vec<String> {
        let page = ListQuery {
            after: None,
            limit: 50,
        };
        let ctx = cast.by(&sign_in(&cast.world, number).await).await;
        let told = app.notification_list(&ctx, true, page).await;
        let of_step = |one: dagr_registry::NotificationView| {
            Some(one.kind).filter(|kind| kind.starts_with("plan_step"))
        };
        told.unwrap().items.into_iter().filter_map(of_step).collect()
    };
    let run = async |at: &str| {
        cast.world.clock.set(at);
        for _ in 0..2 {
            app.plan_due_run().await.unwrap();
        }
    };
    // Three working days before, two, the day itself, the day after.
    run("2024-06-11T08:00:00Z").await;
    assert!(kinds(1).await.is_empty());
    run("2024-06-12T08:00:00Z").await;
    run("2024-06-14T08:00:00Z").await;
    assert_eq!(kinds(1).await, ["plan_step_due"]);
    assert!(kinds(2).await.is_empty());
    run("2024-06-15T08:00:00Z").await;
    // The institution, and its head in person.
    assert_eq!(
        kinds(1).await,
        ["plan_step_late", "plan_step_late", "plan_step_due"]
    );
    assert_eq!(kinds(2).await, ["plan_step_late"]);
    assert!(kinds(3).await.is_empty());
    let ctx = cast.by(&sign_in(&cast.world, 1).await).await;
    app.plan_step_done(&ctx, &number, 1, None, None).await.unwrap();
    run("2024-06-17T08:00:00Z").await;
    assert_eq!(kinds(2).await, ["plan_step_late"]);
}

#[tokio::test]
async fn a_step_is_given_to_somebody_of_its_institution() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.plan(Scenario::NewDataset).await;
    let ctx = cast.provider().await;
    let assign = |person: &SessionOpened| StepAssign {
        person: Some(Some(person.person.id)),
        due: Some(Some("2024-06-10".parse().unwrap())),
    };
    let other = app
        .plan_step_assign(&ctx, &number, 1, assign(&cast.recipient), None)
        .await;
    assert_eq!(code(other), "invalid");
    let foreign = app
        .plan_step_assign(&ctx, &number, 7, assign(&cast.recipient), None)
        .await;
    assert_eq!(code(foreign), "role_required");
    let given = app
        .plan_step_assign(&ctx, &number, 1, assign(&cast.provider), None)
        .await
        .unwrap();
    let step = &given.value.steps[0];
    assert_eq!(step.step.person, Some(cast.provider.person.id));
    assert_eq!(given.value.head.due, step.due_by);
    let stale = app
        .plan_step_done(&ctx, &number, 1, None, Some(given.version - 1))
        .await;
    assert_eq!(code(stale), "precondition_failed");
}

#[tokio::test]
async fn who_is_invited_is_consulted_on_the_draft_and_its_difference() {
    let cast = Cast::new().await;
    let app = &cast.world.app;
    let number = cast.plan(Scenario::MoveToDagr).await;
    let ctx = cast.recipient().await;
    let draft = app.plan_definition(&ctx, &number).await.unwrap();
    assert_eq!((draft.draft, draft.published), (None, None));
    cast.world.publish(PERSONS).await;
    cast.world
        .sandbox(&format!("{PERSONS}  - Forename : Vārds\n"))
        .await;
    let draft = app.plan_definition(&ctx, &number).await.unwrap();
    assert!(draft.draft.unwrap().text.contains("Forename"));
    let changes = draft.evolution.unwrap().changes;
    assert_eq!((changes.len(), changes[0].place.as_str()), (1, "Forename"));
    // Another institution's set is nobody's to plan but its own.
    let foreign = app
        .plan_create(&cast.by(&cast.outsider).await, create(Scenario::MoveToDagr))
        .await;
    assert_eq!(code(foreign), "invalid");
}
