//! A draft in steps: which fields, what for, how; then everything once more, and sent. What is typed is kept.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use dagr_app::{application::ApplicationView, preview::PreviewQuery, problem::Problem, views::Versioned};
use dagr_model::{
    application::{Asked, DataAsked, Verb},
    clock::riga_date,
    fault::Fault,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{description, institution};
use crate::{
    dataset::indented,
    failed::{Failed, fault_text},
    form::{Form, Posted},
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::{self, Leaf},
};

mod terms;

pub use terms::{terms_post, terms_show};

/// A fault with the field it belongs to.
pub struct FormFault {
    /// Id of the input.
    pub at: String,
    pub text: String,
}

pub fn form_faults(visitor: &Visitor, faults: &[Fault]) -> Vec<FormFault> {
    faults
        .iter()
        .map(|fault| FormFault {
            at: id_of(&fault.place),
            text: fault_text(visitor.lang, fault),
        })
        .collect()
}

/// `fields.Address.Town.law` → the id of its input.
fn id_of(place: &str) -> String {
    let place = place.strip_prefix("body.").unwrap_or(place);
    match place.strip_prefix("fields.") {
        Some(field) => format!("law-{}", field.strip_suffix(".law").unwrap_or(field)),
        None => place.split(['.', '[']).next().unwrap_or_default().to_owned(),
    }
}

/// A draft's data, or why it has none.
async fn draft(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
) -> Result<(Versioned<ApplicationView>, DataAsked), Failed> {
    let failed = |problem| visitor.failed(problem);
    let found = portal
        .app
        .application_get(&visitor.ctx, number)
        .await
        .map_err(failed)?;
    if !found.value.possible.contains(&Verb::Amend) {
        return Err(failed(Problem::new(
            409,
            "state_conflict",
            "the application cannot be changed now",
        )));
    }
    match &found.value.application.asked {
        Asked::Data(data) => {
            let data = (**data).clone();
            Ok((found, data))
        }
        Asked::Role(_) => Err(failed(Problem::not_found())),
    }
}

fn step_page(portal: &Portal, visitor: &Visitor, number: &str, title: &str) -> Page {
    visitor
        .page(&portal.app, visitor.lang.t(title))
        .under("/applications", visitor.lang.t("nav-applications"))
        .under(&format!("/applications/{number}"), number.to_owned())
}

/// Merges the step's members in; on to the next step, or an answer for the script that keeps drafts.
async fn keep(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    form: &Form,
    patch: Value,
    next: &str,
) -> Result<Response, Result<Failed, Vec<Fault>>> {
    let version = form.text("version").parse().ok();
    let kept = portal
        .app
        .application_update(&visitor.ctx, number, &patch, version)
        .await;
    match kept {
        Ok(kept) if form.text("do") == "keep" => {
            let at = visitor.lang.moment(visitor.ctx.now);
            let said = visitor.lang.with("draft-kept", &[("at", &at)]);
            Ok(format!("{said}\n{}", kept.version).into_response())
        }
        Ok(_) => Ok(see(&visitor.url(&format!("/applications/{number}{next}")))),
        Err(problem) if problem.status == 422 => Err(Err(problem.faults)),
        Err(problem) => Err(Ok(visitor.failed(problem))),
    }
}

// ---- fields ----

#[derive(Template)]
#[template(path = "application_fields.html")]
struct FieldsPage {
    page: Page,
    number: String,
    version: i64,
    dataset: String,
    leaves: Vec<FieldChoice>,
    faults: Vec<FormFault>,
    sample: String,
    law_all: String,
}

struct FieldChoice {
    leaf: Leaf,
    asked: bool,
    law: String,
    fault: Option<String>,
}

/// `GET /applications/{number}/fields`
pub async fn fields_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let (found, data) = draft(&portal, &visitor, &number).await?;
    let laws: HashMap<&str, &str> = data
        .fields
        .iter()
        .map(|asked| (asked.field.as_str(), asked.law.as_str()))
        .collect();
    Ok(html(&fields_page(&portal, &visitor, &found, &data, &laws, &[])))
}

fn fields_page(
    portal: &Portal,
    visitor: &Visitor,
    found: &Versioned<ApplicationView>,
    data: &DataAsked,
    laws: &HashMap<&str, &str>,
    faults: &[Fault],
) -> FieldsPage {
    let number = found.value.application.number.to_string();
    let name = data.dataset.as_str();
    let definition = portal.app.definition_of(name);
    let leaves = definition.map_or_else(Vec::new, |definition| words::leaves(visitor.lang, &definition));
    let faults = form_faults(visitor, faults);
    let asked: Vec<String> = leaves
        .iter()
        .filter(|leaf| laws.contains_key(leaf.path.as_str()))
        .map(|leaf| leaf.path.clone())
        .collect();
    let choice = |leaf: Leaf| {
        let law = laws.get(leaf.path.as_str());
        let id = format!("law-{}", leaf.path);
        FieldChoice {
            asked: law.is_some(),
            law: law.copied().unwrap_or_default().to_owned(),
            fault: faults
                .iter()
                .find(|fault| fault.at == id)
                .map(|fault| fault.text.clone()),
            leaf,
        }
    };
    FieldsPage {
        page: step_page(portal, visitor, &number, "draft-fields"),
        sample: sample(portal, visitor, name, &asked),
        dataset: description(portal, name).unwrap_or_else(|| name.to_owned()),
        version: found.version,
        leaves: leaves.into_iter().map(choice).collect(),
        faults,
        number,
        law_all: String::new(),
    }
}

/// Exactly what these fields would give, of records made up.
fn sample(portal: &Portal, visitor: &Visitor, dataset: &str, fields: &[String]) -> String {
    if fields.is_empty() {
        return visitor.lang.t("preview-none");
    }
    let query = PreviewQuery {
        seed: 1,
        records: Some(2),
    };
    match portal.app.preview(&visitor.ctx, dataset, Some(fields), &query) {
        Ok(preview) => {
            let records: Vec<String> = preview
                .records
                .iter()
                .map(|record| indented(record.get()))
                .collect();
            records.join("\n")
        }
        Err(_) => visitor.lang.t("preview-none"),
    }
}

/// `GET /applications/{number}/preview?field=A&field=B`: text, for the script.
pub async fn preview_text(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let (_, data) = draft(&portal, &visitor, &number).await?;
    let query = visitor.path.split_once('?').map_or("", |(_, query)| query);
    let fields: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "field")
        .map(|(_, value)| value.into_owned())
        .take(2_000)
        .collect();
    Ok(sample(&portal, &visitor, data.dataset.as_str(), &fields).into_response())
}

/// `POST /applications/{number}/fields`
pub async fn fields_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let written: HashMap<&str, &str> = form.named("law:").collect();
    let all = form.text("law-all");
    let laws: HashMap<&str, &str> = form
        .all("field")
        .map(|field| {
            let law = written.get(field).copied().unwrap_or_default();
            (field, if law.is_empty() { all } else { law })
        })
        .collect();
    let fields: Vec<Value> = form
        .all("field")
        .map(|field| json!({ "field": field, "law": laws.get(field) }))
        .collect();
    let patch = json!({ "fields": fields });
    match keep(&portal, &visitor, &number, &form, patch, "/purpose").await {
        Ok(response) => Ok(response),
        Err(Ok(failed)) => Err(failed),
        Err(Err(faults)) => {
            let (found, data) = draft(&portal, &visitor, &number).await?;
            Ok(wrong(&fields_page(
                &portal, &visitor, &found, &data, &laws, &faults,
            )))
        }
    }
}

/// The form again, with what was typed and what is wrong.
fn wrong(page: &impl Template) -> Response {
    let mut response = html(page);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

// ---- purpose ----

#[derive(Template)]
#[template(path = "application_purpose.html")]
struct PurposePage {
    page: Page,
    number: String,
    version: i64,
    purpose: String,
    legal_basis: String,
    use_case: String,
    processor: String,
    faults: Vec<FormFault>,
}

impl PurposePage {
    fn fault(&self, at: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|fault| fault.at == at)
            .map(|fault| fault.text.as_str())
    }
}

/// `GET /applications/{number}/purpose`
pub async fn purpose_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let (found, data) = draft(&portal, &visitor, &number).await?;
    Ok(html(&PurposePage {
        page: step_page(&portal, &visitor, &number, "draft-purpose"),
        version: found.version,
        purpose: data.purpose,
        legal_basis: data.legal_basis,
        use_case: data.use_case,
        processor: data
            .processor
            .map(|number| number.to_string())
            .unwrap_or_default(),
        faults: Vec::new(),
        number,
    }))
}

/// `POST /applications/{number}/purpose`
pub async fn purpose_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let processor = Some(form.text("processor")).filter(|text| !text.is_empty());
    let patch = json!({
        "purpose": form.text("purpose"),
        "legal_basis": form.text("legal_basis"),
        "use_case": form.text("use_case"),
        "processor": processor,
    });
    match keep(&portal, &visitor, &number, &form, patch, "/terms").await {
        Ok(response) => Ok(response),
        Err(Ok(failed)) => Err(failed),
        Err(Err(faults)) => Ok(wrong(&PurposePage {
            page: step_page(&portal, &visitor, &number, "draft-purpose"),
            version: form.text("version").parse().unwrap_or_default(),
            purpose: form.text("purpose").to_owned(),
            legal_basis: form.text("legal_basis").to_owned(),
            use_case: form.text("use_case").to_owned(),
            processor: form.text("processor").to_owned(),
            faults: form_faults(&visitor, &faults),
            number,
        })),
    }
}

/// `POST /applications/{number}/role`: on what grounds the institution is to be a provider or recipient.
pub async fn role_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let patch = json!({ "grounds": form.text("grounds") });
    match keep(&portal, &visitor, &number, &form, patch, "/check").await {
        Ok(response) => Ok(response),
        Err(Ok(failed)) => Err(failed),
        Err(Err(faults)) => Err(visitor.failed(Problem::invalid(faults))),
    }
}

// ---- check and send ----

#[derive(Template)]
#[template(path = "application_check.html")]
struct CheckPage {
    page: Page,
    number: String,
    version: i64,
    summary: super::show::Summary,
    faults: Vec<FormFault>,
    /// Where each fault is mended, beside its text.
    places: Vec<String>,
    /// The day a decision would be due.
    again: bool,
    provider: String,
    sample: String,
}

/// `GET /applications/{number}/check`: everything once more, before it is sent.
pub async fn check_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let found = portal
        .app
        .application_get(&visitor.ctx, &number)
        .await
        .map_err(failed)?;
    if !found.value.possible.contains(&Verb::Submit) {
        return Ok(see(&visitor.url(&format!("/applications/{number}"))));
    }
    let faults = portal
        .app
        .application_check(&visitor.ctx, &number)
        .await
        .map_err(failed)?;
    Ok(html(&check_page(&portal, &visitor, &found, &faults)))
}

fn check_page(
    portal: &Portal,
    visitor: &Visitor,
    found: &Versioned<ApplicationView>,
    faults: &[Fault],
) -> CheckPage {
    let application = &found.value.application;
    let number = application.number.to_string();
    let fields: Vec<String> = application.asked.fields().map(str::to_owned).collect();
    let dataset = application.asked.data().map(|data| data.dataset.to_string());
    CheckPage {
        page: step_page(portal, visitor, &number, "draft-check"),
        version: found.version,
        summary: super::show::summary(portal, visitor, application),
        places: faults
            .iter()
            .map(|fault| step_of(&fault.place).to_owned())
            .collect(),
        faults: form_faults(visitor, faults),
        again: application.stage.name() == "returned",
        provider: application.provider.as_ref().map_or_else(
            || visitor.lang.t("operator-name"),
            |number| institution(portal, number.as_str()),
        ),
        sample: dataset.map_or_else(String::new, |name| sample(portal, visitor, &name, &fields)),
        number,
    }
}

/// The step that mends a fault of this place.
fn step_of(place: &str) -> &'static str {
    let place = place.split(['.', '[']).next().unwrap_or_default();
    match place {
        "fields" => "fields",
        "purpose" | "legal_basis" | "use_case" | "processor" => "purpose",
        "grounds" => "",
        _ => "terms",
    }
}

/// `POST /applications/{number}/submit`
pub async fn submit(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let version = form.text("version").parse().ok();
    match portal
        .app
        .application_submit(&visitor.ctx, &number, version)
        .await
    {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/applications/{number}?done=submitted"))
        )),
        Err(problem) if problem.status == 422 => {
            let found = portal.app.application_get(&visitor.ctx, &number).await;
            let found = found.map_err(|problem| visitor.failed(problem))?;
            Ok(wrong(&check_page(&portal, &visitor, &found, &problem.faults)))
        }
        Err(problem) => Err(visitor.failed(problem)),
    }
}

/// Today in Riga: the earliest day a permission is asked for.
fn today(visitor: &Visitor) -> String {
    riga_date(visitor.ctx.now).to_string()
}
