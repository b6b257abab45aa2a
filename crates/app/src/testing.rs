//! A small installation in memory, for tests: operator, institutions, published data sets, a clock that is set.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use dagr_model::{
    clock::Clock,
    ids::{ClientId, PersonId, RegistrationNumber, RequestId, Section},
    role::Role,
};
use dagr_registry::{InstitutionCreate, PersonCreate, Registry, RoleCreate};
use dagr_store::{
    journal::{Journal, JournalConfig, fake::FakeDisk},
    kv::Engine,
    memory::MemoryEngine,
};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::{
    App, Parts, Settings,
    catalog::SignIn,
    ctx::{Caller, Connection, ConnectionKind, Ctx},
    dataset::DefinitionSent,
    intake::{PackageAnswer, PackageOptions},
    problem::Problem,
    secrets::Secrets,
    session::SignedIn,
};

pub const PROVIDER: &str = "40000000001";
pub const STRANGER: &str = "40000000002";

pub struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub fn set(&self, text: &str) {
        *self.0.lock() = text.parse().unwrap();
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// An `App` and what stands under it; another may be started on the same.
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<SetClock>,
    pub engine: Arc<dyn Engine>,
    dir: tempfile::TempDir,
}

impl World {
    /// The provider is registered; nothing else is there. The time is 1 June 2024, 12:00 UTC.
    pub async fn new() -> Self {
        Self::over(Arc::new(MemoryEngine::new())).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::made(settings, Arc::new(MemoryEngine::new())).await
    }

    /// Over an engine of the test's own.
    pub async fn over(engine: Arc<dyn Engine>) -> Self {
        let settings = Settings {
            disk_reserve_bytes: 0,
            ..Settings::default()
        };
        Self::made(settings, engine).await
    }

    async fn made(settings: Settings, engine: Arc<dyn Engine>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(Mutex::new("2024-06-01T12:00:00Z".parse().unwrap())));
        let config = JournalConfig {
            segment_bytes: 6 << 20,
            ..JournalConfig::default()
        };
        let parts = Parts {
            registry: Registry::open_in_memory().await.unwrap(),
            engine: Arc::clone(&engine),
            journal: Journal::open(&PathBuf::from("/journal"), config, FakeDisk::new(1).io()).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            secrets: Secrets::open(&dir.path().join("secrets")).unwrap(),
            settings,
            dir: dir.path().to_owned(),
        };
        let world = Self {
            app: App::start(parts).await.unwrap(),
            clock,
            engine,
            dir,
        };
        for number in [PROVIDER, STRANGER] {
            let create = InstitutionCreate {
                registration_number: RegistrationNumber::new(number),
                name: format!("Iestāde {number}"),
                kind: None,
                parent: None,
            };
            world
                .app
                .institution_create(&world.operator(), &create)
                .await
                .unwrap();
        }
        world
    }

    /// A definition in the sandbox and in main. Its first line is `name: …`.
    pub async fn publish(&self, definition: &str) {
        let name = self.sandbox(definition).await;
        self.app
            .dataset_publish(&self.operator(), &name, None)
            .await
            .unwrap();
    }

    /// A definition in the sandbox; gives its name.
    pub async fn sandbox(&self, definition: &str) -> String {
        let name = definition
            .lines()
            .next()
            .unwrap()
            .trim_start_matches("name:")
            .trim()
            .to_owned();
        let sent = DefinitionSent {
            text: definition.to_owned(),
            institution: Some(PROVIDER.to_owned()),
            ..Default::default()
        };
        self.app
            .definition_put(&self.operator(), &name, sent)
            .await
            .unwrap();
        name
    }

    pub fn operator(&self) -> Ctx {
        self.ctx(Caller::Operator)
    }

    pub fn producer(&self) -> Ctx {
        self.connection(PROVIDER, ConnectionKind::Producer)
    }

    /// A connection that is in force, with a token that does not end.
    pub fn connection(&self, institution: &str, kind: ConnectionKind) -> Ctx {
        let connection = Arc::new(Connection {
            client_id: ClientId::new(format!("{institution}-{kind:?}")),
            kind,
            institution: RegistrationNumber::new(institution),
            token_lifetime_s: 600,
        });
        self.app.swap_catalog(|catalog| {
            let sign_in = SignIn {
                connection: Arc::clone(&connection),
                certificates: Vec::new(),
            };
            let name = connection.client_id.clone();
            catalog.connections.insert(name, Arc::new(sign_in));
        });
        self.ctx(Caller::Connection(connection, Timestamp::MAX))
    }

    /// Withdraws the connection whose context it is.
    pub fn withdraw(&self, ctx: &Ctx) {
        let name = &ctx.connection().unwrap().client_id;
        self.app.swap_catalog(|catalog| {
            catalog.connections.remove(name);
        });
    }

    pub fn ctx(&self, caller: Caller) -> Ctx {
        Ctx {
            request_id: RequestId::new("r"),
            now: self.clock.now(),
            caller,
            permission: None,
            case: None,
        }
    }

    /// Delivers NDJSON to main as a delta.
    pub async fn deliver(&self, dataset: &str, id: &str, lines: &str) -> Result<PackageAnswer, Problem> {
        self.put(dataset, id, ndjson(), lines).await
    }

    /// Delivers to main, the body in small pieces.
    pub async fn put(
        &self,
        dataset: &str,
        id: &str,
        options: PackageOptions,
        body: &str,
    ) -> Result<PackageAnswer, Problem> {
        self.app
            .package_put(
                &self.producer(),
                Section::Main,
                dataset,
                id,
                options,
                pieces(body),
            )
            .await
    }

    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Directories of stages there are.
    pub fn stages(&self) -> usize {
        std::fs::read_dir(self.dir().join("stage")).map_or(0, Iterator::count)
    }
}

/// With one thread that reads: what is handed to it is done in that order.
pub fn with_one_reader(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(test);
}

/// Keeps that thread busy until something is sent.
pub fn hold_reader() -> std::sync::mpsc::Sender<()> {
    let (go, wait) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || wait.recv());
    go
}

/// The context of a person with these roles, signed in.
pub async fn person(world: &World, number: u32, institution: &str, roles: &[Role]) -> Ctx {
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
    let signed_in = SignedIn {
        code,
        name: create.name,
        by: "development".into(),
    };
    let nobody = world.ctx(Caller::Anonymous);
    let session = world.app.session_open(&nobody, &signed_in).await.unwrap();
    let caller = world.app.caller(&format!("Bearer {}", session.token)).await;
    world.ctx(caller.unwrap())
}

pub async fn grant(world: &World, person: PersonId, institution: &str, role: Role) {
    let create = RoleCreate {
        institution: RegistrationNumber::new(institution),
        role,
    };
    let operator = world.operator();
    world.app.role_grant(&operator, person, &create).await.unwrap();
}

pub fn ndjson() -> PackageOptions {
    PackageOptions {
        content_type: "application/x-ndjson".to_owned(),
        ..PackageOptions::default()
    }
}

/// A body in pieces of seven bytes.
pub fn pieces(body: &str) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> = body
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    futures_util::stream::iter(pieces)
}
