//! Records from a SOAP service, page by page; a fault in any page drops what came before it.

pub mod envelope;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::BufReader,
    path::Path,
};

use reqwest::{Client, Response, StatusCode, header};

use super::{
    fault, web,
    xml::{self, Element, Seen},
};
use crate::{
    collect::{Collect, Given},
    error::{Error, Result},
    feed::{Soap, SoapVersion},
};

/// One page's answer.
const PAGE_BYTES: u64 = 256 << 20;
/// A fault's text is told so far.
const TOLD: usize = 500;

/// Reads every page; with `limit` until so many records are there.
pub async fn read(soap: &Soap, rows: &mut Collect<'_>, limit: Option<u64>, dir: &Path) -> Result<()> {
    let client = web::client(soap.ca.as_deref(), |builder| {
        builder.timeout(soap.timeout).redirect(web::same_origin())
    })?;
    let mut given = Given::new(rows);
    let mut reading = Reading {
        soap,
        dir,
        records: 0,
        pages: HashMap::new(),
        short: false,
        beside: BTreeSet::new(),
    };
    // A service whose pages are smaller than the feed thinks gives short ones from the first on: they end nothing.
    let mut short_ends = soap.short_page_ends;
    for number in 0..soap.pages {
        let request = envelope::page(soap, number, reading.records);
        let answer = ask(soap, &client, request).await?;
        let found = reading.page(answer, number, &mut given).await?;
        let enough = limit.is_some_and(|limit| reading.records >= limit);
        let short = soap.page_size.is_some_and(|size| found < size);
        if number == 0 {
            short_ends |= !short;
        }
        if found == 0 || (short_ends && short) || enough || !envelope::is_paged(&soap.envelope) {
            return Ok(());
        }
    }
    Err(fault(format!(
        "{} gave {} pages and did not end (source.pages); does it read the page it is asked for?",
        web::shown(&soap.url),
        soap.pages
    )))
}

async fn ask(soap: &Soap, client: &Client, request: String) -> Result<Response> {
    let action = soap.action.as_deref().unwrap_or_default();
    let mut call = client.post(&soap.url);
    call = match soap.version {
        SoapVersion::V1_1 => call
            .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", format!("\"{action}\"")),
        SoapVersion::V1_2 => {
            let action = if action.is_empty() {
                String::new()
            } else {
                format!("; action=\"{action}\"")
            };
            call.header(
                header::CONTENT_TYPE,
                format!("application/soap+xml; charset=utf-8{action}"),
            )
        }
    };
    if let Some(authorization) = &soap.authorization {
        call = call.header(header::AUTHORIZATION, authorization.read()?);
    }
    call.body(request)
        .send()
        .await
        .map_err(|error| fault(web::told(error)))
}

struct Reading<'s> {
    soap: &'s Soap,
    dir: &'s Path,
    /// Records so far.
    records: u64,
    /// What the records of a page come to, and its number.
    pages: HashMap<u64, u64>,
    /// The page before had fewer records than `page_size`.
    short: bool,
    /// Names of what stood beside records.
    beside: BTreeSet<String>,
}

impl Reading<'_> {
    /// Gives the page's records, and says how many they are.
    async fn page(&mut self, answer: Response, number: u64, given: &mut Given<'_, '_>) -> Result<u64> {
        let status = answer.status();
        let content_type = web::header(&answer, header::CONTENT_TYPE).unwrap_or_default();
        let (media, charset) = web::media(&content_type);
        let place = format!("page {} of {}", number + 1, web::shown(&self.soap.url));
        if media.starts_with("multipart/") {
            return Err(fault(format!(
                "{place} has attachments ({media}); only plain SOAP is read"
            )));
        }
        let file = web::spooled(
            answer,
            self.dir,
            &place,
            PAGE_BYTES,
            "ask for fewer by source.page_size",
        )
        .await?;
        let way_out = self.way_out(number);
        if !status.is_success() {
            return Err(refusal(&place, status, file, charset.as_deref(), &way_out));
        }
        let page = Page {
            soap: self.soap,
            file: &file,
            charset: charset.as_deref(),
            place: &place,
            way_out: &way_out,
        };
        let before = self.records;
        let mut hasher = DefaultHasher::new();
        let walked = page.walk(&mut |element| {
            self.records += 1;
            element.hash(&mut hasher);
            xml::give(&element, self.records, given)
        })?;
        if self.records == before {
            let path = envelope::path(&self.soap.records);
            return self.none(&walked, &path, number, &place).map(|()| 0);
        }
        self.beside.extend(walked.beside(1).iter().cloned());
        if let Some(same) = self.pages.insert(hasher.finish(), number) {
            return Err(fault(format!(
                "{place} has the records of page {}: does the service read the page it is asked for? Where one answer holds everything, the envelope asks for no page{way_out}",
                same + 1
            )));
        }
        let found = self.records - before;
        self.short = self.soap.page_size.is_some_and(|size| found < size);
        Ok(found)
    }

    /// What helps where the page before, `number` from 1, was the last one.
    fn way_out(&self, number: u64) -> String {
        match self.soap.page_size {
            Some(size) if self.short => format!(
                "; where page {number} was the last one, source.short_page_ends = true says that a page with fewer than {size} records (source.page_size) ends the reading"
            ),
            None if number > 0 => format!(
                "; where page {number} was the last one, source.page_size with source.short_page_ends = true says that a page with fewer records ends the reading"
            ),
            Some(_) if number > 0 => format!(
                "; where page {number} was the last one it was full: with another source.page_size it is not"
            ),
            _ => String::new(),
        }
    }

    /// Is a page without records one? No place for them is another answer, and so are words about them: what stands there
    /// after the last record stood beside the others too.
    fn none(&self, seen: &Seen, path: &xml::Path<'_>, number: u64, place: &str) -> Result<()> {
        let known = match number {
            0 => self.soap.may_be_empty,
            _ => seen.beside(1).is_subset(&self.beside),
        };
        if seen.leads(1, path) || (known && seen.reaches(1, path)) {
            return Ok(());
        }
        let message = seen.missing(1, path, "source.records, inside Envelope/Body");
        let way_out = match number {
            0 => seen.way_out(1, path).to_owned(),
            _ => self.way_out(number),
        };
        Err(Error::Source(format!("{place}: {message}{way_out}")))
    }
}

/// An answer that is read.
struct Page<'p> {
    soap: &'p Soap,
    file: &'p File,
    charset: Option<&'p str>,
    place: &'p str,
    /// Ends the words of a fault.
    way_out: &'p str,
}

impl Page<'_> {
    /// Gives every record; a fault is an error.
    fn walk(&self, found: &mut dyn FnMut(Element) -> Result<()>) -> Result<Seen> {
        let mut told = None;
        let path = envelope::path(&self.soap.records);
        let seen = xml::walk(
            &mut BufReader::new(self.file),
            self.charset,
            self.place,
            &[&envelope::FAULT, &path],
            &mut |at, element| {
                if at == 0 {
                    told = Some(of_fault(&element));
                    return Ok(());
                }
                found(element)
            },
        )?;
        match told {
            Some(told) => Err(fault(format!("{}: {told}{}", self.place, self.way_out))),
            None => Ok(seen),
        }
    }
}

/// What a service says that does not answer: its fault, or the status alone.
fn refusal(place: &str, status: StatusCode, file: File, charset: Option<&str>, way_out: &str) -> Error {
    let mut told = None;
    let walked = xml::walk(
        &mut BufReader::new(file),
        charset,
        place,
        &[&envelope::FAULT],
        &mut |_, element| {
            told = Some(of_fault(&element));
            Ok(())
        },
    );
    match (walked, told) {
        (_, Some(told)) => fault(format!("{place}: {told}{way_out}")),
        _ => fault(format!("{place} answered {status}")),
    }
}

/// Code and words of a fault, of either version.
fn of_fault(fault: &Element) -> String {
    let text = |path: &[&str]| {
        path.iter()
            .try_fold(fault, |element, name| element.child(name))
            .map(|element| element.text.as_str())
            .filter(|text| !text.is_empty())
    };
    let code = text(&["faultcode"]).or_else(|| text(&["Code", "Value"]));
    let inner = text(&["Code", "Subcode", "Value"]);
    let words = text(&["faultstring"]).or_else(|| text(&["Reason", "Text"]));
    let code = [code, inner].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let words: String = words
        .unwrap_or("it says no more")
        .chars()
        .filter(|c| !c.is_control())
        .take(TOLD)
        .collect();
    format!("the service answers with a fault, {code}: {words}")
}
