//! Plans of transition over HTTP: people with sessions, every call through the real router.

use std::{path::PathBuf, sync::Arc};

use axum::{Router, body::Body};
use dagr_app::{
    App, Parts, Settings,
    ctx::{Caller, Ctx},
    secrets::Secrets,
    session::SignedIn,
    views::{InstitutionCreate, PersonCreate, RoleCreate},
};
use dagr_model::{
    clock::Clock,
    ids::{RegistrationNumber, RequestId},
    role::Role,
};
use dagr_registry::Registry;
use dagr_store::{
    journal::{Journal, JournalConfig, fake::FakeDisk},
    memory::MemoryEngine,
};
use http::Request;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const PROVIDER: &str = "40000000001";
const RECIPIENT: &str = "40000000002";
const OUTSIDER: &str = "40000000003";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2024-07-01T12:00:00Z".parse().unwrap()
    }
}

/// An installation in memory, and one person of each institution.
struct Board {
    router: Router,
    provider: String,
    recipient: String,
    outsider: String,
    _dir: tempfile::TempDir,
}

struct Answer {
    status: u16,
    etag: String,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

fn operator() -> Ctx {
    Ctx {
        request_id: RequestId::new("r"),
        now: Noon.now(),
        caller: Caller::Operator,
        permission: None,
        case: None,
    }
}

/// A person of a new institution, signed in.
async fn person(app: &App, number: u32, institution: &str) -> String {
    let create = InstitutionCreate {
        registration_number: RegistrationNumber::new(institution),
        name: format!("Iestāde {institution}"),
        kind: None,
        parent: None,
    };
    app.institution_create(&operator(), &create).await.unwrap();
    let code = format!("39{number:09}");
    let create = PersonCreate {
        code: code.clone(),
        name: format!("Persona {number}"),
    };
    let made = app.person_create(&operator(), &create).await.unwrap();
    let role = RoleCreate {
        institution: RegistrationNumber::new(institution),
        role: Role::Head,
    };
    app.role_grant(&operator(), made.value.id, &role).await.unwrap();
    let signed_in = SignedIn {
        code,
        name: String::new(),
        by: "development".into(),
    };
    let nobody = Ctx {
        caller: Caller::Anonymous,
        ..operator()
    };
    app.session_open(&nobody, &signed_in).await.unwrap().token
}

impl Board {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = JournalConfig {
            segment_bytes: 6 << 20,
            ..JournalConfig::default()
        };
        let parts = Parts {
            registry: Registry::open_in_memory().await.unwrap(),
            engine: Arc::new(MemoryEngine::new()),
            journal: Journal::open(&PathBuf::from("/journal"), config, FakeDisk::new(1).io()).unwrap(),
            clock: Arc::new(Noon),
            secrets: Secrets::open(&dir.path().join("secrets")).unwrap(),
            settings: Settings::default(),
            dir: dir.path().to_owned(),
        };
        let app = App::start(parts).await.unwrap();
        Self {
            provider: person(&app, 1, PROVIDER).await,
            recipient: person(&app, 2, RECIPIENT).await,
            outsider: person(&app, 3, OUTSIDER).await,
            router: dagr_rest::router(app),
            _dir: dir,
        }
    }

    async fn call(&self, token: &str, method: &str, path: &str, body: Option<Value>, etag: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/registry/plans{path}"))
            .header("authorization", format!("Bearer {token}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        if !etag.is_empty() {
            request = request.header("if-match", etag);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let etag = response.headers().get("etag");
        Answer {
            status: response.status().as_u16(),
            etag: etag.map_or_else(String::new, |etag| etag.to_str().unwrap().to_owned()),
            body: {
                let bytes = response.into_body().collect().await.unwrap().to_bytes();
                serde_json::from_slice(&bytes).unwrap_or_default()
            },
        }
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, "GET", path, None, "").await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, "POST", path, Some(body), "").await
    }

    /// A plan's number.
    async fn plan(&self, scenario: &str, subject: Value) -> String {
        let create = json!({
            "scenario": scenario, "subject": subject, "title": "Adreses",
            "recipients": [RECIPIENT], "period": { "from": "2024-07-01", "to": "2024-09-30" },
        });
        let made = self.post(&self.provider, "", create).await;
        assert_eq!((made.status, made.etag.as_str()), (201, "\"1\""), "{}", made.body);
        made.body["number"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_plan_of_each_scenario_is_closed_over_http() {
    let board = Board::open().await;
    let service = || json!({ "kind": "service", "service": "Adrešu pārbaude" });
    let dataset = || json!({ "kind": "dataset", "dataset": "addresses" });
    for (scenario, subject) in [
        ("new_dataset", dataset()),
        ("move_to_dagr", dataset()),
        ("behind_api_manager", service()),
    ] {
        let number = board.plan(scenario, subject).await;
        let early = board
            .post(&board.provider, &format!("/{number}/close"), json!({}))
            .await;
        assert_eq!(early.code(), (409, "state_conflict"));
        let plan = board.get(&board.recipient, &format!("/{number}")).await.body;
        for step in plan["steps"].as_array().unwrap() {
            let token = if step["side"] == "provider" {
                &board.provider
            } else {
                &board.recipient
            };
            let path = format!("/{number}/steps/{}", step["number"]);
            let moved = if step["kind"] == "close_historic_interface" {
                let reason = json!({ "reason": "Saskarne paliek" });
                board.post(token, &format!("{path}/not_applicable"), reason).await
            } else {
                let note = json!({ "note": "Izdarīts" });
                board.post(token, &format!("{path}/done"), note).await
            };
            assert_eq!(moved.status, 200, "{}", moved.body);
        }
        let closed = board
            .post(
                &board.provider,
                &format!("/{number}/close"),
                json!({ "note": "Viss" }),
            )
            .await;
        assert_eq!(closed.body["stage"]["name"], "closed", "{}", closed.body);
        let events = board
            .get(&board.recipient, &format!("/{number}/events?limit=100"))
            .await;
        let events = events.body["events"].as_array().unwrap().len();
        assert_eq!(format!("\"{events}\""), closed.etag);
    }
    let listed = board.get(&board.recipient, "?stage=closed&limit=2").await.body;
    assert_eq!(listed["plans"].as_array().unwrap().len(), 2);
    assert!(listed["next"].is_string());
    let wrong = board.get(&board.recipient, "?stage=lost").await;
    assert_eq!(wrong.code(), (400, "query_invalid"));
}

#[tokio::test]
async fn a_plan_is_guarded_by_its_version_and_its_parties() {
    let board = Board::open().await;
    let subject = json!({ "kind": "dataset", "dataset": "addresses" });
    let number = board.plan("move_to_dagr", subject).await;
    let one = format!("/{number}");
    let step = format!("/{number}/steps/1");
    let due = json!({ "due": "2024-06-30" });
    let assigned = board
        .call(&board.provider, "PATCH", &step, Some(due.clone()), "\"1\"")
        .await;
    assert_eq!((assigned.status, assigned.etag.as_str()), (200, "\"2\""));
    assert_eq!(assigned.body["steps"][0]["late"], true);
    let stale = board
        .call(&board.provider, "PATCH", &step, Some(due.clone()), "\"1\"")
        .await;
    assert_eq!(stale.code(), (412, "precondition_failed"));
    let late = board.get(&board.recipient, "?late=true").await;
    assert_eq!(late.body["plans"][0]["steps_late"], 1);
    // Strangers find nothing; a party does not do what is the other's.
    for path in ["", "/events", "/comments", "/definition"] {
        let hidden = board.get(&board.outsider, &format!("{one}{path}")).await;
        assert_eq!(hidden.code(), (404, "not_found"), "{path}");
    }
    let comment = json!({ "text": "Vajag trīs mēnešus" });
    let hidden = board
        .post(&board.outsider, &format!("{one}/comments"), comment.clone())
        .await;
    assert_eq!(hidden.code(), (404, "not_found"));
    let empty = board.get(&board.outsider, "").await.body;
    assert_eq!(empty, json!({ "plans": [], "next": null }));
    let not_own = board
        .call(&board.recipient, "PATCH", &step, Some(due.clone()), "")
        .await;
    assert_eq!(not_own.code(), (403, "role_required"));
    let none = board
        .post(&board.provider, &format!("/{number}/steps/99/done"), json!({}))
        .await;
    assert_eq!(none.code(), (404, "not_found"));
    let nobody = board.get("dgs_unknown", &one).await;
    assert_eq!(nobody.code(), (401, "token_invalid"));
    // Consulted.
    let said = board
        .post(&board.recipient, &format!("{one}/comments"), comment)
        .await;
    assert_eq!(said.status, 201);
    let thread = board.get(&board.provider, &format!("{one}/comments")).await.body;
    assert_eq!(thread["comments"][0]["text"], "Vajag trīs mēnešus");
    let invited = json!({ "institutions": [OUTSIDER] });
    let invited = board
        .post(&board.provider, &format!("{one}/invite"), invited)
        .await;
    assert_eq!(invited.body["steps"].as_array().unwrap().len(), 15);
    assert_eq!(board.get(&board.outsider, &one).await.status, 200);
    // A patch says what changes; every fault is named at once.
    let period = json!({ "period": null, "title": "Adreses 2" });
    let patched = board
        .call(&board.provider, "PATCH", &one, Some(period), "")
        .await
        .body;
    assert_eq!(
        (&patched["period"], &patched["title"]),
        (&Value::Null, &json!("Adreses 2"))
    );
    let wrong = json!({ "scenario": "other", "title": 1 });
    let wrong = board.post(&board.provider, "", wrong).await;
    assert_eq!(wrong.code(), (422, "invalid"));
    assert_eq!(
        wrong.body["errors"].as_array().unwrap().len(),
        3,
        "{}",
        wrong.body
    );
}
