//! Plans of transition: the present value of each, every event with the value after it, and their threads.

mod comment;
mod event;
mod list;
mod sources;

use dagr_model::{
    ids::{DatasetName, PlanNumber, RegistrationNumber},
    plan::Plan,
};

pub use event::{PlanEventCreate, PlanEventView};
pub use list::PlanFilter;
pub use sources::FirstGrant;

use crate::{
    Actor, NotificationCreate, Registry, RegistryError, Result, Versioned,
    application::tagged,
    check::Check,
    db::{Conn, Row, query},
    institution, notification,
    open::next_number,
    row::to_json,
};

impl Registry {
    /// Allots the number: that of `plan` is not looked at. Who is told is told of the number it got.
    pub async fn plan_insert(
        &self,
        by: &Actor,
        plan: &Plan,
        event: &PlanEventCreate,
        notify: impl Fn(&Plan) -> Vec<NotificationCreate>,
    ) -> Result<Versioned<Plan>> {
        let mut change = self.change(by).await?;
        check(change.conn(), &plan.recipients).await?;
        let id = next_number(change.conn(), "plan").await?;
        let made = Versioned {
            value: Plan {
                number: PlanNumber::new(id.to_string()),
                ..plan.clone()
            },
            version: 1,
        };
        query(
            "INSERT INTO plans (id, number, provider, dataset, stage, due, body, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
        )
        .bind(id)
        .bind(made.value.number.as_str())
        .bind(made.value.provider.as_str())
        .bind(made.value.subject.dataset().map(DatasetName::as_str))
        .bind(made.value.stage.name())
        .bind(list::board_day(&made.value))
        .bind(to_json(&made.value)?)
        .execute(change.conn())
        .await?;
        invite(change.conn(), id, &made.value.recipients).await?;
        event::keep(change.conn(), by, id, &made, event).await?;
        for notification in notify(&made.value) {
            notification::insert(change.conn(), &notification, by.at).await?;
        }
        change
            .commit("plan_create", object(&made.value.number), &(), &made.value)
            .await?;
        Ok(made)
    }

    pub async fn plan_get(&self, number: &PlanNumber) -> Result<Option<Versioned<Plan>>> {
        find(&mut self.read().await?, number).await
    }

    /// Writes the plan after an event, in one transaction. `expected` is the version the event was judged against:
    /// of two at once, one is refused.
    pub async fn plan_move(
        &self,
        by: &Actor,
        expected: i64,
        next: &Plan,
        event: &PlanEventCreate,
        notify: &[NotificationCreate],
    ) -> Result<Versioned<Plan>> {
        let mut change = self.change(by).await?;
        let before = find(change.conn(), &next.number)
            .await?
            .ok_or_else(|| RegistryError::unknown("plan", &next.number))?
            .expect(Some(expected))?;
        // Recipients are added at the end and never leave.
        let invited = next
            .recipients
            .get(before.value.recipients.len()..)
            .unwrap_or_default();
        check(change.conn(), invited).await?;
        let id = id_of(&next.number)?;
        let after = Versioned {
            value: next.clone(),
            version: before.version + 1,
        };
        query("UPDATE plans SET stage = $2, due = $3, body = $4, version = $5 WHERE id = $1")
            .bind(id)
            .bind(next.stage.name())
            .bind(list::board_day(next))
            .bind(to_json(next)?)
            .bind(after.version)
            .execute(change.conn())
            .await?;
        invite(change.conn(), id, invited).await?;
        event::keep(change.conn(), by, id, &after, event).await?;
        for notification in notify {
            notification::insert(change.conn(), notification, by.at).await?;
        }
        change
            .commit(event.action(), object(&next.number), &before.value, &after.value)
            .await?;
        Ok(after)
    }
}

async fn invite(conn: &mut Conn, id: i64, institutions: &[RegistrationNumber]) -> Result<()> {
    for institution in institutions {
        query("INSERT INTO plan_recipients (plan, institution) VALUES ($1, $2)")
            .bind(id)
            .bind(institution.as_str())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Whoever is invited is registered.
async fn check(conn: &mut Conn, invited: &[RegistrationNumber]) -> Result<()> {
    let mut check = Check::default();
    for (at, institution) in invited.iter().enumerate() {
        let known = institution::exists(conn, institution).await?;
        check.reference(known, &format!("recipients[{at}]"), "institution");
    }
    check.done()
}

fn object(number: &PlanNumber) -> String {
    format!("plans/{number}")
}

/// Numbers are ids in digits; what is none names nothing.
fn id_of(number: &PlanNumber) -> Result<i64> {
    number
        .as_str()
        .parse()
        .map_err(|_| RegistryError::unknown("plan", number))
}

async fn find(conn: &mut Conn, number: &PlanNumber) -> Result<Option<Versioned<Plan>>> {
    let row = query("SELECT body, version FROM plans WHERE number = $1")
        .bind(number.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Versioned<Plan>> {
    Ok(Versioned {
        value: tagged(row.try_get("body")?)?,
        version: row.try_get("version")?,
    })
}
