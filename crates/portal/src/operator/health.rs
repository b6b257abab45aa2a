//! How the installation is: the disclosure log, the disk, what ran, what providers were told.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{
    health::HealthView,
    views::{JobState, JobView},
};
use jiff::Timestamp;

use crate::{
    failed::Failed,
    lang::Lang,
    page::{Page, html},
    settings::Portal,
    visitor::Signed,
    words::{State as Word, bytes},
};

/// Mail that waits longer says that the mail server is not well.
const MAIL_LATE: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

#[derive(Template)]
#[template(path = "operator_health.html")]
struct HealthPage {
    page: Page,
    journal: Word,
    disk: Word,
    disk_free: String,
    disk_reserve: String,
    entries: u64,
    journal_bytes: String,
    damaged: u64,
    version: &'static str,
    counts: [u64; 4],
    jobs: Vec<Job>,
    notices: Vec<Notice>,
    mail: Option<Mail>,
}

/// None: no mail is sent.
struct Mail {
    state: Word,
    waiting: u64,
    given_up: u64,
    reason: String,
}

struct Job {
    kind: String,
    dataset: String,
    state: Word,
    started: Timestamp,
    ended: Option<Timestamp>,
}

struct Notice {
    at: Timestamp,
    dataset: String,
    kind: String,
}

/// `GET /operator/health`
pub async fn health_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let health = portal.app.health(&visitor.ctx).await;
    let health = health.map_err(|problem| visitor.failed(problem))?;
    let lang = visitor.lang;
    let page = visitor
        .page(&portal.app, lang.t("health-title"))
        .under("/operator", lang.t("nav-operator"));
    let sends_mail = portal.settings.sends_mail;
    Ok(html(&shown(page, health, sends_mail, visitor.ctx.now)))
}

fn shown(page: Page, health: HealthView, sends_mail: bool, now: Timestamp) -> HealthPage {
    let lang = page.lang;
    let mail = sends_mail.then(|| mail(lang, &health, now));
    HealthPage {
        mail,
        journal: if health.journal_is_well() {
            well(lang, "health-well")
        } else {
            ill(lang, "health-journal-ill")
        },
        disk: if health.disk_is_low() {
            ill(lang, "health-disk-low")
        } else {
            well(lang, "health-well")
        },
        disk_free: health
            .disk_free_bytes
            .map_or_else(|| "–".to_owned(), |free| bytes(lang, free)),
        disk_reserve: bytes(lang, health.disk_reserve_bytes),
        entries: health.journal_stats.entries,
        journal_bytes: bytes(lang, health.journal_stats.bytes),
        damaged: health.journal_stats.damaged,
        version: health.version,
        counts: [
            health.institutions as u64,
            health.connections as u64,
            health.datasets as u64,
            health.permissions as u64,
        ],
        jobs: health.jobs.into_iter().map(|job| told(lang, job)).collect(),
        notices: health
            .notices
            .into_iter()
            .map(|notice| Notice {
                at: notice.at,
                dataset: notice.dataset.to_string(),
                kind: known(lang, "notice", &notice.kind),
            })
            .collect(),
        page,
    }
}

fn mail(lang: Lang, health: &HealthView, now: Timestamp) -> Mail {
    let late = health.mail.oldest;
    let late = late.is_some_and(|oldest| now.duration_since(oldest) > MAIL_LATE);
    Mail {
        state: if late {
            ill(lang, "health-mail-late")
        } else {
            well(lang, "health-well")
        },
        waiting: health.mail.waiting,
        given_up: health.mail.given_up,
        reason: health.mail.reason.clone().unwrap_or_default(),
    }
}

fn told(lang: Lang, job: JobView) -> Job {
    let (icon, name, class) = match job.state {
        JobState::Running => ("◷", "job-running", "wait"),
        JobState::Done => ("✓", "job-done", "good"),
        JobState::Failed => ("✕", "job-failed", "grave"),
        JobState::Interrupted => ("⊘", "job-interrupted", "grave"),
    };
    Job {
        kind: known(lang, "job-kind", &job.kind),
        dataset: job.dataset.map(|name| name.to_string()).unwrap_or_default(),
        state: Word {
            icon,
            text: lang.t(name),
            class,
        },
        started: job.started,
        ended: job.ended,
    }
}

/// Kinds come from others: one that has no words yet shows its own.
fn known(lang: Lang, family: &str, kind: &str) -> String {
    lang.known(&format!("{family}-{}", kind.replace('_', "-")))
        .unwrap_or_else(|| kind.to_owned())
}

fn well(lang: Lang, name: &str) -> Word {
    Word {
        icon: "✓",
        text: lang.t(name),
        class: "good",
    }
}

fn ill(lang: Lang, name: &str) -> Word {
    Word {
        icon: "⚠",
        text: lang.t(name),
        class: "grave",
    }
}
