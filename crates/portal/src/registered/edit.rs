//! The forms. A new thing and a new version are one form: the version before the first is 0.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    problem::Problem,
    system::SystemSeen,
    views::{Kept, Put, Registered, RegisteredService, Resource, ServiceKind, ServiceState},
};
use dagr_model::{
    definition::Classification,
    ids::{DatasetName, SystemCode},
};

use super::titled;
use crate::{
    catalogue::access,
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::{Typed, Wrong},
    visitor::{Signed, Visitor},
};

const CLASSIFICATIONS: [(Classification, &str); 3] = [
    (Classification::Open, "open"),
    (Classification::Restricted, "restricted"),
    (Classification::Sensitive, "sensitive"),
];

#[derive(Template)]
#[template(path = "resource_edit.html")]
struct ResourcePage {
    page: Page,
    system: String,
    version: i64,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "service_edit.html")]
struct ServicePage {
    page: Page,
    system: String,
    version: i64,
    typed: Typed,
    /// Value and text.
    resources: Vec<(String, String)>,
    classifications: Vec<(String, String)>,
    states: Vec<(String, String)>,
}

/// What both forms have.
struct Frame {
    page: Page,
    system: String,
    /// Seen when the form was opened; 0 before the first.
    version: i64,
    typed: Typed,
}

/// How a form reads and shows what it describes.
trait Formed: Kept {
    const TITLE: &'static str;
    const DONE: &'static str;
    fn of_form(system: &str, form: &Form) -> Self;
    fn to_form(code: String, described: Self) -> Form;
    async fn page(portal: &Portal, lang: Lang, frame: Frame, as_wrong: bool) -> Result<Response, Problem>;
}

/// `GET /systems/{code}/resources/edit?code=`
pub async fn resource_edit(
    state: State<Portal>,
    signed: Signed,
    path: Path<String>,
) -> Result<Response, Failed> {
    opened::<Resource>(state, signed, path).await
}

/// `GET /systems/{code}/services/edit?code=`
pub async fn service_edit(
    state: State<Portal>,
    signed: Signed,
    path: Path<String>,
) -> Result<Response, Failed> {
    opened::<RegisteredService>(state, signed, path).await
}

/// `POST /systems/{code}/resources/edit`
pub async fn resource_describe(
    state: State<Portal>,
    path: Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    described::<Resource>(state, path, posted).await
}

/// `POST /systems/{code}/services/edit`
pub async fn service_describe(
    state: State<Portal>,
    path: Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    described::<RegisteredService>(state, path, posted).await
}

async fn opened<T: Formed>(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(system): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let code = query.take("code").map_err(failed)?;
    query.end().map_err(failed)?;
    let of = allowed(&portal, &visitor, &system).await.map_err(failed)?;
    let now = match &code {
        Some(code) => Some(now::<T>(&portal, &visitor, &system, code).await.map_err(failed)?),
        None => None,
    };
    let version = now.as_ref().map_or(0, |now| now.version);
    let form = now.map(|now| T::to_form(now.code, now.described));
    let typed = Typed::with(form.unwrap_or_default(), Vec::new());
    let frame = framed::<T>(&portal, &visitor, &of, version, typed);
    T::page(&portal, visitor.lang, frame, false).await.map_err(failed)
}

async fn allowed(portal: &Portal, visitor: &Visitor, system: &str) -> Result<SystemSeen, Problem> {
    let seen = portal.app.system_seen(&visitor.ctx, system).await?;
    if seen.may_describe {
        Ok(seen)
    } else {
        let why = "an operator, or the head or data manager of the system's institution describes it";
        Err(Problem::role_required(why))
    }
}

/// As it is now, if it is this system's.
async fn now<T: Kept>(
    portal: &Portal,
    visitor: &Visitor,
    system: &str,
    code: &str,
) -> Result<Registered<T>, Problem> {
    let now = portal.app.registered_seen::<T>(&visitor.ctx, code).await?.now;
    if now.described.system().as_str() == system {
        Ok(now)
    } else {
        Err(Problem::not_found())
    }
}

fn framed<T: Formed>(
    portal: &Portal,
    visitor: &Visitor,
    of: &SystemSeen,
    version: i64,
    typed: Typed,
) -> Frame {
    let system = of.system.code.to_string();
    Frame {
        page: visitor
            .page(&portal.app, visitor.lang.t(T::TITLE))
            .under(&format!("/systems/{system}"), of.system.name.clone()),
        system,
        version,
        typed,
    }
}

async fn described<T: Formed>(
    State(portal): State<Portal>,
    Path(system): Path<String>,
    Posted { visitor, form }: Posted,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let of = allowed(&portal, &visitor, &system).await.map_err(failed)?;
    let mut version = form.text("version").parse().unwrap_or(0);
    let code = form.text("code").to_owned();
    let put = Put {
        described: T::of_form(&system, &form),
        reason: form.text("why").to_owned(),
    };
    let made = portal
        .app
        .registered_put(&visitor.ctx, &code, &put, Some(version))
        .await;
    let Err(mut problem) = made else {
        let to = format!("/{}/{code}?done={}", T::NOUN, T::DONE);
        return Ok(see(&visitor.url(&to)));
    };
    for fault in &mut problem.faults {
        match &*fault.place {
            // A reason elsewhere is read by an applicant; this one is not.
            "reason" => fault.place = "why".into(),
            // The form has no other system: the code is another one's.
            "system" => fault.place = "code".into(),
            _ => {}
        }
    }
    let typed = if problem.status == 412 {
        // What was typed is kept, to be saved over what somebody else saved.
        let now = now::<T>(&portal, &visitor, &system, &code)
            .await
            .map_err(failed)?;
        version = now.version;
        let wrong_version = Wrong {
            at: "code".to_owned(),
            text: visitor.lang.t("fault-registered-changed"),
        };
        Typed::with(form, vec![wrong_version])
    } else {
        Typed::refused(visitor.lang, form, problem, "code").map_err(failed)?
    };
    let frame = framed::<T>(&portal, &visitor, &of, version, typed);
    T::page(&portal, visitor.lang, frame, true).await.map_err(failed)
}

fn lines(form: &Form, name: &str) -> Vec<String> {
    let lines = form.text(name).lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Nothing typed is nothing.
fn optional(form: &Form, name: &str) -> Option<String> {
    Some(form.text(name).to_owned()).filter(|text| !text.is_empty())
}

fn answer(page: &impl Template, as_wrong: bool) -> Response {
    if as_wrong { wrong(page) } else { html(page) }
}

impl Formed for Resource {
    const TITLE: &'static str = "resource-describe";
    const DONE: &'static str = "resource-described";

    fn of_form(system: &str, form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            system: SystemCode::new(system),
            title_lv: text("title_lv"),
            title_en: text("title_en"),
            description: text("description"),
            content: text("content"),
            legal_acts: lines(form, "legal_acts"),
            datasets: lines(form, "datasets").iter().map(DatasetName::new).collect(),
        }
    }

    fn to_form(code: String, described: Self) -> Form {
        let sets: Vec<_> = described.datasets.iter().map(DatasetName::as_str).collect();
        Form::of([
            ("code", code),
            ("title_lv", described.title_lv),
            ("title_en", described.title_en),
            ("description", described.description),
            ("content", described.content),
            ("legal_acts", described.legal_acts.join("\n")),
            ("datasets", sets.join("\n")),
        ])
    }

    async fn page(_: &Portal, _: Lang, frame: Frame, as_wrong: bool) -> Result<Response, Problem> {
        let Frame {
            page,
            system,
            version,
            typed,
        } = frame;
        let page = ResourcePage {
            page,
            system,
            version,
            typed,
        };
        Ok(answer(&page, as_wrong))
    }
}

impl Formed for RegisteredService {
    const TITLE: &'static str = "service-describe";
    const DONE: &'static str = "service-described";

    fn of_form(system: &str, form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        let classification = CLASSIFICATIONS
            .into_iter()
            .find(|(_, word)| *word == form.text("classification"));
        Self {
            kind: ServiceKind::Api,
            system: SystemCode::new(system),
            resource: optional(form, "resource"),
            title_lv: text("title_lv"),
            title_en: text("title_en"),
            description: text("description"),
            address: text("address"),
            interface: optional(form, "interface"),
            access: text("access"),
            classification: classification.map_or(Classification::Restricted, |(one, _)| one),
            state: ServiceState::ALL
                .into_iter()
                .find(|one| one.as_str() == form.text("state"))
                .unwrap_or(ServiceState::InUse),
        }
    }

    fn to_form(code: String, described: Self) -> Form {
        let classification = CLASSIFICATIONS
            .into_iter()
            .find(|(one, _)| *one == described.classification);
        Form::of([
            ("code", code),
            ("title_lv", described.title_lv),
            ("title_en", described.title_en),
            ("description", described.description),
            ("resource", described.resource.unwrap_or_default()),
            ("address", described.address),
            ("interface", described.interface.unwrap_or_default()),
            ("access", described.access),
            (
                "classification",
                classification.map_or("", |(_, word)| word).to_owned(),
            ),
            ("state", described.state.as_str().to_owned()),
        ])
    }

    async fn page(portal: &Portal, lang: Lang, frame: Frame, as_wrong: bool) -> Result<Response, Problem> {
        let holds = portal.app.system_holds(&SystemCode::new(&frame.system)).await?;
        let page = ServicePage {
            resources: holds
                .resources
                .into_iter()
                .map(|one| {
                    let title = titled(lang, &one.described.title_lv, &one.described.title_en);
                    (one.code, title)
                })
                .collect(),
            classifications: CLASSIFICATIONS
                .map(|(one, word)| (word.to_owned(), access(lang, one).0))
                .into(),
            states: ServiceState::ALL
                .map(|one| {
                    let id = format!("service-state-{}", one.as_str().replace('_', "-"));
                    (one.as_str().to_owned(), lang.t(&id))
                })
                .into(),
            page: frame.page,
            system: frame.system,
            version: frame.version,
            typed: frame.typed,
        };
        Ok(answer(&page, as_wrong))
    }
}
