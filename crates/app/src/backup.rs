//! A copy of everything, made while the server answers: each data set at one sequence, the registry after the sets,
//! the disclosure log last, so that it holds every disclosure of what the copy holds.

mod again;
pub mod manifest;

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use dagr_registry::{JobCreate, JobState, JobView, RegistryError};
use dagr_store::{journal::JournalError, kv::KvError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{App, ctx::Ctx, problem::Problem};
pub use again::erasures;
use manifest::Manifest;

/// Body of `POST /registry/backups`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupCreate {
    /// Absolute, on the server's machine; it must not exist, its parent must.
    pub directory: PathBuf,
    /// Also the operator token and the keys. Such a copy can sign and speak as this installation.
    #[serde(default)]
    pub with_secrets: bool,
}

#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error("{0}")]
    Store(#[from] KvError),
    #[error("{0}")]
    Registry(#[from] RegistryError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the work was broken off")]
    Broken(#[from] tokio::task::JoinError),
}

const KIND: &str = "backup";

impl App {
    /// Begins a backup and answers its job at once; one at a time.
    pub async fn backup_create(
        self: &Arc<Self>,
        ctx: &Ctx,
        create: BackupCreate,
    ) -> Result<JobView, Problem> {
        ctx.operator_token()?;
        self.check_place(&create.directory)?;
        let turn = Arc::clone(&self.backing_up).try_lock_owned().map_err(|_| {
            Problem::new(
                409,
                "state_conflict",
                "a backup is being made; wait until it has ended",
            )
        })?;
        make(&create.directory).map_err(|error| unusable(&error.to_string()))?;
        let detail = json!({ "directory": create.directory, "with_secrets": create.with_secrets });
        let job = JobCreate {
            kind: KIND.to_owned(),
            dataset: None,
            detail: detail.clone(),
        };
        let job = self.registry.job_insert(&job, ctx.now).await?;
        let (app, id) = (Arc::clone(self), job.id);
        tokio::spawn(async move {
            let _turn = turn;
            let (state, more) = match app.back_up(create).await {
                Ok(done) => (JobState::Done, done),
                Err(error) => {
                    tracing::error!(%error, "backup failed");
                    (JobState::Failed, json!({ "error": error.to_string() }))
                }
            };
            let mut detail = detail;
            for (name, value) in more.as_object().into_iter().flatten() {
                detail[name] = value.clone();
            }
            if let Err(error) = app.registry.job_end(id, state, &detail, app.now()).await {
                tracing::error!(%error, "the end of a backup could not be noted");
            }
        });
        Ok(job)
    }

    /// How far a backup is.
    pub async fn backup_get(&self, ctx: &Ctx, id: &str) -> Result<JobView, Problem> {
        ctx.operator()?;
        let unknown = || Problem::new(404, "not_found", "there is no such backup");
        let id = id.parse().map_err(|_| unknown())?;
        self.registry
            .job_get(id)
            .await?
            .filter(|job| job.kind == KIND)
            .ok_or_else(unknown)
    }

    fn check_place(&self, directory: &Path) -> Result<(), Problem> {
        if !directory.is_absolute() {
            return Err(unusable("write the whole path, from the root"));
        }
        let parent = directory
            .parent()
            .and_then(|parent| fs::canonicalize(parent).ok());
        let Some(parent) = parent else {
            return Err(unusable("its parent directory must exist"));
        };
        if fs::canonicalize(&self.dir).is_ok_and(|dir| parent.starts_with(dir)) {
            return Err(unusable(
                "it lies inside the data directory; put backups on another disk",
            ));
        }
        Ok(())
    }

    async fn back_up(self: &Arc<Self>, create: BackupCreate) -> Result<Value, BackupError> {
        let BackupCreate {
            directory: dir,
            with_secrets,
        } = create;
        let made = self.now();
        let (app, to) = (Arc::clone(self), dir.clone());
        let sets = tokio::task::spawn_blocking(move || app.copy_sets(&to)).await??;
        self.registry.backup_to(dir.join("registry.sqlite")).await?;
        let app = Arc::clone(self);
        let manifest = tokio::task::spawn_blocking(move || {
            if with_secrets {
                copy_tree(app.secrets.dir(), &dir.join("secrets"))?;
            }
            app.journal.copy_to(&dir.join("disclosures"))?;
            let manifest = Manifest::of(&dir, with_secrets, made)?;
            manifest.write(&dir)?;
            Ok::<_, BackupError>(manifest)
        })
        .await??;
        let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
        tracing::info!(sets, bytes, with_secrets, "backup made");
        Ok(json!({ "sets": sets, "files": manifest.files.len(), "bytes": bytes }))
    }

    fn copy_sets(&self, to: &Path) -> Result<usize, BackupError> {
        // Packages that wait for the provider's decision; before the sets, which say that they wait.
        make(&to.join("stage"))?;
        for name in self.held_stages()? {
            copy_tree(&self.stage_root().join(&name), &to.join("stage").join(&name))?;
        }
        let names = self.engine.names()?;
        make(&to.join("sets"))?;
        for name in &names {
            self.engine.open(name)?.checkpoint(&to.join("sets").join(name))?;
        }
        Ok(names.len())
    }
}

fn unusable(why: &str) -> Problem {
    Problem::new(422, "invalid", format!("directory: {why}"))
}

/// Personal data lie in it: only its owner gets in.
fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)
}

/// Copies files and directories with their modes, durably. What goes meanwhile is left out.
pub fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    make(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let copied = if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), &target).and_then(|_| File::open(&target)?.sync_all())
        };
        match copied {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    File::open(to)?.sync_all()
}
