//! The emergency stop: nothing of a data set is given under any permission, until it is ended.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{institution::ListQuery, problem::Problem, views::StopView};
use dagr_model::definition::Classification;
use http::StatusCode;

use super::page_of;
use crate::{
    application::{FormFault, form_faults},
    failed::Failed,
    form::Posted,
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// Stops shown.
const SHOWN: u32 = 20;

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage {
    page: Page,
    name: String,
    running: Option<StopView>,
    earlier: Vec<StopView>,
    is_open: bool,
    reason: String,
    faults: Vec<FormFault>,
}

/// `GET /my-datasets/{name}/stop`
pub async fn stop_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let done = visitor
        .query()?
        .take("done")
        .map_err(|problem| visitor.failed(problem))?;
    let page = page(&portal, &visitor, &name).await;
    let mut page = page.map_err(|problem| visitor.failed(problem))?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn page(portal: &Portal, visitor: &Visitor, name: &str) -> Result<StopPage, Problem> {
    let list = ListQuery {
        after: None,
        limit: SHOWN,
    };
    let mut stops = portal
        .app
        .dataset_stop_list(&visitor.ctx, name, list)
        .await?
        .items;
    let runs = stops.first().is_some_and(|stop| stop.ended.is_none());
    let running = runs.then(|| stops.remove(0));
    let definition = portal.app.definition_of(name);
    Ok(StopPage {
        page: page_of(portal, visitor, name, visitor.lang.t("stop-title")),
        name: name.to_owned(),
        running,
        earlier: stops,
        is_open: definition.is_some_and(|definition| definition.classification == Classification::Open),
        reason: String::new(),
        faults: Vec::new(),
    })
}

/// `POST` to the same: `do` is `stop` or `resume`.
pub async fn stop_post(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (reason, resumes) = (form.text("reason"), form.text("do") == "resume");
    let done = if resumes {
        portal.app.dataset_resume(&visitor.ctx, &name, reason).await
    } else {
        portal.app.dataset_stop(&visitor.ctx, &name, reason).await
    };
    match done {
        Ok(_) => {
            let word = if resumes { "resumed" } else { "stopped" };
            Ok(see(&visitor.url(&format!("/my-datasets/{name}/stop?done={word}"))))
        }
        Err(problem) if problem.status == 422 => {
            let again = page(&portal, &visitor, &name).await;
            let mut again = again.map_err(|problem| visitor.failed(problem))?;
            again.faults = form_faults(&visitor, &problem.faults);
            reason.clone_into(&mut again.reason);
            let mut response = html(&again);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(problem) => Err(visitor.failed(problem)),
    }
}
