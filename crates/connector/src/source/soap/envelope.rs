//! The request of one page.

use crate::{
    feed::{Soap, SoapVersion},
    source::xml,
};

pub const PAGE: &str = "{page}";
const OFFSET: &str = "{offset}";
const PAGE_SIZE: &str = "{page_size}";

/// Where a fault is.
pub const FAULT: [&str; 3] = ["Envelope", "Body", "Fault"];

pub fn namespace(version: SoapVersion) -> &'static str {
    match version {
        SoapVersion::V1_1 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V1_2 => "http://www.w3.org/2003/05/soap-envelope",
    }
}

/// Is there another page to ask for?
pub fn is_paged(envelope: &str) -> bool {
    envelope.contains(PAGE) || envelope.contains(OFFSET)
}

/// The envelope of page `number`, from 0, after so many records. Only numbers are put in: nothing needs escaping.
pub fn page(soap: &Soap, number: u64, records: u64) -> String {
    let at = |step: u64| soap.first.saturating_add(step).to_string();
    soap.envelope
        .replace(PAGE_SIZE, &soap.page_size.unwrap_or_default().to_string())
        .replace(PAGE, &at(number))
        .replace(OFFSET, &at(records))
}

/// The records' path from the root of the answer.
pub fn path(records: &str) -> Vec<&str> {
    ["Envelope", "Body"]
        .into_iter()
        .chain(records.split('/'))
        .collect()
}

/// What is wrong with an envelope, every fault.
pub fn faults(text: &str, version: SoapVersion, page_size: Option<u64>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut bodies = 0;
    let walked = xml::walk(
        &mut text.as_bytes(),
        Some("utf-8"),
        "the envelope",
        &[&["Envelope", "Body"]],
        &mut |_, _| {
            bodies += 1;
            Ok(())
        },
    );
    match walked {
        Err(error) => faults.push(error.to_string()),
        Ok(_) if bodies != 1 => faults.push(format!(
            "the request is one Envelope with one Body, of the namespace {}",
            namespace(version)
        )),
        Ok(_) if !text.contains(namespace(version)) => faults.push(format!(
            "the version asked for has the namespace {}; say source.version, or change the envelope",
            namespace(version)
        )),
        Ok(_) => {}
    }
    if text.contains(PAGE) && text.contains(OFFSET) {
        faults.push("{page} and {offset} are two ways to say the same: use one".to_owned());
    }
    if text.contains(PAGE_SIZE) && page_size.is_none() {
        faults.push("{page_size} needs source.page_size = 1000".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(namespace: &str, inside: &str) -> String {
        format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body><Get>{inside}</Get></s:Body></s:Envelope>")
    }

    #[test]
    fn every_fault_of_an_envelope_is_told() {
        let (old, new) = (namespace(SoapVersion::V1_1), namespace(SoapVersion::V1_2));
        let told = |text: &str| faults(text, SoapVersion::V1_1, None);
        assert_eq!(told(&envelope(old, "<Page>{page}</Page>")), Vec::<String>::new());
        assert!(told(&envelope(new, ""))[0].contains("say source.version"));
        assert!(told("<Get/>")[0].contains("one Envelope with one Body"));
        assert!(told("<Envelope><Body></Envelope>")[0].contains("line 1"));
        let two = told(&envelope(old, "{page}{offset}{page_size}"));
        assert_eq!(two.len(), 2, "{two:?}");
    }
}
