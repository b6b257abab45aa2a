//! What a provider does with an application: return it, pass it on, decide it. A decision is shown once more before it
//! is sealed; what an applicant gives up is said with a reason.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::problem::Problem;
use dagr_model::{
    application::{FieldRefused, Remark, Verb, Verdict},
    fault::Fault,
};
use http::StatusCode;

use super::{
    draft::{FormFault, form_faults},
    institution,
    show::{AskedField, summary},
};
use crate::{
    failed::Failed,
    form::{Form, Posted},
    page::{Page, html, see},
    settings::Portal,
    visitor::Visitor,
};

/// What the decider chose, as the form says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// What is ticked is given; the rest is refused with its reason.
    Give,
    Return,
    Refuse,
}

#[derive(Template)]
#[template(path = "application_confirm.html")]
struct ConfirmPage {
    page: Page,
    number: String,
    version: String,
    applicant: String,
    given: Vec<AskedField>,
    refused: Vec<(AskedField, String)>,
    /// `give`, `return` or `refuse`.
    choice: &'static str,
    reason: String,
    faults: Vec<FormFault>,
}

/// `POST /applications/{number}/decide`: shown once more; then, with `step=do`, done.
pub async fn application_decide(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let choice = match form.text("choice") {
        "return" => Choice::Return,
        "refuse" => Choice::Refuse,
        _ => Choice::Give,
    };
    let page = confirm(&portal, &visitor, &number, &form, choice).await?;
    if form.text("step") != "do" || form.text("do") == "back" {
        return Ok(html(&page));
    }
    match act(&portal, &visitor, &number, &form, choice, &page).await {
        Ok(done) => Ok(see(&visitor.url(&format!("/applications/{number}?done={done}")))),
        Err(problem) if problem.status == 422 => Ok(again(page, &visitor, &problem.faults)),
        Err(problem) => Err(visitor.failed(problem)),
    }
}

fn again(mut page: ConfirmPage, visitor: &Visitor, faults: &[Fault]) -> Response {
    page.faults = form_faults(visitor, faults);
    let mut response = html(&page);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

async fn act(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    form: &Form,
    choice: Choice,
    page: &ConfirmPage,
) -> Result<&'static str, Problem> {
    let (app, ctx, version) = (&portal.app, &visitor.ctx, form.text("version").parse().ok());
    if choice == Choice::Return {
        let remarks = remarks(form);
        app.application_return(ctx, number, remarks, version).await?;
        return Ok("returned");
    }
    let (verdict, done) = verdict(form, choice, page);
    app.application_decide(ctx, number, verdict, version).await?;
    Ok(done)
}

fn verdict(form: &Form, choice: Choice, page: &ConfirmPage) -> (Verdict, &'static str) {
    if choice == Choice::Refuse {
        let reason = form.text("reason").to_owned();
        return (Verdict::Refuse { reason }, "refused");
    }
    if page.refused.is_empty() {
        return (Verdict::Approve, "approved");
    }
    let refused = page.refused.iter().map(|(field, reason)| FieldRefused {
        field: field.path.clone(),
        reason: reason.clone(),
    });
    (
        Verdict::Partial {
            refused: refused.collect(),
        },
        "partial",
    )
}

/// The remark on the whole, and one for each field that has a reason.
fn remarks(form: &Form) -> Vec<Remark> {
    let whole = Some(form.text("reason"))
        .filter(|text| !text.is_empty())
        .map(|text| Remark {
            place: None,
            text: text.to_owned(),
        });
    let fields = form
        .named("why:")
        .filter(|(_, why)| !why.is_empty())
        .map(|(field, why)| Remark {
            place: Some(format!("fields.{field}")),
            text: why.to_owned(),
        });
    whole.into_iter().chain(fields).collect()
}

async fn confirm(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    form: &Form,
    choice: Choice,
) -> Result<ConfirmPage, Failed> {
    let failed = |problem| visitor.failed(problem);
    let found = portal
        .app
        .application_get(&visitor.ctx, number)
        .await
        .map_err(failed)?;
    let wanted = if choice == Choice::Return {
        Verb::Return
    } else {
        Verb::Decide
    };
    if !found.value.possible.contains(&wanted) {
        let why = "the application is not yours to decide, or was decided meanwhile";
        return Err(failed(Problem::new(409, "state_conflict", why)));
    }
    let application = &found.value.application;
    let granted: Vec<&str> = form.all("grant").collect();
    let (mut given, mut refused) = (Vec::new(), Vec::new());
    for field in summary(portal, visitor, application).fields {
        if choice == Choice::Give && granted.contains(&field.path.as_str()) {
            given.push(field);
        } else {
            let why = form.text(&format!("why:{}", field.path)).to_owned();
            refused.push((field, why));
        }
    }
    // Nothing ticked of something with fields: that is a refusal, and it is said so.
    let choice = match choice {
        Choice::Give if given.is_empty() && !refused.is_empty() => "refuse",
        Choice::Give => "give",
        Choice::Return => "return",
        Choice::Refuse => "refuse",
    };
    let number = application.number.to_string();
    Ok(ConfirmPage {
        page: visitor
            .page(&portal.app, visitor.lang.t(&format!("confirm-{choice}")))
            .under("/applications", visitor.lang.t("nav-applications"))
            .under(&format!("/applications/{number}"), number.clone()),
        version: form.text("version").to_owned(),
        applicant: institution(portal, application.applicant.as_str()),
        given,
        refused,
        choice,
        reason: form.text("reason").to_owned(),
        faults: Vec::new(),
        number,
    })
}

/// `POST /applications/{number}/review`: the lawyer passes it on.
pub async fn application_review(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let note = Some(form.text("note"))
        .filter(|note| !note.is_empty())
        .map(str::to_owned);
    let version = form.text("version").parse().ok();
    let done = portal
        .app
        .application_review(&visitor.ctx, &number, note, version)
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url(&format!("/applications/{number}?done=reviewed"))))
}

/// `POST /applications/{number}/withdraw`
pub async fn application_withdraw(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let version = form.text("version").parse().ok();
    let reason = form.text("reason").to_owned();
    let done = portal
        .app
        .application_withdraw(&visitor.ctx, &number, reason, version)
        .await;
    done.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url("/applications?done=withdrawn")))
}
