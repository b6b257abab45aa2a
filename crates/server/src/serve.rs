//! `dagr serve`: opens a data directory, listens, and drains when told to stop.

pub(crate) mod data_dir;
pub(crate) mod listener;
pub mod log;
mod metrics;
mod operations;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use dagr_app::{App, Parts, Settings, secrets::Secrets};
use dagr_model::clock::Clock;
use dagr_registry::Registry;
use dagr_store::journal::{DiskIo, Journal, JournalConfig};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};
use tokio::task::JoinHandle;

use crate::{config::Config, jobs, mail::Post};
use data_dir::DataDir;
use listener::Listener;
use operations::Readiness;

/// How long calls of the operations port may take to end when everything else has.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory {dir}: {cause}")]
    Directory { dir: PathBuf, cause: String },
    #[error("another process uses the data directory {0}")]
    InUse(PathBuf),
    #[error(
        "cannot listen on {address}: {cause}; end what listens there, or set another address: listen.data, listen.operations"
    )]
    Listen { address: SocketAddr, cause: String },
    #[error("{0}")]
    Tls(String),
    #[error("metrics: {0}")]
    Metrics(String),
    #[error("sign_in: {0}")]
    SignIn(String),
    #[error("mail: {0}")]
    Mail(String),
    #[error("not started: {0}")]
    App(String),
}

/// The wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// A server that answers. Dropping it does not stop it: call `stop`.
pub struct Running {
    /// The addresses in fact listened on.
    pub data: SocketAddr,
    pub operations: SocketAddr,
    pub public_url: String,
    pub dir: PathBuf,
    pub app: Arc<App>,
    /// Whom the development sign-in offers.
    pub cast: dagr_portal::Cast,
    /// Of the data port.
    scheme: &'static str,
    data_listener: Listener,
    operations_listener: Listener,
    jobs: Vec<JoinHandle<()>>,
    readiness: Readiness,
    drain: Duration,
    _lock: DataDir,
}

/// Opens everything under `dir` (made when absent) and listens. Returns when the server is ready.
pub async fn start(mut config: Config, dir: &Path) -> Result<Running, StartError> {
    crate::tls::install_provider();
    let metrics = metrics::recorder()?;
    let lock = DataDir::open(dir)?;
    let dir = lock.path().to_owned();
    if crate::restore::is_unfinished(&dir) {
        let text = "a restore into this directory was broken off; give the same `dagr restore` again";
        return Err(in_dir(&dir, &text));
    }
    let listen = &mut config.listen;
    let data_socket = listener::bind(listen.data)?;
    let operations_socket = listener::bind(listen.operations)?;
    listen.data = listener::address(&data_socket)?;
    listen.operations = listener::address(&operations_socket)?;
    let readiness = Readiness::default();
    let tls = listener::tls(listen).await?;
    let cast = dagr_portal::Cast::default();
    let settings = portal_settings(&config, cast.clone())?;
    let post = Post::new(&config.mail, &config.public_url()).map_err(StartError::Mail)?;
    // Health answers while the rest opens: alive, not yet ready.
    let operations = operations::router(readiness.clone(), metrics.clone());
    let operations_listener = Listener::start(operations_socket, None, operations)?;

    let registry = open_registry(&config, &dir).await?;
    let app = open_app(&config, &dir, registry.clone()).await?;
    let pages = dagr_portal::router(app.clone(), settings);
    let front = dagr_rest::Front::new(app.clone(), config.limits.concurrent_requests, pages);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let data_listener = Listener::start(data_socket, tls.clone(), front)?;
    let mut jobs = jobs::start(&app, metrics, post);
    if let (Some(tls), Some(certificate), Some(key)) = (
        tls,
        config.listen.tls_certificate.clone(),
        config.listen.tls_key.clone(),
    ) {
        jobs.push(crate::tls::renewed(tls, certificate, key));
    }
    readiness.opened(&app, registry);
    Ok(Running {
        data: config.listen.data,
        operations: config.listen.operations,
        public_url: config.public_url(),
        dir,
        app,
        cast,
        scheme,
        data_listener,
        operations_listener,
        jobs,
        readiness,
        drain: Duration::from_secs(config.limits.drain_s),
        _lock: lock,
    })
}

impl Running {
    /// The line that says so.
    pub fn ready_line(&self) -> String {
        format!(
            "dagr is ready: data {}://{}, operations http://{}, directory {}",
            self.scheme,
            self.data,
            self.operations,
            self.dir.display()
        )
    }

    /// Takes no new calls, lets those under way end (for `limits.drain_s` at most), closes everything. The
    /// operations port answers until the calls have ended: whoever watches sees it stop, not vanish.
    pub async fn stop(self) {
        let Self {
            app,
            data_listener,
            operations_listener,
            jobs,
            readiness,
            drain,
            ..
        } = self;
        let began = Instant::now();
        readiness.stopping();
        app.stop();
        for job in jobs {
            job.abort();
            // Aborted or ended: either way it holds nothing any more.
            let _ = job.await;
        }
        data_listener.stop(drain);
        data_listener.ended().await;
        operations_listener.stop(drain.saturating_sub(began.elapsed()).min(LAST_CALLS));
        operations_listener.ended().await;
        // The journal writes what is queued when its last holder goes.
        let closed = tokio::task::spawn_blocking(move || drop(app)).await;
        if closed.is_err() {
            tracing::error!("the data directory was not closed in order");
        }
    }
}

fn portal_settings(config: &Config, cast: dagr_portal::Cast) -> Result<dagr_portal::Settings, StartError> {
    let provider = config.sign_in.provider(&config.public_url());
    Ok(dagr_portal::Settings {
        secure: config.public_url().starts_with("https://"),
        provider: provider.map_err(StartError::SignIn)?.map(Arc::new),
        provider_labels: config.sign_in.labels(),
        sends_mail: config.mail.host.is_some(),
        development_sign_in: config.portal.development_sign_in,
        cast,
    })
}

/// The file of the directory, or the database the configuration names.
pub(crate) async fn open_registry(config: &Config, dir: &Path) -> Result<Registry, StartError> {
    match &config.registry.url {
        Some(url) => Registry::connect(url.expose())
            .await
            .map_err(|error| StartError::App(error.to_string())),
        None => Registry::open(dir.join("registry.sqlite"))
            .await
            .map_err(|error| in_dir(dir, &error)),
    }
}

async fn open_app(config: &Config, dir: &Path, registry: Registry) -> Result<Arc<App>, StartError> {
    let (config, place) = (config.clone(), dir.to_owned());
    // Opening reads files: not on a thread that answers.
    let parts = tokio::task::spawn_blocking(move || open_parts(&config, &place, registry))
        .await
        .map_err(|error| StartError::App(error.to_string()))??;
    App::start(parts)
        .await
        .map_err(|problem| StartError::App(problem.detail))
}

fn open_parts(config: &Config, dir: &Path, registry: Registry) -> Result<Parts, StartError> {
    let secrets = Secrets::open(&dir.join("secrets")).map_err(|error| in_dir(dir, &error))?;
    let engine = open_engine(config, dir)?;
    let journal = open_journal(config, dir)?;
    Ok(assemble(
        config,
        dir,
        registry,
        Arc::new(engine),
        journal,
        secrets,
    ))
}

pub(crate) fn open_engine(config: &Config, dir: &Path) -> Result<LmdbEngine, StartError> {
    let store = LmdbConfig {
        open_max: config.store.open_sets,
        map_max_bytes: config.store.map_max_bytes,
        ..LmdbConfig::default()
    };
    LmdbEngine::new(dir.join("sets"), store).map_err(|error| in_dir(dir, &error))
}

pub(crate) fn open_journal(config: &Config, dir: &Path) -> Result<Journal, StartError> {
    let log = JournalConfig {
        segment_bytes: config.disclosures.segment_bytes,
        ..JournalConfig::default()
    };
    Journal::open(&dir.join("disclosures"), log, Arc::new(DiskIo)).map_err(|error| in_dir(dir, &error))
}

/// What an `App` on this directory is made of.
pub(crate) fn assemble(
    config: &Config,
    dir: &Path,
    registry: Registry,
    engine: Arc<LmdbEngine>,
    journal: Journal,
    secrets: Secrets,
) -> Parts {
    let settings = Settings {
        public_url: config.public_url(),
        package_max_bytes: config.intake.package_max_bytes,
        disk_reserve_bytes: config.intake.disk_reserve_bytes,
        package_idle_s: config.intake.idle_s,
        disclosure_retention_days: config.disclosures.retention_days,
        session_idle_s: config.people.session_idle_s,
        session_absolute_s: config.people.session_absolute_s,
        decision_days: config.people.decision_days,
    };
    Parts {
        registry,
        engine,
        journal,
        clock: Arc::new(SystemClock),
        secrets,
        settings,
        dir: dir.to_owned(),
    }
}

fn in_dir(dir: &Path, cause: &dyn std::fmt::Display) -> StartError {
    StartError::Directory {
        dir: dir.to_owned(),
        cause: cause.to_string(),
    }
}
