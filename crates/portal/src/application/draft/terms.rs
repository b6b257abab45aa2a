//! How the data are to be had: ways, section, persons or rows, limits and time.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{application::ApplicationView, views::Versioned};
use dagr_model::{
    application::DataAsked,
    definition::{Definition, Type},
    fault::Fault,
    ids::Section,
    permission::{QuotaUnit, Scope},
};
use serde_json::{Map, Value, json};

use super::{FormFault, draft, form_faults, keep, step_page, today, wrong};
use crate::{
    failed::Failed,
    form::{Form, Posted, date},
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
    words,
};

#[derive(Template)]
#[template(path = "application_terms.html")]
struct TermsPage {
    page: Page,
    number: String,
    version: i64,
    /// Way, words, asked.
    ways: Vec<(String, String, bool)>,
    main: bool,
    sandbox: bool,
    /// `all`, `keys` or `when`.
    scope: String,
    keys: String,
    key_example: String,
    when: String,
    quota: String,
    /// `call` or `record`.
    quota_unit: String,
    valid_from: String,
    valid_to: String,
    today: String,
    case_required: bool,
    faults: Vec<FormFault>,
}

impl TermsPage {
    fn fault(&self, at: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|fault| fault.at == at)
            .map(|fault| fault.text.as_str())
    }
}

/// `GET /applications/{number}/terms`
pub async fn terms_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let (found, data) = draft(&portal, &visitor, &number).await?;
    Ok(html(&of_draft(&portal, &visitor, &found, &data)))
}

fn of_draft(
    portal: &Portal,
    visitor: &Visitor,
    found: &Versioned<ApplicationView>,
    data: &DataAsked,
) -> TermsPage {
    let number = found.value.application.number.to_string();
    let definition = portal.app.definition_of(data.dataset.as_str());
    let known = definition.as_deref().map(words::ways_of).unwrap_or_default();
    let ways = known.iter().map(|way| {
        let asked = data.ways.contains(way);
        (
            way.to_string(),
            words::way(visitor.lang, way, definition.as_deref()),
            asked,
        )
    });
    let text = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    TermsPage {
        page: step_page(portal, visitor, &number, "draft-terms"),
        version: found.version,
        ways: ways.collect(),
        main: data.environments.contains(&Section::Main),
        sandbox: data.environments.contains(&Section::Sandbox),
        scope: match &data.scope {
            None => "all".to_owned(),
            Some(Scope::Keys(_)) => "keys".to_owned(),
            Some(Scope::When(_)) => "when".to_owned(),
        },
        keys: match &data.scope {
            Some(Scope::Keys(keys)) => keys
                .iter()
                .map(|key| key_line(key))
                .collect::<Vec<_>>()
                .join("\n"),
            _ => String::new(),
        },
        key_example: definition.map_or_else(String::new, |definition| {
            definition.key.fields().collect::<Vec<_>>().join(" / ")
        }),
        when: match &data.scope {
            Some(Scope::When(text)) => text.clone(),
            _ => String::new(),
        },
        quota: data.quota.map(|quota| quota.to_string()).unwrap_or_default(),
        quota_unit: match data.quota_unit {
            QuotaUnit::Call => "call".to_owned(),
            QuotaUnit::Record => "record".to_owned(),
        },
        valid_from: text(data.valid_from),
        valid_to: text(data.valid_to),
        today: today(visitor),
        case_required: data.case_required,
        faults: Vec::new(),
        number,
    }
}

fn key_line(key: &[Value]) -> String {
    let part = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    key.iter().map(part).collect::<Vec<_>>().join(" / ")
}

/// `POST /applications/{number}/terms`
pub async fn terms_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let (found, data) = draft(&portal, &visitor, &number).await?;
    let definition = portal.app.definition_of(data.dataset.as_str());
    let again = |faults: &[Fault]| {
        let mut page = of_draft(&portal, &visitor, &found, &data);
        typed(&mut page, &form);
        page.faults = form_faults(&visitor, faults);
        wrong(&page)
    };
    let patch = match read(&form, definition.as_deref()) {
        Ok(patch) => patch,
        Err(faults) => return Ok(again(&faults)),
    };
    match keep(&portal, &visitor, &number, &form, patch, "/check").await {
        Ok(response) => Ok(response),
        Err(Ok(failed)) => Err(failed),
        Err(Err(faults)) => Ok(again(&faults)),
    }
}

/// What was typed, as it was typed.
fn typed(page: &mut TermsPage, form: &Form) {
    let text = |name: &str| form.text(name).to_owned();
    for (way, _, asked) in &mut page.ways {
        *asked = form.all("way").any(|sent| sent == way);
    }
    page.main = form.has("main");
    page.sandbox = form.has("sandbox");
    page.scope = text("scope");
    page.keys = text("keys");
    page.when = text("when");
    page.quota = text("quota");
    page.quota_unit = text("quota_unit");
    page.valid_from = text("valid_from");
    page.valid_to = text("valid_to");
    page.case_required = form.has("case_required");
    page.version = text("version").parse().unwrap_or(page.version);
}

fn read(form: &Form, definition: Option<&Definition>) -> Result<Value, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut patch = Map::new();
    let sections = [("main", Section::Main), ("sandbox", Section::Sandbox)];
    let chosen: Vec<_> = sections
        .into_iter()
        .filter(|(name, _)| form.has(name))
        .map(|(_, section)| section)
        .collect();
    patch.insert("environments".to_owned(), json!(chosen));
    patch.insert("ways".to_owned(), form.all("way").map(str::to_owned).collect());
    patch.insert("scope".to_owned(), scope(form, definition));
    patch.insert("case_required".to_owned(), form.has("case_required").into());
    patch.insert("quota".to_owned(), quota(form, &mut faults));
    let unit = if form.text("quota_unit") == "record" {
        "record"
    } else {
        "call"
    };
    patch.insert("quota_unit".to_owned(), unit.into());
    for name in ["valid_from", "valid_to"] {
        patch.insert(name.to_owned(), json!(date(form, name, &mut faults)));
    }
    if faults.is_empty() {
        Ok(Value::Object(patch))
    } else {
        Err(faults)
    }
}

fn quota(form: &Form, faults: &mut Vec<Fault>) -> Value {
    // People write thousands with spaces.
    let text: String = form
        .text("quota")
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    if text.is_empty() {
        return Value::Null;
    }
    match text.parse::<u64>() {
        Ok(quota) if quota > 0 => quota.into(),
        _ => {
            faults.push(Fault::new(
                "quota",
                "number",
                "a whole number above zero, or nothing",
            ));
            Value::Null
        }
    }
}

/// Merged as a whole: what one kind of scope leaves is not for the other to find.
fn scope(form: &Form, definition: Option<&Definition>) -> Value {
    match form.text("scope") {
        "keys" => {
            let lines = form
                .text("keys")
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty());
            let keys: Vec<Value> = lines.map(|line| key(line, definition)).collect();
            json!({ "keys": keys, "when": null })
        }
        "when" => json!({ "when": form.text("when"), "keys": null }),
        _ => Value::Null,
    }
}

/// Parts between slashes; numbers where the key holds numbers.
fn key(line: &str, definition: Option<&Definition>) -> Value {
    let names: Vec<&str> = definition.map_or_else(Vec::new, |definition| definition.key.fields().collect());
    let is_number = |at: usize| {
        let field = names.get(at).and_then(|name| definition?.field(name));
        field.is_some_and(|field| field.ty == Type::Int)
    };
    let part = |(at, text): (usize, &str)| {
        let number = text.parse::<i64>().ok().filter(|_| is_number(at));
        number.map_or_else(|| Value::from(text), Value::from)
    };
    line.split('/').map(str::trim).enumerate().map(part).collect()
}
