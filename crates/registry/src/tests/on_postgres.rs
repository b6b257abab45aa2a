//! The suite on PostgreSQL. Where there is none it says so, and runs on SQLite once more.

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
mod server;

use super::throwaway::Cluster;

/// Where a registry lies, to open it again.
enum Place {
    Schema(String),
    File(sqlite::Place),
}

impl Place {
    fn new() -> Self {
        let Some(cluster) = Cluster::shared() else {
            return Self::File(sqlite::Place::new());
        };
        let schema = Cluster::schema();
        cluster.create(&schema);
        Self::Schema(cluster.url(&schema))
    }

    async fn open(&self) -> Result<Registry> {
        match self {
            Self::Schema(url) => Registry::connect(url).await,
            Self::File(place) => place.open().await,
        }
    }
}

async fn fresh() -> Registry {
    Place::new().open().await.unwrap()
}

async fn furnished() -> Registry {
    let registry = fresh().await;
    furnish(&registry).await;
    registry
}
