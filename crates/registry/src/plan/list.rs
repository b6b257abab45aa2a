//! The board of plans: the day the next open step is due orders it, so that late ones stand first.

use dagr_model::{
    ids::{DatasetName, RegistrationNumber},
    plan::{Plan, PlanStage},
};
use jiff::civil::Date;

use super::read;
use crate::{Page, Registry, RegistryError, Result, Versioned, db::query, page::fetch};

/// Open, without any date: after every day.
const NO_DATE: &str = "9999-12-30";
/// After all that is open.
const CLOSED: &str = "9999-12-31";

/// Each member narrows.
#[derive(Debug, Clone, Default)]
pub struct PlanFilter {
    /// On either side.
    pub party: Option<RegistrationNumber>,
    pub provider: Option<RegistrationNumber>,
    pub recipient: Option<RegistrationNumber>,
    pub dataset: Option<DatasetName>,
    /// `open`, `closed`.
    pub stage: Option<String>,
    /// With a step due before this day.
    pub late_on: Option<Date>,
}

/// $1 and $2 place, $3 party, $4 provider, $5 recipient, $6 data set, $7 stage, $8 day, $9 limit.
macro_rules! select {
    ($($party:literal),*) => {
        concat!(
            "SELECT body, version FROM plans WHERE (due, id) > ($1, $2) ", $($party,)*
            " AND provider = COALESCE(CAST($4 AS TEXT), provider)
              AND (CAST($5 AS TEXT) IS NULL
                   OR EXISTS (SELECT 1 FROM plan_recipients r WHERE r.plan = plans.id AND r.institution = $5))
              AND (CAST($6 AS TEXT) IS NULL OR dataset = $6)
              AND stage = COALESCE(CAST($7 AS TEXT), stage)
              AND (CAST($8 AS TEXT) IS NULL OR due < $8)
              ORDER BY due, id LIMIT $9"
        )
    };
}

const EVERYBODYS: &str = select!("AND CAST($3 AS TEXT) IS NULL");
const OF_PARTY: &str = select!(
    "AND id IN (SELECT id FROM plans WHERE provider = $3
                UNION ALL SELECT plan FROM plan_recipients WHERE institution = $3)"
);

impl Registry {
    /// The earliest due first, then what has no date, closed ones last.
    pub async fn plan_list(
        &self,
        filter: &PlanFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Versioned<Plan>>> {
        let (due, id) = place(after.as_deref())?;
        let text = if filter.party.is_some() {
            OF_PARTY
        } else {
            EVERYBODYS
        };
        let number =
            |number: &Option<RegistrationNumber>| number.as_ref().map(|number| number.as_str().to_owned());
        let rows = query(text)
            .bind(due)
            .bind(id)
            .bind(number(&filter.party))
            .bind(number(&filter.provider))
            .bind(number(&filter.recipient))
            .bind(filter.dataset.as_ref().map(DatasetName::as_str))
            .bind(&filter.stage)
            .bind(filter.late_on.map(|day| day.to_string()))
            .bind(fetch(limit))
            .fetch_all(&mut self.read().await?)
            .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(items, limit, |item| {
            format!("{}.{}", board_day(&item.value), item.value.number)
        }))
    }
}

/// As it is stored and ordered: a date always, so that every collation orders it alike.
pub(super) fn board_day(plan: &Plan) -> String {
    match (&plan.stage, plan.next_due()) {
        (PlanStage::Closed { .. }, _) => CLOSED.to_owned(),
        (PlanStage::Open, None) => NO_DATE.to_owned(),
        (PlanStage::Open, Some(due)) => due.to_string(),
    }
}

/// `2026-03-16.300001`: after that day and number.
fn place(after: Option<&str>) -> Result<(String, i64)> {
    let Some(after) = after else {
        return Ok((String::new(), 0));
    };
    after
        .split_once('.')
        .and_then(|(due, id)| Some((due.to_owned(), id.parse().ok()?)))
        .ok_or_else(|| {
            RegistryError::fault(
                "after",
                "page_token",
                "use `next` of the page before as it stands",
            )
        })
}
