//! The operations port: is it alive, is it ready, how is it doing.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, extract::State, routing::get};
use dagr_app::App;
use dagr_registry::Registry;
use dagr_store::journal;
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;

/// What readiness is asked of. Empty until everything is open.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Weak: an open connection to this port must not keep the journal open.
    opened: OnceLock<(Weak<App>, Registry)>,
    stopping: AtomicBool,
}

impl Readiness {
    pub fn opened(&self, app: &Arc<App>, registry: Registry) {
        // Set once by `start`, its only caller.
        let _ = self.0.opened.set((Arc::downgrade(app), registry));
    }

    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }

    /// Why not ready; `Ok` when calls are answered and disclosures can be entered.
    async fn check(&self) -> Result<(), &'static str> {
        if self.0.stopping.load(Ordering::Acquire) {
            return Err("stopping");
        }
        let Some((app, registry)) = self.0.opened.get() else {
            return Err("starting");
        };
        let app = app.upgrade().ok_or("stopping")?;
        if app.journal_health().state != journal::State::Running {
            return Err("the disclosure log takes no entries");
        }
        registry.ping().await.map_err(|_| "the registry does not answer")
    }
}

#[derive(Clone)]
struct Operations {
    readiness: Readiness,
    metrics: PrometheusHandle,
}

pub fn router(readiness: Readiness, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(Operations { readiness, metrics })
}

async fn ready(State(operations): State<Operations>) -> (StatusCode, String) {
    match operations.readiness.check().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn render(State(operations): State<Operations>) -> ([(header::HeaderName, &'static str); 1], String) {
    if let Some(app) = operations
        .readiness
        .0
        .opened
        .get()
        .and_then(|(app, _)| app.upgrade())
    {
        measure(&app.journal_stats());
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        operations.metrics.render(),
    )
}

/// The disclosure log's state at this moment.
fn measure(stats: &journal::Stats) {
    metrics::gauge!("dagr_disclosure_entries").set(stats.entries as f64);
    metrics::counter!("dagr_disclosure_syncs_total").absolute(stats.syncs);
    metrics::gauge!("dagr_disclosure_bytes").set((stats.bytes + stats.run_bytes) as f64);
    metrics::gauge!("dagr_disclosure_segments").set(stats.segments as f64);
    metrics::gauge!("dagr_disclosure_segments_damaged").set(stats.damaged as f64);
}
