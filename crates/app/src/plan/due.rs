//! Steps of plans that fall due: their owner is reminded before, both sides are told after.

use dagr_model::{
    clock::riga_date,
    ids::RegistrationNumber,
    plan::{Plan, PlanSide, PlanStage, Step},
    working_days::add_working_days,
};
use dagr_registry::{NotificationCreate, PlanFilter, To};
use jiff::civil::Date;

use crate::{App, problem::Problem};

/// Working days before the day a step is due that its owner is reminded.
const REMINDED_DAYS: u32 = 2;
const PAGE: u32 = 200;

impl App {
    /// Each is told once of a step and its day. Answers how many plans were looked at.
    pub async fn plan_due_run(&self) -> Result<usize, Problem> {
        let now = self.clock.now();
        let today = riga_date(now);
        let soon = add_working_days(today, REMINDED_DAYS);
        let filter = PlanFilter {
            stage: Some(PlanStage::Open.name().to_owned()),
            late_on: soon.tomorrow().ok(),
            ..PlanFilter::default()
        };
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.registry.plan_list(&filter, after, PAGE).await?;
            count += page.items.len();
            for found in page.items {
                let creates = self.step_reminders(&found.value, today, soon).await?;
                self.registry.notification_insert_all(&creates, now).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(count),
            }
        }
    }

    async fn step_reminders(
        &self,
        plan: &Plan,
        today: Date,
        soon: Date,
    ) -> Result<Vec<NotificationCreate>, Problem> {
        let mut creates = Vec::new();
        for step in plan.steps.iter().filter(|step| step.is_open()) {
            let Some(due) = plan.due_of(step).filter(|due| *due <= soon) else {
                continue;
            };
            let late = plan.is_step_late(step, today);
            let mut to = vec![To::Institution(step.institution.clone())];
            to.extend(step.person.map(To::Person));
            if late {
                to.extend(self.heads(&step.institution).await?);
                to.extend(others(plan, step).into_iter().map(To::Institution));
            }
            let kind = if late { "plan_step_late" } else { "plan_step_due" };
            creates.extend(to.into_iter().map(|to| reminder(plan, step, due, kind, to)));
        }
        Ok(creates)
    }
}

/// Whoever waits for the step: a provider's holds up all it invited, a recipient's the provider.
fn others(plan: &Plan, step: &Step) -> Vec<RegistrationNumber> {
    match step.side {
        PlanSide::Provider => plan.recipients.clone(),
        PlanSide::Recipient => vec![plan.provider.clone()],
    }
}

fn reminder(plan: &Plan, step: &Step, due: Date, kind: &str, to: To) -> NotificationCreate {
    let whom = match &to {
        To::Institution(number) => number.to_string(),
        To::Person(person) => person.to_string(),
    };
    NotificationCreate {
        // Given another day, a step is told of again.
        once: Some(format!("{kind}/{}/{}/{due}/{whom}", plan.number, step.number)),
        to,
        kind: kind.to_owned(),
        object: format!("plans/{}", plan.number),
    }
}
