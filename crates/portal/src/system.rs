//! An information system as it is registered: what it is for, whose it is, what it rests on. Anybody reads; its
//! institution's head or data manager, or an operator, writes the next version.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    institution::ListQuery,
    problem::Problem,
    registered::SystemHolds,
    system::SystemSeen,
    views::{Criticality, ServiceState, SystemFacts, SystemFactsPut, SystemFactsView},
};
use dagr_model::ids::SystemCode;
use jiff::Timestamp;

use crate::{
    application::institution,
    failed::Failed,
    form::{Form, Posted},
    lang::Lang,
    page::{Page, html, see, wrong},
    registered::titled,
    settings::Portal,
    typed::{Typed, Wrong},
    visitor::{Signed, Visitor},
};

/// Versions told of on one page.
const MOST: u32 = 20;

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    page: Page,
    code: String,
    institution: String,
    facts: Option<Told>,
    versions: Vec<(u64, Timestamp, String)>,
    may_describe: bool,
    /// Heading, noun in paths, what stands for none, how one is made, and what there is.
    holds: [(&'static str, &'static str, &'static str, &'static str, Vec<Held>); 2],
}

/// Code, title, whether it has ended.
type Held = (String, String, bool);

/// Facts as they are read.
struct Told {
    version: u64,
    at: Timestamp,
    /// Label and text.
    facts: Vec<(String, String)>,
    acts: Vec<String>,
    criticality: String,
    criticality_meaning: String,
}

#[derive(Template)]
#[template(path = "system_edit.html")]
struct EditPage {
    page: Page,
    code: String,
    /// Seen when the form was opened; 0 before the first.
    version: i64,
    criticalities: Vec<(&'static str, String)>,
    typed: Typed,
}

/// `GET /systems/{code}`
pub async fn system_show(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let page = shown(&portal, &visitor, &code, done).await.map_err(failed)?;
    Ok(html(&page))
}

async fn shown(
    portal: &Portal,
    visitor: &Visitor,
    code: &str,
    done: Option<String>,
) -> Result<SystemPage, Problem> {
    let seen = portal.app.system_seen(&visitor.ctx, code).await?;
    let page = ListQuery {
        after: None,
        limit: MOST,
    };
    let versions = portal.app.system_facts_versions(&visitor.ctx, code, page).await?;
    let versions = versions.items.into_iter().skip(1);
    let holds = holds(portal, visitor.lang, &seen.system.code).await?;
    Ok(SystemPage {
        page: visitor
            .page(&portal.app, seen.system.name)
            .saying(done.as_deref()),
        code: code.to_owned(),
        institution: institution(portal, seen.system.institution.as_str()),
        facts: seen.facts.map(|facts| told(visitor.lang, facts)),
        versions: versions
            .map(|one| (one.version.unsigned_abs(), one.at, one.reason))
            .collect(),
        may_describe: seen.may_describe,
        holds,
    })
}

async fn holds(
    portal: &Portal,
    lang: Lang,
    system: &SystemCode,
) -> Result<[(&'static str, &'static str, &'static str, &'static str, Vec<Held>); 2], Problem> {
    let SystemHolds { resources, services } = portal.app.system_holds(system).await?;
    let resources = resources.into_iter().map(|one| {
        let title = titled(lang, &one.described.title_lv, &one.described.title_en);
        (one.code, title, false)
    });
    let services = services.into_iter().map(|one| {
        let title = titled(lang, &one.described.title_lv, &one.described.title_en);
        (one.code, title, one.described.state == ServiceState::Ended)
    });
    Ok([
        (
            "resources-word",
            "/resources/",
            "resources-none",
            "resource-new",
            resources.collect(),
        ),
        (
            "services-word",
            "/services/",
            "services-none",
            "service-new",
            services.collect(),
        ),
    ])
}

fn told(lang: Lang, view: SystemFactsView) -> Told {
    let SystemFacts {
        purposes,
        content,
        controller,
        volume,
        processing,
        conditions_of_access,
        legal_acts,
        criticality,
    } = view.facts;
    let facts = [
        (lang.t("system-purposes"), purposes),
        (lang.t("system-content"), content),
        (lang.t("system-controller"), controller),
        (lang.t("system-volume"), volume),
        (lang.t("system-processing"), processing),
        (lang.t("system-conditions"), conditions_of_access),
    ];
    Told {
        version: view.version.unsigned_abs(),
        at: view.at,
        facts: facts.into(),
        acts: legal_acts,
        criticality: critical(lang, criticality),
        criticality_meaning: lang.t(&format!("criticality-means-{}", criticality.as_str())),
    }
}

fn critical(lang: Lang, criticality: Criticality) -> String {
    lang.t(&format!("criticality-{}", criticality.as_str()))
}

/// `GET /systems/{code}/edit`
pub async fn system_edit(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let seen = portal
        .app
        .system_seen(&visitor.ctx, &code)
        .await
        .map_err(failed)?;
    if !seen.may_describe {
        let why = "an operator, or the head or data manager of the system's institution describes it";
        return Err(failed(Problem::role_required(why)));
    }
    let version = seen.facts.as_ref().map_or(0, |facts| facts.version);
    let form = seen.facts.as_ref().map(|view| form_of(&view.facts));
    let typed = Typed::with(form.unwrap_or_default(), Vec::new());
    Ok(html(&edited(&portal, &visitor, &seen, version, typed)))
}

fn edited(portal: &Portal, visitor: &Visitor, seen: &SystemSeen, version: i64, typed: Typed) -> EditPage {
    let lang = visitor.lang;
    let code = seen.system.code.to_string();
    EditPage {
        page: visitor
            .page(&portal.app, lang.t("system-describe"))
            .under(&format!("/systems/{code}"), seen.system.name.clone()),
        code,
        version,
        criticalities: Criticality::ALL
            .into_iter()
            .map(|one| (one.as_str(), critical(lang, one)))
            .collect(),
        typed,
    }
}

/// `POST /systems/{code}/edit`
pub async fn system_describe(
    State(portal): State<Portal>,
    Path(code): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let version = form.text("version").parse().unwrap_or(0);
    let put = put_of(&form);
    let made = portal
        .app
        .system_facts_put(&visitor.ctx, &code, &put, Some(version))
        .await;
    match made {
        Ok(_) => Ok(see(
            &visitor.url(&format!("/systems/{code}?done=system-described"))
        )),
        Err(mut problem) => {
            // A reason elsewhere is read by an applicant; this one is not.
            for fault in problem.faults.iter_mut().filter(|fault| fault.place == "reason") {
                fault.place = "why".into();
            }
            let seen = portal
                .app
                .system_seen(&visitor.ctx, &code)
                .await
                .map_err(failed)?;
            if problem.status == 412 {
                // What was typed is kept, to be saved over what somebody else saved.
                let version = seen.facts.as_ref().map_or(0, |facts| facts.version);
                let wrong_version = Wrong {
                    at: "purposes".to_owned(),
                    text: visitor.lang.t("fault-system-changed"),
                };
                let typed = Typed::with(form, vec![wrong_version]);
                return Ok(wrong(&edited(&portal, &visitor, &seen, version, typed)));
            }
            let typed = Typed::refused(visitor.lang, form, problem, "purposes").map_err(failed)?;
            Ok(wrong(&edited(&portal, &visitor, &seen, version, typed)))
        }
    }
}

fn put_of(form: &Form) -> SystemFactsPut {
    let text = |name| form.text(name).to_owned();
    let lines = form.text("legal_acts").lines().map(str::trim);
    SystemFactsPut {
        facts: SystemFacts {
            purposes: text("purposes"),
            content: text("content"),
            controller: text("controller"),
            volume: text("volume"),
            processing: text("processing"),
            conditions_of_access: text("conditions_of_access"),
            legal_acts: lines.filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            criticality: Criticality::ALL
                .into_iter()
                .find(|one| one.as_str() == form.text("criticality"))
                .unwrap_or(Criticality::Ordinary),
        },
        reason: text("why"),
    }
}

/// The form as it stands before anybody types.
fn form_of(facts: &SystemFacts) -> Form {
    Form::of([
        ("purposes", facts.purposes.clone()),
        ("content", facts.content.clone()),
        ("controller", facts.controller.clone()),
        ("volume", facts.volume.clone()),
        ("processing", facts.processing.clone()),
        ("conditions_of_access", facts.conditions_of_access.clone()),
        ("legal_acts", facts.legal_acts.join("\n")),
        ("criticality", facts.criticality.as_str().to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_criticality_has_its_words() {
        for lang in Lang::ALL {
            for one in Criticality::ALL {
                for family in ["criticality", "criticality-means"] {
                    let id = format!("{family}-{}", one.as_str());
                    assert!(lang.known(&id).is_some(), "{id}");
                }
            }
        }
    }
}
