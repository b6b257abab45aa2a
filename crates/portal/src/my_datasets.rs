//! A provider's own data sets: how they stand, their definitions, what was delivered, who reads them.

mod definition;
mod package;
mod publish;
mod quarantine;
mod recipients;
mod stop;
mod template;
mod words;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::provide::{MAX_COUNTED, Provided, SectionSeen};
use dagr_model::ids::Section;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use definition::{definition_create, definition_new, definition_post, definition_show};
pub use package::{confirm_post, confirm_show, package_list, package_show, reject_post, reject_show};
pub use publish::{publish_post, publish_show};
pub use quarantine::{quarantine_csv, quarantine_show};
pub use recipients::recipients_show;
pub use stop::{stop_post, stop_show};
pub use template::{
    rules_post, sandbox_fill, template_create, template_list, template_new, template_post, template_show,
};

use crate::{
    dataset::delay,
    failed::Failed,
    lang::{Lang, number},
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::State as Word,
};
use package::{PackageRow, rows};

/// Sets on one page.
const PAGE: usize = 50;
/// Packages shown on a set's page; the others stand behind a link.
const NEWEST: u64 = 10;

#[derive(Template)]
#[template(path = "my_datasets.html")]
struct ListPage {
    page: Page,
    institution: String,
    sets: Vec<SetRow>,
    of: usize,
    next: Option<String>,
    may_change: bool,
}

struct SetRow {
    name: String,
    description: String,
    place: Word,
    fresh: Fresh,
    records: String,
    /// The one counted.
    section: &'static str,
    held: usize,
    quarantined: String,
    has_quarantined: bool,
    recipients: usize,
}

/// Freshness against the promise, in words.
struct Fresh {
    at: String,
    promise: String,
    word: Option<Word>,
}

/// `GET /my-datasets?after=`
pub async fn list_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let Some(acting) = visitor.ctx.acting_for() else {
        return Ok(crate::page::see(&visitor.url("/act-for?to=/my-datasets")));
    };
    let mut query = visitor.query()?;
    let after = query.take("after").map_err(failed)?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let found = portal
        .app
        .provided_list(&visitor.ctx, after.as_deref(), PAGE)
        .await
        .map_err(failed)?;
    let page = visitor.page(&portal.app, visitor.lang.t("nav-my-datasets"));
    Ok(html(&ListPage {
        institution: crate::application::institution(&portal, acting.institution.as_str()),
        sets: found.sets.iter().map(|set| row(visitor.lang, set)).collect(),
        of: found.of,
        next: found
            .next
            .map(|next| visitor.url(&format!("/my-datasets?after={}", encoded(&next)))),
        may_change: visitor.ctx.answers_for_data() && visitor.provides,
        page: page.saying(done.as_deref()),
    }))
}

fn row(lang: Lang, set: &Provided) -> SetRow {
    let section = set.main.as_ref().or(set.sandbox.as_ref());
    let held = [&set.main, &set.sandbox]
        .into_iter()
        .flatten()
        .map(|seen| seen.held);
    SetRow {
        name: set.name.to_string(),
        description: set.description.clone(),
        place: words::place(lang, set),
        fresh: section.map_or_else(|| Fresh::none(lang), |seen| Fresh::of(lang, seen)),
        records: section.map_or_else(String::new, |seen| number(seen.records)),
        section: main_or_sandbox(set).as_str(),
        held: held.sum(),
        quarantined: section.map_or_else(String::new, |seen| counted(seen.quarantined)),
        has_quarantined: section.is_some_and(|seen| seen.quarantined > 0),
        recipients: set.recipients,
    }
}

impl Fresh {
    fn none(lang: Lang) -> Self {
        Self {
            at: lang.t("dataset-no-data"),
            promise: String::new(),
            word: None,
        }
    }

    fn of(lang: Lang, seen: &SectionSeen) -> Self {
        let promise = seen
            .promise_s
            .map(|seconds| lang.with("dataset-promise", &[("delay", &delay(lang, seconds))]));
        Self {
            at: seen
                .applied
                .map_or_else(|| lang.t("dataset-no-data"), |at| lang.moment(at)),
            word: words::freshness(lang, seen),
            promise: promise.unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "my_dataset.html")]
struct DatasetPage {
    page: Page,
    name: String,
    sections: Vec<SectionCard>,
    /// The sandbox holds another text than main.
    to_publish: bool,
    may_change: bool,
    recipients: usize,
    replaced_by: Option<String>,
    held: Vec<PackageRow>,
    packages: Vec<PackageRow>,
    more: Option<String>,
    /// Of the packages shown.
    section: &'static str,
}

struct SectionCard {
    title: String,
    code: &'static str,
    version: String,
    since: String,
    fresh: Fresh,
    records: String,
    quarantined: String,
    has_quarantined: bool,
}

/// `GET /my-datasets/{name}`
pub async fn dataset_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    query.end().map_err(failed)?;
    let set = portal
        .app
        .provided_get(&visitor.ctx, &name)
        .await
        .map_err(failed)?;
    let kept = portal
        .app
        .dataset_get(&visitor.ctx, &name)
        .await
        .map_err(failed)?;
    let section = main_or_sandbox(&set);
    let delivered = portal
        .app
        .package_page(&visitor.ctx, section, &name, None, NEWEST)
        .await
        .map_err(failed)?;
    let lang = visitor.lang;
    let kept = kept.value;
    let card = |seen: &SectionSeen| {
        let version = kept.definition(seen.section);
        SectionCard {
            title: words::section(lang, seen.section),
            code: seen.section.as_str(),
            version: version.map_or_else(String::new, |version| version.version.to_string()),
            since: version.map_or_else(String::new, |version| lang.moment(version.at)),
            fresh: Fresh::of(lang, seen),
            records: number(seen.records),
            quarantined: counted(seen.quarantined),
            has_quarantined: seen.quarantined > 0,
        }
    };
    let packages = rows(lang, &name, section, delivered.packages);
    let (held, packages): (Vec<_>, Vec<_>) = packages.into_iter().partition(|row| row.is_held);
    let text = |section| kept.definition(section).map(|version| version.text.as_str());
    let title = if set.description.is_empty() {
        name.clone()
    } else {
        set.description.clone()
    };
    Ok(html(&DatasetPage {
        page: visitor
            .page(&portal.app, title)
            .under("/my-datasets", lang.t("nav-my-datasets"))
            .saying(done.as_deref()),
        sections: [&set.main, &set.sandbox]
            .into_iter()
            .flatten()
            .map(card)
            .collect(),
        to_publish: text(Section::Sandbox).is_some() && text(Section::Sandbox) != text(Section::Main),
        may_change: visitor.ctx.answers_for_data(),
        recipients: set.recipients,
        replaced_by: set.replaced_by.map(|name| name.to_string()),
        held,
        packages,
        more: delivered
            .next
            .map(|next| visitor.url(&packages_url(&name, section, Some(&next)))),
        section: section.as_str(),
        name,
    }))
}

fn packages_url(name: &str, section: Section, after: Option<&str>) -> String {
    let after = after.map_or_else(String::new, |after| format!("&after={}", encoded(after)));
    format!("/my-datasets/{name}/packages?section={}{after}", section.as_str())
}

fn main_or_sandbox(set: &Provided) -> Section {
    if set.main.is_some() {
        Section::Main
    } else {
        Section::Sandbox
    }
}

/// `12 345`, or `more than 10 000`.
fn counted(count: u64) -> String {
    if count >= MAX_COUNTED {
        format!("{}+", number(MAX_COUNTED))
    } else {
        number(count)
    }
}

/// A name in a path or a query.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A page of one set, below the set's own.
fn page_of(portal: &Portal, visitor: &Visitor, name: &str, title: impl Into<String>) -> Page {
    let set = crate::application::description(portal, name).unwrap_or_else(|| name.to_owned());
    visitor
        .page(&portal.app, title)
        .under("/my-datasets", visitor.lang.t("nav-my-datasets"))
        .under(&format!("/my-datasets/{name}"), set)
}

/// `?section=`: main where nothing is said.
fn section_of(visitor: &Visitor, text: Option<&str>) -> Result<Section, Failed> {
    text.map_or(Ok(Section::Main), |text| {
        text.parse().map_err(|()| {
            let problem = dagr_app::problem::Problem::query_invalid("section", "main or sandbox");
            visitor.failed(problem)
        })
    })
}
