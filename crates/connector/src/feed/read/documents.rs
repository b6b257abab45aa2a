//! The words of sources that give documents: files, addresses, SOAP services.

use std::{fs, path::Path, time::Duration};

use dagr_model::fault::{Fault, nearest};
use toml::Value;

use super::{Faults, no_password, secret};
use crate::{
    feed::{Authorization, Files, Format, Http, Order, Soap, SoapVersion},
    source::soap::envelope,
    words::Words,
};

/// An answer's bytes, where nothing else is said.
const MOST_MIB: u64 = 1 << 10;
/// Silence or a page, where nothing else is said.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Pages of a SOAP service, where nothing else is said.
const PAGES: u64 = 100_000;

pub fn files(words: &mut Words<'_>, base: &Path, faults: &mut Faults) -> Option<Files> {
    words.required(faults, "path", "\"deliveries\"");
    let path = words.text(faults, "path").map(|path| base.join(path));
    let watch = words.bool(faults, "watch").unwrap_or(false);
    let order = order(words, faults);
    let format = format(words, faults);
    let charset = words.text(faults, "charset");
    let settle = words.duration(faults, "settle").unwrap_or(Duration::from_secs(2));
    let records = records(words, format, faults);
    let member = words.text(faults, "member");
    let may_be_empty = may_be_empty(words, faults);
    Some(Files {
        path: path?,
        watch,
        order,
        format,
        charset,
        settle,
        records,
        member,
        may_be_empty,
    })
}

pub fn http(words: &mut Words<'_>, base: &Path, faults: &mut Faults) -> Option<Http> {
    let url = address(words, "\"https://register.example.lv/vehicles.json\"", faults);
    let authorization = authorization(words, base, faults);
    let ca = words.text(faults, "ca").map(|path| base.join(path));
    let format = format(words, faults);
    let charset = words.text(faults, "charset");
    let records = records(words, format, faults);
    let member = words.text(faults, "member");
    let may_be_empty = may_be_empty(words, faults);
    let timeout = words.duration(faults, "timeout").unwrap_or(TIMEOUT);
    let most_mib = words.number(faults, "most_mib").unwrap_or(MOST_MIB);
    Some(Http {
        url: url?,
        authorization,
        ca,
        format,
        charset,
        records,
        member,
        may_be_empty,
        timeout,
        most_bytes: most_mib.saturating_mul(1 << 20),
    })
}

pub fn soap(words: &mut Words<'_>, base: &Path, faults: &mut Faults) -> Option<Soap> {
    let url = address(words, "\"https://register.example.lv/services/vehicles\"", faults);
    let example = "\"GetVehiclesResponse/Vehicles/Vehicle\"";
    words.required(faults, "records", example);
    words.required(faults, "envelope", "{ file = \"request.xml\" }");
    let version = match words.text(faults, "version").as_deref() {
        None | Some("1.1") => SoapVersion::V1_1,
        Some("1.2") => SoapVersion::V1_2,
        Some(_) => {
            let message = "expected \"1.1\" or \"1.2\"";
            faults.push(Fault::new("source.version", "kind", message));
            SoapVersion::V1_1
        }
    };
    let action = words.text(faults, "action");
    if let Some(action) = &action
        && action.contains(|c: char| c.is_control() || c == '"')
    {
        let message = "an action has neither quotes nor line ends";
        faults.push(Fault::new("source.action", "kind", message));
    }
    let records = records(words, Some(Format::Xml), faults);
    let may_be_empty = may_be_empty(words, faults);
    let envelope = request(words, version, base, faults);
    let page_size = words.number(faults, "page_size");
    let short_page_ends = words.bool(faults, "short_page_ends").unwrap_or(false);
    if short_page_ends && page_size.is_none() {
        let message = "which page is short? say page_size = 1000";
        faults.push(Fault::new(words.place("short_page_ends"), "rule", message));
    }
    let first = words.number(faults, "first");
    let pages = words.number(faults, "pages").unwrap_or(PAGES);
    for (word, value) in [("page_size", page_size), ("pages", Some(pages))] {
        if value == Some(0) {
            faults.push(Fault::new(words.place(word), "range", "1 or more"));
        }
    }
    if let Some(text) = &envelope {
        for fault in envelope::faults(text, version, page_size) {
            faults.push(Fault::new("source.envelope", "envelope", fault));
        }
    }
    let by_page = envelope
        .as_deref()
        .is_some_and(|text| text.contains(envelope::PAGE));
    let authorization = authorization(words, base, faults);
    let ca = words.text(faults, "ca").map(|path| base.join(path));
    let timeout = words.duration(faults, "timeout").unwrap_or(TIMEOUT);
    Some(Soap {
        url: url?,
        version,
        action,
        envelope: envelope?,
        records: records?,
        may_be_empty,
        page_size,
        short_page_ends,
        first: first.unwrap_or(u64::from(by_page)),
        pages,
        authorization,
        ca,
        timeout,
    })
}

/// The envelope as it stands here, or in a file.
fn request(words: &mut Words<'_>, version: SoapVersion, base: &Path, faults: &mut Faults) -> Option<String> {
    let mut fault = |message: String| {
        faults.push(Fault::new("source.envelope", "envelope", message));
        None
    };
    match words.value("envelope")? {
        Value::String(text) => Some(text.clone()),
        Value::Table(table) if table.len() == 1 => match table.get("file") {
            Some(Value::String(path)) => {
                let path = base.join(path);
                fs::read_to_string(&path)
                    .map_or_else(|error| fault(format!("{}: {error}", path.display())), Some)
            }
            _ => fault("expected { file = \"request.xml\" }".to_owned()),
        },
        _ => fault(format!(
            "expected the text of a request, or {{ file = \"request.xml\" }}; it begins <Envelope xmlns=\"{}\">",
            envelope::namespace(version)
        )),
    }
}

fn address(words: &mut Words<'_>, example: &str, faults: &mut Faults) -> Option<String> {
    words.required(faults, "url", example);
    let url = words.text(faults, "url")?;
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let message = "what stands before @ may be a secret: take it out, and give authorization, or username and password";
        faults.push(Fault::new("source.url", "secret", message));
    } else {
        no_password(&url, "source.url", faults);
    }
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let message = "expected an address that begins https:// or http://";
        faults.push(Fault::new("source.url", "kind", message));
    }
    Some(url)
}

/// `authorization`, or `username` with `password`.
fn authorization(words: &mut Words<'_>, base: &Path, faults: &mut Faults) -> Option<Authorization> {
    let header = secret(words, "authorization", base, faults);
    let username = words.text(faults, "username");
    let password = secret(words, "password", base, faults);
    match (header, username, password) {
        (None, None, None) => None,
        (Some(header), None, None) => Some(Authorization::Header(header)),
        (None, Some(username), Some(password)) if !username.contains(':') => {
            Some(Authorization::Basic { username, password })
        }
        _ => {
            let message =
                "give either authorization, the header's whole value, or username (without :) and password";
            faults.push(Fault::new("source.authorization", "kind", message));
            None
        }
    }
}

/// Names between points in JSON, between strokes in XML.
fn records(words: &mut Words<'_>, format: Option<Format>, faults: &mut Faults) -> Option<String> {
    let place = words.place("records");
    if format == Some(Format::Xml) {
        words.required(faults, "records", "\"Register/Vehicles/Vehicle\"");
    }
    let records = words.text(faults, "records")?;
    let between = if format == Some(Format::Json) { '.' } else { '/' };
    let wrong = records.split(between).any(str::is_empty)
        || (format == Some(Format::Xml) && records.contains([':', '@', '*', '[']));
    if wrong {
        let message = "names of elements from the root, without prefixes: \"Register/Vehicles/Vehicle\"; of JSON \"data.items\"";
        faults.push(Fault::new(place, "path", message));
        return None;
    }
    Some(records)
}

fn order(words: &mut Words<'_>, faults: &mut Faults) -> Order {
    match words.text(faults, "order").as_deref() {
        None | Some("name") => Order::Name,
        Some("time") => Order::Time,
        Some(_) => {
            let message = "expected \"name\", or \"time\" (in which the files were last changed)";
            faults.push(Fault::new(words.place("order"), "kind", message));
            Order::Name
        }
    }
}

fn may_be_empty(words: &mut Words<'_>, faults: &mut Faults) -> bool {
    words.bool(faults, "may_be_empty").unwrap_or(false)
}

fn format(words: &mut Words<'_>, faults: &mut Faults) -> Option<Format> {
    let text = words.text(faults, "format")?;
    let found = Format::WORDS.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let near = nearest(&text, Format::WORDS.iter().map(|(word, _)| *word));
        let hint = near
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let message = format!("expected {}{hint}", Format::offered());
        faults.push(Fault::new("source.format", "kind", message));
    }
    found.map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    #[test]
    fn files_are_in_the_order_of_names_or_of_times() {
        let read = |text: &str| {
            let table: Table = format!("path = 'in'\n{text}").parse().unwrap();
            let mut faults = Vec::new();
            let mut words = Words::new(&table, "source");
            let files = files(&mut words, Path::new("."), &mut faults).unwrap();
            words.end(&mut faults);
            let places: Vec<String> = faults.into_iter().map(|fault| fault.place).collect();
            (files.order, places)
        };
        assert_eq!(read(""), (Order::Name, vec![]));
        assert_eq!(read("order = 'name'"), (Order::Name, vec![]));
        assert_eq!(read("order = 'time'"), (Order::Time, vec![]));
        assert_eq!(read("order = 'date'").1, ["source.order"]);
    }

    #[test]
    fn an_address_holds_no_user_and_no_token() {
        let faults = |url: &str| {
            let table: Table = format!("url = '{url}'").parse().unwrap();
            let mut faults = Vec::new();
            address(&mut Words::new(&table, "source"), "", &mut faults);
            faults.len()
        };
        for url in [
            "https://8814@register.example.lv/cars",
            "https://reader:secret@register.example.lv",
            "https://8814@register.example.lv?a",
            "https://register.example.lv?password=secret",
        ] {
            assert_eq!(faults(url), 1, "{url}");
        }
        for url in [
            "https://register.example.lv/a@b?c@d",
            "http://register.example.lv?c@d",
        ] {
            assert_eq!(faults(url), 0, "{url}");
        }
    }
}
