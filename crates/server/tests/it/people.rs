//! People over HTTP: sessions opened in this process, every call through the real router.

mod amend;
pub(crate) mod attachment;
mod life;
mod mail;
mod odrl;
mod rights;
mod session;
mod stop;
mod template;
mod test_access;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use dagr_app::{
    App, Parts, Settings,
    ctx::{Caller, Connection, ConnectionKind, Ctx},
    dataset::DefinitionSent,
    intake::PackageOptions,
    record::RecordQuery,
    secrets::Secrets,
    session::SignedIn,
    views::{InstitutionCreate, PersonCreate, RoleCreate},
};
use dagr_model::{
    clock::Clock,
    ids::{ClientId, PersonId, RegistrationNumber, RequestId, Section},
    role::Role,
};
use dagr_registry::Registry;
use dagr_store::{
    journal::{Journal, JournalConfig, fake::FakeDisk},
    memory::MemoryEngine,
};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub const PROVIDER: &str = "40000000001";
pub const RECIPIENT: &str = "40000000002";
pub const OTHER: &str = "40000000003";
/// The platform's own keeper.
pub const KEEPER: &str = "40000000009";

pub const PERSONS: &str = "name: persons
key: Code
subject: Code
data_description: Personas
indexes: [Surname]
fields:
  - Code person_code : Personas kods
  - Surname : Uzvārds
  - Town : Pilsēta
";

pub const ONE: &str = "36184726051";

/// Stands until it is set: at first at noon of 3 June 2024, a Monday.
struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An installation in memory with one published data set.
pub struct Office {
    pub app: Arc<App>,
    pub registry: Registry,
    clock: Arc<SetClock>,
    router: Router,
    dir: tempfile::TempDir,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Office {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = JournalConfig {
            segment_bytes: 6 << 20,
            ..JournalConfig::default()
        };
        let clock = Arc::new(SetClock(Mutex::new("2024-06-03T12:00:00Z".parse().unwrap())));
        let registry = Registry::open_in_memory().await.unwrap();
        let parts = Parts {
            registry: registry.clone(),
            engine: Arc::new(MemoryEngine::new()),
            journal: Journal::open(&PathBuf::from("/journal"), config, FakeDisk::new(1).io()).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            secrets: Secrets::open(&dir.path().join("secrets")).unwrap(),
            settings: Settings {
                disk_reserve_bytes: 0,
                ..Settings::default()
            },
            dir: dir.path().to_owned(),
        };
        let app = App::start(parts).await.unwrap();
        let office = Self {
            router: dagr_rest::router(Arc::clone(&app)),
            app,
            registry,
            clock,
            dir,
        };
        for number in [PROVIDER, RECIPIENT, OTHER, KEEPER] {
            let create = InstitutionCreate {
                registration_number: RegistrationNumber::new(number),
                name: format!("Iestāde {number}"),
                kind: None,
                parent: None,
            };
            let operator = office.operator();
            office.app.institution_create(&operator, &create).await.unwrap();
        }
        let sent = DefinitionSent {
            text: PERSONS.to_owned(),
            institution: Some(PROVIDER.to_owned()),
            ..DefinitionSent::default()
        };
        let operator = office.operator();
        office
            .app
            .definition_put(&operator, "persons", sent)
            .await
            .unwrap();
        office
            .app
            .dataset_publish(&operator, "persons", None)
            .await
            .unwrap();
        office
    }

    pub fn operator(&self) -> Ctx {
        self.ctx(Caller::Operator)
    }

    pub fn ctx(&self, caller: Caller) -> Ctx {
        Ctx {
            request_id: RequestId::new("r"),
            now: self.app.now(),
            caller,
            permission: None,
            case: None,
        }
    }

    /// Somebody new with these roles in one institution; gives number and token.
    pub async fn person(&self, code: u32, institution: &str, roles: &[Role]) -> (PersonId, String) {
        let code = format!("39{code:09}");
        let create = PersonCreate {
            code: code.clone(),
            name: "Persona".to_owned(),
        };
        let operator = self.operator();
        let made = self.app.person_create(&operator, &create).await.unwrap();
        for role in roles {
            let create = RoleCreate {
                institution: RegistrationNumber::new(institution),
                role: *role,
            };
            self.app
                .role_grant(&operator, made.value.id, &create)
                .await
                .unwrap();
        }
        (made.value.id, self.sign_in(&code).await)
    }

    pub fn operator_token(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("secrets/operator-token"))
            .unwrap()
            .trim()
            .to_owned()
    }

    pub async fn sign_in(&self, code: &str) -> String {
        let signed_in = SignedIn {
            code: code.to_owned(),
            name: "Persona".to_owned(),
            by: "development".to_owned(),
        };
        let nobody = self.ctx(Caller::Anonymous);
        self.app.session_open(&nobody, &signed_in).await.unwrap().token
    }

    /// The context of a call that this token makes.
    pub async fn by(&self, token: &str) -> Ctx {
        self.ctx(self.app.caller(&format!("Bearer {token}")).await.unwrap())
    }

    pub async fn send(
        &self,
        token: Option<&str>,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Some(token), (Method::GET, path), &[], Vec::new()).await
    }

    pub async fn call(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.send(Some(token), (method, path), &json, body.to_string().into_bytes())
            .await
    }

    pub fn set_clock(&self, to: &str) {
        *self.clock.0.lock().unwrap() = to.parse().unwrap();
    }

    fn connection(&self, institution: &str, kind: ConnectionKind) -> Ctx {
        let connection = Arc::new(Connection {
            client_id: ClientId::new(format!("{institution}-{kind:?}")),
            kind,
            institution: RegistrationNumber::new(institution),
            token_lifetime_s: 600,
        });
        self.ctx(Caller::Connection(connection, Timestamp::MAX))
    }

    /// One record, delivered.
    pub async fn deliver(&self) {
        let line = json!({ "op": "upsert", "record": { "Code": ONE, "Surname": "Ozols", "Town": "Cēsis" } });
        let body = futures_util::stream::iter([Ok(bytes::Bytes::from(format!("{line}\n")))]);
        let options = PackageOptions {
            content_type: "application/x-ndjson".to_owned(),
            ..PackageOptions::default()
        };
        let producer = self.connection(PROVIDER, ConnectionKind::Producer);
        self.app
            .package_put(&producer, Section::Main, "persons", "first", options, body)
            .await
            .unwrap();
    }

    /// What a look-up of the record under a permission answers: its members, or the refusal's code.
    pub async fn look_up(&self, permission: &str, fields: Option<&[&str]>) -> Result<Value, &'static str> {
        let mut ctx = self.connection(RECIPIENT, ConnectionKind::Consumer);
        ctx.permission = Some(permission.to_owned());
        let query = RecordQuery {
            fields: fields.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect()),
            as_of: None,
        };
        let answer = self
            .app
            .record_get(&ctx, Section::Main, "persons", &[ONE.to_owned()], query)
            .await
            .map_err(|problem| problem.code)?;
        Ok(serde_json::from_slice(&answer.into_inner().body).unwrap())
    }

    /// Submits what is asked, as one of the applicant; gives the application's path.
    pub async fn submitted(&self, applicant: &str, asked: Value) -> String {
        let made = self.post(applicant, "/registry/applications", asked).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let path = made.header("location").to_owned();
        let done = self.post(applicant, &format!("{path}/submit"), json!({})).await;
        assert_eq!(done.status, 200, "{}", done.text());
        path
    }

    /// A permission from application to decision; gives its number.
    pub async fn granted(&self, applicant: &str, decider: &str, asked: Value) -> String {
        let path = self.submitted(applicant, asked).await;
        let approve = json!({ "result": "approve" });
        let decided = self.post(decider, &format!("{path}/decide"), approve).await;
        assert_eq!(decided.status, 200, "{}", decided.text());
        decided.json()["permissions"][0].as_str().unwrap().to_owned()
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::POST, path, body).await
    }
}

/// Everything asked that the set has, for the main section.
pub fn asked() -> Value {
    json!({
        "kind": "data", "dataset": "persons", "environments": ["main"], "purpose": "Pabalsts",
        "legal_basis": "Sociālo pakalpojumu likums", "use_case": "Lēmums", "ways": ["key", "index:Surname"],
        "fields": [
            { "field": "Code", "law": "4. pants" },
            { "field": "Surname", "law": "4. pants" },
            { "field": "Town", "law": "5. pants" },
        ],
    })
}
