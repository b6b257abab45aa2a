//! Nobody alone lets a system in: not by roles, not by order, not by changing hats.

use std::sync::Arc;

use dagr_model::ids::{RegistrationNumber, SystemCode};
use dagr_registry::{ConnectionKind, PersonCreate, RoleCreate, SystemCreate};
use proptest::prelude::*;

use super::*;
use crate::{
    session::SignedIn,
    testing::{PROVIDER, STRANGER, World},
};

const CLIENT: &str = "prov-1";

/// Somebody with these roles here, and the same person with others elsewhere.
async fn person(world: &World, number: u32, roles: &[(&str, Role)]) -> String {
    let code = format!("39{number:09}");
    let operator = world.operator();
    let create = PersonCreate {
        code: code.clone(),
        name: format!("Persona {number}"),
    };
    for (institution, role) in roles {
        let role = RoleCreate {
            institution: RegistrationNumber::new(*institution),
            role: *role,
        };
        world.app.role_give(&operator, &create, &role).await.unwrap();
    }
    let signed_in = SignedIn {
        code,
        name: "Nezināms".into(),
        by: "development".into(),
    };
    let nobody = world.ctx(Caller::Anonymous);
    world.app.session_open(&nobody, &signed_in).await.unwrap().token
}

async fn by(world: &World, token: &str, institution: &str) -> Ctx {
    let ctx = world.ctx(world.app.caller(token).await.unwrap());
    world.app.session_act_for(&ctx, Some(institution)).await.unwrap();
    world.ctx(world.app.caller(token).await.unwrap())
}

async fn world() -> World {
    let world = World::new().await;
    let system = SystemCreate {
        institution: RegistrationNumber::new(PROVIDER),
        code: SystemCode::new("prov"),
        name: "Sistēma".into(),
    };
    world.app.system_create(&world.operator(), &system).await.unwrap();
    world
}

fn connection(client: &str) -> ConnectionCreate {
    ConnectionCreate {
        client_id: ClientId::new(client),
        system: SystemCode::new("prov"),
        kind: ConnectionKind::Producer,
        token_lifetime_s: 600,
        description: None,
    }
}

fn certificate(pem: &str) -> ProposalCreate {
    ProposalCreate::Certificate {
        client_id: ClientId::new(CLIENT),
        pem: pem.to_owned(),
    }
}

fn pem() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2025, 1, 1);
    params.self_signed(&key).unwrap().pem()
}

#[tokio::test]
async fn what_one_operator_proposes_another_makes() {
    let world = world().await;
    let app = &world.app;
    let (one, two) = (
        person(&world, 1, &[(STRANGER, Role::Operator)]).await,
        person(&world, 2, &[(STRANGER, Role::Operator)]).await,
    );
    let (one, two) = (by(&world, &one, STRANGER).await, by(&world, &two, STRANGER).await);
    let create = ProposalCreate::Connection(connection(CLIENT));
    let proposal = app.proposal_create(&one, &create).await.unwrap();
    assert!(app.catalog().connections.is_empty(), "nothing is in force yet");
    assert!(app.connection_get(&one, CLIENT).await.is_err());
    assert_eq!(
        app.proposal_confirm(&one, proposal.id).await.unwrap_err().status,
        409
    );
    assert!(!App::may_confirm(&one, &proposal) && App::may_confirm(&two, &proposal));
    let told = app.notification_list(&two, true, page()).await.unwrap().items;
    assert_eq!(told[0].kind, "proposal_waiting");
    app.proposal_confirm(&two, proposal.id).await.unwrap();
    assert!(app.catalog().connections.contains_key(&ClientId::new(CLIENT)));
    let told = app.notification_list(&one, true, page()).await.unwrap().items;
    assert_eq!(told[0].kind, "proposal_confirmed");
    // Once, and what is there already is not proposed.
    assert_eq!(
        app.proposal_confirm(&two, proposal.id).await.unwrap_err().status,
        409
    );
    assert_eq!(app.proposal_create(&one, &create).await.unwrap_err().status, 409);
    let trail = crate::audit::AuditQuery {
        noun: Some("proposals".into()),
        limit: 10,
        ..Default::default()
    };
    let trail = app.audit_list(&one, trail).await.unwrap().items;
    let actions: Vec<_> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["proposal_confirm", "proposal_create"]);
}

#[tokio::test]
async fn an_institution_rotates_its_certificate_with_an_operator() {
    let world = world().await;
    let app = &world.app;
    let operator = world.operator();
    app.connection_create(&operator, &connection(CLIENT))
        .await
        .unwrap();
    let technician = person(&world, 1, &[(PROVIDER, Role::TechnicalContact)]).await;
    let stranger = person(&world, 2, &[(STRANGER, Role::Head)]).await;
    let auditor = person(&world, 3, &[(PROVIDER, Role::Auditor)]).await;
    let technician = by(&world, &technician, PROVIDER).await;
    let stranger = by(&world, &stranger, STRANGER).await;
    let auditor = by(&world, &auditor, PROVIDER).await;
    let pem = pem();
    assert_eq!(
        app.proposal_create(&stranger, &certificate(&pem))
            .await
            .unwrap_err()
            .status,
        404
    );
    assert_eq!(
        app.proposal_create(&auditor, &certificate(&pem))
            .await
            .unwrap_err()
            .status,
        403
    );
    let new = ProposalCreate::Connection(connection("prov-2"));
    assert_eq!(
        app.proposal_create(&technician, &new).await.unwrap_err().status,
        403
    );
    let faulty = app
        .proposal_create(&technician, &certificate("x"))
        .await
        .unwrap_err();
    assert_eq!((faulty.status, &*faulty.faults[0].place), (422, "pem"));
    let proposal = app
        .proposal_create(&technician, &certificate(&pem))
        .await
        .unwrap();
    assert_eq!(
        app.proposal_confirm(&technician, proposal.id)
            .await
            .unwrap_err()
            .status,
        403
    );
    assert_eq!(
        app.proposal_get(&stranger, proposal.id).await.unwrap_err().status,
        404
    );
    assert_eq!(
        app.proposal_get(&auditor, proposal.id).await.unwrap().id,
        proposal.id
    );
    app.proposal_confirm(&operator, proposal.id).await.unwrap();
    let held = app
        .connection_get(&technician, CLIENT)
        .await
        .unwrap()
        .value
        .certificates;
    assert_eq!(held.len(), 1);
    let again = app
        .proposal_create(&technician, &certificate(&pem))
        .await
        .unwrap_err();
    assert_eq!(&*again.faults[0].rule, "held");
    // The overlap: a second one beside the first; then the first is taken away by whose it is.
    let second = app
        .proposal_create(&technician, &certificate(&self::pem()))
        .await
        .unwrap();
    app.proposal_confirm(&operator, second.id).await.unwrap();
    let left = app
        .certificate_delete(&technician, CLIENT, &held[0].sha256)
        .await
        .unwrap();
    assert_eq!(left.value.certificates.len(), 1);
    let refused = app.certificate_delete(&stranger, CLIENT, &held[0].sha256).await;
    assert_eq!(
        refused.unwrap_err().status,
        404,
        "nobody is told of another institution's connections"
    );
    let refused = app.certificate_delete(&auditor, CLIENT, &held[0].sha256).await;
    assert_eq!(refused.unwrap_err().status, 403, "reading is not keeping");
}

fn page() -> ListQuery {
    ListQuery {
        after: None,
        limit: 10,
    }
}

/// One step of one person: which hat, what.
#[derive(Debug, Clone, Copy)]
enum Step {
    Connection,
    Certificate,
    Directly,
    Confirm(i64),
    Reject(i64),
    Role,
}

fn step() -> impl Strategy<Value = (bool, Step)> {
    let step = prop_oneof![
        Just(Step::Connection),
        Just(Step::Certificate),
        Just(Step::Directly),
        (1..6_i64).prop_map(Step::Confirm),
        (1..6_i64).prop_map(Step::Reject),
        Just(Step::Role),
    ];
    (any::<bool>(), step)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Somebody who is operator, head and technical contact at once, in any order of steps and hats.
    #[test]
    fn no_single_person_gets_a_connection_or_certificate_in_force(steps in prop::collection::vec(step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(alone(steps));
    }
}

async fn alone(steps: Vec<(bool, Step)>) {
    let world = world().await;
    let app = Arc::clone(&world.app);
    app.connection_create(&world.operator(), &connection(CLIENT))
        .await
        .unwrap();
    let roles = [
        (STRANGER, Role::Operator),
        (PROVIDER, Role::Head),
        (PROVIDER, Role::TechnicalContact),
    ];
    let token = person(&world, 1, &roles).await;
    for (at, (operates, step)) in steps.into_iter().enumerate() {
        let hat = if operates { STRANGER } else { PROVIDER };
        let ctx = by(&world, &token, hat).await;
        let other = connection(&format!("new-{at}"));
        match step {
            Step::Connection => drop(
                app.proposal_create(&ctx, &ProposalCreate::Connection(other))
                    .await,
            ),
            Step::Certificate => drop(app.proposal_create(&ctx, &certificate(&pem())).await),
            Step::Directly => {
                app.connection_create(&ctx, &other).await.unwrap_err();
                app.certificate_put(&ctx, CLIENT, pem().as_bytes())
                    .await
                    .unwrap_err();
            }
            Step::Confirm(id) => {
                app.proposal_confirm(&ctx, id).await.unwrap_err();
            }
            Step::Reject(id) => drop(app.proposal_reject(&ctx, id, "nē").await),
            // A second self that operates waits for other eyes.
            Step::Role => {
                let self_ = PersonCreate {
                    code: "39000000009".into(),
                    name: "Otra".into(),
                };
                let role = RoleCreate {
                    institution: RegistrationNumber::new(STRANGER),
                    role: Role::Operator,
                };
                if let Ok(view) = app.role_give(&ctx, &self_, &role).await {
                    assert_eq!(view.state, dagr_registry::RoleState::Proposed);
                }
            }
        }
        let catalog = app.catalog();
        assert_eq!(catalog.connections.len(), 1, "{step:?}");
        assert!(
            catalog
                .connections
                .get(&ClientId::new(CLIENT))
                .unwrap()
                .certificates
                .is_empty(),
            "{step:?}"
        );
    }
}
