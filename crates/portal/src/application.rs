//! Applications: the list, a new one, and one as its reader may see it.

mod attachment;
mod decide;
mod draft;
mod show;

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{
    application::{ApplicationQuery, ApplicationView},
    institution::ListQuery,
    problem::Problem,
    views::{ApplicationOrder, Page as ListPage, TemplateView, Versioned},
};
use dagr_model::{
    application::{APPLICANTS, Asked, DataAsked, InstitutionRole, RoleAsked, Stage},
    clock::riga_date,
    ids::DatasetName,
    template::TemplateUse,
};
use jiff::civil::Date;

pub use attachment::{attachment_get, attachment_list, attachment_post};
pub use decide::{application_decide, application_review, application_withdraw};
pub use draft::{FormFault, form_faults};
pub use draft::{
    check_show, fields_post, fields_show, preview_text, purpose_post, purpose_show, role_post, submit,
    terms_post, terms_show,
};
pub use show::{application_show, comment_post};

use crate::{
    failed::Failed,
    form::Posted,
    page::{Page, html, name_of, see},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::{self, State as Word},
};

/// Applications on one page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "applications.html")]
struct ApplicationsPage {
    page: Page,
    rows: Vec<Row>,
    /// `applicant`, `provider` or both.
    side: String,
    stage: String,
    stages: Vec<(&'static str, String)>,
    operator: bool,
    next: Option<String>,
}

/// One application in a list.
pub struct Row {
    pub number: String,
    pub subject: String,
    pub applicant: String,
    pub state: Word,
    pub due: Option<Date>,
    pub late: bool,
}

/// `GET /applications?side=&stage=&after=`
pub async fn application_list(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let side = query.take("side").map_err(failed)?.unwrap_or_default();
    let stage = query.take("stage").map_err(failed)?.unwrap_or_default();
    let after = query.take("after").map_err(failed)?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let asked = ApplicationQuery {
        side: Some(side.clone()).filter(|side| !side.is_empty()),
        stage: Some(stage.clone()).filter(|stage| !stage.is_empty()),
        page: ListQuery { after, limit: PAGE },
        ..ApplicationQuery::default()
    };
    let found = portal
        .app
        .application_list(&visitor.ctx, asked)
        .await
        .map_err(failed)?;
    let next = found.next.as_ref().map(|after| {
        let words = form_urlencoded::Serializer::new(String::new())
            .append_pair("side", &side)
            .append_pair("stage", &stage)
            .append_pair("after", after)
            .finish();
        visitor.url(&format!("/applications?{words}"))
    });
    let lang = visitor.lang;
    Ok(html(&ApplicationsPage {
        page: visitor
            .page(&portal.app, lang.t("nav-applications"))
            .saying(done.as_deref()),
        rows: rows(&portal, &visitor, &found),
        stages: Stage::NAMES
            .into_iter()
            .map(|name| (name, lang.t(&format!("stage-{}", name.replace('_', "-")))))
            .collect(),
        operator: visitor.ctx.operator().is_ok(),
        side,
        stage,
        next,
    }))
}

/// Rows of a list, with names instead of numbers.
pub fn rows(portal: &Portal, visitor: &Visitor, found: &ListPage<Versioned<ApplicationView>>) -> Vec<Row> {
    let today = riga_date(visitor.ctx.now);
    let row = |found: &Versioned<ApplicationView>| {
        let view = &found.value;
        Row {
            number: view.application.number.to_string(),
            subject: words::subject(visitor.lang, &view.application, |name| description(portal, name)),
            applicant: institution(portal, view.application.applicant.as_str()),
            state: words::stage(visitor.lang, &view.application.stage),
            due: view.due,
            late: view.due.is_some_and(|due| due < today),
        }
    };
    found.items.iter().map(row).collect()
}

/// The applications that wait for a decision, the earliest due first.
pub async fn due(portal: &Portal, visitor: &Visitor, side: &str, limit: u32) -> Result<Vec<Row>, Problem> {
    let query = ApplicationQuery {
        side: Some(side.to_owned()),
        order: ApplicationOrder::Due,
        page: ListQuery { after: None, limit },
        ..ApplicationQuery::default()
    };
    let found = portal.app.application_list(&visitor.ctx, query).await?;
    Ok(rows(portal, visitor, &found))
}

pub(crate) fn description(portal: &Portal, dataset: &str) -> Option<String> {
    portal
        .app
        .definition_of(dataset)
        .map(|definition| definition.description.clone())
}

pub(crate) fn institution(portal: &Portal, number: &str) -> String {
    let catalog = portal.app.catalog();
    let known = catalog.institutions.get(number);
    name_of(known.map_or("", |name| name), number)
}

#[derive(Template)]
#[template(path = "application_new.html")]
struct NewPage {
    page: Page,
    /// Name and description.
    dataset: Option<(String, String)>,
    provider: String,
    /// Whether the person may apply for the institution acted for.
    may: bool,
    institution: Option<String>,
    /// Those in use; the chosen one first asked for by the link.
    templates: Vec<TemplateView>,
    chosen: Option<i64>,
    template_only: bool,
}

/// `GET /applications/new?dataset=&template=`
pub async fn application_new(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let name = query.take("dataset").map_err(failed)?;
    let chosen = query.take("template").map_err(failed)?;
    query.end().map_err(failed)?;
    let acting = visitor.ctx.acting_for();
    let provider = name.as_deref().map(|name| provider_of(&portal, name));
    let dataset = match name {
        Some(name) => {
            let text = description(&portal, &name).ok_or_else(|| failed(Problem::dataset_unknown()))?;
            Some((name, text))
        }
        None => None,
    };
    let (templates, template_only) = match &dataset {
        Some((name, _)) => offered(&portal, &visitor, name).await.map_err(failed)?,
        None => (Vec::new(), false),
    };
    Ok(html(&NewPage {
        chosen: chosen.and_then(|number| number.parse().ok()),
        templates,
        template_only,
        page: visitor
            .page(&portal.app, visitor.lang.t("application-new"))
            .under("/applications", visitor.lang.t("nav-applications")),
        dataset,
        provider: provider.unwrap_or_default(),
        may: acting.is_some_and(|acting| acting.holds(APPLICANTS)),
        institution: acting.map(|acting| institution(&portal, acting.institution.as_str())),
    }))
}

/// Templates to choose from, and whether one must be.
async fn offered(
    portal: &Portal,
    visitor: &Visitor,
    dataset: &str,
) -> Result<(Vec<TemplateView>, bool), Problem> {
    let list = ListQuery {
        after: None,
        limit: crate::dataset::MAX_TEMPLATES,
    };
    let (app, ctx) = (&portal.app, &visitor.ctx);
    let templates = app.template_list(ctx, dataset, false, list).await?;
    let rules = app.rules_get(ctx, dataset).await?;
    Ok((templates.items, rules.rules.template_only))
}

fn provider_of(portal: &Portal, dataset: &str) -> String {
    let number = portal
        .app
        .catalog()
        .datasets
        .get(dataset)
        .map(|set| set.provider.clone());
    number.map_or_else(String::new, |number| institution(portal, number.as_str()))
}

/// `POST /applications`: a draft of the institution acted for.
pub async fn application_create(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let asked = match form.text("role") {
        "provider" => role_asked(InstitutionRole::Provider),
        "recipient" => role_asked(InstitutionRole::Recipient),
        _ => {
            let mut asked = DataAsked::about(DatasetName::new(form.text("dataset")));
            if let Ok(number) = form.text("template").parse() {
                let found = portal.app.template_get(&visitor.ctx, number).await;
                let version = found.map_err(|problem| visitor.failed(problem))?.version;
                asked.template = Some(TemplateUse { number, version });
            }
            Asked::Data(Box::new(asked))
        }
    };
    let made = portal.app.application_create(&visitor.ctx, asked).await;
    let made = made.map_err(|problem| visitor.failed(problem))?;
    Ok(see(&visitor.url(&format!(
        "/applications/{}",
        made.value.application.number
    ))))
}

fn role_asked(role: InstitutionRole) -> Asked {
    Asked::Role(RoleAsked {
        role,
        grounds: String::new(),
    })
}
