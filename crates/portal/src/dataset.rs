//! One data set as everybody may know it: what it holds, whose it is, how to get it, and what it would look like.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery, preview::PreviewQuery, problem::Problem, service::ServiceDescribed,
    views::TemplateView,
};
use dagr_model::definition::{Classification, Field, Type};
use serde_json::Value;

use crate::{
    catalogue::{access, fresh},
    failed::Failed,
    lang::Lang,
    page::{Page, html, name_of},
    settings::Portal,
    visitor::Visitor,
    words::personal_text,
};

/// Fields shown on the page; a definition may have more.
const MAX_FIELDS: usize = 500;
/// As many as there can be in use.
pub const MAX_TEMPLATES: u32 = 100;

#[derive(Template)]
#[template(path = "dataset.html")]
struct DatasetPage {
    page: Page,
    name: String,
    provider: String,
    access: String,
    class: &'static str,
    is_main: bool,
    is_open: bool,
    replaced_by: Option<String>,
    legal_act: Option<String>,
    system: Option<String>,
    /// Its page, when it is registered.
    system_url: Option<String>,
    fresh: Option<String>,
    promise: Option<String>,
    recipients: usize,
    key: String,
    lists: String,
    fields: Vec<FieldRow>,
    /// Generated, never delivered.
    sample: Vec<String>,
    records_url: String,
    changes_url: String,
    public_url: Option<String>,
    templates: Vec<TemplateView>,
    /// Applications are taken under one of them only.
    template_only: bool,
    /// Whoever asks for the sandbox has it at once.
    test_access: bool,
}

pub struct FieldRow {
    pub name: String,
    /// How deep below a structured field; four at most is shown.
    pub depth: usize,
    pub comments: String,
    pub ty: String,
    /// LIST of `code(LIST)`, when it is registered.
    pub list: Option<String>,
    pub personal: String,
    pub required: bool,
}

/// `GET /datasets/{name}`
pub async fn dataset_show(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let (app, wanted) = (portal.app.clone(), name.clone());
    let found = tokio::task::spawn_blocking(move || app.service_get(&wanted)).await;
    let found = found.map_err(Problem::internal).and_then(|found| found);
    let found = found.map_err(|problem| visitor.failed(problem))?;
    let query = PreviewQuery {
        seed: 1,
        records: Some(1),
    };
    let preview = portal.app.preview(&visitor.ctx, &name, None, &query);
    let preview = preview.map_err(|problem| visitor.failed(problem))?;
    let sample = preview
        .records
        .iter()
        .map(|record| indented(record.get()))
        .collect();
    let title = found.service.description.clone();
    let page = visitor
        .page(&portal.app, title)
        .under("/", visitor.lang.t("nav-catalogue"));
    let failed = |problem| visitor.failed(problem);
    let list = ListQuery {
        after: None,
        limit: MAX_TEMPLATES,
    };
    let templates = portal.app.template_list(&visitor.ctx, &name, false, list).await;
    let rules = portal.app.rules_get(&visitor.ctx, &name).await.map_err(failed)?;
    let mut page = shown(page, found, sample);
    page.templates = templates.map_err(failed)?.items;
    page.template_only = rules.rules.template_only;
    page.test_access = rules.rules.test_access;
    if let Some(code) = &page.system
        && portal.app.system_seen(&visitor.ctx, code).await.is_ok()
    {
        page.system_url = Some(visitor.url(&format!("/systems/{code}")));
    }
    let catalog = portal.app.catalog();
    for field in &mut page.fields {
        field.list = field
            .list
            .take()
            .filter(|list| catalog.classifiers.contains_key(list));
    }
    drop(catalog);
    Ok(html(&page))
}

fn shown(page: Page, found: ServiceDescribed, sample: Vec<String>) -> DatasetPage {
    let lang = page.lang;
    let ServiceDescribed {
        service, definition, ..
    } = found;
    let (access, class) = access(lang, service.classification);
    let link = |name: &str| service.links.get(name).and_then(Value::as_str).map(str::to_owned);
    let source = definition.source.as_ref();
    let mut fields = Vec::new();
    rows(lang, &definition.fields, 0, &mut fields);
    DatasetPage {
        name: service.name.to_string(),
        provider: name_of(
            &service.provider.name,
            service.provider.registration_number.as_str(),
        ),
        access,
        class,
        is_main: found.is_main,
        is_open: service.classification == Classification::Open,
        replaced_by: found.replaced_by.map(|name| name.to_string()),
        legal_act: source.and_then(|source| source.legal_act.clone()),
        system_url: None,
        system: source.and_then(|source| source.system.clone()),
        fresh: service.freshness.as_deref().and_then(|text| fresh(lang, text)),
        promise: definition
            .freshness_s
            .map(|seconds| lang.with("dataset-promise", &[("delay", &delay(lang, seconds))])),
        recipients: found.recipients,
        key: service.key.join(", "),
        lists: service.change_lists.join(", "),
        fields,
        sample,
        records_url: link("records").unwrap_or_default(),
        changes_url: link("changes").unwrap_or_default(),
        public_url: link("public"),
        templates: Vec::new(),
        template_only: false,
        test_access: false,
        page,
    }
}

pub fn rows(lang: Lang, fields: &[Field], depth: usize, out: &mut Vec<FieldRow>) {
    for field in fields {
        if out.len() == MAX_FIELDS {
            return;
        }
        let personal = field.personal.map(|personal| personal_text(lang, personal));
        out.push(FieldRow {
            name: field.name.clone(),
            depth: depth.min(4),
            comments: field.comments.clone(),
            ty: type_text(lang, field),
            list: match &field.ty {
                Type::Code(list) => Some(list.clone()),
                _ => None,
            },
            personal: personal.unwrap_or_default(),
            required: field.required,
        });
        rows(lang, &field.fields, depth + 1, out);
    }
}

/// `code(PAGASTS)` → `kods no saraksta PAGASTS`.
fn type_text(lang: Lang, field: &Field) -> String {
    let text = match &field.ty {
        Type::Code(list) => lang.with("type-code", &[("list", list)]),
        other => {
            let name = format!("type-{}", other.to_string().replace('_', "-"));
            lang.known(&name).unwrap_or_else(|| other.to_string())
        }
    };
    if field.list {
        lang.with("type-list", &[("of", &text)])
    } else {
        text
    }
}

pub fn delay(lang: Lang, seconds: u64) -> String {
    match seconds {
        0..=119 => lang.n("delay-seconds", seconds),
        120..=7_199 => lang.n("delay-minutes", seconds / 60),
        7_200..=172_799 => lang.n("delay-hours", seconds / 3_600),
        _ => lang.n("delay-days", seconds / 86_400),
    }
}

pub fn indented(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}
