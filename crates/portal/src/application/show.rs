//! One application: what was asked, what it touches, what was said and done, and what its reader may do now.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    application::ApplicationView,
    facts::Facts,
    institution::ListQuery,
    preview::PreviewQuery,
    problem::Problem,
    views::{CommentView, EventView, Versioned},
};
use dagr_model::{
    application::{Application, Asked, DataAsked, Decision, Stage, Verb},
    clock::riga_date,
    fault::Fault,
    ids::Section,
};
use jiff::{Timestamp, civil::Date};

use super::{
    attachment::{Attachments, attachments},
    description,
    draft::{FormFault, form_faults},
    institution,
};
use crate::{
    dataset::indented,
    failed::Failed,
    form::Posted,
    lang::Lang,
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::{self, State as Word},
};

/// Events and comments on the page: more than an application ever had.
const MAX_THREAD: u32 = 200;

/// What was asked, in words.
pub struct Summary {
    pub subject: String,
    /// For a role: the grounds. Then the rest is empty.
    pub grounds: Option<String>,
    pub purpose: String,
    pub legal_basis: String,
    pub use_case: String,
    /// Number and version of the template it is asked under, and lies within.
    pub template: Option<String>,
    pub processor: Option<String>,
    pub fields: Vec<AskedField>,
    pub ways: Vec<String>,
    pub sections: String,
    pub scope: String,
    pub quota: String,
    pub validity: String,
    pub case_required: bool,
}

pub struct AskedField {
    pub path: String,
    pub meaning: String,
    pub law: String,
    pub personal: String,
    pub is_grave: bool,
    pub is_key: bool,
    /// Not in the set any more.
    pub unknown: bool,
    /// Refused, with the reason.
    pub refused: Option<String>,
    /// Other recipients that hold it.
    pub held_by: usize,
}

pub fn summary(portal: &Portal, visitor: &Visitor, application: &Application) -> Summary {
    let lang = visitor.lang;
    let subject = words::subject(lang, application, |name| description(portal, name));
    match &application.asked {
        Asked::Role(asked) => Summary {
            subject,
            grounds: Some(asked.grounds.clone()),
            purpose: String::new(),
            legal_basis: String::new(),
            use_case: String::new(),
            template: None,
            processor: None,
            fields: Vec::new(),
            ways: Vec::new(),
            sections: String::new(),
            scope: String::new(),
            quota: String::new(),
            validity: String::new(),
            case_required: false,
        },
        Asked::Data(data) => Summary {
            subject,
            grounds: None,
            purpose: data.purpose.clone(),
            legal_basis: data.legal_basis.clone(),
            use_case: data.use_case.clone(),
            template: data
                .template
                .map(|chosen| format!("{}/{}", chosen.number, chosen.version)),
            processor: data
                .processor
                .as_ref()
                .map(|number| institution(portal, number.as_str())),
            fields: asked_fields(portal, visitor, application, data),
            ways: ways(portal, lang, data),
            sections: sections(visitor, data),
            scope: words::scope(lang, data.scope.as_ref()),
            quota: words::quota(lang, data.quota, data.quota_unit),
            validity: validity(visitor, data.valid_from, data.valid_to),
            case_required: data.case_required,
        },
    }
}

fn ways(portal: &Portal, lang: Lang, data: &DataAsked) -> Vec<String> {
    let definition = portal.app.definition_of(data.dataset.as_str());
    let text = |way| words::way(lang, way, definition.as_deref());
    data.ways.iter().map(text).collect()
}

fn asked_fields(
    portal: &Portal,
    visitor: &Visitor,
    application: &Application,
    data: &DataAsked,
) -> Vec<AskedField> {
    let definition = portal.app.definition_of(data.dataset.as_str());
    let leaves = definition.map_or_else(Vec::new, |definition| words::leaves(visitor.lang, &definition));
    let refused = match &application.stage {
        Stage::Decided {
            decision: Decision::Partial { refused, .. },
            ..
        } => refused.as_slice(),
        _ => &[],
    };
    let field = |asked: &dagr_model::application::FieldAsked| {
        let leaf = leaves.iter().find(|leaf| leaf.path == asked.field);
        AskedField {
            path: asked.field.clone(),
            meaning: leaf.map_or_else(String::new, |leaf| leaf.meaning.clone()),
            law: asked.law.clone(),
            personal: leaf.map_or_else(String::new, |leaf| leaf.personal.clone()),
            is_grave: leaf.is_some_and(|leaf| leaf.is_grave),
            is_key: leaf.is_some_and(|leaf| leaf.is_key),
            unknown: leaf.is_none(),
            refused: refused
                .iter()
                .find(|refused| refused.field == asked.field)
                .map(|refused| refused.reason.clone()),
            held_by: 0,
        }
    };
    data.fields.iter().map(field).collect()
}

fn sections(visitor: &Visitor, data: &DataAsked) -> String {
    let name = |section: &Section| match section {
        Section::Main => visitor.lang.t("section-main"),
        Section::Sandbox => visitor.lang.t("section-sandbox"),
    };
    data.environments.iter().map(name).collect::<Vec<_>>().join(", ")
}

pub fn validity(visitor: &Visitor, from: Option<Date>, to: Option<Date>) -> String {
    let lang = visitor.lang;
    match (from, to) {
        (None, None) => lang.t("validity-open"),
        (Some(from), None) => lang.with("validity-from", &[("from", &lang.date(from))]),
        (None, Some(to)) => lang.with("validity-to", &[("to", &lang.date(to))]),
        (Some(from), Some(to)) => lang.with(
            "validity-between",
            &[("from", &lang.date(from)), ("to", &lang.date(to))],
        ),
    }
}

#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    page: Page,
    number: String,
    version: i64,
    state: Word,
    /// Said below the title: what it waits for, or how it ended.
    lead: String,
    applicant: String,
    provider: String,
    due: Option<Date>,
    late: bool,
    permissions: Vec<String>,
    summary: Summary,
    facts: Option<Facts>,
    joinable: Vec<(String, String)>,
    sample: String,
    remarks: Vec<(String, String)>,
    /// The last word on it, and what kind it is.
    word: Option<(String, String)>,
    events: Vec<EventRow>,
    comments: Vec<CommentRow>,
    attachments: Attachments,
    /// Of the file that was sent.
    faults: Vec<FormFault>,
    may: May,
    /// Steps of a draft that are complete: fields, purpose, terms.
    steps: [bool; 3],
    missing: usize,
}

/// What the reader may do now.
#[derive(Default)]
struct May {
    amend: bool,
    decide: bool,
    give_back: bool,
    review: bool,
    withdraw: bool,
    comment: bool,
}

struct EventRow {
    text: String,
    at: Timestamp,
    who: String,
    sealed: bool,
}

struct CommentRow {
    who: String,
    at: Timestamp,
    text: String,
}

/// `GET /applications/{number}`
pub async fn application_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(|problem| visitor.failed(problem))?;
    let page = page(&portal, &visitor, &number, done.as_deref()).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

/// The page again, with what is wrong with the file that was sent.
pub async fn with_faults(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    faults: &[Fault],
) -> Result<impl Template + use<>, Problem> {
    let mut page = page(portal, visitor, number, None).await?;
    page.faults = form_faults(visitor, faults);
    for fault in &mut page.faults {
        // There is one place to mend it: the file.
        "file".clone_into(&mut fault.at);
    }
    Ok(page)
}

async fn page(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    done: Option<&str>,
) -> Result<ApplicationPage, Problem> {
    let (app, ctx, lang) = (&portal.app, &visitor.ctx, visitor.lang);
    let found = app.application_get(ctx, number).await?;
    let thread = || ListQuery {
        after: None,
        limit: MAX_THREAD,
    };
    let events = app.application_events(ctx, number, thread()).await?.items;
    let comments = app.comment_list(ctx, number, thread()).await?.items;
    let application = &found.value.application;
    let is_data = application.asked.data().is_some();
    let facts = if is_data {
        facts(portal, visitor, number).await?
    } else {
        None
    };
    let missing = if found.value.possible.contains(&Verb::Submit) {
        app.application_check(ctx, number).await?
    } else {
        Vec::new()
    };
    let mut summary = summary(portal, visitor, application);
    if let Some(facts) = &facts {
        for field in &mut summary.fields {
            let held = facts.fields.iter().find(|known| known.field == field.path);
            field.held_by = held.map_or(0, |known| known.held_by);
        }
    }
    let today = riga_date(ctx.now);
    let title = lang.with("application-title", &[("number", number)]);
    Ok(ApplicationPage {
        page: visitor
            .page(app, title)
            .under("/applications", lang.t("nav-applications"))
            .saying(done),
        number: application.number.to_string(),
        version: found.version,
        state: words::stage(lang, &application.stage),
        lead: lead(visitor, &found),
        applicant: institution(portal, application.applicant.as_str()),
        provider: application.provider.as_ref().map_or_else(
            || lang.t("operator-name"),
            |number| institution(portal, number.as_str()),
        ),
        due: found.value.due,
        late: found.value.due.is_some_and(|due| due < today),
        permissions: found.value.permissions.iter().map(ToString::to_string).collect(),
        joinable: facts
            .as_ref()
            .map_or_else(Vec::new, |facts| joinable(portal, visitor, facts)),
        facts,
        sample: if is_data {
            sample(portal, visitor, number).await?
        } else {
            String::new()
        },
        remarks: remarks(visitor, &application.stage),
        word: word(lang, &application.stage),
        events: events
            .iter()
            .map(|event| event_row(portal, visitor, event))
            .collect(),
        comments: comments
            .into_iter()
            .map(|comment| comment_row(portal, comment))
            .collect(),
        attachments: attachments(portal, visitor, &found.value).await?,
        faults: Vec::new(),
        may: may(&found.value),
        steps: steps(&missing),
        missing: missing.len(),
        summary,
    })
}

async fn facts(portal: &Portal, visitor: &Visitor, number: &str) -> Result<Option<Facts>, Problem> {
    match portal.app.application_facts(&visitor.ctx, number).await {
        Ok(facts) => Ok(Some(facts)),
        // The set is gone: what was asked and decided stays readable.
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn sample(portal: &Portal, visitor: &Visitor, number: &str) -> Result<String, Problem> {
    let query = PreviewQuery {
        seed: 1,
        records: Some(2),
    };
    match portal.app.application_preview(&visitor.ctx, number, &query).await {
        Ok(preview) => {
            let records: Vec<String> = preview
                .records
                .iter()
                .map(|record| indented(record.get()))
                .collect();
            Ok(records.join("\n"))
        }
        Err(problem) if problem.status == 404 => Ok(String::new()),
        Err(problem) => Err(problem),
    }
}

fn may(view: &ApplicationView) -> May {
    let can = |verb| view.possible.contains(&verb);
    May {
        amend: can(Verb::Amend),
        decide: can(Verb::Decide),
        give_back: can(Verb::Return),
        review: can(Verb::Review),
        withdraw: can(Verb::Withdraw),
        comment: view.application.stage.submission().is_some(),
    }
}

/// Which steps hold nothing missing: fields, purpose, terms.
fn steps(missing: &[Fault]) -> [bool; 3] {
    let first = |fault: &Fault| {
        fault
            .place
            .split(['.', '['])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let places: Vec<String> = missing.iter().map(first).collect();
    let has = |names: &[&str]| places.iter().any(|place| names.contains(&place.as_str()));
    let purpose = ["purpose", "legal_basis", "use_case", "processor"];
    let elsewhere = places
        .iter()
        .any(|place| place != "fields" && !purpose.contains(&place.as_str()));
    [!has(&["fields"]), !has(&purpose), !elsewhere]
}

fn lead(visitor: &Visitor, found: &Versioned<ApplicationView>) -> String {
    let lang = visitor.lang;
    let application = &found.value.application;
    match (&application.stage, found.value.due) {
        (Stage::Decided { decision, at, .. }, _) => {
            let day = lang.date(riga_date(*at));
            match decision {
                Decision::Approved { .. } => lang.with("lead-approved", &[("day", &day)]),
                Decision::Partial { .. } => lang.with("lead-partial", &[("day", &day)]),
                Decision::Refused { .. } => lang.with("lead-refused", &[("day", &day)]),
            }
        }
        (_, Some(due)) => lang.with("lead-waits", &[("day", &lang.date(due))]),
        (Stage::Returned { .. }, None) => lang.t("lead-returned"),
        (Stage::Withdrawn { .. }, None) => lang.t("lead-withdrawn"),
        _ => lang.t("lead-draft"),
    }
}

fn remarks(visitor: &Visitor, stage: &Stage) -> Vec<(String, String)> {
    let Stage::Returned { remarks, .. } = stage else {
        return Vec::new();
    };
    let place = |place: &Option<String>| match place {
        None => String::new(),
        Some(place) => visitor
            .lang
            .known(&format!("place-{}", place.replace(['_', '.'], "-")))
            .unwrap_or_else(|| place.clone()),
    };
    remarks
        .iter()
        .map(|remark| (place(&remark.place), remark.text.clone()))
        .collect()
}

fn word(lang: Lang, stage: &Stage) -> Option<(String, String)> {
    match stage {
        Stage::Decided {
            decision: Decision::Refused { reason },
            ..
        }
        | Stage::Withdrawn { reason, .. } => Some((lang.t("word-reason"), reason.clone())),
        Stage::LegalReview { note, .. } => note.clone().map(|note| (lang.t("word-opinion"), note)),
        _ => None,
    }
}

fn joinable(portal: &Portal, visitor: &Visitor, facts: &Facts) -> Vec<(String, String)> {
    let by = |by: &str| {
        visitor.lang.t(if by == "org_code" {
            "type-org-code"
        } else {
            "type-person-code"
        })
    };
    let set = |set: &dagr_app::facts::JoinableSet| {
        let name = set.dataset.as_str();
        (
            description(portal, name).unwrap_or_else(|| name.to_owned()),
            by(&set.by),
        )
    };
    facts.joinable.iter().map(set).collect()
}

fn event_row(portal: &Portal, visitor: &Visitor, event: &EventView) -> EventRow {
    EventRow {
        text: visitor.lang.t(&format!("event-{}", event.kind)),
        at: event.at,
        who: format!(
            "{}, {}",
            event.person_name,
            institution(portal, event.institution.as_str())
        ),
        sealed: event.seal.is_some(),
    }
}

fn comment_row(portal: &Portal, comment: CommentView) -> CommentRow {
    CommentRow {
        who: format!(
            "{}, {}",
            comment.person_name,
            institution(portal, comment.institution.as_str())
        ),
        at: comment.at,
        text: comment.text,
    }
}

/// `POST /applications/{number}/comments`
pub async fn comment_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let made = portal
        .app
        .comment_create(&visitor.ctx, &number, form.text("text"))
        .await;
    made.map_err(|problem| visitor.failed(problem))?;
    Ok(see(
        &visitor.url(&format!("/applications/{number}?done=commented#thread"))
    ))
}
