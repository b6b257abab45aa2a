//! What the demo remembers between runs, in `demo/state.json` of its directory.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::commands::Failure;

/// Of a nation that nobody described.
const SEED: u64 = 1;
const PERSONS: u64 = 100_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub seed: u64,
    pub persons: u64,
    /// Numbers of permissions by the story's name for them.
    pub permissions: BTreeMap<String, String>,
    /// Set when every register was delivered.
    pub loaded: Option<Loaded>,
    /// Set when people and applications were entered.
    #[serde(default)]
    pub peopled: bool,
    /// How often the story was told to its end.
    pub tellings: u64,
    /// Where each recipient's copy stands, by the story's name for it.
    pub cursors: BTreeMap<String, String>,
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Loaded {
    pub records: u64,
    pub bytes: u64,
    pub seconds: f64,
}

impl State {
    /// Of an earlier run, or new. Another seed or size than the earlier run's is an error.
    pub fn open(path: PathBuf, seed: Option<u64>, persons: Option<u64>) -> Result<Self, Failure> {
        let mut state = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|_| {
                Failure::here(format!(
                    "{}: not this demo's; remove the directory or give another --data",
                    path.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self {
                seed: seed.unwrap_or(SEED),
                persons: persons.unwrap_or(PERSONS),
                ..Self::default()
            },
            Err(error) => return Err(Failure::file(&path, &error)),
        };
        let is_other = |wanted: Option<u64>, held: u64| wanted.is_some_and(|wanted| wanted != held);
        if is_other(seed, state.seed) || is_other(persons, state.persons) {
            let text = format!(
                "the directory holds a nation of {} persons, seed {}: give these, or another --data DIR",
                state.persons, state.seed
            );
            return Err(Failure::here(text));
        }
        state.path = path;
        Ok(state)
    }

    /// Replaces the file in one step.
    pub fn save(&self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let new = self.path.with_extension("new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.path))
            .map_err(|error| Failure::file(&self.path, &error))
    }
}
