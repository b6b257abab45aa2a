//! The trail: who changed what, when. Filtered, newest first; what is seen goes out as CSV too.

use std::{collections::HashMap, fmt::Write as _};

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use dagr_app::{audit::AuditQuery, problem::Problem, views::AuditView};
use dagr_model::clock::riga;
use http::header;
use jiff::{Timestamp, ToSpan as _, civil::Date};

use super::actor;
use crate::{
    failed::Failed,
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
};

const PAGE: u32 = 40;
/// Rows of one export.
const EXPORT: u32 = 10_000;
/// Longer changes are cut on the page; the interface gives all of them.
const MAX_CHANGE: usize = 600;
/// Whatever can be filtered by.
pub const NOUNS: [&str; 10] = [
    "applications",
    "connections",
    "datasets",
    "institutions",
    "people",
    "permissions",
    "plans",
    "proposals",
    "settings",
    "systems",
];

#[derive(Template)]
#[template(path = "operator_audit.html")]
struct AuditPage {
    page: Page,
    asked: Asked,
    /// Noun, word, chosen.
    nouns: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
    export: String,
}

struct Row {
    at: Timestamp,
    who: String,
    action: String,
    object: String,
    before: String,
    after: String,
}

/// As it stands in the address; a day that is none is no filter, and is shown again.
#[derive(Default)]
struct Asked {
    noun: String,
    actor: String,
    from: String,
    to: String,
    after: Option<String>,
    wrong: bool,
}

fn asked(visitor: &Visitor) -> Result<Asked, Problem> {
    let mut query = visitor
        .query()
        .map_err(|_| Problem::query_invalid("query", "cannot be read"))?;
    let mut word = |name| {
        query
            .take(name)
            .map(|found| found.unwrap_or_default().trim().to_owned())
    };
    let asked = Asked {
        noun: word("noun")?,
        actor: word("actor")?,
        from: word("from")?,
        to: word("to")?,
        after: query.take("after")?,
        wrong: false,
    };
    query.end()?;
    let is_wrong = |text: &str| !text.is_empty() && day(text).is_none();
    let wrong = is_wrong(&asked.from) || is_wrong(&asked.to);
    Ok(Asked { wrong, ..asked })
}

impl Asked {
    fn query(&self, limit: u32) -> AuditQuery {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        // A bare number is a person's.
        let actor = some(&self.actor).map(|actor| {
            if actor.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("person:{actor}")
            } else {
                actor
            }
        });
        AuditQuery {
            noun: some(&self.noun),
            actor,
            from: day(&self.from).and_then(midnight),
            to: day(&self.to).and_then(|day| midnight(day.saturating_add(1.day()))),
            after: self.after.clone(),
            limit,
            ..AuditQuery::default()
        }
    }

    fn words(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("noun", &self.noun)
            .append_pair("actor", &self.actor)
            .append_pair("from", &self.from)
            .append_pair("to", &self.to)
            .finish()
    }
}

/// `2026-05-12`, as a browser's field sends it, or `12.05.2026.`
fn day(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let mut parts = text.trim_end_matches('.').split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned_datetime(riga()).ok().map(|zoned| zoned.timestamp())
}

/// `GET /operator/audit?noun=&actor=&from=&to=&after=`
pub async fn audit_show(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let page = shown(&portal, &visitor).await;
    page.map(|page| html(&page))
        .map_err(|problem| visitor.failed(problem))
}

async fn shown(portal: &Portal, visitor: &Visitor) -> Result<AuditPage, Problem> {
    let asked = asked(visitor)?;
    let found = portal.app.audit_list(&visitor.ctx, asked.query(PAGE)).await?;
    let mut names: HashMap<String, String> = HashMap::new();
    let mut rows = Vec::with_capacity(found.items.len());
    for entry in found.items {
        let who = match names.get(&entry.actor) {
            Some(name) => name.clone(),
            None => {
                let name = actor(portal, visitor, &entry.actor).await;
                names.insert(entry.actor.clone(), name.clone());
                name
            }
        };
        rows.push(row(entry, who));
    }
    let (lang, words) = (visitor.lang, asked.words());
    let chosen = |noun: &'static str| (noun, lang.t(&format!("noun-{noun}")), asked.noun == noun);
    Ok(AuditPage {
        page: visitor
            .page(&portal.app, lang.t("audit-title"))
            .under("/operator", lang.t("nav-operator")),
        nouns: NOUNS.into_iter().map(chosen).collect(),
        rows,
        next: found
            .next
            .map(|next| visitor.url(&format!("/operator/audit?{words}&after={next}"))),
        export: visitor.url(&format!("/operator/audit.csv?{words}")),
        asked,
    })
}

fn row(entry: AuditView, who: String) -> Row {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        value => {
            let text = value.to_string();
            match text.char_indices().nth(MAX_CHANGE) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    };
    Row {
        at: entry.at,
        who,
        before: text(&entry.before),
        after: text(&entry.after),
        action: entry.action,
        object: entry.object,
    }
}

/// `GET /operator/audit.csv`: the same filters.
pub async fn audit_export(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let asked = asked(&visitor).map_err(failed)?;
    let found = portal.app.audit_list(&visitor.ctx, asked.query(EXPORT)).await;
    let mut text = String::from("\u{feff}at,actor,action,object\r\n");
    for entry in found.map_err(failed)?.items {
        let cells = [entry.at.to_string(), entry.actor, entry.action, entry.object].map(|cell| quoted(&cell));
        let _ = write!(text, "{}\r\n", cells.join(","));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"dagr-audit.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

/// RFC 4180; what a spreadsheet would take for a formula is made text.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn a_cell_is_text_whatever_stands_in_it() {
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn a_day_is_read_both_ways() {
        assert_eq!(day("2026-05-12"), day("12.05.2026."));
        assert!(day("12.13.2026").is_none() && day("x").is_none());
    }

    #[test]
    fn every_noun_has_its_word() {
        for lang in Lang::ALL {
            for noun in NOUNS {
                assert!(lang.known(&format!("noun-{noun}")).is_some(), "{noun}");
            }
        }
    }
}
