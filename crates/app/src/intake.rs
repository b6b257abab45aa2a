//! Deliveries, the provider's side: a package is received into a stage, applied in its turn, and receipted.
//!
//! checks → known id? → body into a stage (`receive`, `rows`, on other threads `parse`) → the data set's turn → `deliver` → receipt, or held.

mod aside;
mod batch;
mod deliver;
mod held;
mod history;
mod lists;
mod open;
mod package;
mod parse;
mod readers;
mod receipt;
mod receive;
mod retention;
mod rows;
pub mod seen;
mod settle;
mod stage_dir;
#[cfg(test)]
mod tests;
mod turn;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use dagr_formats::MediaType;
use dagr_model::ids::Section;
use dagr_store::{
    kv::{Kv, KvError},
    set::{apply::Mode, head::Head},
};
use futures_util::Stream;
use serde_json::Value;
use tokio::sync::mpsc;

pub use open::{MAX_OPEN, OpenPackages};

use crate::{
    App,
    ctx::Ctx,
    problem::Problem,
    set::{LiveSet, blocking},
};
pub(crate) use lists::kept_by;
use open::OpenPackage;
pub(crate) use package::generated_only;
pub(crate) use package::hex;
use package::{PackageRow, State, check_id};
use receive::{PIECES, Pumped, Reading, pump, receive};
pub(crate) use settle::is_newer;
use stage_dir::{StageDir, stage_problem};
use turn::Turn;

/// What a delivery says of itself.
#[derive(Debug, Default, Clone)]
pub struct PackageOptions {
    /// `Content-Type`, as sent.
    pub content_type: String,
    /// `mode`: `delta` (also when absent) or `snapshot`.
    pub mode: Option<String>,
    /// Id of the package that must have been the last applied.
    pub previous: Option<String>,
    pub dry_run: bool,
    /// SHA-256 of the decoded body, if the sender gave it.
    pub repr_digest: Option<[u8; 32]>,
}

/// 200 with the receipt, or 202 with `{package_id, state: "held", would_delete}`.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageAnswer {
    pub status: u16,
    pub body: Value,
}

impl App {
    /// Receives one package and applies it. The body is already content-decoded.
    pub async fn package_put(
        self: &Arc<Self>,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
        package_id: &str,
        options: PackageOptions,
        body: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<PackageAnswer, Problem> {
        let set = self.provider_set(ctx, section, dataset)?;
        self.package_receive(ctx, set, package_id, (options, false), body)
            .await
    }

    /// `generated`: the platform's own, no delivery, and no guard.
    pub(crate) async fn package_receive(
        self: &Arc<Self>,
        ctx: &Ctx,
        set: Arc<LiveSet>,
        package_id: &str,
        (options, generated): (PackageOptions, bool),
        body: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<PackageAnswer, Problem> {
        check_id(package_id)?;
        let mode = read_mode(options.mode.as_deref())?;
        let (media, charset) = MediaType::parse(&options.content_type).ok_or_else(media_type)?;
        if let (_, Some(row)) = self.package_row(&set, package_id).await? {
            return self.known(row, options.repr_digest, body).await;
        }
        let open = OpenPackage::new(&set.runtime, package_id)?;
        // It may have been applied between the look and the opening.
        let (epoch, row) = self.package_row(&set, package_id).await?;
        if let Some(row) = row {
            return self.known(row, options.repr_digest, body).await;
        }
        let reading = Reading {
            codes: self.catalog().codes(&set.schema, ctx.now),
            set: Arc::clone(&set),
            media,
            charset,
            mode,
            dir: StageDir::create(&self.stage_root(), &self.secrets.random_id()).map_err(stage_problem)?,
            max_bytes: self.settings.package_max_bytes,
            reserve_bytes: self.settings.disk_reserve_bytes,
            progress: Arc::clone(&open.progress),
        };
        let (sender, pieces) = mpsc::channel(PIECES);
        let reader = tokio::task::spawn_blocking(move || receive(pieces, reading));
        let pumped = pump(body, self.package_idle(), &sender).await;
        drop(sender);
        if pumped != Ok(Pumped::Ended) {
            // The reader has removed the stage when it ends; it may know better why.
            let read = reader.await.map_err(Problem::internal)?;
            let stopped = || Problem::internal("the reader of a package stopped early");
            return Err(pumped.err().or_else(|| read.err()).unwrap_or_else(stopped));
        }
        let turn = Turn {
            app: Arc::clone(self),
            ctx: ctx.clone(),
            set,
            _open: open,
            id: package_id.to_owned(),
            mode,
            previous: options.previous,
            dry_run: options.dry_run,
            generated,
            epoch,
        };
        // From here on it runs to its end, whether or not the caller waits.
        tokio::spawn(turn.take(reader)).await.map_err(Problem::internal)?
    }

    /// A package that is there already: the same body gives the same answer.
    async fn known(
        &self,
        row: PackageRow,
        repr_digest: Option<[u8; 32]>,
        body: impl Stream<Item = io::Result<Bytes>> + Send,
    ) -> Result<PackageAnswer, Problem> {
        let is_same = match repr_digest {
            Some(digest) if hex(&digest) == row.facts.digest => true,
            _ => {
                let most = self.settings.package_max_bytes;
                hex(&receive::digest(body, self.package_idle(), most).await?) == row.facts.digest
            }
        };
        if !is_same {
            let detail = "a package with this id and another body was delivered before; use a new id";
            return Err(Problem::new(409, "package_conflict", detail));
        }
        Ok(turn::answer_of(&row))
    }

    /// The present epoch, and the row that occupies an id: a rejected one leaves it free.
    async fn package_row(&self, set: &Arc<LiveSet>, id: &str) -> Result<(u32, Option<PackageRow>), Problem> {
        let (engine, set, id) = (Arc::clone(&self.engine), Arc::clone(set), id.to_owned());
        blocking(move || {
            let kv = set.open(&*engine)?;
            let snapshot = kv.snapshot()?;
            let row = PackageRow::read(&*snapshot, &id)?;
            Ok((
                Head::read(&*snapshot)?.epoch,
                row.filter(|row| row.state != State::Rejected),
            ))
        })
        .await
    }

    /// The data set that a producer connection delivers to.
    pub(crate) fn provider_set(
        &self,
        ctx: &Ctx,
        section: Section,
        dataset: &str,
    ) -> Result<Arc<LiveSet>, Problem> {
        let connection = ctx.producer()?;
        self.catalog()
            .live(section, dataset)
            .filter(|set| set.provider == connection.institution)
            .map(Arc::clone)
            .ok_or_else(Problem::dataset_unknown)
    }

    fn package_idle(&self) -> Duration {
        Duration::from_secs(self.settings.package_idle_s)
    }

    pub(crate) fn stage_root(&self) -> PathBuf {
        self.dir.join("stage")
    }

    /// Removes stages that a crash left behind; those of held packages stay. Once, at the start.
    pub fn sweep_stages(&self) -> Result<(), Problem> {
        let root = self.stage_root();
        for (name, mark) in StageDir::list(&root).map_err(stage_problem)? {
            let is_held = match mark {
                Some(mark) if self.engine.exists(&mark.store) => {
                    let kv = self.engine.open(&mark.store)?;
                    let row = PackageRow::read(&*kv.snapshot()?, &mark.package)?;
                    row.and_then(|row| row.held)
                        .is_some_and(|held| held.stage == name)
                }
                _ => false,
            };
            if !is_held {
                StageDir::held(&root, &name).remove();
            }
        }
        Ok(())
    }

    /// Names of the stages of packages that wait for their provider.
    pub(crate) fn held_stages(&self) -> Result<Vec<String>, KvError> {
        let stages = StageDir::list(&self.stage_root())?;
        Ok(stages
            .into_iter()
            .filter(|(_, mark)| mark.is_some())
            .map(|(name, _)| name)
            .collect())
    }

    pub(crate) fn open_set(&self, set: &LiveSet) -> Result<Arc<dyn Kv>, Problem> {
        set.open(&*self.engine)
    }
}

fn read_mode(mode: Option<&str>) -> Result<Mode, Problem> {
    match mode {
        None | Some("delta") => Ok(Mode::Delta),
        Some("snapshot") => Ok(Mode::Snapshot),
        Some(_) => Err(Problem::query_invalid("mode", "delta or snapshot")),
    }
}

fn media_type() -> Problem {
    let detail = "send application/x-ndjson, application/json (an array of records) or text/csv";
    Problem::new(415, "media_type", detail)
}

/// Runs blocking work when the data set's turn comes, to its end even if the caller goes away.
pub(crate) async fn in_turn<T: Send + 'static>(
    set: Arc<LiveSet>,
    work: impl FnOnce(&LiveSet) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let task = tokio::spawn(async move {
        let runtime = Arc::clone(&set.runtime);
        let _turn = runtime.apply.lock().await;
        blocking(move || work(&set)).await
    });
    task.await.map_err(Problem::internal)?
}
