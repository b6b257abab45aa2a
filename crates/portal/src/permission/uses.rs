//! What a permission is used for, day by day and field by field, without persons; what of it could be given up.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use dagr_app::{
    App,
    permission::{FieldUse, Narrowing, PermissionUse},
    problem::Problem,
    views::PermissionSeen,
};
use dagr_model::{application::APPLICANTS, permission::PermissionState};
use http::{HeaderValue, StatusCode, header};
use jiff::{ToSpan as _, civil::Date};
use std::collections::BTreeMap;

use super::words::way_text;
use crate::{
    application::{FormFault, form_faults},
    failed::Failed,
    form::{Form, Posted},
    lang::{Lang, number as digits},
    page::{Page, html, see},
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// Of the chart, in its own units: a day is as wide as this.
const DAY_WIDTH: usize = 8;
const HEIGHT: u64 = 100;

/// The last ninety days as a chart, with the same as a table.
pub struct UseChart {
    /// The finding, as the chart's title.
    pub title: String,
    pub width: usize,
    pub columns: Vec<Column>,
    /// Days with a call, newest first.
    pub rows: Vec<(Date, u64, u64)>,
    pub from: Date,
    pub to: Date,
    pub peak: u64,
}

pub struct Column {
    pub x: usize,
    pub y: u64,
    pub height: u64,
    pub text: String,
}

pub fn chart(lang: Lang, used: &PermissionUse) -> UseChart {
    let mut days: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
    for day in &used.days {
        let sum = days.entry(day.day).or_default();
        sum.0 += day.calls;
        sum.1 += day.records;
    }
    let peak = days.values().map(|(calls, _)| *calls).max().unwrap_or(0);
    let busiest = days
        .iter()
        .max_by_key(|(_, (calls, _))| *calls)
        .map(|(day, _)| *day);
    let place =
        |day: Date| usize::try_from(day.since(used.from).map_or(0, |span| span.get_days())).unwrap_or(0);
    let columns = days.iter().map(|(day, (calls, _))| {
        // A day with one call among thousands is still seen.
        let height = (calls * HEIGHT).div_ceil(peak.max(1));
        Column {
            x: place(*day) * DAY_WIDTH,
            y: HEIGHT - height,
            height,
            text: format!("{}: {}", lang.day(*day), digits(*calls)),
        }
    });
    let title = match busiest {
        None => lang.t("use-none"),
        Some(day) => lang.with(
            "use-finding",
            &[
                ("calls", &digits(used.calls)),
                ("day", &lang.day(day)),
                ("peak", &digits(peak)),
            ],
        ),
    };
    UseChart {
        title,
        width: (place(used.to) + 1) * DAY_WIDTH,
        columns: columns.collect(),
        rows: days
            .iter()
            .rev()
            .map(|(day, (calls, records))| (*day, *calls, *records))
            .collect(),
        from: used.from,
        to: used.to,
        peak,
    }
}

/// What its reader may do besides suspending and revoking.
#[derive(Debug, Clone, Copy, Default)]
pub struct MayAsk {
    pub amend: bool,
    pub narrow: bool,
}

pub fn may_ask(visitor: &Visitor, seen: &PermissionSeen) -> MayAsk {
    let permission = &seen.row.permission;
    let active = permission.state == PermissionState::Active;
    let answers = |acting: &dagr_app::ctx::Acting| acting.holds(APPLICANTS);
    let acting = visitor
        .ctx
        .acting_for()
        .filter(|acting| active && answers(acting));
    let holds = acting.is_some_and(|acting| acting.institution == permission.recipient);
    let gives = |acting: &dagr_app::ctx::Acting| {
        let provider = seen.row.provider.as_ref();
        provider.is_some_and(|provider| provider.registration_number == acting.institution)
    };
    MayAsk {
        amend: holds,
        narrow: holds || acting.is_some_and(gives),
    }
}

/// `POST /permissions/{number}/amend`: a draft that asks for what it gives now, to be changed.
pub async fn permission_amend(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let visitor = posted.visitor;
    let made = portal.app.permission_amend(&visitor.ctx, &number).await;
    let made = made.map_err(|problem| visitor.failed(problem))?;
    let number = made.value.application.number;
    Ok(see(&visitor.url(&format!("/applications/{number}?done=amending"))))
}

/// `GET /permissions/{number}/odrl.jsonld`: the decision as an ODRL 2.2 agreement.
pub async fn permission_odrl(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let agreement = portal.app.permission_odrl(&visitor.ctx, &number).await;
    let agreement = agreement.map_err(|problem| visitor.failed(problem))?;
    let text = serde_json::to_string_pretty(&agreement).unwrap_or_default();
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/ld+json"),
    );
    let name = format!(
        "attachment; filename=\"permission-{}.jsonld\"",
        digits_only(&number)
    );
    let place = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    Ok(([kind, (header::CONTENT_DISPOSITION, place)], text).into_response())
}

fn digits_only(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(20).collect()
}

#[derive(Template)]
#[template(path = "permission_narrow.html")]
struct NarrowPage {
    page: Page,
    number: String,
    version: i64,
    description: String,
    recipient: String,
    fields: Vec<Offer>,
    ways: Vec<Offer>,
    reason: String,
    faults: Vec<FormFault>,
}

/// A field or way that can be given up.
struct Offer {
    value: String,
    text: String,
    /// When it was last used.
    last: Option<Date>,
    ticked: bool,
}

/// `GET /permissions/{number}/narrow`: what was not used for ninety days is ticked already.
pub async fn permission_narrow_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(number): Path<String>,
) -> Result<Response, Failed> {
    let page = narrow(&portal.app, &visitor, &number, None).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn narrow(
    app: &App,
    visitor: &Visitor,
    number: &str,
    sent: Option<&Form>,
) -> Result<NarrowPage, Problem> {
    let lang = visitor.lang;
    let seen = app.permission_show(&visitor.ctx, number).await?;
    let used = app.permission_use(&visitor.ctx, number).await?;
    let permission = &seen.row.permission;
    let key: Vec<String> = app
        .definition_of(permission.dataset.as_str())
        .map_or_else(Vec::new, |definition| {
            definition.key.fields().map(str::to_owned).collect()
        });
    let since = used.to.saturating_sub(90.days());
    let old = |last: Option<Date>| last.is_none_or(|last| last < since);
    let ticked = |name: &str, value: &str, unused: bool| match sent {
        Some(form) => form.all(name).any(|sent| sent == value),
        None => unused && used.calls > 0,
    };
    let field = |found: &FieldUse| {
        let meaning = seen.fields.iter().find(|field| field.path == found.field);
        Offer {
            text: meaning.map_or_else(|| found.field.clone(), |field| field.meaning.clone()),
            last: found.last_given,
            ticked: ticked("field", &found.field, old(found.last_given)),
            value: found.field.clone(),
        }
    };
    let way = |way: &dagr_model::permission::Way| {
        let value = way.text().into_owned();
        let last = used
            .days
            .iter()
            .filter(|day| day.way == value && day.calls > 0)
            .map(|day| day.day)
            .max();
        Offer {
            text: way_text(lang, &value),
            ticked: ticked("way", &value, old(last)),
            last,
            value,
        }
    };
    let title = lang.with("permission-title", &[("number", number)]);
    Ok(NarrowPage {
        page: visitor
            .page(app, lang.t("narrow-title"))
            .under("/permissions", lang.t("permissions-title"))
            .under(&format!("/permissions/{number}"), title),
        number: permission.number.to_string(),
        version: seen.row.version,
        description: seen.row.description.clone(),
        recipient: seen.row.recipient.name.clone(),
        fields: used
            .fields
            .iter()
            .filter(|found| !key.contains(&found.field))
            .map(field)
            .collect(),
        ways: permission.ways.iter().map(way).collect(),
        reason: sent
            .map(|form| form.text("reason").to_owned())
            .unwrap_or_default(),
        faults: Vec::new(),
    })
}

/// `POST` to the same: in force at once, and nothing is added by it.
pub async fn permission_narrow_post(
    State(portal): State<Portal>,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Failed> {
    let Posted { visitor, form } = posted;
    let failed = |problem| visitor.failed(problem);
    let ways: Result<Vec<_>, String> = form.all("way").map(str::parse).collect();
    let ways = ways.map_err(|why| failed(Problem::query_invalid("way", why)))?;
    let narrowing = Narrowing {
        fields: form.all("field").map(str::to_owned).collect(),
        ways,
        reason: form.text("reason").to_owned(),
    };
    let version = form.text("version").parse().ok();
    let done = portal
        .app
        .permission_narrow(&visitor.ctx, &number, &narrowing, version)
        .await;
    match done {
        Ok(_) => Ok(see(&visitor.url(&format!("/permissions/{number}?done=narrowed")))),
        Err(problem) if problem.status == 422 => {
            let mut page = narrow(&portal.app, &visitor, &number, Some(&form))
                .await
                .map_err(failed)?;
            page.faults = form_faults(&visitor, &problem.faults);
            let mut response = html(&page);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(problem) => Err(failed(problem)),
    }
}
