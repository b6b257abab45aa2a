//! Institutions: found by name or number, registered.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{problem::Problem, views::InstitutionCreate};
use dagr_model::ids::RegistrationNumber;

use crate::{
    failed::Failed,
    form::Posted,
    page::{Page, html, name_of, see, wrong},
    settings::Portal,
    typed::Typed,
    visitor::{Signed, Visitor},
};

const PAGE: usize = 50;
const MAX_WORDS: usize = 200;

#[derive(Template)]
#[template(path = "operator_institutions.html")]
struct InstitutionsPage {
    page: Page,
    words: String,
    total: usize,
    rows: Vec<(String, String)>,
    next: Option<String>,
    typed: Typed,
}

/// `GET /operator/institutions?q=&from=`
pub async fn institution_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let words = query.take("q").map_err(failed)?.unwrap_or_default();
    let from = query.take_number("from").map_err(failed)?.unwrap_or(0);
    query.end().map_err(failed)?;
    let words: String = words.trim().chars().take(MAX_WORDS).collect();
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let page = listed(&portal, &visitor, words, from, Typed::default());
    page.map(|page| html(&page)).map_err(failed)
}

fn listed(
    portal: &Portal,
    visitor: &Visitor,
    words: String,
    from: usize,
    typed: Typed,
) -> Result<InstitutionsPage, Problem> {
    let (found, of) = portal.app.institution_search(&visitor.ctx, &words, from, PAGE)?;
    let next = from.saturating_add(found.len());
    let lang = visitor.lang;
    Ok(InstitutionsPage {
        page: visitor
            .page(&portal.app, lang.t("institutions-title"))
            .under("/operator", lang.t("nav-operator")),
        total: of,
        rows: found
            .into_iter()
            .map(|(number, name)| (number.to_string(), name_of(&name, number.as_str())))
            .collect(),
        next: (next < of).then(|| {
            let q: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
            visitor.url(&format!("/operator/institutions?q={q}&from={next}"))
        }),
        words,
        typed,
    })
}

/// `POST /operator/institutions`
pub async fn institution_create(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (kind, parent) = (form.text("kind"), form.text("parent"));
    let create = InstitutionCreate {
        registration_number: RegistrationNumber::new(form.text("registration_number")),
        name: form.text("name").to_owned(),
        kind: (!kind.is_empty()).then(|| kind.to_owned()),
        parent: (!parent.is_empty()).then(|| dagr_model::ids::RegistrationNumber::new(parent)),
    };
    match portal.app.institution_create(&visitor.ctx, &create).await {
        Ok(made) => {
            let number = made.value.registration_number;
            Ok(see(&visitor.url(&format!(
                "/operator/institutions/{number}?done=institution-made"
            ))))
        }
        Err(problem) => {
            let failed = |problem| visitor.failed(problem);
            let typed = Typed::refused(visitor.lang, form, problem, "registration_number").map_err(failed)?;
            let page = listed(&portal, &visitor, String::new(), 0, typed).map_err(failed)?;
            Ok(wrong(&page))
        }
    }
}
