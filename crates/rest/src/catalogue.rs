//! The public catalogue as DCAT-AP 3.0 (SEMIC, <https://semiceu.github.io/DCAT-AP/releases/3.0.1/>): Turtle, JSON-LD and
//! RDF/XML of one graph. Published data sets of the main section and
//! registered services in use; no token.

mod graph;

use axum::{
    extract::{Request, State},
    response::Response,
};
use dagr_app::problem::Problem;
use dagr_web::{Query, Rejected, context::Web};
use http::{HeaderValue, header};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer};

/// `GET /catalogue.ttl`
pub async fn catalogue_turtle(state: State<Web>, request: Request) -> Result<Response, Rejected> {
    answer(state, request, RdfFormat::Turtle).await
}

/// `GET /catalogue.jsonld`
pub async fn catalogue_json_ld(state: State<Web>, request: Request) -> Result<Response, Rejected> {
    let profile = JsonLdProfileSet::empty();
    answer(state, request, RdfFormat::JsonLd { profile }).await
}

/// `GET /catalogue.rdf`
pub async fn catalogue_rdf(state: State<Web>, request: Request) -> Result<Response, Rejected> {
    answer(state, request, RdfFormat::RdfXml).await
}

async fn answer(State(web): State<Web>, request: Request, format: RdfFormat) -> Result<Response, Rejected> {
    Query::parse(request.uri().query())?.end()?;
    let offered = web.app.offered_list().await?;
    // Freshness is read from each set: not on a thread that answers.
    let written = tokio::task::spawn_blocking(move || {
        let services = web.app.service_list()?;
        let base = web.app.settings.public_url.trim_end_matches('/');
        write(&graph::of(base, &services, &offered)?, format)
    });
    let bytes = written.await.map_err(Problem::internal)??;
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.media_type()),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn write(triples: &[oxrdf::Triple], format: RdfFormat) -> Result<Vec<u8>, Problem> {
    let mut serializer = RdfSerializer::from_format(format);
    for (prefix, iri) in graph::PREFIXES {
        serializer = serializer.with_prefix(prefix, iri).map_err(Problem::internal)?;
    }
    let mut out = serializer.for_writer(Vec::new());
    for triple in triples {
        out.serialize_triple(triple).map_err(Problem::internal)?;
    }
    out.finish().map_err(Problem::internal)
}

#[cfg(test)]
mod tests;
