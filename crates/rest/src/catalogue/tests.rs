use std::collections::HashSet;

use dagr_app::{
    registered::ServiceOffered,
    service::{Provider, Service},
    views::{Registered, RegisteredService, ServiceKind, ServiceState},
};
use dagr_model::{
    definition::Classification,
    ids::{DatasetName, RegistrationNumber, SystemCode},
    web_address,
};
use oxrdf::Triple;
use oxrdfio::RdfParser;
use serde_json::json;

use super::*;

const BASE: &str = "https://dagr.example.lv";
const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";

fn service(name: &str, classification: Classification, public: bool) -> Service {
    let mut links = json!({
        "records": format!("{BASE}/data/{name}/records"),
        "changes": format!("{BASE}/data/{name}/changes"),
        "description": format!("{BASE}/api#{name}"),
    });
    if public {
        links["public"] = format!("{BASE}/public/{name}?filename=x+y.csv").into();
    }
    Service {
        name: DatasetName::new(name),
        provider: Provider {
            registration_number: RegistrationNumber::new("90000000001"),
            name: "Rēzeknes \"Ūdens\" & <Ko>".to_owned(),
        },
        description: "Ūdens skaitītāji\n</rdf> \"pēdiņās\"".to_owned(),
        classification,
        key: vec!["Id".to_owned()],
        change_lists: Vec::new(),
        freshness: Some("2026-05-12T14:05:00Z".to_owned()),
        links: links.as_object().cloned().unwrap(),
    }
}

fn services() -> Vec<Service> {
    vec![
        service("bss_water", Classification::Open, true),
        service("bss_heat", Classification::Sensitive, false),
    ]
}

fn offered() -> ServiceOffered {
    ServiceOffered {
        service: Registered {
            code: "BSS-API".to_owned(),
            version: 2,
            described: RegisteredService {
                kind: ServiceKind::Api,
                system: SystemCode::new("BSS"),
                resource: None,
                title_lv: "Ūdens skaitītāja \"rādījums\"".to_owned(),
                title_en: "Reading of a meter".to_owned(),
                description: "Pēdējais\n<rādījums>".to_owned(),
                address: "https://api.example.lv/meters?x=%C4%81".to_owned(),
                interface: Some("https://api.example.lv/openapi.json".to_owned()),
                access: "Līgums".to_owned(),
                classification: Classification::Restricted,
                state: ServiceState::InUse,
            },
            reason: "Sākums".to_owned(),
            by: "operator".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
        },
        provider: Provider {
            registration_number: RegistrationNumber::new("90000000001"),
            name: "Rēzeknes \"Ūdens\" & <Ko>".to_owned(),
        },
    }
}

fn formats() -> [RdfFormat; 3] {
    let profile = JsonLdProfileSet::empty();
    [
        RdfFormat::Turtle,
        RdfFormat::JsonLd { profile },
        RdfFormat::RdfXml,
    ]
}

fn read(bytes: &[u8], format: RdfFormat) -> HashSet<Triple> {
    let quads = RdfParser::from_format(format).for_slice(bytes);
    quads.map(|quad| Triple::from(quad.unwrap())).collect()
}

#[test]
fn three_formats_tell_one_graph() {
    let graph = graph::of(BASE, &services(), &[offered()]).unwrap();
    let told: HashSet<Triple> = graph.iter().cloned().collect();
    assert_eq!(told.len(), graph.len(), "nothing is told twice");
    for format in formats() {
        let bytes = write(&graph, format).unwrap();
        assert_eq!(read(&bytes, format), told, "{format:?}");
    }
}

#[test]
fn what_dcat_ap_asks_for_is_there() {
    let graph = graph::of(BASE, &services(), &[offered()]).unwrap();
    let has = |subject: &str, property: &str| {
        let subject = format!("<{BASE}{subject}>");
        graph
            .iter()
            .any(|triple| triple.subject.to_string() == subject && triple.predicate.as_str() == property)
    };
    for (subject, vocabulary, properties) in [
        ("/catalogue", DCT, &["title", "description", "publisher"][..]),
        ("/catalogue", DCAT, &["dataset", "service"]),
        (
            "/catalogue#bss_water",
            DCT,
            &["title", "description", "publisher", "accessRights", "modified"],
        ),
        ("/catalogue#bss_water", DCAT, &["distribution", "landingPage"]),
        (
            "/catalogue#bss_water-file",
            DCAT,
            &["accessURL", "downloadURL", "mediaType"],
        ),
        (
            "/catalogue#bss_heat-interface",
            DCAT,
            &["accessURL", "accessService"],
        ),
        (
            "/catalogue#bss_heat-service",
            DCAT,
            &["endpointURL", "servesDataset"],
        ),
        (
            "/catalogue#services/BSS-API",
            DCT,
            &["title", "description", "publisher", "accessRights"],
        ),
        (
            "/catalogue#services/BSS-API",
            DCAT,
            &["endpointURL", "endpointDescription", "landingPage"],
        ),
    ] {
        for property in properties {
            assert!(
                has(subject, &format!("{vocabulary}{property}")),
                "{subject} {property}"
            );
        }
    }
    assert!(!has("/catalogue#bss_heat-file", &format!("{DCAT}accessURL")));
}

#[test]
fn an_empty_catalogue_is_a_catalogue() {
    let graph = graph::of(BASE, &[], &[]).unwrap();
    for format in formats() {
        assert!(!read(&write(&graph, format).unwrap(), format).is_empty());
    }
}

/// One address that the graph refuses would take the whole catalogue away.
#[test]
fn every_address_a_service_may_have_stands_in_the_graph() {
    let mut taken = 0;
    for first in '\0'..='\u{17f}' {
        for second in ['a', '%', '4', '/', '?', ':', '.', '-', '[', '@', '#'] {
            for address in [
                format!("https://{first}{second}"),
                format!("https://a{first}{second}b/"),
                format!("https://a.lv:{first}{second}"),
                format!("https://a.lv/{first}{second}4"),
                format!("https://a.lv?{first}{second}4"),
            ] {
                if web_address::is_https(&address) {
                    taken += 1;
                    assert!(oxrdf::NamedNode::new(&address).is_ok(), "{address}");
                }
            }
        }
    }
    assert!(taken > 500, "{taken}");
}
