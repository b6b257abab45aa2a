//! The definition's editor: checked at once, shown with what it changes and whom it hits, saved to the sandbox. What was
//! typed comes back with every answer.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    dataset::{DefinitionSent, Touched},
    problem::Problem,
    provide::DefinitionChecked,
};
use dagr_model::{definition::Evolution, fault::Fault, ids::Section};
use http::StatusCode;

use super::{page_of, words};
use crate::{
    dataset::{FieldRow, indented, rows},
    failed::Failed,
    form::Posted,
    lang::Lang,
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::State as Word,
};

/// Faults shown at once; the rest is counted.
const MAX_FAULTS: usize = 100;

#[derive(Template)]
#[template(path = "definition.html")]
struct DefinitionPage {
    page: Page,
    /// None: a new set.
    name: Option<String>,
    action: String,
    version: String,
    text: String,
    may_change: bool,
    faults: Vec<LineFault>,
    more_faults: usize,
    checked: Option<Checked>,
    /// Somebody else saved meanwhile.
    conflict: bool,
}

/// A fault with its line and the line's text.
pub struct LineFault {
    pub at: &'static str,
    pub line: Option<u32>,
    pub quoted: String,
    pub rule: String,
    pub message: String,
}

/// What a faultless text means.
pub struct Checked {
    pub evolution: Option<EvolutionShown>,
    pub touches: Vec<TouchedRow>,
    pub fields: Vec<FieldRow>,
    pub sample: Vec<String>,
    /// What stops nothing and should be known.
    pub remarks: Vec<String>,
    pub unpublishable: Vec<LineFault>,
}

pub struct EvolutionShown {
    pub class: Word,
    pub changes: Vec<ChangeRow>,
    pub is_incompatible: bool,
}

pub struct ChangeRow {
    pub place: String,
    pub what: String,
    pub compatible: bool,
}

pub struct TouchedRow {
    pub permission: String,
    pub recipient: String,
    pub purpose: String,
}

/// `GET /my-datasets/new`
pub async fn definition_new(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
) -> Result<Response, Failed> {
    visitor
        .query()?
        .end()
        .map_err(|problem| visitor.failed(problem))?;
    let may_change = visitor.ctx.answers_for_data() && visitor.provides;
    Ok(html(&blank(&portal, &visitor, None, may_change)))
}

/// `GET /my-datasets/{name}/definition`: the sandbox's text, else the published one.
pub async fn definition_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.query()?.end().map_err(failed)?;
    let set = portal
        .app
        .dataset_get(&visitor.ctx, &name)
        .await
        .map_err(failed)?;
    let kept = set.value.sandbox.as_ref().or(set.value.main.as_ref());
    let text = kept.map_or_else(String::new, |kept| kept.text.clone());
    let may_change = visitor.ctx.answers_for_data();
    let mut page = blank(&portal, &visitor, Some(&name), may_change);
    page.version = set.version.to_string();
    page.text = text;
    Ok(html(&page))
}

/// `POST /my-datasets/new`
pub async fn definition_create(State(portal): State<Portal>, posted: Posted) -> Result<Response, Failed> {
    answer(&portal, posted, None).await
}

/// `POST /my-datasets/{name}/definition`
pub async fn definition_post(
    State(portal): State<Portal>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    answer(&portal, posted, Some(&name)).await
}

async fn answer(portal: &Portal, posted: Posted, name: Option<&str>) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let text = form.raw("text");
    let mut page = blank(portal, &visitor, name, true);
    page.version = form.text("version").to_owned();
    page.text = text.to_owned();
    let checked = match portal.app.definition_check(&visitor.ctx, name, text).await {
        Ok(checked) => checked,
        Err(problem) => return refused(&visitor, page, problem),
    };
    if form.text("do") == "save" {
        let dataset = checked.definition.name.to_string();
        let sent = DefinitionSent {
            text: text.to_owned(),
            expected: page.version.parse().ok(),
            ..DefinitionSent::default()
        };
        match portal.app.definition_put(&visitor.ctx, &dataset, sent).await {
            Ok(_) => {
                let to = format!("/my-datasets/{dataset}?done=definition-saved");
                return Ok(see(&visitor.url(&to)));
            }
            Err(problem) if problem.status == 412 => {
                let now = portal.app.dataset_get(&visitor.ctx, &dataset).await;
                let now = now.map_err(|problem| visitor.failed(problem))?;
                page.version = now.version.to_string();
                page.conflict = true;
                page.checked = Some(shown(portal, visitor.lang, checked));
                return Ok(with_status(StatusCode::PRECONDITION_FAILED, &page));
            }
            Err(problem) => return refused(&visitor, page, problem),
        }
    }
    page.checked = Some(shown(portal, visitor.lang, checked));
    Ok(html(&page))
}

/// Faults of the text beside the text; any other refusal is a page of its own.
fn refused(visitor: &Visitor, mut page: DefinitionPage, problem: Problem) -> Result<Response, Failed> {
    if problem.status != 422 {
        return Err(visitor.failed(problem));
    }
    page.more_faults = problem.total.max(problem.faults.len()).saturating_sub(MAX_FAULTS);
    page.faults = line_faults(visitor.lang, &page.text, &problem.faults);
    Ok(with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn with_status(status: StatusCode, page: &DefinitionPage) -> Response {
    let mut response = html(page);
    *response.status_mut() = status;
    response
}

fn blank(portal: &Portal, visitor: &Visitor, name: Option<&str>, may_change: bool) -> DefinitionPage {
    let lang = visitor.lang;
    let (page, action) = match name {
        Some(name) => (
            page_of(portal, visitor, name, lang.t("definition-title")),
            format!("/my-datasets/{name}/definition"),
        ),
        None => (
            visitor
                .page(&portal.app, lang.t("definition-new"))
                .under("/my-datasets", lang.t("nav-my-datasets")),
            "/my-datasets/new".to_owned(),
        ),
    };
    DefinitionPage {
        action: page.url(&action),
        page,
        name: name.map(str::to_owned),
        version: String::new(),
        text: String::new(),
        may_change,
        faults: Vec::new(),
        more_faults: 0,
        checked: None,
        conflict: false,
    }
}

fn line_faults(lang: Lang, text: &str, faults: &[Fault]) -> Vec<LineFault> {
    let lines: Vec<&str> = text.lines().collect();
    let fault = |fault: &Fault| {
        let line = words::line(fault);
        let quoted = line.and_then(|line| lines.get((line as usize).checked_sub(1)?));
        LineFault {
            at: "text",
            line,
            quoted: quoted.map_or_else(String::new, |line| line.trim().chars().take(80).collect()),
            rule: words::rule(lang, &fault.rule),
            message: fault.message.clone(),
        }
    };
    faults.iter().take(MAX_FAULTS).map(fault).collect()
}

/// What a faultless text means, for the editor and before publishing.
pub fn shown(portal: &Portal, lang: Lang, checked: DefinitionChecked) -> Checked {
    let mut fields = Vec::new();
    rows(lang, &checked.definition.fields, 0, &mut fields);
    Checked {
        evolution: checked.evolution.as_ref().map(|found| evolution(lang, found)),
        touches: checked.touches.iter().map(|one| touched(portal, one)).collect(),
        fields,
        sample: checked
            .sample
            .iter()
            .map(|record| indented(record.get()))
            .collect(),
        remarks: remarks(lang, &checked),
        unpublishable: line_faults(lang, "", &checked.unpublishable),
    }
}

/// In the reader's language: what the lists of its fields do not do.
fn remarks(lang: Lang, checked: &DefinitionChecked) -> Vec<String> {
    let told = |remark: &Fault| {
        let mut lists = checked.definition.classifiers();
        let list = lists.find(|(_, field)| *field == remark.place);
        let values = [
            ("field", remark.place.as_str()),
            ("list", list.as_ref().map_or("", |(list, _)| list)),
        ];
        match remark.rule.as_str() {
            "classifier_unknown" => lang.with("remark-classifier-unknown", &values),
            "classifier_empty" => lang.with("remark-classifier-empty", &values),
            _ => remark.message.clone(),
        }
    };
    checked.remarks.iter().map(told).collect()
}

fn evolution(lang: Lang, found: &Evolution) -> EvolutionShown {
    let row = |change: &dagr_model::definition::EvolutionChange| ChangeRow {
        place: change.place.clone(),
        what: words::change(lang, change),
        compatible: change.compatible,
    };
    EvolutionShown {
        class: words::class(lang, found.class),
        is_incompatible: found.changes.iter().any(|change| !change.compatible),
        changes: found.changes.iter().map(row).collect(),
    }
}

fn touched(portal: &Portal, touched: &Touched) -> TouchedRow {
    TouchedRow {
        permission: touched.permission.clone(),
        recipient: crate::application::institution(portal, &touched.recipient),
        purpose: touched.purpose.clone(),
    }
}

/// The text in the sandbox as it would be published, and the registry's version.
pub async fn tried(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
) -> Result<(i64, Option<DefinitionChecked>), Problem> {
    let set = portal.app.dataset_get(&visitor.ctx, name).await?;
    let text = |section| set.value.definition(section).map(|kept| kept.text.as_str());
    let sandbox = text(Section::Sandbox).filter(|sandbox| Some(*sandbox) != text(Section::Main));
    let checked = match sandbox {
        Some(sandbox) => Some(
            portal
                .app
                .definition_check(&visitor.ctx, Some(name), sandbox)
                .await?,
        ),
        None => None,
    };
    Ok((set.version, checked))
}

impl DefinitionPage {
    /// Faults, shown or not.
    fn total(&self) -> usize {
        self.faults.len() + self.more_faults
    }
}

#[cfg(test)]
mod tests {
    use dagr_model::definition::Definition;

    use super::*;

    #[test]
    fn the_example_is_without_a_fault() {
        for lang in Lang::ALL {
            let example = lang.t("language-sample");
            assert_eq!(example.parse::<Definition>().err(), None, "{example}");
        }
    }
}
