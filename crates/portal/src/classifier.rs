//! Classifiers: their codes and versions, for everybody; and how their keeper publishes the next version.

mod publish;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    classifier::{ClassifierSeen, UsedBy, Which},
    institution::ListQuery,
    problem::Problem,
    views::ClassifierVersionView,
};
use dagr_model::{
    classifier::{ClassifierValue, Difference, difference},
    ids::Section,
};
use jiff::civil::Date;

use crate::{
    failed::Failed,
    lang::Lang,
    page::{Page, html, name_of},
    settings::Portal,
    visitor::Visitor,
};

pub use publish::{publish_post, publish_show};

/// Classifiers, or versions, on one page.
const MOST: u32 = 100;
/// Codes on one page.
const CODES: usize = 200;
/// Codes of a difference shown of each kind; the rest is counted.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "classifiers.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    title: String,
    keeper: String,
    in_force: Option<i64>,
}

#[derive(Template)]
#[template(path = "classifier.html")]
struct ClassifierPage {
    page: Page,
    id: String,
    description: Option<String>,
    keeper: String,
    url: Option<String>,
    may_publish: bool,
    uses: Vec<Use>,
    versions: Vec<ClassifierVersionView>,
    in_force: Option<i64>,
    /// The version whose codes are shown; none: nothing is published yet.
    shown: Option<Shown>,
}

impl ClassifierPage {
    fn is_in_force(&self, version: &ClassifierVersionView) -> bool {
        self.in_force == Some(version.number)
    }
}

struct Shown {
    number: i64,
    reason: String,
    total: usize,
    values: Vec<Code>,
    previous: Option<String>,
    next: Option<String>,
    /// Against the version before it; none: it is the first.
    changes: Option<Changes>,
}

/// A code as it is read.
pub struct Code {
    code: String,
    name: String,
    parent: String,
    from: Option<Date>,
    to: Option<Date>,
}

/// A data set whose fields use the list.
pub struct Use {
    dataset: String,
    fields: String,
    is_tried: bool,
}

/// What a version changes; lines are made to be read.
pub struct Changes {
    pub kinds: Vec<Kind>,
}

pub struct Kind {
    pub title: String,
    pub lines: Vec<String>,
    pub more: usize,
}

/// `GET /classifiers?after=`
pub async fn classifier_list(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    let page = ListQuery { after, limit: MOST };
    let found = portal.app.classifier_list(&visitor.ctx, page).await;
    let found = found.map_err(failed)?;
    let row = |seen: ClassifierSeen| {
        let one = seen.view.classifier;
        Row {
            title: title(visitor.lang, one.title, one.title_en),
            id: one.id,
            keeper: name_of(&seen.keeper_name, one.keeper.as_str()),
            in_force: seen.in_force,
        }
    };
    Ok(html(&ListPage {
        page: visitor
            .page(&portal.app, visitor.lang.t("classifiers-title"))
            .under("/", visitor.lang.t("nav-catalogue")),
        rows: found.items.into_iter().map(|one| row(one.value)).collect(),
        next: found.next.map(|next| {
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            visitor.url(&format!("/classifiers?after={next}"))
        }),
    }))
}

/// `GET /classifiers/{id}?version=&from=`
pub async fn classifier_show(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let done = query.take("done").map_err(failed)?;
    let version = query.take_number("version").map_err(failed)?;
    let from = query.take_number("from").map_err(failed)?.unwrap_or(0);
    query.end().map_err(failed)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let version = version.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let page = shown_page(&portal, &visitor, &id, version, from).await;
    let mut page = page.map_err(failed)?;
    page.page = page.page.saying(done.as_deref());
    Ok(html(&page))
}

async fn shown_page(
    portal: &Portal,
    visitor: &Visitor,
    id: &str,
    version: Option<i64>,
    from: usize,
) -> Result<ClassifierPage, Problem> {
    let (app, ctx, lang) = (&portal.app, &visitor.ctx, visitor.lang);
    let seen = app.classifier_get(ctx, id).await?.value;
    let page = ListQuery {
        after: None,
        limit: MOST,
    };
    let versions = app.classifier_version_list(ctx, id, page).await?.items;
    let shown = match version.or(seen.in_force).or(seen.view.latest) {
        Some(number) => Some(shown(portal, visitor, id, number, from).await?),
        None => None,
    };
    let one = seen.view.classifier;
    Ok(ClassifierPage {
        page: visitor
            .page(&portal.app, title(lang, one.title, one.title_en))
            .under("/", lang.t("nav-catalogue"))
            .under("/classifiers", lang.t("classifiers-title")),
        keeper: name_of(&seen.keeper_name, one.keeper.as_str()),
        description: one.description,
        url: one.url,
        may_publish: seen.may_publish,
        uses: uses(app.classifier_uses(id)),
        versions,
        in_force: seen.in_force,
        shown,
        id: one.id,
    })
}

async fn shown(
    portal: &Portal,
    visitor: &Visitor,
    id: &str,
    number: i64,
    from: usize,
) -> Result<Shown, Problem> {
    let (app, ctx, lang) = (&portal.app, &visitor.ctx, visitor.lang);
    let whole = app.classifier_version_get(ctx, id, Which::Number(number)).await?;
    let values = &whole.1;
    let changes = if number > 1 {
        let before = app
            .classifier_version_get(ctx, id, Which::Number(number - 1))
            .await?;
        Some(changes(lang, &difference(&before.1, values)))
    } else {
        None
    };
    let at = |from: usize| visitor.url(&format!("/classifiers/{id}?version={number}&from={from}"));
    let end = from.saturating_add(CODES);
    Ok(Shown {
        number,
        reason: whole.0.reason.clone(),
        total: values.len(),
        previous: (from > 0).then(|| at(from.saturating_sub(CODES))),
        next: (end < values.len()).then(|| at(end)),
        values: values
            .iter()
            .skip(from)
            .take(CODES)
            .map(|value| code(lang, value))
            .collect(),
        changes,
    })
}

fn code(lang: Lang, value: &ClassifierValue) -> Code {
    Code {
        name: title(lang, value.name.clone(), value.name_en.clone()),
        code: value.code.clone(),
        parent: value.parent.clone().unwrap_or_default(),
        from: value.valid_from,
        to: value.valid_to,
    }
}

/// In the reader's language, where it is there.
pub fn title(lang: Lang, latvian: String, english: Option<String>) -> String {
    match lang {
        Lang::Lv => latvian,
        Lang::En => english.unwrap_or(latvian),
    }
}

/// A data set stands once; what is published before what is only tried.
pub fn uses(found: Vec<UsedBy>) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for section in [Section::Main, Section::Sandbox] {
        for used in found.iter().filter(|used| used.section == section) {
            let name = used.dataset.as_str();
            let is_tried = section == Section::Sandbox;
            match uses.iter_mut().find(|one| one.dataset == name) {
                // The published text says it already.
                Some(known) if known.is_tried != is_tried => {}
                Some(known) => known.fields = format!("{}, {}", known.fields, used.field),
                None => uses.push(Use {
                    dataset: name.to_owned(),
                    fields: used.field.clone(),
                    is_tried,
                }),
            }
        }
    }
    uses
}

/// What a person reads of a difference.
pub fn changes(lang: Lang, found: &Difference<'_>) -> Changes {
    let name = |value: &ClassifierValue| title(lang, value.name.clone(), value.name_en.clone());
    let line = |value: &ClassifierValue| format!("{} – {}", value.code, name(value));
    let day = |day: Option<Date>| day.map_or_else(|| "…".to_owned(), |day| lang.day(day));
    let rest = |value: &ClassifierValue| {
        let parent = value.parent.as_deref().unwrap_or("–");
        format!("{parent}, {}–{}", day(value.valid_from), day(value.valid_to))
    };
    let kind = |title: &str, count: usize, lines: Vec<String>| Kind {
        title: lang.n(title, count as u64),
        more: count - lines.len(),
        lines,
    };
    let one = |title: &str, values: &[&ClassifierValue]| {
        let lines = values.iter().take(SHOWN).map(|value| line(value));
        kind(title, values.len(), lines.collect())
    };
    let two = |title: &str,
               pairs: &[(&ClassifierValue, &ClassifierValue)],
               of: &dyn Fn(&ClassifierValue) -> String| {
        let lines = pairs.iter().take(SHOWN);
        let lines = lines.map(|(old, new)| format!("{}: {} → {}", new.code, of(old), of(new)));
        kind(title, pairs.len(), lines.collect())
    };
    let names = |value: &ClassifierValue| match &value.name_en {
        Some(english) => format!("{} / {english}", value.name),
        None => value.name.clone(),
    };
    let kinds = [
        one("classifier-added", &found.added),
        one("classifier-removed", &found.removed),
        two("classifier-renamed", &found.renamed, &names),
        two("classifier-changed", &found.changed, &rest),
    ];
    Changes {
        kinds: kinds.into_iter().filter(|kind| !kind.lines.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_uses_a_list_twice_or_in_both_sections_stands_once() {
        let used = |dataset: &str, section, field: &str| UsedBy {
            dataset: dagr_model::ids::DatasetName::new(dataset),
            section,
            field: field.into(),
        };
        let found = uses(vec![
            used("a", Section::Sandbox, "Kind"),
            used("b", Section::Main, "Kind"),
            used("b", Section::Main, "Other"),
            used("b", Section::Sandbox, "Kind"),
        ]);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.dataset.as_str(), one.fields.as_str(), one.is_tried))
            .collect();
        assert_eq!(found, [("b", "Kind, Other", false), ("a", "Kind", true)]);
    }

    #[test]
    fn a_difference_is_told_by_kind_and_the_rest_is_counted() {
        let value = |code: usize| ClassifierValue {
            code: code.to_string(),
            name: format!("N{code}"),
            name_en: Some(format!("E{code}")),
            parent: None,
            valid_from: None,
            valid_to: None,
        };
        let after: Vec<_> = (0..60).map(value).collect();
        let told = changes(Lang::Lv, &difference(&[value(99)], &after));
        assert_eq!(
            (told.kinds.len(), told.kinds[0].lines.len(), told.kinds[0].more),
            (2, SHOWN, 10)
        );
        assert_eq!(told.kinds[1].lines, ["99 – N99"]);
        assert_eq!(changes(Lang::En, &difference(&after, &after)).kinds.len(), 0);
    }
}
