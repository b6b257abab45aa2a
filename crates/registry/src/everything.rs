//! All a node needs to serve, as of one moment.

use crate::{
    ConnectionView, DatasetView, InstitutionView, PermissionView, Registry, Result, SystemView, Versioned,
    certificate, connection, dataset, db::query, institution, permission, system,
};

/// Every list is in the order of its ids; permissions in the order they were granted, revoked ones included.
#[derive(Debug, Clone, PartialEq)]
pub struct Everything {
    pub institutions: Vec<Versioned<InstitutionView>>,
    pub systems: Vec<Versioned<SystemView>>,
    /// With their certificates.
    pub connections: Vec<Versioned<ConnectionView>>,
    /// With both definitions.
    pub datasets: Vec<Versioned<DatasetView>>,
    pub permissions: Vec<Versioned<PermissionView>>,
}

impl Registry {
    pub async fn load(&self) -> Result<Everything> {
        let mut tx = self.snapshot().await?;
        let institutions = query("SELECT * FROM institutions ORDER BY registration_number")
            .fetch_all(&mut tx)
            .await?
            .iter()
            .map(institution::read)
            .collect::<Result<_>>()?;
        let systems = query("SELECT * FROM systems ORDER BY code")
            .fetch_all(&mut tx)
            .await?
            .iter()
            .map(system::read)
            .collect::<Result<_>>()?;
        let mut connections: Vec<_> = query(
            "SELECT c.*, s.institution FROM connections c JOIN systems s ON s.code = c.system ORDER BY c.client_id",
        )
        .fetch_all(&mut tx)
        .await?
        .iter()
        .map(connection::read)
        .collect::<Result<_>>()?;
        certificate::attach(&mut tx, &mut connections).await?;
        let datasets = dataset::load(&mut tx).await?;
        let permissions = query("SELECT body, version FROM permissions ORDER BY id")
            .fetch_all(&mut tx)
            .await?
            .iter()
            .map(permission::read)
            .collect::<Result<_>>()?;
        Ok(Everything {
            institutions,
            systems,
            connections,
            datasets,
            permissions,
        })
    }
}
