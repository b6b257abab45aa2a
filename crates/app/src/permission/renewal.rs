//! A permission that ends is told of in time, to both sides: who needs it longer applies before it stops.

use dagr_model::{
    clock::riga_date,
    permission::{Permission, PermissionState},
};
use dagr_registry::{NotificationCreate, To};
use jiff::civil::Date;

use crate::{App, problem::Problem};

/// Days before the end, each told once.
const REMINDED_DAYS: [i32; 2] = [7, 30];
/// Notifications in one transaction.
const BATCH: usize = 500;

impl App {
    /// Answers how many permissions end within the days that are told of.
    pub async fn permission_renewal_run(&self) -> Result<usize, Problem> {
        let now = self.clock.now();
        let today = riga_date(now);
        let ending: Vec<(std::sync::Arc<Permission>, i32, Date)> = {
            let catalog = self.catalog();
            let held = catalog.permissions.values();
            held.filter_map(|held| {
                let to = held.permission.valid_to?;
                let days = days_told(&held.permission, to, today)?;
                Some((std::sync::Arc::clone(&held.permission), days, to))
            })
            .collect()
        };
        let creates: Vec<NotificationCreate> = ending
            .iter()
            .flat_map(|(permission, days, to)| self.reminders(permission, *days, *to))
            .collect();
        for batch in creates.chunks(BATCH) {
            self.registry.notification_insert_all(batch, now).await?;
        }
        Ok(ending.len())
    }

    fn reminders(&self, permission: &Permission, days: i32, to: Date) -> Vec<NotificationCreate> {
        let parties = [Some(permission.recipient.clone()), self.provider_of(permission)];
        parties
            .into_iter()
            .flatten()
            .map(|party| NotificationCreate {
                // A permission that was extended has another last day, and is told of again.
                once: Some(format!(
                    "permission_expiring/{}/{to}/{days}/{party}",
                    permission.number
                )),
                to: To::Institution(party),
                kind: "permission_expiring".to_owned(),
                object: format!("permissions/{}", permission.number),
            })
            .collect()
    }
}

fn days_told(permission: &Permission, to: Date, today: Date) -> Option<i32> {
    if permission.state != PermissionState::Active || to < today {
        return None;
    }
    let left = today.until(to).ok()?.get_days();
    REMINDED_DAYS.into_iter().find(|days| left <= *days)
}
