//! *My data*: who got what about the person signed in, when and why; in sentences, newest first.

mod export;
mod line;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_app::{disclosure::OwnFilter, views::OwnDisclosure};
use dagr_model::clock::riga;
use http::StatusCode;
use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::{
    failed::Failed,
    page::{Page, html, name_of},
    settings::Portal,
    visitor::{Signed, Visitor},
};

pub use export::{my_data_csv, my_data_json};
use line::{Day, days, sentence};

/// Disclosures on one page.
const PAGE: usize = 50;
/// Characters of a name that are read.
const MAX_WORDS: usize = 200;
/// Recipients offered while typing a name.
const MAX_OFFERED: usize = 30;

#[derive(Template)]
#[template(path = "my_data.html")]
struct MyDataPage {
    page: Page,
    asked: Asked,
    is_filtered: bool,
    /// Further back than the newest.
    is_later: bool,
    days: Vec<Day>,
    /// Names of the recipients shown: offered while one is typed.
    recipients: Vec<String>,
    next: Option<String>,
    newest: String,
    json: String,
    csv: String,
}

/// The filter as it was typed, and what is wrong with it.
#[derive(Default, Clone)]
struct Asked {
    from: String,
    to: String,
    recipient: String,
    before: Option<String>,
    from_fault: Option<String>,
    to_fault: Option<String>,
}

impl Asked {
    fn read(visitor: &Visitor) -> Result<Self, Failed> {
        let mut query = visitor.query()?;
        let failed = |problem| visitor.failed(problem);
        let mut word = |name| query.take(name).map_err(failed);
        let typed = |text: Option<String>| text.unwrap_or_default().trim().chars().take(MAX_WORDS).collect();
        let asked = Self {
            from: typed(word("from")?),
            to: typed(word("to")?),
            recipient: typed(word("recipient")?),
            before: word("before")?.filter(|text| !text.is_empty()),
            ..Self::default()
        };
        query.end().map_err(failed)?;
        Ok(asked)
    }

    /// What the use case is asked; faults stay with the field they belong to.
    fn filter(&mut self, visitor: &Visitor, limit: usize) -> Option<OwnFilter> {
        let lang = visitor.lang;
        let from = day(&self.from);
        let to = day(&self.to);
        if from.is_err() {
            self.from_fault = Some(lang.t("own-fault-date"));
        }
        if to.is_err() {
            self.to_fault = Some(lang.t("own-fault-date"));
        }
        let (from, to) = (from.ok()?, to.ok()?);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            self.to_fault = Some(lang.t("own-fault-order"));
            return None;
        }
        Some(OwnFilter {
            from: from.and_then(begins),
            // The last day is shown whole.
            to: to.and_then(|day| day.checked_add(1.day()).ok()).and_then(begins),
            recipient: Some(self.recipient.clone()).filter(|words| !words.is_empty()),
            before: self.before.clone(),
            limit,
        })
    }

    fn is_wrong(&self) -> bool {
        self.from_fault.is_some() || self.to_fault.is_some()
    }

    fn words(&self) -> String {
        let mut words = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("from", &self.from),
            ("to", &self.to),
            ("recipient", &self.recipient),
        ] {
            if !value.is_empty() {
                words.append_pair(name, value);
            }
        }
        words.finish()
    }

    fn url(&self, visitor: &Visitor, path: &str, before: Option<&str>) -> String {
        let mut words = self.words();
        if let Some(before) = before {
            let joint = if words.is_empty() { "" } else { "&" };
            words = format!("{words}{joint}before={before}");
        }
        let mark = if words.is_empty() { "" } else { "?" };
        visitor.url(&format!("{path}{mark}{words}"))
    }
}

/// `GET /my-data?from=&to=&recipient=&before=`
pub async fn my_data_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let mut asked = Asked::read(&visitor)?;
    let filter = asked.filter(&visitor, PAGE);
    let wrong = asked.is_wrong();
    let found = match filter {
        Some(filter) => {
            let found = portal.app.disclosure_own_list(&visitor.ctx, filter).await;
            found.map_err(|problem| visitor.failed(problem))?
        }
        None => dagr_app::views::Page {
            items: Vec::new(),
            next: None,
        },
    };
    let page = visitor.page(&portal.app, visitor.lang.t("own-title"));
    let next = found.next.as_deref();
    let mut response = html(&MyDataPage {
        days: days(visitor.lang, &found.items),
        recipients: recipients(&found.items),
        next: next.map(|next| asked.url(&visitor, "/my-data", Some(next))),
        newest: asked.url(&visitor, "/my-data", None),
        json: asked.url(&visitor, "/my-data.json", None),
        csv: asked.url(&visitor, "/my-data.csv", None),
        is_filtered: !asked.words().is_empty(),
        is_later: asked.before.is_some(),
        asked,
        page,
    });
    if wrong {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "my_data_one.html")]
struct OnePage {
    page: Page,
    seen: OwnDisclosure,
    sentence: String,
    recipient: String,
    provider: Option<String>,
    /// The entry as the journal has it.
    entry: String,
}

/// `GET /my-data/{id}`
pub async fn my_data_one(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let found = portal.app.disclosure_get_own(&visitor.ctx, &id).await;
    let found = found.map_err(|problem| visitor.failed(problem))?;
    let seen = found.seen;
    let lang = visitor.lang;
    let page = visitor
        .page(
            &portal.app,
            lang.with("own-one-title", &[("at", &lang.moment(seen.at))]),
        )
        .under("/my-data", lang.t("own-title"));
    let named = |party: &dagr_app::views::Provider| name_of(&party.name, party.registration_number.as_str());
    Ok(html(&OnePage {
        sentence: sentence(lang, &seen),
        recipient: named(&seen.recipient),
        provider: seen.provider.as_ref().map(named),
        entry: serde_json::to_string_pretty(&found.entry).unwrap_or_default(),
        seen,
        page,
    }))
}

fn recipients(items: &[OwnDisclosure]) -> Vec<String> {
    let mut names: Vec<String> = items
        .iter()
        .map(|item| name_of(&item.recipient.name, item.recipient.registration_number.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MAX_OFFERED);
    names
}

/// A day as a browser sends it; nothing typed is no day.
fn day(text: &str) -> Result<Option<Date>, jiff::Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

/// Midnight in Riga.
fn begins(day: Date) -> Option<Timestamp> {
    day.to_zoned_datetime(riga()).ok().map(|zoned| zoned.timestamp())
}
