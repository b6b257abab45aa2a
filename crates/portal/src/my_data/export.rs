//! The same as a file: streamed page by page, so that memory does not grow with a long life.

use std::io;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use dagr_app::{
    disclosure::{MAX_PAGE, OwnFilter},
    problem::Problem,
    views::{OwnDisclosure, Page},
};
use dagr_model::ids::Section;
use futures_util::stream;
use http::{HeaderValue, header};

use super::{Asked, sentence};
use crate::{
    failed::Failed,
    lang::Lang,
    page::name_of,
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// `GET /my-data.json?from=&to=&recipient=`
pub async fn my_data_json(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    file(portal, visitor, Format::Json).await
}

/// `GET /my-data.csv?from=&to=&recipient=`
pub async fn my_data_csv(State(portal): State<Portal>, Signed(visitor): Signed) -> Result<Response, Failed> {
    file(portal, visitor, Format::Csv).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

/// What is still to be written.
struct Rest {
    portal: Portal,
    visitor: Visitor,
    filter: OwnFilter,
    format: Format,
    page: Page<OwnDisclosure>,
    is_first: bool,
    /// Disclosures already in the file.
    written: usize,
}

async fn file(portal: Portal, visitor: Visitor, format: Format) -> Result<Response, Failed> {
    let mut asked = Asked::read(&visitor)?;
    let Some(filter) = asked.filter(&visitor, MAX_PAGE) else {
        let fault = asked.from_fault.or(asked.to_fault).unwrap_or_default();
        return Err(visitor.failed(Problem::query_invalid("from", fault)));
    };
    // The first page before anything is sent: what fails is told on a page, not in half a file.
    let page = portal.app.disclosure_own_list(&visitor.ctx, filter.clone()).await;
    let page = page.map_err(|problem| visitor.failed(problem))?;
    let rest = Rest {
        portal,
        visitor,
        filter,
        format,
        page,
        is_first: true,
        written: 0,
    };
    let body = Body::from_stream(stream::try_unfold(Some(rest), part));
    Ok(attached(body, format))
}

/// One page's bytes, and what comes after.
async fn part(rest: Option<Rest>) -> io::Result<Option<(Bytes, Option<Rest>)>> {
    let Some(mut rest) = rest else {
        return Ok(None);
    };
    let is_last = rest.page.next.is_none();
    let text = match rest.format {
        Format::Json => json(&rest.page.items, rest.is_first, is_last, rest.written)?,
        Format::Csv => csv(rest.visitor.lang, &rest.page.items, rest.is_first),
    };
    if is_last {
        return Ok(Some((text.into(), None)));
    }
    rest.written += rest.page.items.len();
    rest.filter.before = rest.page.next.take();
    let found = rest
        .portal
        .app
        .disclosure_own_list(&rest.visitor.ctx, rest.filter.clone())
        .await;
    // A file that breaks off is one the browser calls broken.
    rest.page = found.map_err(|problem| io::Error::other(problem.code))?;
    rest.is_first = false;
    Ok(Some((text.into(), Some(rest))))
}

fn attached(body: Body, format: Format) -> Response {
    let (kind, name) = match format {
        Format::Json => ("application/json", "attachment; filename=\"mani-dati.json\""),
        Format::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"mani-dati.csv\"",
        ),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// One disclosure a line, in one array.
fn json(items: &[OwnDisclosure], is_first: bool, is_last: bool, written: usize) -> io::Result<String> {
    let mut out = String::new();
    if is_first {
        out.push_str("{\"disclosures\":[\n");
    }
    for (at, item) in items.iter().enumerate() {
        if written + at > 0 {
            out.push_str(",\n");
        }
        out.push_str(&serde_json::to_string(item)?);
    }
    if is_last {
        out.push_str("\n]}\n");
    }
    Ok(out)
}

const COLUMNS: [&str; 12] = [
    "own-csv-at",
    "own-csv-recipient",
    "own-csv-number",
    "own-csv-what",
    "own-csv-dataset",
    "own-csv-fields",
    "own-csv-purpose",
    "own-csv-law",
    "own-csv-case",
    "own-csv-permission",
    "own-csv-section",
    "own-csv-id",
];

/// Semicolons: where commas are decimal, spreadsheets split by them. The mark in front lets Excel read the letters.
fn csv(lang: Lang, items: &[OwnDisclosure], is_first: bool) -> String {
    let mut out = String::new();
    if is_first {
        out.push('\u{feff}');
        let names = COLUMNS.map(|name| lang.known(name).unwrap_or_default());
        row(&mut out, names.iter().map(String::as_str));
    }
    for item in items {
        let meanings: Vec<&str> = item.fields.iter().map(|field| field.meaning.as_str()).collect();
        let section = match item.section {
            Section::Main => String::new(),
            Section::Sandbox => lang.t("own-sandbox"),
        };
        let cells = [
            lang.moment(item.at),
            name_of(&item.recipient.name, item.recipient.registration_number.as_str()),
            item.recipient.registration_number.to_string(),
            sentence(lang, item),
            item.description.clone(),
            meanings.join(", "),
            item.purpose.clone(),
            item.legal_basis.clone(),
            item.case.clone().unwrap_or_default(),
            item.permission.clone(),
            section,
            item.id.clone(),
        ];
        row(&mut out, cells.iter().map(String::as_str));
    }
    out
}

fn row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(';');
        }
        out.push('"');
        // What a recipient wrote must not become a formula in the reader's spreadsheet (OWASP, CSV injection).
        if cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r', '\n']) {
            out.push('\'');
        }
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out_of_its_quotes() {
        let mut out = String::new();
        let cells = ["=1+1", " @x", "-2", "a\"b", "\t=1", "Rīga; Jūrmala", ""];
        row(&mut out, cells.into_iter());
        assert_eq!(
            out,
            "\"'=1+1\";\"' @x\";\"'-2\";\"a\"\"b\";\"'\t=1\";\"Rīga; Jūrmala\";\"\"\r\n"
        );
    }

    #[test]
    fn every_column_has_a_name_in_both_languages() {
        for lang in Lang::ALL {
            for name in COLUMNS {
                assert!(lang.known(name).is_some(), "{name}");
            }
            assert!(csv(lang, &[], true).starts_with('\u{feff}'));
        }
    }

    #[test]
    fn pages_of_a_file_make_one_array() {
        let text = json(&[], true, false, 0).unwrap() + &json(&[], false, true, 0).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::json!({ "disclosures": [] }));
    }
}
