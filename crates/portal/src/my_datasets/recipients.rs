//! Who may read a set: what, by which ways, and when they last did.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use dagr_model::permission::Way;
use jiff::Timestamp;
use serde_json::Value;

use super::{encoded, page_of, section_of, words as own};
use crate::{
    failed::Failed,
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
    words::{self, State as Word},
};

const PAGE: u64 = 50;
/// Field names shown in a row; the rest is counted.
const MAX_FIELDS: usize = 12;

#[derive(Template)]
#[template(path = "recipients.html")]
struct RecipientsPage {
    page: Page,
    rows: Vec<Row>,
    next: Option<String>,
    in_sandbox: bool,
}

struct Row {
    recipient: String,
    permission: String,
    purpose: String,
    fields: String,
    more_fields: usize,
    ways: String,
    state: Word,
    last_use: Option<String>,
}

/// `GET /my-datasets/{name}/recipients?section=&after=`
pub async fn recipients_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let section = query.take("section").map_err(failed)?;
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    let section = section_of(&visitor, section.as_deref())?;
    let found = portal
        .app
        .recipient_list(&visitor.ctx, section, &name, after.as_deref(), PAGE)
        .map_err(failed)?;
    let rows = found["recipients"].as_array().map(Vec::as_slice);
    let next = found["next"].as_str().map(|next| {
        visitor.url(&format!(
            "/my-datasets/{name}/recipients?section={}&after={}",
            section.as_str(),
            encoded(next)
        ))
    });
    Ok(html(&RecipientsPage {
        page: page_of(&portal, &visitor, &name, visitor.lang.t("recipients-title")),
        rows: rows
            .unwrap_or_default()
            .iter()
            .map(|value| row(&portal, &visitor, &name, value))
            .collect(),
        next,
        in_sandbox: section == dagr_model::ids::Section::Sandbox,
    }))
}

fn row(portal: &Portal, visitor: &Visitor, name: &str, value: &Value) -> Row {
    let lang = visitor.lang;
    let text = |member: &str| value[member].as_str().unwrap_or_default();
    let list = |member: &str| {
        let items = value[member].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let (fields, definition) = (list("fields"), portal.app.definition_of(name));
    let way = |text: &str| {
        let way: Option<Way> = serde_json::from_value(Value::String(text.to_owned())).ok();
        way.map_or_else(
            || text.to_owned(),
            |way| words::way(lang, &way, definition.as_deref()),
        )
    };
    let ways: Vec<String> = list("ways").into_iter().map(way).collect();
    let last_use: Option<Timestamp> = text("last_use").parse().ok();
    Row {
        recipient: crate::application::institution(portal, text("recipient")),
        permission: text("permission").to_owned(),
        purpose: text("purpose").to_owned(),
        more_fields: fields.len().saturating_sub(MAX_FIELDS),
        fields: fields
            .iter()
            .take(MAX_FIELDS)
            .copied()
            .collect::<Vec<_>>()
            .join(", "),
        ways: ways.join("; "),
        state: own::permission(lang, text("state")),
        last_use: last_use.map(|at| lang.moment(at)),
    }
}
