//! What a page says when it cannot be given: what happened, why, and what to do.

use askama::Template;
use axum::response::{IntoResponse, Response};
use dagr_app::problem::Problem;
use dagr_model::fault::Fault;
use http::{HeaderValue, StatusCode, header};

use crate::{
    lang::Lang,
    page::{Page, html, see},
    visitor::Visitor,
};

/// A page that failed, or that needs a sign-in first.
pub struct Failed(Box<Inner>);

enum Inner {
    Problem(Visitor, Problem),
    SignIn(Visitor),
}

impl Failed {
    pub fn new(visitor: Visitor, problem: Problem) -> Self {
        // Signed out meanwhile: the same as never signed in.
        if problem.status == 401 {
            return Self::sign_in(visitor);
        }
        Self(Box::new(Inner::Problem(visitor, problem)))
    }

    pub fn sign_in(visitor: Visitor) -> Self {
        Self(Box::new(Inner::SignIn(visitor)))
    }
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    page: Page,
    heading: String,
    text: String,
    /// The use case's own words, where ours say less.
    detail: Option<String>,
    faults: Vec<String>,
    request_id: Option<String>,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match *self.0 {
            Inner::SignIn(visitor) => {
                let to: String = form_urlencoded::byte_serialize(visitor.path.as_bytes()).collect();
                see(&visitor.url(&format!("/sign-in?to={to}")))
            }
            Inner::Problem(visitor, problem) => show(&visitor, &problem),
        }
    }
}

fn show(visitor: &Visitor, problem: &Problem) -> Response {
    let lang = visitor.lang;
    let heading = heading(lang, problem);
    let known = lang.known(&format!("problem-{}", problem.code.replace('_', "-")));
    let page = FailedPage {
        page: Page::bare(visitor, heading.clone()),
        heading,
        detail: known.is_none().then(|| problem.detail.clone()),
        text: known.unwrap_or_else(|| lang.t("problem-other")),
        faults: problem
            .faults
            .iter()
            .map(|fault| fault_text(lang, fault))
            .collect(),
        request_id: (problem.status >= 500).then(|| visitor.ctx.request_id.to_string()),
    };
    let mut response = html(&page);
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = problem.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn heading(lang: Lang, problem: &Problem) -> String {
    match problem.status {
        403 => lang.t("failed-403"),
        404 => lang.t("failed-404"),
        409 | 412 => lang.t("failed-409"),
        429 | 503 => lang.t("failed-503"),
        500.. => lang.t("failed-500"),
        _ => lang.t("failed-400"),
    }
}

/// A fault in the reader's language, by its rule; the use case's words where we have none.
pub fn fault_text(lang: Lang, fault: &Fault) -> String {
    let place = fault.place.replace(['_', '.'], "-");
    let rule = fault.rule.replace('_', "-");
    lang.known(&format!("fault-{place}-{rule}"))
        .or_else(|| lang.known(&format!("fault-{rule}")))
        .unwrap_or_else(|| fault.message.clone())
}

/// No page of ours.
pub async fn not_found(visitor: Visitor) -> Failed {
    visitor.failed(Problem::not_found())
}

/// The frame needs the use cases only for who is signed in: a failing registry must not fail the page that says so.
impl Page {
    fn bare(visitor: &Visitor, title: String) -> Self {
        Self::without_counts(visitor, title)
    }
}
