//! Resources and services of information systems: found, read, and described by the system's institution.

mod edit;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    registered::{Offered, RegisteredSeen, ServiceOffered},
    views::{Kept, RegisteredService, Resource, ServiceState},
};
use jiff::Timestamp;

use crate::{
    application::institution,
    catalogue::{access, asked},
    failed::Failed,
    lang::Lang,
    page::{Page, html, name_of},
    settings::Portal,
    visitor::Visitor,
};

pub use edit::{resource_describe, resource_edit, service_describe, service_edit};

/// Versions told of on one page.
const MOST: u32 = 20;
/// Services on one page.
const PAGE: usize = 30;

#[derive(Template)]
#[template(path = "services.html")]
struct ServicesPage {
    page: Page,
    words: String,
    total: usize,
    services: Vec<ServiceRow>,
    next: Option<String>,
}

/// A service in a list.
pub struct ServiceRow {
    pub code: String,
    pub title: String,
    pub provider: String,
    pub access: String,
    pub class: &'static str,
}

#[derive(Template)]
#[template(path = "registered.html")]
struct ShowPage {
    page: Page,
    code: String,
    institution: String,
    ended: bool,
    facts: Vec<Fact>,
    version: u64,
    at: Timestamp,
    versions: Vec<(u64, Timestamp, String)>,
    /// Where it is described, for whoever may.
    edit: Option<String>,
}

/// Label, and lines with where each leads.
struct Fact {
    label: String,
    lines: Vec<(String, Option<String>)>,
}

/// `GET /services?q=&from=`
pub async fn service_list(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let (words, from) = asked(&visitor)?;
    let found = portal.app.offered_search(&words, from, PAGE).await;
    let Offered { services, of } = found.map_err(|problem| visitor.failed(problem))?;
    let next = from.saturating_add(services.len());
    Ok(html(&ServicesPage {
        page: visitor.page(&portal.app, visitor.lang.t("services-title")),
        total: of,
        services: rows(visitor.lang, &services),
        next: (next < of).then(|| {
            let q: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
            visitor.url(&format!("/services?q={q}&from={next}"))
        }),
        words,
    }))
}

pub fn rows(lang: Lang, services: &[ServiceOffered]) -> Vec<ServiceRow> {
    let row = |one: &ServiceOffered| {
        let described = &one.service.described;
        let (access, class) = access(lang, described.classification);
        ServiceRow {
            code: one.service.code.clone(),
            title: titled(lang, &described.title_lv, &described.title_en),
            provider: name_of(&one.provider.name, one.provider.registration_number.as_str()),
            access,
            class,
        }
    };
    services.iter().map(row).collect()
}

/// In the reader's language.
pub fn titled(lang: Lang, lv: &str, en: &str) -> String {
    match lang {
        Lang::Lv => lv,
        Lang::En => en,
    }
    .to_owned()
}

/// `GET /services/{code}`
pub async fn service_show(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    let seen = seen::<RegisteredService>(&portal, &visitor, &code).await?;
    let (lang, one) = (visitor.lang, &seen.0.now.described);
    let mut facts = vec![
        told(lang.t("registered-description"), &one.description),
        of_system(&visitor, &seen.0, one.system.as_str()),
    ];
    if let Some(resource) = &one.resource {
        facts.push(linked(
            lang.t("registered-resource"),
            resource.clone(),
            visitor.url(&format!("/resources/{resource}")),
        ));
    }
    facts.push(linked(
        lang.t("service-address"),
        one.address.clone(),
        one.address.clone(),
    ));
    if let Some(interface) = &one.interface {
        facts.push(linked(
            lang.t("service-interface"),
            interface.clone(),
            interface.clone(),
        ));
    }
    facts.push(told(lang.t("service-access"), &one.access));
    facts.push(told(
        lang.t("service-classification"),
        &access(lang, one.classification).0,
    ));
    facts.push(told(
        lang.t("service-state"),
        &lang.t(&format!("service-state-{}", one.state.as_str().replace('_', "-"))),
    ));
    let title = titled(lang, &one.title_lv, &one.title_en);
    let ended = one.state == ServiceState::Ended;
    Ok(shown(&portal, &visitor, title, facts, ended, seen))
}

/// `GET /resources/{code}`
pub async fn resource_show(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    let seen = seen::<Resource>(&portal, &visitor, &code).await?;
    let (lang, one) = (visitor.lang, &seen.0.now.described);
    let holds = portal.app.system_holds(&one.system).await;
    let services = holds.map_err(|problem| visitor.failed(problem))?.services;
    let catalog = portal.app.catalog();
    let mut facts = vec![
        told(lang.t("registered-description"), &one.description),
        of_system(&visitor, &seen.0, one.system.as_str()),
        told(lang.t("resource-content"), &one.content),
        Fact {
            label: lang.t("system-acts"),
            lines: one.legal_acts.iter().map(|act| (act.clone(), None)).collect(),
        },
    ];
    // A set may be registered and not yet be anywhere to be seen.
    let set = |name: &str| {
        let there = catalog.datasets.contains_key(name);
        there.then(|| visitor.url(&format!("/datasets/{name}")))
    };
    let sets = one
        .datasets
        .iter()
        .map(|name| (name.to_string(), set(name.as_str())));
    let given = services
        .iter()
        .filter(|service| service.described.resource.as_deref() == Some(&*code))
        .map(|service| {
            let title = titled(lang, &service.described.title_lv, &service.described.title_en);
            (title, Some(visitor.url(&format!("/services/{}", service.code))))
        });
    for (label, lines) in [
        ("resource-datasets", sets.collect::<Vec<_>>()),
        ("services-word", given.collect()),
    ] {
        if !lines.is_empty() {
            let label = lang.t(label);
            facts.push(Fact { label, lines });
        }
    }
    let title = titled(lang, &one.title_lv, &one.title_en);
    Ok(shown(&portal, &visitor, title, facts, false, seen))
}

/// What is there, its versions before, and what was just done.
type Seen<T> = (RegisteredSeen<T>, Vec<(u64, Timestamp, String)>, Option<String>);

async fn seen<T: Kept>(portal: &Portal, visitor: &Visitor, code: &str) -> Result<Seen<T>, Failed> {
    let failed = |problem: Problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let now = portal.app.registered_seen::<T>(&visitor.ctx, code).await;
    let now = now.map_err(failed)?;
    let page = ListQuery {
        after: None,
        limit: MOST,
    };
    let versions = portal
        .app
        .registered_versions::<T>(&visitor.ctx, code, page)
        .await
        .map_err(failed)?;
    let versions = versions.items.into_iter().skip(1);
    let versions = versions.map(|one| (one.version.unsigned_abs(), one.at, one.reason));
    Ok((now, versions.collect(), done))
}

fn shown<T: Kept>(
    portal: &Portal,
    visitor: &Visitor,
    title: String,
    facts: Vec<Fact>,
    ended: bool,
    (seen, versions, done): Seen<T>,
) -> Response {
    let (system, code) = (seen.now.described.system(), &seen.now.code);
    let edit = visitor.url(&format!("/systems/{system}/{}/edit?code={code}", T::NOUN));
    html(&ShowPage {
        page: visitor
            .page(&portal.app, title)
            .under(&format!("/systems/{system}"), seen.system_name.clone())
            .saying(done.as_deref()),
        code: code.clone(),
        institution: institution(portal, seen.institution.as_str()),
        ended,
        facts,
        version: seen.now.version.unsigned_abs(),
        at: seen.now.at,
        versions,
        edit: seen.may_describe.then_some(edit),
    })
}

fn told(label: String, text: &str) -> Fact {
    Fact {
        label,
        lines: vec![(text.to_owned(), None)],
    }
}

fn linked(label: String, text: String, url: String) -> Fact {
    Fact {
        label,
        lines: vec![(text, Some(url))],
    }
}

fn of_system<T>(visitor: &Visitor, seen: &RegisteredSeen<T>, system: &str) -> Fact {
    let label = visitor.lang.t("dataset-system");
    linked(
        label,
        seen.system_name.clone(),
        visitor.url(&format!("/systems/{system}")),
    )
}
