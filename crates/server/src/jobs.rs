//! What runs beside the calls: upkeep, and whatever falls due with time.

use std::{sync::Arc, time::Duration};

use crate::mail::{self, Post};
use dagr_app::{App, set::LiveSet};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval},
};

const METRICS_UPKEEP: Duration = Duration::from_secs(10);
/// Retention is of days; an hour late is on time.
const RETENTION: Duration = Duration::from_hours(1);
/// How long the counts of use lag behind the log, at most.
const USE: Duration = Duration::from_mins(1);
/// Deadlines are of days.
const PEOPLE: Duration = Duration::from_mins(15);

/// Starts them; they run until they are aborted.
pub fn start(app: &Arc<App>, metrics: PrometheusHandle, post: Option<Post>) -> Vec<JoinHandle<()>> {
    let mut jobs = vec![
        tokio::spawn(upkeep(metrics)),
        tokio::spawn(retention(app.clone())),
        tokio::spawn(people(app.clone())),
        tokio::spawn(permission_use(app.clone())),
    ];
    jobs.extend(post.map(|post| tokio::spawn(mail::run(app.clone(), post))));
    jobs
}

/// Keeps the buffers of histograms short when nobody fetches them.
async fn upkeep(metrics: PrometheusHandle) {
    let mut ticks = every(METRICS_UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// Records past their retention, remembered deletes, disclosure entries: one set after another.
async fn retention(app: Arc<App>) {
    let mut ticks = every(RETENTION);
    loop {
        ticks.tick().await;
        for set in &sets(&app) {
            if let Err(problem) = app.retention_run(set).await {
                tracing::error!(set = %set.name, code = problem.code, detail = problem.detail, "retention failed");
            }
            if let Err(problem) = app.purge_run(set).await {
                tracing::error!(set = %set.name, code = problem.code, detail = problem.detail, "purging failed");
            }
        }
        if let Err(problem) = app.disclosure_retention_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "retention of disclosures failed"
            );
        }
    }
}

/// Deadlines of applications and plans, articles and permissions that end, and sessions past their limits.
async fn people(app: Arc<App>) {
    let mut ticks = every(PEOPLE);
    loop {
        ticks.tick().await;
        if let Err(problem) = app.application_due_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "deadlines were not told"
            );
        }
        if let Err(problem) = app.plan_due_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "late steps of plans were not told"
            );
        }
        if let Err(problem) = app.law_end_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "articles that ended flagged no permissions"
            );
        }
        if let Err(problem) = app.permission_renewal_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "permissions that end were not told of"
            );
        }
        if let Err(problem) = app.session_purge_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "sessions were not removed"
            );
        }
    }
}

/// Use of permissions, counted from the log.
async fn permission_use(app: Arc<App>) {
    let mut ticks = every(USE);
    loop {
        ticks.tick().await;
        if let Err(problem) = app.permission_use_run().await {
            tracing::error!(
                code = problem.code,
                detail = problem.detail,
                "use of permissions was not counted"
            );
        }
    }
}

fn sets(app: &App) -> Vec<Arc<LiveSet>> {
    let catalog = app.catalog();
    catalog
        .datasets
        .values()
        .flat_map(|dataset| [&dataset.main, &dataset.sandbox])
        .flatten()
        .cloned()
        .collect()
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
