//! The public catalogue: one search over every published data set.

use askama::Template;
use axum::{extract::State, response::Response};
use dagr_app::{
    problem::Problem,
    service::{Service, ServicesFound},
};
use dagr_model::definition::Classification;
use jiff::Timestamp;

use crate::{
    classifier,
    failed::Failed,
    lang::Lang,
    page::{Page, html, name_of},
    registered::{ServiceRow, rows},
    settings::Portal,
    visitor::Visitor,
};

/// Sets on one page.
const PAGE: usize = 30;
/// Classifiers found on one page.
const MAX_CLASSIFIERS: usize = 10;
/// Services beside them.
const SERVICES: usize = 5;
/// Characters of a search that are read.
const MAX_WORDS: usize = 200;

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    page: Page,
    words: String,
    total: usize,
    sets: Vec<SetRow>,
    /// Those that fit the words: address and title.
    classifiers: Vec<(String, String)>,
    next: Option<String>,
    services: Vec<ServiceRow>,
    more_services: Option<String>,
}

struct SetRow {
    name: String,
    description: String,
    provider: String,
    access: String,
    class: &'static str,
    fresh: Option<String>,
}

/// `GET /?q=&from=`
pub async fn catalogue_show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let (words, from) = asked(&visitor)?;
    let (app, sought) = (portal.app.clone(), words.clone());
    // Freshness is read from each set shown: not on a thread that answers.
    let found = tokio::task::spawn_blocking(move || app.service_search(&sought, from, PAGE)).await;
    let found = found.map_err(Problem::internal);
    let ServicesFound { services, of } = found
        .and_then(|found| found)
        .map_err(|problem| visitor.failed(problem))?;
    let SomeServices {
        services: offered,
        more,
    } = some_services(&portal, &visitor, &words, from)
        .await
        .map_err(|problem| visitor.failed(problem))?;
    let next = from + services.len();
    let classifiers = if words.is_empty() || from > 0 {
        Vec::new()
    } else {
        portal.app.classifier_search(&words, MAX_CLASSIFIERS)
    };
    let title = visitor.lang.t("catalogue-title");
    Ok(html(&CataloguePage {
        page: visitor.page(&portal.app, title),
        total: of,
        classifiers: classifiers
            .into_iter()
            .map(|one| {
                let url = visitor.url(&format!("/classifiers/{}", one.id));
                (url, classifier::title(visitor.lang, one.title, one.title_en))
            })
            .collect(),
        sets: services
            .iter()
            .map(|service| row(visitor.lang, service))
            .collect(),
        next: (next < of).then(|| {
            let q: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
            visitor.url(&format!("/?q={q}&from={next}"))
        }),
        words,
        services: offered,
        more_services: more,
    }))
}

/// Other people's interfaces, beside the first page of sets.
struct SomeServices {
    services: Vec<ServiceRow>,
    /// Where all are.
    more: Option<String>,
}

async fn some_services(
    portal: &Portal,
    visitor: &Visitor,
    words: &str,
    from: usize,
) -> Result<SomeServices, Problem> {
    let most = if from == 0 { SERVICES } else { 0 };
    let found = portal.app.offered_search(words, 0, most).await?;
    let q: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
    Ok(SomeServices {
        more: (found.of > found.services.len()).then(|| visitor.url(&format!("/services?q={q}"))),
        services: rows(visitor.lang, &found.services),
    })
}

/// Words and where to begin.
pub(crate) fn asked(visitor: &Visitor) -> Result<(String, usize), Failed> {
    let mut query = visitor.query()?;
    let failed = |problem| visitor.failed(problem);
    let words = query.take("q").map_err(failed)?.unwrap_or_default();
    let from = query.take_number("from").map_err(failed)?.unwrap_or(0);
    query.end().map_err(failed)?;
    Ok((
        words.trim().chars().take(MAX_WORDS).collect(),
        usize::try_from(from).unwrap_or(usize::MAX),
    ))
}

fn row(lang: Lang, service: &Service) -> SetRow {
    let (access, class) = access(lang, service.classification);
    SetRow {
        name: service.name.to_string(),
        description: service.description.clone(),
        provider: name_of(
            &service.provider.name,
            service.provider.registration_number.as_str(),
        ),
        access,
        class,
        fresh: service.freshness.as_deref().and_then(|text| fresh(lang, text)),
    }
}

/// In a word, and how it is marked.
pub fn access(lang: Lang, classification: Classification) -> (String, &'static str) {
    match classification {
        Classification::Open => (lang.t("access-open"), "good"),
        Classification::Restricted => (lang.t("access-restricted"), "plain"),
        Classification::Sensitive => (lang.t("access-sensitive"), "grave"),
    }
}

pub fn fresh(lang: Lang, text: &str) -> Option<String> {
    text.parse::<Timestamp>().ok().map(|at| lang.moment(at))
}
