//! The triples. Every object that a shape wants typed is typed here: nobody needs another graph to judge this one.

use std::collections::HashSet;

use dagr_app::{
    problem::Problem,
    registered::ServiceOffered,
    service::{Provider, Service},
};
use dagr_model::definition::Classification;
use oxrdf::{
    Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple,
    vocab::{rdf, xsd},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const FOAF: &str = "http://xmlns.com/foaf/0.1/";
/// Access rights, by the Publications Office of the EU.
const ACCESS: &str = "http://publications.europa.eu/resource/authority/access-right/";
const CSV: &str = "https://www.iana.org/assignments/media-types/text/csv";
const JSON: &str = "https://www.iana.org/assignments/media-types/application/json";

pub(super) const PREFIXES: [(&str, &str); 4] = [
    ("dcat", DCAT),
    ("dct", DCT),
    ("foaf", FOAF),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// The graph of a catalogue whose public address is `base` (no final slash).
pub(super) fn of(
    base: &str,
    services: &[Service],
    offered: &[ServiceOffered],
) -> Result<Vec<Triple>, Problem> {
    let mut graph = Graph {
        base,
        triples: Vec::new(),
        known: HashSet::new(),
    };
    let catalogue = graph.iri("/catalogue")?;
    graph.catalogue(&catalogue, services)?;
    for service in services {
        graph.dataset(&catalogue, service)?;
        let agent = graph.agent(&service.provider)?;
        graph.name_agent(&agent, &service.provider.name)?;
    }
    for one in offered {
        graph.offered(&catalogue, one)?;
    }
    Ok(graph.triples)
}

struct Graph<'b> {
    base: &'b str,
    triples: Vec<Triple>,
    /// A graph is a set: data sets share rights, media types and providers.
    known: HashSet<Triple>,
}

impl Graph<'_> {
    fn catalogue(&mut self, catalogue: &NamedNode, services: &[Service]) -> Result<(), Problem> {
        let operator = self.iri("/catalogue#operator")?;
        self.kind(catalogue, DCAT, "Catalog")?;
        for (text, language) in [
            ("DAGR datu kopu katalogs", "lv"),
            ("DAGR catalogue of data sets", "en"),
        ] {
            self.add(catalogue, DCT, "title", text_in(text, language)?)?;
        }
        for (text, language) in [
            ("Datu kopas, ko iestādes izsniedz ar DAGR starpniecību.", "lv"),
            ("Data sets that institutions give out through DAGR.", "en"),
        ] {
            self.add(catalogue, DCT, "description", text_in(text, language)?)?;
        }
        self.add(catalogue, DCT, "publisher", operator.clone())?;
        let home = self.iri("/")?;
        self.add(catalogue, FOAF, "homepage", home.clone())?;
        self.kind(&home, FOAF, "Document")?;
        self.name_agent(&operator, "DAGR")?;
        for service in services {
            let dataset = self.dataset_iri(service)?;
            let access = self.access_iri(service)?;
            self.add(catalogue, DCAT, "dataset", dataset)?;
            self.add(catalogue, DCAT, "service", access)?;
        }
        Ok(())
    }

    fn dataset(&mut self, catalogue: &NamedNode, service: &Service) -> Result<(), Problem> {
        let dataset = self.dataset_iri(service)?;
        let agent = self.agent(&service.provider)?;
        let title = text_in(&service.description, "lv")?;
        self.kind(&dataset, DCAT, "Dataset")?;
        self.add(&dataset, DCT, "title", title.clone())?;
        self.add(&dataset, DCT, "description", title)?;
        self.add(
            &dataset,
            DCT,
            "identifier",
            Literal::new_simple_literal(service.name.as_str()),
        )?;
        self.add(&dataset, DCT, "publisher", agent)?;
        self.rights(&dataset, service.classification)?;
        self.linked(&dataset, DCAT, "landingPage", "description", service)?;
        if let Some(time) = &service.freshness {
            let time = Literal::new_typed_literal(time, xsd::DATE_TIME);
            self.add(&dataset, DCT, "modified", time)?;
        }
        self.public_file(&dataset, service)?;
        self.interface(catalogue, &dataset, service)
    }

    /// Somebody else's interface: called where it stands, not here.
    fn offered(&mut self, catalogue: &NamedNode, one: &ServiceOffered) -> Result<(), Problem> {
        let code = &one.service.code;
        let described = &one.service.described;
        // A slash stands in no name of a data set: the two never meet.
        let node = self.iri(&format!("/catalogue#services/{code}"))?;
        self.add(catalogue, DCAT, "service", node.clone())?;
        self.add(catalogue, DCT, "hasPart", node.clone())?;
        self.kind(&node, DCAT, "DataService")?;
        for (title, language) in [(&described.title_lv, "lv"), (&described.title_en, "en")] {
            self.add(&node, DCT, "title", text_in(title, language)?)?;
        }
        self.add(&node, DCT, "description", text_in(&described.description, "lv")?)?;
        self.add(&node, DCT, "identifier", Literal::new_simple_literal(code))?;
        let agent = self.agent(&one.provider)?;
        self.name_agent(&agent, &one.provider.name)?;
        self.add(&node, DCT, "publisher", agent)?;
        self.rights(&node, described.classification)?;
        let page = self.iri(&format!("/lv/services/{code}"))?;
        self.kind_of_resource(&page)?;
        self.kind(&page, FOAF, "Document")?;
        self.add(&node, DCAT, "landingPage", page)?;
        let addresses = [
            ("endpointURL", Some(&described.address)),
            ("endpointDescription", described.interface.as_ref()),
        ];
        for (property, address) in addresses {
            let Some(address) = address else { continue };
            let address = iri(address)?;
            self.kind_of_resource(&address)?;
            self.add(&node, DCAT, property, address)?;
        }
        Ok(())
    }

    fn rights(&mut self, of: &NamedNode, classification: Classification) -> Result<(), Problem> {
        let rights = iri(&format!("{ACCESS}{}", access_right(classification)))?;
        self.add(of, DCT, "accessRights", rights.clone())?;
        self.kind(&rights, DCT, "RightsStatement")
    }

    /// The open-data file.
    fn public_file(&mut self, dataset: &NamedNode, service: &Service) -> Result<(), Problem> {
        let Some(address) = service.links.get("public").and_then(|link| link.as_str()) else {
            return Ok(());
        };
        let file = self.iri(&format!("/catalogue#{}-file", service.name))?;
        self.add(dataset, DCAT, "distribution", file.clone())?;
        self.kind(&file, DCAT, "Distribution")?;
        self.add(&file, DCT, "title", text_in("Publiskais fails", "lv")?)?;
        for way in ["accessURL", "downloadURL"] {
            let address = iri(address)?;
            self.kind_of_resource(&address)?;
            self.add(&file, DCAT, way, address)?;
        }
        self.media_type(&file, CSV)
    }

    /// The interface, as a distribution and as the service behind it.
    fn interface(
        &mut self,
        catalogue: &NamedNode,
        dataset: &NamedNode,
        service: &Service,
    ) -> Result<(), Problem> {
        let given = self.iri(&format!("/catalogue#{}-interface", service.name))?;
        let access = self.access_iri(service)?;
        self.add(dataset, DCAT, "distribution", given.clone())?;
        self.kind(&given, DCAT, "Distribution")?;
        self.add(&given, DCT, "title", text_in("Saskarne", "lv")?)?;
        self.linked(&given, DCAT, "accessURL", "records", service)?;
        self.add(&given, DCAT, "accessService", access.clone())?;
        self.media_type(&given, JSON)?;

        self.kind(&access, DCAT, "DataService")?;
        self.add(&access, DCT, "title", text_in(&service.description, "lv")?)?;
        self.linked(&access, DCAT, "endpointURL", "records", service)?;
        let description = self.iri("/api/openapi.json")?;
        self.kind_of_resource(&description)?;
        self.add(&access, DCAT, "endpointDescription", description)?;
        self.add(&access, DCAT, "servesDataset", dataset.clone())?;
        self.add(catalogue, DCT, "hasPart", access)
    }

    fn media_type(&mut self, distribution: &NamedNode, address: &str) -> Result<(), Problem> {
        let media = iri(address)?;
        self.kind(&media, DCT, "MediaType")?;
        self.add(distribution, DCAT, "mediaType", media)
    }

    fn linked(
        &mut self,
        subject: &NamedNode,
        vocabulary: &str,
        property: &str,
        link: &str,
        service: &Service,
    ) -> Result<(), Problem> {
        let Some(address) = service.links.get(link).and_then(|link| link.as_str()) else {
            return Ok(());
        };
        let address = iri(address)?;
        self.kind_of_resource(&address)?;
        if property == "landingPage" {
            self.kind(&address, FOAF, "Document")?;
        }
        self.add(subject, vocabulary, property, address)
    }

    /// Addresses are `rdfs:Resource`s to the shapes.
    fn kind_of_resource(&mut self, address: &NamedNode) -> Result<(), Problem> {
        self.kind(address, "http://www.w3.org/2000/01/rdf-schema#", "Resource")
    }

    fn name_agent(&mut self, agent: &NamedNode, name: &str) -> Result<(), Problem> {
        self.kind(agent, FOAF, "Agent")?;
        self.add(agent, FOAF, "name", text_in(name, "lv")?)
    }

    fn agent(&self, provider: &Provider) -> Result<NamedNode, Problem> {
        let number = provider.registration_number.as_str();
        let number = utf8_percent_encode(number, NON_ALPHANUMERIC);
        self.iri(&format!("/catalogue#institution-{number}"))
    }

    fn dataset_iri(&self, service: &Service) -> Result<NamedNode, Problem> {
        self.iri(&format!("/catalogue#{}", service.name))
    }

    fn access_iri(&self, service: &Service) -> Result<NamedNode, Problem> {
        self.iri(&format!("/catalogue#{}-service", service.name))
    }

    fn iri(&self, path: &str) -> Result<NamedNode, Problem> {
        iri(&format!("{}{path}", self.base))
    }

    fn kind(&mut self, subject: &NamedNode, vocabulary: &str, class: &str) -> Result<(), Problem> {
        let class = iri(&format!("{vocabulary}{class}"))?;
        self.push(subject.clone(), rdf::TYPE, class);
        Ok(())
    }

    fn add(
        &mut self,
        subject: &NamedNode,
        vocabulary: &str,
        property: &str,
        object: impl Into<Term>,
    ) -> Result<(), Problem> {
        let property = iri(&format!("{vocabulary}{property}"))?;
        self.push(subject.clone(), property.as_ref(), object);
        Ok(())
    }

    fn push(
        &mut self,
        subject: impl Into<NamedOrBlankNode>,
        property: NamedNodeRef<'_>,
        object: impl Into<Term>,
    ) {
        let triple = Triple::new(subject, property, object);
        if self.known.insert(triple.clone()) {
            self.triples.push(triple);
        }
    }
}

fn access_right(classification: Classification) -> &'static str {
    match classification {
        Classification::Open => "PUBLIC",
        Classification::Restricted => "RESTRICTED",
        Classification::Sensitive => "NON_PUBLIC",
    }
}

fn iri(text: &str) -> Result<NamedNode, Problem> {
    NamedNode::new(text).map_err(Problem::internal)
}

fn text_in(text: &str, language: &str) -> Result<Literal, Problem> {
    Literal::new_language_tagged_literal(text, language).map_err(Problem::internal)
}
