//! Public files: an open-data CSV, materialised at one sequence, swapped in one step, served without a token.
//!
//! The file's name tells what it is of: epoch, sequence, a fingerprint of its columns, and the SHA-256 of its bytes.
//! So the same data give the same file, also after a restart, and a started download keeps the one it opened.

mod build;

use std::{fs::File, io::ErrorKind, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use dagr_model::{definition::PublicFile, ids::Section};

use crate::{
    App,
    disclose::Disclosed,
    problem::Problem,
    set::{LiveSet, blocking},
};

/// How often a failing build is tried again before the next change.
const BUILD_TRIES: u32 = 5;
/// How often a file that was replaced before it could be opened is looked for again.
const OPEN_TRIES: u32 = 8;

/// The present file of a set, and whether one is being built.
#[derive(Default)]
pub struct PublicState {
    current: ArcSwapOption<Materialised>,
    building: tokio::sync::Mutex<()>,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Materialised {
    pub path: PathBuf,
    pub len: u64,
    pub sha256: [u8; 32],
    /// What it was built from: epoch, sequence, fingerprint of the columns.
    pub(crate) of: (u32, u64, u64),
}

impl Materialised {
    /// Lower-case hex of the SHA-256.
    pub fn sha256_hex(&self) -> String {
        crate::intake::hex(&self.sha256)
    }
}

/// A file opened for one download.
pub struct PublicDownload {
    pub file: File,
    pub about: Arc<Materialised>,
    pub filename: String,
}

impl App {
    /// Opens the public file of a set. Data of a public file name nobody (refused at publishing), so nothing is entered.
    pub async fn public_file(
        self: &Arc<Self>,
        dataset: &str,
        filename: Option<&str>,
    ) -> Result<Disclosed<PublicDownload>, Problem> {
        let catalog = self.catalog.load_full();
        let set = catalog
            .live(Section::Main, dataset)
            .ok_or_else(Problem::dataset_unknown)?;
        let public = set.definition().public.as_ref().ok_or_else(file_unknown)?;
        if filename != Some(&public.filename) {
            return Err(file_unknown());
        }
        let (file, about) = self.public_open(set, public).await?;
        let filename = public.filename.clone();
        Self::public_data(
            set,
            PublicDownload {
                file,
                about,
                filename,
            },
        )
    }

    /// The present file, opened. Between looking and opening a newer one may have taken its place.
    async fn public_open(
        self: &Arc<Self>,
        set: &Arc<LiveSet>,
        public: &PublicFile,
    ) -> Result<(File, Arc<Materialised>), Problem> {
        let mut tries = 0;
        loop {
            let about = match set.runtime.public.current.load_full() {
                Some(about) if about.of.2 == build::fingerprint(public) => about,
                _ => self.public_build(set).await?,
            };
            let path = about.path.clone();
            match blocking(move || Ok(File::open(&path))).await? {
                Ok(file) => return Ok((file, about)),
                Err(error) if error.kind() == ErrorKind::NotFound && tries < OPEN_TRIES => {
                    tries += 1;
                    // Still the present one: somebody else took it away, so it is built anew.
                    set.runtime.public.current.compare_and_swap(&Some(about), None);
                }
                Err(error) => return Err(Problem::internal(error)),
            }
        }
    }

    /// A package was applied: the file follows within seconds.
    pub fn public_changed(self: &Arc<Self>, set: &Arc<LiveSet>) {
        if set.section != Section::Main || set.definition().public.is_none() {
            return;
        }
        let (app, set) = (Arc::clone(self), Arc::clone(set));
        tokio::spawn(async move {
            for attempt in 1..=BUILD_TRIES {
                match app.public_build(&set).await {
                    Ok(_) => return,
                    Err(problem) => {
                        tracing::warn!(set = %set.name, attempt, %problem, "public file not built");
                    }
                }
                tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            }
        });
    }

    /// Builds the file for the present state, unless that very file is there. One build per set at a time.
    async fn public_build(self: &Arc<Self>, set: &Arc<LiveSet>) -> Result<Arc<Materialised>, Problem> {
        let _one = set.runtime.public.building.lock().await;
        let (engine, set, dir) = (Arc::clone(&self.engine), Arc::clone(set), self.dir.join("public"));
        let current = set.runtime.public.current.load_full();
        blocking(move || {
            let public = set.definition().public.clone().ok_or_else(file_unknown)?;
            let kv = set.open(&*engine)?;
            let built = build::build(&*kv, &set, &public, &dir, current.as_deref())?;
            let built = Arc::new(built);
            set.runtime.public.current.store(Some(Arc::clone(&built)));
            build::remove_others(&built.path);
            Ok(built)
        })
        .await
    }
}

fn file_unknown() -> Problem {
    Problem::new(
        404,
        "file_unknown",
        "no public file of that name; /service_list names the files there are",
    )
}

/// Columns: what the definition lists, else every top-level field.
pub(crate) fn columns(set: &LiveSet, public: &PublicFile) -> Vec<String> {
    match &public.fields {
        Some(fields) => fields.clone(),
        None => set
            .definition()
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect(),
    }
}
