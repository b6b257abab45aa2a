//! Templates of a data set: what its provider offers for one use, made by its head or data manager.

use std::collections::HashMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    views::{Rules, RulesPut, RulesView, TemplatePut, TemplateState, TemplateView},
};
use dagr_model::{
    application::FieldAsked,
    permission::{QuotaUnit, Scope},
    template::Template,
};

use super::page_of;
use crate::{
    application::{FormFault, form_faults},
    failed::Failed,
    form::{Form, Posted},
    page::{Page, html, see, wrong},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::{self, Leaf},
};

/// All there can be in use, and as many retired ones.
const SHOWN: u32 = 200;

#[derive(askama::Template)]
#[template(path = "templates.html")]
struct TemplatesPage {
    page: Page,
    name: String,
    active: Vec<TemplateView>,
    retired: Vec<TemplateView>,
    rules: RulesView,
    has_sandbox: bool,
    /// Holds records, and only what the platform made.
    is_generated: bool,
    faults: Vec<FormFault>,
}

/// `GET /my-datasets/{name}/templates`
pub async fn template_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let mut page = list_page(&portal, &visitor, &name).await.map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn list_page(portal: &Portal, visitor: &Visitor, name: &str) -> Result<TemplatesPage, Problem> {
    own(portal, visitor, name)?;
    let list = ListQuery {
        after: None,
        limit: SHOWN,
    };
    let found = portal.app.template_list(&visitor.ctx, name, true, list).await?;
    let (active, retired) = found
        .items
        .into_iter()
        .partition(|template| template.state == TemplateState::Active);
    Ok(TemplatesPage {
        page: page_of(portal, visitor, name, visitor.lang.t("templates-title")),
        rules: portal.app.rules_get(&visitor.ctx, name).await?,
        has_sandbox: portal
            .app
            .catalog()
            .live(dagr_model::ids::Section::Sandbox, name)
            .is_some(),
        is_generated: portal
            .app
            .sandbox_is_generated(&dagr_model::ids::DatasetName::new(name))
            .await?,
        name: name.to_owned(),
        active,
        retired,
        faults: Vec::new(),
    })
}

/// Somebody else's set has no such pages.
fn own(portal: &Portal, visitor: &Visitor, name: &str) -> Result<(), Problem> {
    if portal.app.may_make_templates(&visitor.ctx, name) {
        Ok(())
    } else {
        Err(Problem::dataset_unknown())
    }
}

/// `POST /my-datasets/{name}/templates`: what was decided beforehand.
pub async fn rules_post(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let put = RulesPut {
        rules: Rules {
            template_only: form.has("template_only"),
            test_access: form.has("test_access"),
        },
        reason: form.text("reason").to_owned(),
    };
    let version = form.text("version").parse().ok();
    match portal.app.rules_put(&visitor.ctx, &name, &put, version).await {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/my-datasets/{name}/templates?done=rules-set"))
        )),
        Err(problem) if problem.status == 422 => {
            let mut page = list_page(&portal, &visitor, &name).await.map_err(failed)?;
            page.rules.rules = put.rules;
            page.faults = form_faults(&visitor, &problem.faults);
            Ok(wrong(&page))
        }
        Err(problem) => Err(failed(problem)),
    }
}

/// `POST /my-datasets/{name}/sandbox/fill`
pub async fn sandbox_fill(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    // What is no number is refused like nought.
    let records = form.text("records").parse().unwrap_or(0);
    let seed = visitor.ctx.now.as_second().unsigned_abs();
    match portal.app.sandbox_fill(&visitor.ctx, &name, records, seed).await {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/my-datasets/{name}/templates?done=sandbox-filled"))
        )),
        Err(problem) if problem.status == 422 && problem.code == "invalid" => {
            let mut page = list_page(&portal, &visitor, &name).await.map_err(failed)?;
            page.faults = form_faults(&visitor, &problem.faults);
            Ok(wrong(&page))
        }
        Err(problem) => Err(failed(problem)),
    }
}

#[derive(askama::Template)]
#[template(path = "template.html")]
struct TemplatePage {
    page: Page,
    name: String,
    /// None: a new one.
    number: Option<i64>,
    version: i64,
    is_retired: bool,
    title: String,
    use_case: String,
    purpose: String,
    legal_basis: String,
    fields: Vec<Choice>,
    /// Way, words, held.
    ways: Vec<(String, String, bool)>,
    when: String,
    /// Named keys, set by programs: kept as they are.
    keys: usize,
    quota: String,
    counts_records: bool,
    days: String,
    reason: String,
    faults: Vec<FormFault>,
}

struct Choice {
    leaf: Leaf,
    held: bool,
    law: String,
}

impl TemplatePage {
    fn fault(&self, at: &str) -> Option<&str> {
        let found = self.faults.iter().find(|fault| fault.at == at);
        found.map(|fault| fault.text.as_str())
    }
}

/// `GET /my-datasets/{name}/templates/new`
pub async fn template_new(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    own(&portal, &visitor, &name).map_err(|problem| visitor.failed(problem))?;
    Ok(html(&form_page(&portal, &visitor, &name, None, &empty())))
}

/// `GET /my-datasets/{name}/templates/{number}`
pub async fn template_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path((name, number)): Path<(String, i64)>,
) -> Result<Response, Failed> {
    let found = of_set(&portal, &visitor, &name, number).await?;
    Ok(html(&form_page(
        &portal,
        &visitor,
        &name,
        Some(&found),
        &found.template,
    )))
}

async fn of_set(portal: &Portal, visitor: &Visitor, name: &str, number: i64) -> Result<TemplateView, Failed> {
    let failed = |problem| visitor.failed(problem);
    own(portal, visitor, name).map_err(failed)?;
    let found = portal
        .app
        .template_get(&visitor.ctx, number)
        .await
        .map_err(failed)?;
    if found.dataset.as_str() == name {
        Ok(found)
    } else {
        Err(failed(Problem::not_found()))
    }
}

/// `POST /my-datasets/{name}/templates/new`
pub async fn template_create(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let put = put_of(&form, None);
    match portal.app.template_create(&visitor.ctx, &name, put.clone()).await {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/my-datasets/{name}/templates?done=template-made"))
        )),
        Err(problem) => again(&portal, &visitor, &name, None, &put, problem),
    }
}

/// `POST /my-datasets/{name}/templates/{number}`: the next version, or with `retire` its end.
pub async fn template_post(
    State(portal): State<Portal>,
    Path((name, number)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let found = of_set(&portal, &visitor, &name, number).await?;
    let put = put_of(&form, found.template.scope.clone());
    let (app, ctx) = (&portal.app, &visitor.ctx);
    let (done, word) = if form.has("retire") {
        (
            app.template_retire(ctx, number, &put.reason).await,
            "template-retired",
        )
    } else {
        let version = form.text("version").parse().ok();
        (
            app.template_update(ctx, number, put.clone(), version).await,
            "template-changed",
        )
    };
    match done {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/my-datasets/{name}/templates?done={word}"))
        )),
        Err(problem) => again(&portal, &visitor, &name, Some(&found), &put, problem),
    }
}

fn again(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
    found: Option<&TemplateView>,
    put: &TemplatePut,
    mut problem: Problem,
) -> Result<Response, Failed> {
    if problem.status != 422 {
        return Err(visitor.failed(problem));
    }
    for fault in &mut problem.faults {
        if let Some(inside) = fault.place.strip_prefix("template.") {
            fault.place = inside.to_owned();
        }
    }
    let mut page = form_page(portal, visitor, name, found, &put.template);
    page.reason.clone_from(&put.reason);
    page.faults = form_faults(visitor, &problem.faults);
    Ok(wrong(&page))
}

fn put_of(form: &Form, scope: Option<Scope>) -> TemplatePut {
    let laws: HashMap<&str, &str> = form.named("law:").collect();
    let text = |name: &str| form.text(name).to_owned();
    let field = |field: &str| FieldAsked {
        field: field.to_owned(),
        law: laws.get(field).copied().unwrap_or_default().to_owned(),
    };
    let when = form.text("when");
    let keys = scope.filter(|scope| matches!(scope, Scope::Keys(_)));
    TemplatePut {
        template: Template {
            title: text("title"),
            use_case: text("use_case"),
            purpose: text("purpose"),
            legal_basis: text("legal_basis"),
            fields: form.all("field").map(field).collect(),
            ways: form.all("way").filter_map(|way| way.parse().ok()).collect(),
            scope: keys.or_else(|| (!when.is_empty()).then(|| Scope::When(when.to_owned()))),
            quota: number(form, "quota"),
            quota_unit: if form.text("quota_unit") == "record" {
                QuotaUnit::Record
            } else {
                QuotaUnit::Call
            },
            days: number(form, "days").map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        },
        reason: text("reason"),
    }
}

/// What is no number is refused like nought: from one on, or nothing.
fn number(form: &Form, name: &str) -> Option<u64> {
    let text = form.text(name);
    (!text.is_empty()).then(|| text.parse().unwrap_or(0))
}

fn empty() -> Template {
    Template {
        title: String::new(),
        use_case: String::new(),
        purpose: String::new(),
        legal_basis: String::new(),
        fields: Vec::new(),
        ways: vec![dagr_model::permission::Way::Key],
        scope: None,
        quota: None,
        quota_unit: QuotaUnit::Call,
        days: Some(365),
    }
}

fn form_page(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
    found: Option<&TemplateView>,
    template: &Template,
) -> TemplatePage {
    let lang = visitor.lang;
    let definition = portal.app.definition_of(name);
    let leaves = definition
        .as_ref()
        .map(|definition| words::leaves(lang, definition));
    let known = definition.as_deref().map(words::ways_of).unwrap_or_default();
    let choice = |leaf: Leaf| {
        let held = template.fields.iter().find(|one| one.field == leaf.path);
        Choice {
            held: held.is_some(),
            law: held.map_or_else(String::new, |one| one.law.clone()),
            leaf,
        }
    };
    let title = lang.t(if found.is_some() {
        "template-edit"
    } else {
        "template-new"
    });
    let shown = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    TemplatePage {
        page: page_of(portal, visitor, name, title).under(
            &format!("/my-datasets/{name}/templates"),
            lang.t("templates-title"),
        ),
        name: name.to_owned(),
        number: found.map(|found| found.number),
        version: found.map_or(0, |found| found.version),
        is_retired: found.is_some_and(|found| found.state == TemplateState::Retired),
        title: template.title.clone(),
        use_case: template.use_case.clone(),
        purpose: template.purpose.clone(),
        legal_basis: template.legal_basis.clone(),
        fields: leaves.unwrap_or_default().into_iter().map(choice).collect(),
        ways: known
            .iter()
            .map(|way| {
                let words = words::way(lang, way, definition.as_deref());
                (way.to_string(), words, template.ways.contains(way))
            })
            .collect(),
        when: match &template.scope {
            Some(Scope::When(when)) => when.clone(),
            _ => String::new(),
        },
        keys: match &template.scope {
            Some(Scope::Keys(keys)) => keys.len(),
            _ => 0,
        },
        quota: shown(template.quota),
        counts_records: template.quota_unit == QuotaUnit::Record,
        days: shown(template.days.map(u64::from)),
        reason: String::new(),
        faults: Vec::new(),
    }
}
