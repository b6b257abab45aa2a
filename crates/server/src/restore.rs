//! Puts a backup in the place of what a data directory holds. No server may run on it.
//!
//! Everything is made ready in `DIR/restoring`; then parts change places by renaming. What was there before is kept
//! in `DIR/before-restore-…`, never deleted. Broken off before `ready` is written, nothing has happened; after it, the
//! server refuses to start until the same command has been given again.

mod epochs;
mod live;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use dagr_app::{
    App,
    backup::{
        copy_tree, erasures,
        manifest::{MANIFEST, Manifest},
    },
    secrets::Secrets,
};
use dagr_registry::{Registry, RegistryError};
use dagr_store::kv::KvError;
use serde::Serialize;

use crate::{
    config::Config,
    serve::{StartError, assemble, data_dir::DataDir, open_engine, open_journal, open_registry},
};
use epochs::raise_epochs;
use live::Live;

const RESTORING: &str = "restoring";
/// Holds the name of the directory that takes what was there before.
const READY: &str = "ready";
const BEFORE: &str = "before-restore-";

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{0}")]
    Directory(#[from] StartError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Store(#[from] KvError),
    #[error("the backup is damaged, so nothing was done:\n  {}", .0.join("\n  "))]
    Damaged(Vec<String>),
    #[error(
        "the directory's disclosure log {0}: restoring would forget uses and disclosures. \
         Make a backup of it first; then give --accept-lost-uses (the log is kept aside)"
    )]
    LostUses(String),
    #[error("not restored: {0}")]
    App(String),
}

/// What stands there now.
#[derive(Debug, Serialize)]
pub struct Restored {
    pub sets: Vec<RestoredSet>,
    /// Records erased again, because they had been erased after the backup.
    pub erased_again: u64,
    /// Keys whose set the backup does not know.
    pub erasures_left: u64,
    /// Where what was there before lies.
    pub before: Option<PathBuf>,
    /// A restore that had been broken off was finished; the sets are not listed again.
    pub finished_earlier: bool,
}

#[derive(Debug, Serialize)]
pub struct RestoredSet {
    pub name: String,
    pub records: u64,
    pub last_sequence: u64,
    pub epoch: u32,
    pub last_package: Option<String>,
}

/// Is a restore half done: ready, parts not all in their places?
pub fn is_unfinished(dir: &Path) -> bool {
    // An earlier build may have left an empty one where the disk was full: nothing has been moved then.
    fs::read_to_string(dir.join(RESTORING).join(READY)).is_ok_and(|name| name.starts_with(BEFORE))
}

pub async fn restore(
    config: &Config,
    backup: &Path,
    dir: &Path,
    accept_lost_uses: bool,
) -> Result<Restored, RestoreError> {
    let lock = DataDir::open(dir)?;
    let dir = lock.path().to_owned();
    if is_unfinished(&dir) {
        let before = change_places(config, &dir).await?;
        let none = Restored {
            sets: vec![],
            erased_again: 0,
            erasures_left: 0,
            before,
            finished_earlier: true,
        };
        return Ok(none);
    }
    let manifest = Manifest::read(backup)?;
    let faults = manifest.faults(backup)?;
    if !faults.is_empty() {
        return Err(RestoreError::Damaged(faults));
    }
    if config.registry.url.is_some() {
        // Not reachable later, the restore would stay half done.
        open_registry(config, &dir).await?.close().await;
    }
    let live = Live::read(config, &dir).await?;
    let made = dir.join(RESTORING);
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    copy_tree(backup, &made)?;
    fs::remove_file(made.join(MANIFEST))?;
    for part in ["public", "stage", "sets", "disclosures"] {
        fs::create_dir_all(made.join(part))?;
    }
    let journal = open_journal(config, &made)?;
    if let Some(why) = live.lost_to(&journal).filter(|_| !accept_lost_uses) {
        drop(journal);
        fs::remove_dir_all(&made)?;
        return Err(RestoreError::LostUses(why));
    }
    // Without secrets in the backup those of the directory stay; where there are none, new ones are made.
    let secrets = [&made, &dir].map(|place| place.join("secrets"));
    let secrets = secrets
        .iter()
        .find(|place| place.join(dagr_app::secrets::OPERATOR_TOKEN).exists());
    let secrets = Secrets::open(secrets.unwrap_or(&made.join("secrets")))?;
    let registry = Registry::open(made.join("registry.sqlite")).await;
    let registry = registry.map_err(|error| RestoreError::App(error.to_string()))?;
    let engine = Arc::new(open_engine(config, &made)?);
    let parts = assemble(
        config,
        &made,
        registry.clone(),
        Arc::clone(&engine),
        journal,
        secrets,
    );
    let app = App::start(parts).await;
    let app = app.map_err(|problem| RestoreError::App(problem.detail))?;
    let (mut erased_again, mut erasures_left) = (0, 0);
    for (name, newer) in live.newer_erasures(&*engine)? {
        let count = newer.len() as u64;
        match app
            .erase_again(&name, newer)
            .await
            .map_err(|problem| RestoreError::App(problem.detail))?
        {
            Some(gone) => erased_again += gone,
            None => erasures_left += count,
        }
    }
    let sets = raise_epochs(&*engine, &registry, &live.epochs).await?;
    drop((app, engine));
    registry.close().await;
    // Whole or not at all: from here on the live parts are moved.
    let (ready, part) = (made.join(READY), made.join(format!("{READY}.part")));
    fs::write(&part, format!("{BEFORE}{}", jiff::Timestamp::now().as_second()))?;
    File::open(&part)?.sync_all()?;
    fs::rename(&part, &ready)?;
    File::open(&made)?.sync_all()?;
    let before = change_places(config, &dir).await?;
    Ok(Restored {
        sets,
        erased_again,
        erasures_left,
        before,
        finished_earlier: false,
    })
}

/// Moves what is there aside and what was made ready in. Can be done again at any point. Gives where the old lies.
async fn change_places(config: &Config, dir: &Path) -> Result<Option<PathBuf>, RestoreError> {
    let made = dir.join(RESTORING);
    let name = fs::read_to_string(made.join(READY))?;
    let aside = dir.join(name.trim());
    fs::create_dir_all(&aside)?;
    if config.registry.url.is_some() {
        replace_registry(config, dir, &made, &aside).await?;
    }
    // A journal of the old database must never meet the new one.
    if made.join("registry.sqlite").exists() {
        for file in ["registry.sqlite-wal", "registry.sqlite-shm", "registry.sqlite"] {
            move_if_there(&dir.join(file), &aside.join(file))?;
        }
    }
    let mut parts: Vec<_> = fs::read_dir(&made)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()?;
    parts.retain(|part| part != READY);
    for part in &parts {
        move_if_there(&dir.join(part), &aside.join(part))?;
        fs::rename(made.join(part), dir.join(part))?;
    }
    File::open(&aside)?.sync_all()?;
    File::open(dir)?.sync_all()?;
    fs::remove_file(made.join(READY))?;
    fs::remove_dir_all(&made)?;
    File::open(dir)?.sync_all()?;
    Ok(Some(aside))
}

/// On a database by URL: what it holds is copied aside, then what was made ready takes its place, in one transaction.
/// Both can be done again; the copy of what was there is never made of what has come in.
async fn replace_registry(
    config: &Config,
    dir: &Path,
    made: &Path,
    aside: &Path,
) -> Result<(), RestoreError> {
    let made = made.join("registry.sqlite");
    if !made.exists() {
        return Ok(());
    }
    let failed = |error: RegistryError| RestoreError::App(error.to_string());
    let live = open_registry(config, dir).await?;
    let kept = aside.join("registry.sqlite");
    if !kept.exists() {
        let half = aside.join("registry.half");
        for end in ["", "-wal", "-shm"] {
            move_if_there(
                &aside.join(format!("registry.half{end}")),
                &aside.join(format!("registry.broken-off{end}")),
            )?;
        }
        live.backup_to(&half).await.map_err(failed)?;
        fs::rename(&half, &kept)?;
        File::open(aside)?.sync_all()?;
    }
    let new = Registry::open(&made).await.map_err(failed)?;
    live.replace_by(&new).await.map_err(failed)?;
    new.close().await;
    live.close().await;
    fs::remove_file(&made)?;
    Ok(())
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
