//! What is done to a plan: its steps moved, others invited, words said, its end.

use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{plan::StepAssign, problem::Problem};
use dagr_model::plan::PlanChange;

use super::create::{numbers, period};
use crate::{
    failed::Failed,
    form::{Form, Posted, date},
    page::see,
    settings::Portal,
    visitor::Visitor,
};

/// `POST /plans/{number}/steps/{step}`: `move` says which.
pub async fn plan_step(
    State(portal): State<Portal>,
    Path((number, step)): Path<(String, u32)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let moved = step_moved(&portal, &visitor, &number, step, &form).await;
    moved.map_err(|problem| visitor.failed(problem))?;
    Ok(back(&visitor, &number, "step-moved", &format!("#step-{step}")))
}

async fn step_moved(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    step: u32,
    form: &Form,
) -> Result<(), Problem> {
    let (app, ctx, version) = (&portal.app, &visitor.ctx, version(form));
    let text = form.text("text").to_owned();
    match form.text("move") {
        "done" => {
            let note = Some(text).filter(|text| !text.is_empty());
            app.plan_step_done(ctx, number, step, note, version).await
        }
        "not_applicable" => {
            app.plan_step_not_applicable(ctx, number, step, text, version)
                .await
        }
        "reopen" => app.plan_step_reopen(ctx, number, step, text, version).await,
        "assign" => {
            let mut faults = Vec::new();
            let due = date(form, "due", &mut faults);
            if !faults.is_empty() {
                return Err(Problem::invalid(faults));
            }
            let assign = StepAssign {
                person: None,
                due: Some(due),
            };
            app.plan_step_assign(ctx, number, step, assign, version).await
        }
        _ => app.plan_step_note(ctx, number, step, text, version).await,
    }
    .map(|_| ())
}

/// `POST /plans/{number}/invite`
pub async fn plan_invite(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let asked = numbers(form.text("recipients"));
    let done = portal
        .app
        .plan_invite(&visitor.ctx, &number, asked, version(&form))
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(back(&visitor, &number, "plan-invited", ""))
}

/// `POST /plans/{number}/update`: title, description, period.
pub async fn plan_update(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let mut faults = Vec::new();
    let period = period(&form, &mut faults);
    if !faults.is_empty() {
        return Err(visitor.failed(Problem::invalid(faults)));
    }
    let change = PlanChange {
        title: Some(form.text("title").to_owned()),
        description: Some(form.text("description").to_owned()),
        period: Some(period),
    };
    let done = portal
        .app
        .plan_update(&visitor.ctx, &number, change, version(&form))
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(back(&visitor, &number, "plan-changed", ""))
}

/// `POST /plans/{number}/close`
pub async fn plan_close(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let note = Some(form.text("note").to_owned()).filter(|note| !note.is_empty());
    let done = portal
        .app
        .plan_close(&visitor.ctx, &number, note, version(&form))
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(back(&visitor, &number, "plan-closed", ""))
}

/// `POST /plans/{number}/comments`
pub async fn plan_comment(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let done = portal
        .app
        .plan_comment_create(&visitor.ctx, &number, form.text("text"))
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(back(&visitor, &number, "commented", "#thread"))
}

fn version(form: &Form) -> Option<i64> {
    form.text("version").parse().ok()
}

fn back(visitor: &Visitor, number: &str, done: &str, place: &str) -> Response {
    see(&visitor.url(&format!("/plans/{number}?done={done}{place}")))
}
