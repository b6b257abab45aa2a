//! Plans of transition: the board, a new plan, and one with the steps of both sides.

mod act;
mod create;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    plan::{PlanHead, PlanQuery, PlanView, StepView},
    problem::Problem,
    views::{CommentView, PlanEventView, Versioned},
};
use dagr_model::{
    definition::EvolutionClass,
    plan::{Evidence, EvidenceKind, PLANNERS, PlanStage, Scenario, StepState, Subject},
};
use jiff::{Timestamp, civil::Date};

pub use act::{plan_close, plan_comment, plan_invite, plan_step, plan_update};
pub use create::{plan_create, plan_new};

use crate::{
    application::{description, institution},
    failed::Failed,
    lang::Lang,
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::State as Word,
};

/// Plans on one page of the board.
const PAGE: u32 = 50;
/// Comments and events on a plan's page.
const MAX_THREAD: u32 = 200;

#[derive(Template)]
#[template(path = "plans.html")]
struct PlansPage {
    page: Page,
    rows: Vec<Row>,
    /// `open`, `closed`, or all.
    stage: String,
    late: bool,
    may: bool,
    next: Option<String>,
}

struct Row {
    number: String,
    title: String,
    scenario: String,
    provider: String,
    recipients: usize,
    due: Option<Date>,
    late: bool,
    closed: bool,
    done: usize,
    total: usize,
}

/// `GET /plans?stage=&late=&after=`: late ones first.
pub async fn plan_list(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let stage = query.take("stage").map_err(failed)?.unwrap_or_default();
    let late = query
        .take("late")
        .map_err(failed)?
        .is_some_and(|late| late == "yes");
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    let asked = PlanQuery {
        stage: Some(stage.clone()).filter(|stage| !stage.is_empty()),
        late,
        page: ListQuery { after, limit: PAGE },
        ..PlanQuery::default()
    };
    let found = portal.app.plan_list(&visitor.ctx, asked).await.map_err(failed)?;
    let next = found.next.as_ref().map(|after| {
        let words = form_urlencoded::Serializer::new(String::new())
            .append_pair("stage", &stage)
            .append_pair("after", after)
            .finish();
        visitor.url(&format!("/plans?{words}"))
    });
    let planner = |acting: &dagr_app::ctx::Acting| acting.holds(PLANNERS);
    Ok(html(&PlansPage {
        page: visitor.page(&portal.app, visitor.lang.t("nav-plans")),
        rows: found
            .items
            .iter()
            .map(|found| row(visitor.lang, &found.value))
            .collect(),
        may: visitor.ctx.acting_for().is_some_and(planner),
        stage,
        late,
        next,
    }))
}

fn row(lang: Lang, head: &PlanHead) -> Row {
    Row {
        number: head.number.to_string(),
        title: head.title.clone(),
        scenario: scenario(lang, head.scenario),
        provider: head.provider_name.clone(),
        recipients: head.recipients.len(),
        due: head.due,
        late: head.late,
        closed: head.stage != PlanStage::Open,
        done: head.steps_total - head.steps_open,
        total: head.steps_total,
    }
}

pub(super) fn scenario(lang: Lang, scenario: Scenario) -> String {
    match scenario {
        Scenario::NewDataset => lang.t("scenario-new"),
        Scenario::MoveToDagr => lang.t("scenario-move"),
        Scenario::BehindApiManager => lang.t("scenario-behind"),
    }
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    page: Page,
    number: String,
    version: i64,
    title: String,
    description: String,
    scenario: String,
    subject: String,
    /// Of a data set in the catalogue.
    dataset: Option<String>,
    provider: String,
    period: Option<(Date, Date)>,
    /// Said where it is closed.
    closed: Option<String>,
    due: Option<Date>,
    late: bool,
    done: usize,
    total: usize,
    sides: Vec<Side>,
    draft: Option<Draft>,
    comments: Vec<(String, Timestamp, String)>,
    events: Vec<(String, String, Timestamp)>,
    may_update: bool,
    may_close: bool,
}

impl PlanPage {
    /// Of a hundred.
    fn share(&self) -> usize {
        self.done * 100 / self.total.max(1)
    }
}

/// The steps of one institution.
struct Side {
    name: String,
    is_provider: bool,
    steps: Vec<StepRow>,
}

struct StepRow {
    number: u32,
    text: String,
    hint: String,
    state: Word,
    reason: Option<String>,
    due: Option<Date>,
    own_due: String,
    late: bool,
    evidence: Vec<(String, Timestamp)>,
    may_done: bool,
    may_skip: bool,
    may_reopen: bool,
    may_note: bool,
    may_assign: bool,
}

/// What is consulted on.
struct Draft {
    name: String,
    text: String,
    published: bool,
    class: String,
    /// What, and whether it is harmless.
    changes: Vec<(String, bool)>,
}

/// `GET /plans/{number}`
pub async fn plan_show(
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

async fn page(
    portal: &Portal,
    visitor: &Visitor,
    number: &str,
    done: Option<&str>,
) -> Result<PlanPage, Problem> {
    let (app, ctx, lang) = (&portal.app, &visitor.ctx, visitor.lang);
    let Versioned { value: plan, version } = app.plan_get(ctx, number).await?;
    let thread = || ListQuery {
        after: None,
        limit: MAX_THREAD,
    };
    let comments = app.plan_comment_list(ctx, number, thread()).await?.items;
    let events = app.plan_events(ctx, number, thread()).await?.items;
    let head = &plan.head;
    let dataset = match &head.subject {
        Subject::Dataset { dataset } => Some(dataset.to_string()),
        Subject::Service { .. } => None,
    };
    let draft = if dataset.is_some() {
        draft(portal, visitor, number).await?
    } else {
        None
    };
    Ok(PlanPage {
        page: visitor
            .page(app, lang.with("plan-title", &[("number", number)]))
            .under("/plans", lang.t("nav-plans"))
            .saying(done),
        number: head.number.to_string(),
        version,
        title: head.title.clone(),
        description: head.description.clone(),
        scenario: scenario(lang, head.scenario),
        subject: subject(portal, &head.subject),
        dataset: dataset.filter(|name| app.definition_of(name).is_some()),
        provider: head.provider_name.clone(),
        period: head.period.as_ref().map(|period| (period.from, period.to)),
        closed: closed(lang, &head.stage),
        due: head.due,
        late: head.late,
        done: head.steps_total - head.steps_open,
        total: head.steps_total,
        sides: sides(lang, &plan),
        draft,
        comments: comments
            .into_iter()
            .map(|comment| comment_row(portal, comment))
            .collect(),
        events: events
            .iter()
            .rev()
            .map(|event| event_row(portal, lang, event))
            .collect(),
        may_update: head.possible.contains(&"update"),
        may_close: head.possible.contains(&"close"),
    })
}

fn subject(portal: &Portal, subject: &Subject) -> String {
    match subject {
        Subject::Service { service } => service.clone(),
        Subject::Dataset { dataset } => {
            description(portal, dataset.as_str()).unwrap_or_else(|| dataset.to_string())
        }
    }
}

fn closed(lang: Lang, stage: &PlanStage) -> Option<String> {
    match stage {
        PlanStage::Open => None,
        PlanStage::Closed { at, note, .. } => {
            let day = lang.date(dagr_model::clock::riga_date(*at));
            let said = lang.with("plan-closed", &[("day", &day)]);
            Some(format!("{said} {}", note.as_deref().unwrap_or_default()))
        }
    }
}

/// The provider's steps first, then each recipient's.
fn sides(lang: Lang, plan: &PlanView) -> Vec<Side> {
    let mut sides: Vec<Side> = Vec::new();
    for step in &plan.steps {
        let is_new = sides.last().is_none_or(|side| side.name != step.institution_name);
        if is_new {
            sides.push(Side {
                name: step.institution_name.clone(),
                is_provider: step.step.institution == plan.head.provider,
                steps: Vec::new(),
            });
        }
        if let Some(side) = sides.last_mut() {
            side.steps.push(step_row(lang, step));
        }
    }
    sides
}

fn step_row(lang: Lang, view: &StepView) -> StepRow {
    let step = &view.step;
    let may = |verb: &str| view.possible.contains(&verb);
    let name = word_of(&step.kind);
    let reason = match &step.state {
        StepState::NotApplicable { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    StepRow {
        number: step.number,
        text: lang.t(&format!("step-{name}")),
        hint: lang.t(&format!("step-{name}-hint")),
        state: state(lang, &step.state),
        reason,
        due: view.due_by,
        own_due: step.due.map(|due| due.to_string()).unwrap_or_default(),
        late: view.late,
        evidence: step
            .evidence
            .iter()
            .map(|evidence| evidence_row(lang, evidence))
            .collect(),
        may_done: may("step_done"),
        may_skip: may("step_not_applicable"),
        may_reopen: may("step_reopen"),
        may_note: may("step_note"),
        may_assign: may("step_assign"),
    }
}

/// `consult_recipients` → `consult-recipients`.
fn word_of(kind: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(kind).unwrap_or_default();
    word.as_str().unwrap_or_default().replace('_', "-")
}

fn state(lang: Lang, state: &StepState) -> Word {
    let (icon, name, class) = match state {
        StepState::Open => ("○", "open", "plain"),
        StepState::Done { .. } => ("✓", "done", "good"),
        StepState::NotApplicable { .. } => ("–", "not-applicable", "plain"),
    };
    Word {
        icon,
        text: lang.t(&format!("step-state-{name}")),
        class,
    }
}

fn evidence_row(lang: Lang, evidence: &Evidence) -> (String, Timestamp) {
    let text = match evidence.kind {
        EvidenceKind::Note => evidence.text.clone(),
        kind => lang.with(
            &format!("evidence-{}", word_of(&kind)),
            &[("what", &evidence.text)],
        ),
    };
    (text, evidence.at)
}

async fn draft(portal: &Portal, visitor: &Visitor, number: &str) -> Result<Option<Draft>, Problem> {
    let found = portal.app.plan_definition(&visitor.ctx, number).await?;
    let Some(text) = found.draft.as_ref().or(found.published.as_ref()) else {
        return Ok(None);
    };
    let evolution = found.evolution.as_ref();
    let class = match evolution.map(|evolution| evolution.class) {
        Some(EvolutionClass::Identical) => "identical",
        Some(EvolutionClass::Compatible) => "compatible",
        Some(EvolutionClass::Incompatible) => "incompatible",
        None if found.published.is_some() => "identical",
        None => "new",
    };
    let changes = evolution.map_or_else(Vec::new, |evolution| {
        let change = |change: &dagr_model::definition::EvolutionChange| {
            (format!("{}: {}", change.place, change.what), change.compatible)
        };
        evolution.changes.iter().map(change).collect()
    });
    Ok(Some(Draft {
        name: found.dataset.to_string(),
        text: text.text.clone(),
        published: found.published.is_some(),
        class: visitor.lang.t(&format!("plan-evolution-{class}")),
        changes,
    }))
}

fn comment_row(portal: &Portal, comment: CommentView) -> (String, Timestamp, String) {
    let who = format!(
        "{}, {}",
        comment.person_name,
        institution(portal, comment.institution.as_str())
    );
    (who, comment.at, comment.text)
}

fn event_row(portal: &Portal, lang: Lang, event: &PlanEventView) -> (String, String, Timestamp) {
    let who = format!(
        "{}, {}",
        event.person_name,
        institution(portal, event.institution.as_str())
    );
    (
        lang.t(&format!("plan-event-{}", event.kind.replace('_', "-"))),
        who,
        event.at,
    )
}
