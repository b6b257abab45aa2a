//! Rows that were not accepted: which, by what rule, why. Never a value of the row: the use case keeps none.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use dagr_model::ids::Section;
use http::{HeaderValue, header};
use serde_json::Value;

use super::{encoded, page_of, section_of, words};
use crate::{
    failed::Failed,
    lang::Lang,
    page::{Page, html},
    settings::Portal,
    visitor::{Signed, Visitor},
};

const PAGE: u64 = 100;
/// Rows of one export; `GET …/quarantine` of the data port gives all.
const MAX_EXPORT: usize = 10_000;
const EXPORT_PAGE: u64 = 1_000;

#[derive(Template)]
#[template(path = "quarantine.html")]
struct QuarantinePage {
    page: Page,
    name: String,
    section: &'static str,
    package: String,
    rows: Vec<Row>,
    next: Option<String>,
    export: String,
}

struct Row {
    package: String,
    line: String,
    field: String,
    rule: String,
    reason: String,
}

/// What is looked at.
struct Asked {
    section: Section,
    package: Option<String>,
    after: Option<String>,
}

fn asked(visitor: &Visitor) -> Result<Asked, Failed> {
    let failed = |problem| visitor.failed(problem);
    let mut query = visitor.query()?;
    let section = query.take("section").map_err(failed)?;
    let package = query.take("package").map_err(failed)?;
    let after = query.take("after").map_err(failed)?;
    query.end().map_err(failed)?;
    Ok(Asked {
        section: section_of(visitor, section.as_deref())?,
        package: package.filter(|package| !package.trim().is_empty()),
        after,
    })
}

/// `GET /my-datasets/{name}/quarantine?section=&package=&after=`
pub async fn quarantine_show(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let asked = asked(&visitor)?;
    let (rows, next) = page_of_rows(&portal, &visitor, &name, &asked, PAGE).await?;
    let package = asked.package.unwrap_or_default();
    let section = asked.section.as_str();
    let filter = format!("section={section}&package={}", encoded(&package));
    let url = |path: String| visitor.url(&format!("/my-datasets/{name}/{path}"));
    Ok(html(&QuarantinePage {
        page: page_of(&portal, &visitor, &name, visitor.lang.t("quarantine-title")),
        next: next.map(|next| url(format!("quarantine?{filter}&after={}", encoded(&next)))),
        export: url(format!("quarantine.csv?{filter}")),
        section,
        package,
        rows,
        name,
    }))
}

async fn page_of_rows(
    portal: &Portal,
    visitor: &Visitor,
    name: &str,
    asked: &Asked,
    limit: u64,
) -> Result<(Vec<Row>, Option<String>), Failed> {
    let found = portal.app.quarantine_list(
        &visitor.ctx,
        asked.section,
        name,
        asked.package.as_deref(),
        asked.after.as_deref(),
        Some(limit),
    );
    let found = found.await.map_err(|problem| visitor.failed(problem))?;
    let rows = found["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = rows.iter().map(|value| row(visitor.lang, value)).collect();
    Ok((rows, found["next"].as_str().map(str::to_owned)))
}

fn row(lang: Lang, value: &Value) -> Row {
    let text = |member: &str| value[member].as_str().unwrap_or_default().to_owned();
    Row {
        package: text("package"),
        line: value["line"]
            .as_u64()
            .map_or_else(String::new, |line| line.to_string()),
        field: text("field"),
        rule: words::rule(lang, &text("rule")),
        reason: text("reason"),
    }
}

/// `GET /my-datasets/{name}/quarantine.csv?section=&package=`: what the page shows, whole up to `MAX_EXPORT`.
pub async fn quarantine_csv(
    State(portal): State<Portal>,
    Signed(visitor): Signed,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let mut asked = asked(&visitor)?;
    let lang = visitor.lang;
    let mut text = String::from("\u{feff}");
    let heads = [
        "quarantine-package",
        "quarantine-line",
        "quarantine-field",
        "quarantine-rule",
        "quarantine-reason",
    ];
    put_line(&mut text, &heads.map(|head| lang.t(head)));
    let mut count = 0;
    while count < MAX_EXPORT {
        let (rows, next) = page_of_rows(&portal, &visitor, &name, &asked, EXPORT_PAGE).await?;
        count += rows.len();
        for row in rows {
            put_line(
                &mut text,
                &[row.package, row.line, row.field, row.rule, row.reason],
            );
        }
        asked.after = next;
        if asked.after.is_none() {
            break;
        }
    }
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    let keep = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let as_file = format!("attachment; filename=\"{name}-quarantine.csv\"");
    let as_file = HeaderValue::from_str(&as_file).unwrap_or(HeaderValue::from_static("attachment"));
    Ok(([kind, keep, (header::CONTENT_DISPOSITION, as_file)], text).into_response())
}

/// RFC 4180. A cell that a spreadsheet would compute is marked as text.
fn put_line(out: &mut String, cells: &[String; 5]) {
    let cell = |text: &String| {
        let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            "'"
        } else {
            ""
        };
        format!("\"{mark}{}\"", text.replace('"', "\"\""))
    };
    out.push_str(&cells.each_ref().map(cell).join(","));
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_computed_by_a_spreadsheet() {
        let mut out = String::new();
        let cells = ["=1+1", "7", "", "a \"b\"", "x,y"].map(str::to_owned);
        put_line(&mut out, &cells);
        assert_eq!(out, "\"'=1+1\",\"7\",\"\",\"a \"\"b\"\"\",\"x,y\"\r\n");
    }
}
