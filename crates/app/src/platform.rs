//! Everything the use cases work with, put together once by the binary.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use dagr_model::clock::Clock;
use dagr_registry::Registry;
use dagr_store::{journal::Journal, kv::Engine};
use tokio::sync::watch;

use crate::{
    admit::Admission,
    catalog::Catalog,
    classifier::KeptVersions,
    ctx::{Caller, Ctx},
    digest::Turns,
    problem::Problem,
    secrets::Secrets,
    session,
    slots::Slots,
    token::{self, Tokens},
};

/// Settings of the use cases. Units stand in the names.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the public finds this installation: issuer, and audience of assertions.
    pub public_url: String,
    /// Largest package, in bytes of its decoded body.
    pub package_max_bytes: u64,
    /// Bytes that stay free on the disk of stages.
    pub disk_reserve_bytes: u64,
    /// A package of which nothing comes for so long is given up.
    pub package_idle_s: u64,
    /// Days disclosure entries are kept.
    pub disclosure_retention_days: u32,
    /// A session ends when it was not used for this long.
    pub session_idle_s: u32,
    /// A session ends this long after sign-in, used or not.
    pub session_absolute_s: u32,
    /// Working days a provider has to decide an application.
    pub decision_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8480".to_owned(),
            package_max_bytes: 64 << 30,
            disk_reserve_bytes: 1 << 30,
            package_idle_s: 60,
            disclosure_retention_days: 5 * 365 + 2,
            session_idle_s: 30 * 60,
            session_absolute_s: 12 * 3_600,
            decision_days: 10,
        }
    }
}

/// What an `App` is made of.
pub struct Parts {
    pub registry: Registry,
    pub engine: Arc<dyn Engine>,
    pub journal: Journal,
    pub clock: Arc<dyn Clock>,
    pub secrets: Secrets,
    pub settings: Settings,
    /// Stages, public files and the like: `DIR`.
    pub dir: PathBuf,
}

pub struct App {
    pub(crate) registry: Registry,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Secrets,
    pub settings: Settings,
    pub(crate) dir: PathBuf,
    pub(crate) catalog: ArcSwap<Catalog>,
    pub(crate) tokens: Tokens,
    /// One change of the registry at a time, so that what is in force follows in the same order.
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) classifier_versions: KeptVersions,
    /// One backup at a time.
    pub(crate) backing_up: Arc<tokio::sync::Mutex<()>>,
    pub(crate) digests: Turns,
    /// Moves with every change of the catalogue.
    pub(crate) amended: watch::Sender<()>,
    /// Event streams under way.
    pub(crate) streams: Slots,
    /// Calls that wait for a change.
    pub(crate) waits: Slots,
    stopping: watch::Sender<bool>,
}

impl App {
    /// Loads what is in force. Nothing of the data sets is opened yet.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Problem> {
        let Parts {
            registry,
            engine,
            journal,
            clock,
            secrets,
            settings,
            dir,
        } = parts;
        let app = Arc::new(Self {
            registry,
            engine,
            journal: Arc::new(journal),
            clock,
            secrets,
            settings,
            dir,
            catalog: ArcSwap::default(),
            tokens: Tokens::default(),
            changing: tokio::sync::Mutex::new(()),
            classifier_versions: KeptVersions::default(),
            backing_up: Arc::default(),
            digests: Turns::default(),
            streams: Slots::default(),
            waits: Slots::default(),
            amended: watch::channel(()).0,
            stopping: watch::channel(false).0,
        });
        app.load().await?;
        app.sweep_stages()?;
        Ok(app)
    }

    pub fn catalog(&self) -> arc_swap::Guard<Arc<Catalog>> {
        self.catalog.load()
    }

    /// Puts a changed catalogue in force.
    pub(crate) fn swap_catalog(&self, change: impl Fn(&mut Catalog)) {
        self.catalog.rcu(|current| {
            let mut next = Catalog::clone(current);
            change(&mut next);
            next.generation += 1;
            next
        });
        self.amended.send_replace(());
    }

    /// No more waits: a shutdown drains.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Ends when the set was applied to or what was decided no longer stands (`true`), or the program is stopping.
    pub(crate) async fn woken(
        &self,
        ctx: &Ctx,
        admission: &Admission,
        applied: &mut watch::Receiver<u64>,
        amended: &mut watch::Receiver<()>,
    ) -> bool {
        let mut stopping = self.stopping.subscribe();
        if *stopping.borrow_and_update() {
            return false;
        }
        loop {
            tokio::select! {
                _ = applied.changed() => return true,
                _ = stopping.changed() => return false,
                // Any change of the catalogue: others wake nobody.
                _ = amended.changed() => if !self.stands(ctx, admission) {
                    return true;
                },
            }
        }
    }

    /// Who bears this `Authorization` value, with or without `Bearer `. Only a session's token asks the registry:
    /// data calls are never made with one.
    pub async fn caller(&self, authorization: &str) -> Result<Caller, Problem> {
        let token = authorization.trim();
        let token = match token.split_at_checked(7) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer ") => rest.trim(),
            _ => token,
        };
        if session::is_session_token(token) {
            let person = self.session_person(token).await?;
            return Ok(person.map_or(Caller::Anonymous, Caller::Person));
        }
        Ok(self
            .tokens
            .caller(&self.secrets, &self.catalog(), token, self.clock.now()))
    }

    /// How the disclosure log is: without it nothing personal is answered.
    pub fn journal_health(&self) -> dagr_store::journal::Health {
        self.journal.health()
    }

    pub fn journal_stats(&self) -> dagr_store::journal::Stats {
        self.journal.stats()
    }

    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// The same request, now: of nobody, once its token has ended or its connection is withdrawn.
    pub(crate) fn renewed(&self, ctx: &Ctx) -> Ctx {
        let now = self.clock.now();
        Ctx {
            now,
            caller: token::renewed(&self.catalog(), &ctx.caller, now),
            ..ctx.clone()
        }
    }

    /// Would the same request be admitted now as it was?
    pub(crate) fn stands(&self, ctx: &Ctx, admission: &Admission) -> bool {
        let catalog = self.catalog();
        let caller = || token::renewed(&catalog, &ctx.caller, self.clock.now());
        admission.stands(&catalog) && (admission.open || matches!(caller(), Caller::Connection(..)))
    }
}
