//! What the registry itself shows of a plan's steps.

use dagr_model::ids::{DatasetName, PermissionNumber, PlanNumber, RegistrationNumber};
use jiff::Timestamp;

use super::id_of;
use crate::{
    Registry, Result,
    db::query,
    row::{text, time},
};

/// The first permission of the main section that an invited recipient was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstGrant {
    pub recipient: RegistrationNumber,
    pub permission: PermissionNumber,
    pub at: Timestamp,
}

impl Registry {
    /// When the set's first definition came to main.
    pub async fn dataset_first_published(&self, name: &DatasetName) -> Result<Option<Timestamp>> {
        let row = query(
            "SELECT set_at FROM definitions WHERE dataset = $1 AND section = 'main' ORDER BY number LIMIT 1",
        )
        .bind(name.as_str())
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.as_ref().map(|row| time(row, "set_at")).transpose()
    }

    /// One for each recipient of the plan that has one, in the order of their numbers.
    pub async fn plan_first_grants(
        &self,
        plan: &PlanNumber,
        dataset: &DatasetName,
    ) -> Result<Vec<FirstGrant>> {
        let rows = query(
            "SELECT p.recipient, p.number, r.set_at FROM plan_recipients t
             JOIN permissions p ON p.id = (SELECT MIN(q.id) FROM permissions q
               WHERE q.recipient = t.institution AND q.dataset = $2 AND q.environment = 'main')
             JOIN permission_revisions r ON r.permission = p.id AND r.version = 1
             WHERE t.plan = $1 ORDER BY p.recipient",
        )
        .bind(id_of(plan)?)
        .bind(dataset.as_str())
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(FirstGrant {
                    recipient: RegistrationNumber::new(text(row, "recipient")?),
                    permission: PermissionNumber::new(text(row, "number")?),
                    at: time(row, "set_at")?,
                })
            })
            .collect()
    }
}
