//! The next version of a classifier: pasted as CSV, looked at with what it changes and for whom, then published.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{
    classifier::{
        VersionSent, Which,
        csv::{self, CsvRead},
    },
    problem::Problem,
};
use dagr_model::fault::Fault;
use jiff::civil::Date;

use super::{Changes, Use, changes, title, uses};
use crate::{
    failed::Failed,
    form::{Form, Posted, date},
    lang::Lang,
    page::{Page, html, see, wrong},
    settings::Portal,
    typed::{Typed, Wrong},
    visitor::{Signed, Visitor},
};

/// Faults shown at once; the rest is counted.
const MAX_FAULTS: usize = 50;
/// The form begins with the present codes where they are no more than this.
const MAX_PREFILLED: usize = 5_000;

#[derive(Template)]
#[template(path = "classifier_publish.html")]
struct PublishPage {
    page: Page,
    id: String,
    /// Of the classifier, seen when the form was opened.
    version: i64,
    typed: Typed,
    checked: Option<Checked>,
}

/// Faultless, and not published yet.
struct Checked {
    valid_from: Date,
    total: usize,
    changes: Changes,
    uses: Vec<Use>,
}

/// `GET /classifiers/{id}/publish`
pub async fn publish_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    visitor.query()?.end().map_err(failed)?;
    portal.app.may_publish(&visitor.ctx, &id).await.map_err(failed)?;
    let seen = portal
        .app
        .classifier_get(&visitor.ctx, &id)
        .await
        .map_err(failed)?;
    let text = match seen.value.view.latest {
        Some(number) => {
            let whole = portal
                .app
                .classifier_version_get(&visitor.ctx, &id, Which::Number(number));
            let whole = whole.await.map_err(failed)?;
            (whole.1.len() <= MAX_PREFILLED).then(|| csv::write(&whole.1))
        }
        None => None,
    };
    let form = Form::of([("values", text.unwrap_or_default())]);
    let typed = Typed::with(form, Vec::new());
    let page = page_of(&portal, &visitor, &id, typed, None).await;
    Ok(html(&page.map_err(failed)?))
}

/// `POST /classifiers/{id}/publish`: `do=check` shows what it would change, `do=edit` the form again, `do=publish` publishes.
pub async fn publish_post(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    // To whoever may not, nothing is said of the text.
    portal.app.may_publish(&visitor.ctx, &id).await.map_err(failed)?;
    let lang = visitor.lang;
    let (sent, read) = match sent(lang, &form) {
        Ok(sent) => sent,
        Err(faults) => return again(&portal, &visitor, &id, Typed::with(form, faults)).await,
    };
    let refused = match form.text("do") {
        "publish" => {
            let expected = form.text("version").parse().unwrap_or(-1);
            let made = portal
                .app
                .classifier_publish(&visitor.ctx, &id, sent, Some(expected))
                .await;
            match made {
                Ok(_) => {
                    let to = format!("/classifiers/{id}?done=classifier-published");
                    return Ok(see(&visitor.url(&to)));
                }
                Err(problem) => problem,
            }
        }
        "edit" => {
            let page = page_of(&portal, &visitor, &id, Typed::with(form, Vec::new()), None).await;
            return Ok(html(&page.map_err(failed)?));
        }
        _ => match portal.app.classifier_check(&visitor.ctx, &id, sent).await {
            Ok(found) => {
                let checked = Checked {
                    valid_from: found.valid_from,
                    total: found.after.len(),
                    changes: changes(lang, &found.difference()),
                    uses: uses(found.used_by),
                };
                let typed = Typed::with(form, Vec::new());
                let page = page_of(&portal, &visitor, &id, typed, Some(checked)).await;
                return Ok(html(&page.map_err(failed)?));
            }
            Err(problem) => problem,
        },
    };
    let faults = if refused.status == 412 {
        vec![Wrong {
            at: "values".into(),
            text: lang.t("classifier-changed-meanwhile"),
        }]
    } else if refused.status == 422 {
        told(lang, refused.faults, &read)
    } else {
        return Err(failed(refused));
    };
    again(&portal, &visitor, &id, Typed::with(form, faults)).await
}

async fn again(portal: &Portal, visitor: &Visitor, id: &str, typed: Typed) -> Result<Response, Failed> {
    let page = page_of(portal, visitor, id, typed, None).await;
    page.map(|page| wrong(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn page_of(
    portal: &Portal,
    visitor: &Visitor,
    id: &str,
    typed: Typed,
    checked: Option<Checked>,
) -> Result<PublishPage, Problem> {
    let lang = visitor.lang;
    let seen = portal.app.classifier_get(&visitor.ctx, id).await?;
    let one = seen.value.view.classifier;
    Ok(PublishPage {
        page: visitor
            .page(&portal.app, lang.t("classifier-publish"))
            .under("/classifiers", lang.t("classifiers-title"))
            .under(
                &format!("/classifiers/{id}"),
                title(lang, one.title, one.title_en),
            ),
        id: one.id,
        version: seen.version,
        typed,
        checked,
    })
}

/// What was typed, or what is wrong with it.
fn sent(lang: Lang, form: &Form) -> Result<(VersionSent, CsvRead), Vec<Wrong>> {
    let mut days: Vec<Fault> = Vec::new();
    let valid_from = date(form, "valid_from", &mut days);
    let mut faults: Vec<Wrong> = days
        .iter()
        .map(|fault| Wrong {
            at: fault.place.clone(),
            text: crate::failed::fault_text(lang, fault),
        })
        .collect();
    let reason = form.text("why").to_owned();
    if reason.is_empty() {
        faults.push(Wrong {
            at: "why".into(),
            text: lang.t("classifier-why-missing"),
        });
    }
    match csv::read(form.raw("values")) {
        Ok(read) if faults.is_empty() => {
            let values = read.values.clone();
            Ok((
                VersionSent {
                    valid_from,
                    reason,
                    values,
                },
                read,
            ))
        }
        Ok(_) => Err(faults),
        Err(unread) => {
            faults.extend(told(lang, unread, &CsvRead::default()));
            Err(faults)
        }
    }
}

/// Faults in the reader's language, with line and code.
fn told(lang: Lang, faults: Vec<Fault>, read: &CsvRead) -> Vec<Wrong> {
    let count = faults.len();
    let mut wrong: Vec<Wrong> = faults
        .into_iter()
        .take(MAX_FAULTS)
        .map(|fault| one(lang, read.placed(fault), read))
        .collect();
    if count > MAX_FAULTS {
        wrong.push(Wrong {
            at: "values".into(),
            text: lang.n("classifier-more-faults", (count - MAX_FAULTS) as u64),
        });
    }
    wrong
}

fn one(lang: Lang, fault: Fault, read: &CsvRead) -> Wrong {
    let what = lang.known(&format!("classifier-fault-{}", fault.rule.replace('_', "-")));
    let what = what.unwrap_or(fault.message);
    let line = fault.place.strip_prefix("line ");
    let at = match fault.place.as_str() {
        "valid_from" => "valid_from",
        "reason" => "why",
        _ => "values",
    };
    let text = match line {
        None => what,
        Some(line) => {
            let place = read.lines.iter().position(|known| known.to_string() == line);
            let code = place.and_then(|place| read.values.get(place));
            let code = code.map_or("", |value| value.code.as_str());
            let id = if code.is_empty() {
                "classifier-line-only"
            } else {
                "classifier-line"
            };
            lang.with(id, &[("line", line), ("code", code), ("what", &what)])
        }
    };
    Wrong {
        at: at.to_owned(),
        text,
    }
}
