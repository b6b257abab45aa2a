//! My work: what waits for me, by role, the most urgent first.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{
    application::ApplicationQuery, institution::ListQuery, permission::PermissionQuery, problem::Problem,
};
use dagr_model::{
    application::{APPLICANTS, RETURNERS},
    clock::riga_date,
    permission::PermissionState,
};
use jiff::{ToSpan as _, civil::Date};

use crate::{
    application::{Row, description, due, rows},
    failed::Failed,
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// Rows of one part of the page; the rest stands behind its link.
const PART: u32 = 10;
/// A permission that ends within so many days is worth renewing now.
const ENDS_SOON_DAYS: i64 = 30;
/// Permissions looked through for those that end soon.
const MAX_PERMISSIONS: u32 = 1_000;

#[derive(Template)]
#[template(path = "work.html")]
struct WorkPage {
    page: Page,
    institution: Option<String>,
    decides: bool,
    applies: bool,
    operates: bool,
    to_decide: Vec<Row>,
    returned: Vec<Row>,
    drafts: Vec<Row>,
    waiting: Vec<Row>,
    for_operator: Vec<Row>,
    ending: Vec<Ending>,
}

struct Ending {
    number: String,
    dataset: String,
    to: Date,
}

/// `GET /work`
pub async fn work_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let Some(acting) = visitor.ctx.acting_for() else {
        return Ok(crate::page::see(&visitor.url("/act-for?to=/work")));
    };
    let catalog = portal.app.catalog();
    let provides = catalog
        .datasets
        .values()
        .any(|set| set.provider == acting.institution);
    let (applies, decides) = (acting.holds(APPLICANTS), provides && acting.holds(RETURNERS));
    drop(catalog);
    let operates = visitor.ctx.operator().is_ok();
    let name = super::application::institution(&portal, acting.institution.as_str());
    let page = gather(&portal, &visitor, name, [applies, decides, operates]).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn gather(
    portal: &Portal,
    visitor: &Visitor,
    institution: String,
    [applies, decides, operates]: [bool; 3],
) -> Result<WorkPage, Problem> {
    let mine = |stage: &'static str| own(portal, visitor, stage);
    Ok(WorkPage {
        page: visitor.page(&portal.app, visitor.lang.t("nav-work")),
        institution: Some(institution),
        to_decide: if decides && !operates {
            due(portal, visitor, "provider", PART).await?
        } else {
            Vec::new()
        },
        returned: mine("returned").await?,
        drafts: mine("draft").await?,
        waiting: mine("submitted").await?,
        for_operator: if operates {
            due(portal, visitor, "operator", PART).await?
        } else {
            Vec::new()
        },
        ending: if operates {
            Vec::new()
        } else {
            ending(portal, visitor).await?
        },
        applies,
        decides,
        operates,
    })
}

/// Applications the institution made, in one stage.
async fn own(portal: &Portal, visitor: &Visitor, stage: &str) -> Result<Vec<Row>, Problem> {
    let number = visitor
        .ctx
        .acting_for()
        .map(|acting| acting.institution.to_string());
    let query = ApplicationQuery {
        side: Some("applicant".to_owned()),
        institution: number,
        stage: Some(stage.to_owned()),
        page: ListQuery {
            after: None,
            limit: PART,
        },
        ..ApplicationQuery::default()
    };
    let found = portal.app.application_list(&visitor.ctx, query).await?;
    Ok(rows(portal, visitor, &found))
}

async fn ending(portal: &Portal, visitor: &Visitor) -> Result<Vec<Ending>, Problem> {
    let today = riga_date(visitor.ctx.now);
    let soon = today.saturating_add(ENDS_SOON_DAYS.days());
    let query = PermissionQuery {
        state: Some(PermissionState::Active),
        page: ListQuery {
            after: None,
            limit: MAX_PERMISSIONS,
        },
        ..PermissionQuery::default()
    };
    let found = portal.app.permission_list(&visitor.ctx, query).await?;
    let ends = |to: &Date| today <= *to && *to <= soon;
    let mut ending: Vec<Ending> = found
        .items
        .into_iter()
        .filter_map(|found| {
            let to = found.value.valid_to.filter(ends)?;
            Some(Ending {
                number: found.value.number.to_string(),
                dataset: description(portal, found.value.dataset.as_str())
                    .unwrap_or_else(|| found.value.dataset.to_string()),
                to,
            })
        })
        .collect();
    ending.sort_by_key(|ending| ending.to);
    ending.truncate(PART as usize);
    Ok(ending)
}
