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
    time::Duration,
};

use dagr_app::{App, Parts, Settings, secrets::Secrets};
use dagr_model::clock::Clock;
use dagr_registry::Registry;
use dagr_store::journal::{DiskIo, Journal, JournalConfig};
use dagr_store_embedded::{LmdbConfig, LmdbEngine};
use tokio::task::JoinHandle;

use crate::{config::Config, jobs};
use data_dir::DataDir;
use listener::Listener;
use operations::Readiness;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory {dir}: {cause}")]
    Directory { dir: PathBuf, cause: String },
    #[error("another process uses the data directory {0}")]
    InUse(PathBuf),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: String },
    #[error("{0}")]
    Tls(String),
    #[error("metrics: {0}")]
    Metrics(String),
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
    listeners: Vec<Listener>,
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
    // Health answers while the rest opens: alive, not yet ready.
    let operations = operations::router(readiness.clone(), metrics.clone());
    let operations = Listener::start(operations_socket, None, operations)?;

    let registry = open_registry(&dir).await?;
    let app = open_app(&config, &dir, registry.clone()).await?;
    let router = listener::limited(dagr_rest::router(app.clone()), config.limits.concurrent_requests);
    let data = Listener::start(data_socket, tls, router)?;
    let jobs = jobs::start(&app, metrics);
    readiness.opened(&app, registry);
    Ok(Running {
        data: config.listen.data,
        operations: config.listen.operations,
        public_url: config.public_url(),
        dir,
        app,
        listeners: vec![data, operations],
        jobs,
        readiness,
        drain: Duration::from_secs(config.limits.drain_s),
        _lock: lock,
    })
}

impl Running {
    /// The line that says so.
    pub fn ready_line(&self) -> String {
        let scheme = if self.public_url.starts_with("https") {
            "https"
        } else {
            "http"
        };
        format!(
            "dagr is ready: data {scheme}://{}, operations http://{}, directory {}",
            self.data,
            self.operations,
            self.dir.display()
        )
    }

    /// Takes no new calls, lets those under way end (for `limits.drain_s` at most), closes everything.
    pub async fn stop(self) {
        let Self {
            app,
            listeners,
            jobs,
            readiness,
            drain,
            ..
        } = self;
        readiness.stopping();
        app.stop();
        for job in jobs {
            job.abort();
            // Aborted or ended: either way it holds nothing any more.
            let _ = job.await;
        }
        for listener in &listeners {
            listener.stop(drain);
        }
        for listener in listeners {
            listener.ended().await;
        }
        // The journal writes what is queued when its last holder goes.
        let closed = tokio::task::spawn_blocking(move || drop(app)).await;
        if closed.is_err() {
            tracing::error!("the data directory was not closed in order");
        }
    }
}

async fn open_registry(dir: &Path) -> Result<Registry, StartError> {
    Registry::open(dir.join("registry.sqlite"))
        .await
        .map_err(|error| in_dir(dir, &error))
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
        disclosure_retention_days: config.disclosures.retention_days,
        ..Settings::default()
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
