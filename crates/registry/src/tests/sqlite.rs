//! The suite on SQLite.

use super::*;

#[path = "applications.rs"]
mod applications;
#[path = "audit.rs"]
mod audit;
#[path = "classifiers.rs"]
mod classifiers;
#[path = "durable.rs"]
mod durable;
#[path = "facts.rs"]
mod facts;
mod file;
#[path = "life.rs"]
mod life;
#[path = "nouns.rs"]
mod nouns;
#[path = "permissions.rs"]
mod permissions;
#[path = "plans.rs"]
mod plans;
#[path = "registered.rs"]
mod registered;

/// Where a registry lies, to open it again.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) async fn open(&self) -> Result<Registry> {
        Registry::open(self.0.path().join("registry.db")).await
    }
}

async fn fresh() -> Registry {
    Registry::open_in_memory().await.unwrap()
}

async fn furnished() -> Registry {
    let registry = fresh().await;
    furnish(&registry).await;
    registry
}
