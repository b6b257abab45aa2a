//! How the installation is, for its operators.

use dagr_registry::{JobFilter, JobView, MailState, NoticeFilter, NoticeView};
use dagr_store::journal::{Health, Stats};

use crate::{App, ctx::Ctx, problem::Problem};

/// Newest jobs and notices told.
const NEWEST: u32 = 20;

pub struct HealthView {
    pub version: &'static str,
    pub journal: Health,
    pub journal_stats: Stats,
    /// Whether the disk of the data directory has more than what is kept free.
    pub disk_free_bytes: Option<u64>,
    pub disk_reserve_bytes: u64,
    pub institutions: usize,
    pub connections: usize,
    pub datasets: usize,
    pub permissions: usize,
    pub jobs: Vec<JobView>,
    pub notices: Vec<NoticeView>,
    pub mail: MailState,
}

impl HealthView {
    /// The disclosure log takes entries, and nothing behind it is stuck.
    pub fn journal_is_well(&self) -> bool {
        self.journal.error.is_none() && self.journal.background_error.is_none()
    }

    pub fn disk_is_low(&self) -> bool {
        self.disk_free_bytes
            .is_some_and(|free| free < self.disk_reserve_bytes)
    }
}

impl App {
    pub async fn health(&self, ctx: &Ctx) -> Result<HealthView, Problem> {
        ctx.operator()?;
        let jobs = self
            .registry
            .job_list(&JobFilter::default(), None, NEWEST)
            .await?;
        let notices = self
            .registry
            .notice_list(&NoticeFilter::default(), None, NEWEST)
            .await?;
        let catalog = self.catalog();
        Ok(HealthView {
            version: env!("CARGO_PKG_VERSION"),
            journal: self.journal.health(),
            journal_stats: self.journal.stats(),
            disk_free_bytes: rustix::fs::statvfs(&self.dir)
                .ok()
                .map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)),
            disk_reserve_bytes: self.settings.disk_reserve_bytes,
            institutions: catalog.institutions.len(),
            connections: catalog.connections.len(),
            datasets: catalog.datasets.len(),
            permissions: catalog.permissions.len(),
            jobs: jobs.items,
            notices: notices.items,
            mail: self.mail_state().await?,
        })
    }
}
